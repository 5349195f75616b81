package gateway_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/gowsgi/gowsgi/wsgi"
)

var errWire = errors.New("connection reset by peer")

// A wire is a Transport in memory. It notes what it is given, fails at the
// nth call if told so, and holds the gateway to what Transport promises: the
// order of the calls, and none of them after an error or after the end.
type wire struct {
	t *testing.T
	*recording
	failAt int    // the call that fails, counted from 1; 0 for none
	during func() // runs within each Block, nil for nothing

	// No lock: the race detector sees to it that calls are not concurrent.
	calls int
	head  bool
	over  string // why no further call may come
}

func (w *wire) call(event string) error {
	if w.over != "" {
		w.t.Errorf("transport called with %q after %s", event, w.over)
	}
	w.calls++
	if w.calls == w.failAt {
		w.note("%s: failed", event)
		w.over = "an error"
		return errWire
	}
	w.note("%s", event)
	return nil
}

func (w *wire) Head(code int, status string, headers wsgi.Headers) error {
	if w.head {
		w.t.Errorf("second head, %q", status)
	}
	w.head = true
	if want := fmt.Sprintf("%03d ", code); !strings.HasPrefix(status, want) {
		w.t.Errorf("Head(%d, %q): the code is not that of the status", code, status)
	}
	event := "head " + status
	for _, h := range headers {
		event += "; " + h.Name + ": " + h.Value
	}
	return w.call(event)
}

func (w *wire) Block(block []byte) error {
	if !w.head {
		w.t.Errorf("block %q before the head", block)
	}
	if w.during != nil {
		w.during()
	}
	return w.call("block " + string(block))
}

func (w *wire) End() error {
	if !w.head {
		w.t.Error("end before the head")
	}
	err := w.call("end")
	if err == nil {
		w.over = "the end"
	}
	return err
}

// A fileWire can send files, and notes their bytes apart from blocks.
type fileWire struct{ *wire }

func (w fileWire) SendFile(file *os.File, n int64) (int64, error) {
	var sent bytes.Buffer
	copied, err := io.CopyN(&sent, file, n)
	if err != nil && err != io.EOF {
		return copied, err
	}
	if err := w.call("file " + sent.String()); err != nil {
		return 0, err
	}
	return copied, nil
}

// A hintWire can send interim responses.
type hintWire struct{ *wire }

func (w hintWire) Hint(code int, headers wsgi.Headers) error {
	event := fmt.Sprintf("hint %d", code)
	for _, h := range headers {
		event += "; " + h.Name + ": " + h.Value
	}
	return w.call(event)
}
