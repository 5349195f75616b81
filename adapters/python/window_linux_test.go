package python

import (
	"encoding/binary"
	"io"
	"testing"
)

// TestWindow: a part of a body is read into the window while the worker lives, and
// no more when it has ended, since another one may have the same place by then.
func TestWindow(t *testing.T) {
	board, err := newBoard(2, 4)
	if err != nil {
		t.Fatal(err)
	}
	defer board.close()
	ours, theirs, err := socketPair()
	if err != nil {
		t.Fatal(err)
	}
	defer theirs.Close()
	l, err := newLane(&worker{generation: &generation{board: board}}, 1, ours)
	if err != nil {
		t.Fatal(err)
	}
	defer l.conn.Close()
	for _, tt := range []struct {
		text string
		kind uint32
		sent string // behind the head of the reply
	}{
		{"in the window", replyWindow, ""},
		{"by the socket", replyOK, "by the socket"},
	} {
		c := &call{input: &oneRead{tt.text}}
		if err := c.read(l, windowSize); err != nil {
			t.Fatal(err)
		}
		reply := make([]byte, replyHead+len(tt.sent))
		if _, err := io.ReadFull(theirs, reply); err != nil {
			t.Fatal(err)
		}
		size, kind, rest := binary.LittleEndian.Uint32(reply), binary.LittleEndian.Uint32(reply[4:]), string(reply[replyHead:])
		if int(size) != len(tt.text) || kind != tt.kind || rest != tt.sent {
			t.Errorf("%s: the reply is of type %d for %d bytes, and %q follows; want type %d, %d bytes and %q",
				tt.text, kind, size, rest, tt.kind, len(tt.text), tt.sent)
		}
		if got := string(board.bytes[board.windows+windowSize:][:13]); got != "in the window" {
			t.Errorf("%s: the window has %q", tt.text, got)
		}
		l.shutWindow()
	}
}

// oneRead returns text, once.
type oneRead struct{ text string }

func (r *oneRead) Read(p []byte) (int, error) {
	n := copy(p, r.text)
	r.text = r.text[n:]
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}
