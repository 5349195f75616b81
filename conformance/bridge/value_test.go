package bridge

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestValue(t *testing.T) {
	tests := []struct {
		name  string
		value any
		wire  string
	}{
		{"None", nil, "N"},
		{"True", true, "T"},
		{"False", false, "F"},
		{"int", -2, "I\xff\xff\xff\xff\xff\xff\xff\xfe"},
		{"str", "caf\xe9", "S\x00\x00\x00\x04caf\xe9"},
		{"wide str", Text("\u20ac"), "U\x00\x00\x00\x03\xe2\x82\xac"},
		{"lone surrogate", Text("\xed\xa0\x80"), "U\x00\x00\x00\x03\xed\xa0\x80"},
		{"bytes", []byte("\x00\xff"), "B\x00\x00\x00\x02\x00\xff"},
		{"no bytes", []byte{}, "B\x00\x00\x00\x00"},
		{"tuple", Tuple{1, "x"}, "P\x00\x00\x00\x02I\x00\x00\x00\x00\x00\x00\x00\x01S\x00\x00\x00\x01x"},
		{"list of lists", []any{[]any{}, nil}, "L\x00\x00\x00\x02L\x00\x00\x00\x00N"},
		{"dict", map[string]any{"k": nil}, "D\x00\x00\x00\x01S\x00\x00\x00\x01kN"},
		{"object", &Object{"c", "r"}, "O\x00\x00\x00\x01c\x00\x00\x00\x01r"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := string(appendValue(nil, tt.value)); got != tt.wire {
				t.Errorf("encoding is %q, expected %q", got, tt.wire)
			}
			got, err := decodeValue([]byte(tt.wire))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.value, got); diff != "" {
				t.Errorf("value differs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestMalformed(t *testing.T) {
	tests := []struct{ name, wire string }{
		{"nothing", ""},
		{"unknown", "?"},
		{"short int", "I\x00\x00"},
		{"short length", "S\x00\x00"},
		{"short str", "S\x00\x00\x00\x05abc"},
		{"length beyond everything", "B\xff\xff\xff\xff"},
		{"count beyond everything", "L\xff\xff\xff\xffN"},
		{"short list", "L\x00\x00\x00\x02N"},
		{"key that is no str", "D\x00\x00\x00\x01NN"},
		{"dict without value", "D\x00\x00\x00\x01S\x00\x00\x00\x00"},
		{"wide str that is none", "U\x00\x00\x00\x01a"},
		{"too deep", strings.Repeat("L\x00\x00\x00\x01", 20) + "N"},
		{"more", "NN"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if v, err := decodeValue([]byte(tt.wire)); err == nil {
				t.Errorf("value is %v, expected an error", v)
			}
		})
	}
}

// FuzzValue sees that no bytes harm the decoder, and that what it makes of
// them is encoded as it came.
func FuzzValue(f *testing.F) {
	for _, v := range []any{nil, true, 7, "str", Text("\u20ac"), []byte("bytes"), Tuple{1, 0}, []any{"a", nil}, map[string]any{"k": 1}, &Object{"c", "r"}} {
		f.Add(appendValue(nil, v))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := decodeValue(b)
		if err != nil {
			return
		}
		again := appendValue(nil, v)
		if w, err := decodeValue(again); err != nil || !cmp.Equal(v, w) {
			t.Fatalf("%q became %#v, which became %#v, %v", b, v, w, err)
		}
		if len(again) == len(b) && !bytes.Equal(again, b) && !bytes.Contains(b, []byte("D")) { // which has no order
			t.Fatalf("%q became %q", b, again)
		}
	})
}

// FuzzFrame sees that no bytes harm who receives frames.
func FuzzFrame(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x02rN\x00\x00\x00\x01"))
	f.Add([]byte("\xff\xff\xff\xffr"))
	f.Fuzz(func(t *testing.T, b []byte) {
		c := &conn{r: bufio.NewReader(bytes.NewReader(b))}
		for {
			if _, err := c.receive(); err != nil {
				return
			}
		}
	})
}

// TestPythonValues sends values through Python's decoder and encoder.
func TestPythonValues(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil && os.Getenv("GOWSGI_PEERS") == "require" {
		t.Fatal(err)
	} else if err != nil {
		t.Skip(err)
	}
	values := []any{nil, true, false, -1 << 62, "caf\xe9 \x00\x7f\x85", Text("\u20ac\U0001F600"), []byte("\x00\xff"), Tuple{1, Tuple{}},
		[]any{[]any{"a"}}, map[string]any{"a": nil, "b": 2}, strings.Repeat("x", 70000)}
	var in bytes.Buffer
	for _, v := range values {
		in.WriteString(hex.EncodeToString(appendValue(nil, v)) + "\n")
	}
	script := `
import sys
sys.path.insert(0, sys.argv[1])
from gowsgi_wire import pack, unpack
for line in sys.stdin:
    print(pack(unpack(bytes.fromhex(line.strip()))).hex())
`
	folder, err := filepath.Abs("python")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(python, "-B", "-c", script, folder)
	cmd.Stdin = &in
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	for i, line := range strings.Fields(string(out)) {
		b, err := hex.DecodeString(line)
		if err != nil {
			t.Fatal(err)
		}
		got, err := decodeValue(b)
		if diff := cmp.Diff(values[i], got); diff != "" || err != nil {
			t.Errorf("value differs (-want +got), %v:\n%s", err, diff)
		}
	}
}
