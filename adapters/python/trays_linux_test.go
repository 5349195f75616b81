package python

import (
	"errors"
	"os"
	"testing"
)

// TestOpenTrays: memory that could end this process, or is of another size than both
// sides take for granted, is not mapped.
func TestOpenTrays(t *testing.T) {
	for _, tt := range []struct {
		name string
		size int64
	}{
		{"the worker may still make it shorter", traysSize},
		{"too short", traysSize - 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			file, err := os.CreateTemp(t.TempDir(), "")
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
			if err := file.Truncate(tt.size); err != nil {
				t.Fatal(err)
			}
			if _, err := openTrays(file); !errors.Is(err, errTrays) {
				t.Errorf("the error is %v, want %v", err, errTrays)
			}
		})
	}
	if _, err := openTrays(nil); !errors.Is(err, errTrays) {
		t.Errorf("no descriptor: the error is %v, want %v", err, errTrays)
	}
}

// TestLift: a frame can name only what is there, for as long as it is.
func TestLift(t *testing.T) {
	memory, b, err := shareMemory(traysSize, traysSize)
	if err != nil {
		t.Fatal(err)
	}
	defer memory.Close()
	trays := &trays{bytes: b}
	trays.users.Store(1)
	copy(b[pageSize+3*traySize:], "a block")
	trays.word(3).Store(1)
	var m message
	for _, tt := range []struct {
		name string
		tray uint32
		size int
	}{
		{"a tray too many", trayCount, 1},
		{"more than a tray has", 0, traySize + 1},
	} {
		if trays.lift(&m, tt.tray, tt.size) {
			t.Errorf("%s: there is such a tray", tt.name)
		}
	}
	if !trays.lift(&m, 3, 7) || string(m.payload) != "a block" {
		t.Fatalf("the message has %q, want what is on the tray", m.payload)
	}
	trays.leave() // the worker has ended
	if string(m.payload) != "a block" || trays.word(3).Load() != 1 {
		t.Error("the tray is given back while a message is on it")
	}
	m.free()
	if trays.lift(&m, 3, 7) {
		t.Error("there is a tray although the memory is gone")
	}
}
