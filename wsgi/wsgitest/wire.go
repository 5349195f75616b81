package wsgitest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"

	"github.com/gowsgi/gowsgi/server/gateway"
	"github.com/gowsgi/gowsgi/wsgi"
)

// wire is a gateway.Transport that keeps what it is given. Like a connection
// it fails once its client has left, and knows nothing else.
type wire struct {
	response   Response
	ctx        context.Context
	leave      context.CancelCauseFunc
	leaveAfter int  // blocks; 0 for never
	hints      bool // the protocol has interim responses
}

var (
	_ gateway.FileTransport = (*wire)(nil)
	_ gateway.HintTransport = (*wire)(nil)
)

// errLeft is the cause of a context whose client left by LeaveAfter.
var errLeft = errors.New("wsgitest: the client left")

func (w *wire) left() error {
	return context.Cause(w.ctx)
}

func (w *wire) Hint(code int, headers wsgi.Headers) error {
	if err := w.left(); err != nil || !w.hints {
		return err
	}
	w.response.Interim = append(w.response.Interim, Interim{code, headers.Clone()})
	return nil
}

func (w *wire) Head(code int, status string, headers wsgi.Headers) error {
	if err := w.left(); err != nil {
		return err
	}
	w.response.Code, w.response.Status, w.response.Headers = code, status, headers.Clone()
	_, w.response.Reason, _ = wsgi.ParseStatus(status) // the gateway has parsed it
	return nil
}

func (w *wire) Block(block []byte) error {
	if err := w.left(); err != nil {
		return err
	}
	if len(block) > 0 { // an empty one sends the head and is nothing on the wire (LEN-15)
		w.keep(bytes.Clone(block))
	}
	return nil
}

func (w *wire) SendFile(file *os.File, n int64) (int64, error) {
	if err := w.left(); err != nil {
		return 0, err
	}
	content, err := io.ReadAll(io.LimitReader(file, n))
	if len(content) > 0 {
		w.keep(content)
	}
	w.response.FileBytes += int64(len(content))
	return int64(len(content)), err
}

func (w *wire) keep(block []byte) {
	w.response.Blocks = append(w.response.Blocks, block)
	if len(w.response.Blocks) == w.leaveAfter {
		w.leave(errLeft)
	}
}

func (w *wire) End() error { return w.left() }
