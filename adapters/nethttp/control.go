package nethttp

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/gowsgi/gowsgi/wsgi"
)

// extensionKey is where the net/http server of this module offers what the
// contract has no words for.
const extensionKey = "gowsgi.http"

// original is the extension's way to the request that it received. It answers
// false when environ no longer describes that request (EXT-04).
type original interface {
	HTTPRequest(environ *wsgi.Environ) (*http.Request, bool)
}

type deadlines interface {
	SetReadDeadline(time.Time) error
	SetWriteDeadline(time.Time) error
}

var errNoDeadlines = fmt.Errorf("nethttp: this server cannot set deadlines: %w", http.ErrNotSupported)

// SetReadDeadline is called by http.ResponseController.
func (w *response) SetReadDeadline(t time.Time) error {
	if d, ok := w.environ.Get(extensionKey).(deadlines); ok {
		return d.SetReadDeadline(t)
	}
	return errNoDeadlines
}

// SetWriteDeadline is called by http.ResponseController.
func (w *response) SetWriteDeadline(t time.Time) error {
	if d, ok := w.environ.Get(extensionKey).(deadlines); ok {
		return d.SetWriteDeadline(t)
	}
	return errNoDeadlines
}

// EnableFullDuplex is called by http.ResponseController. Under the contract a
// request body can always be read while the response is sent.
func (w *response) EnableFullDuplex() error { return nil }

// CloseNotify is http.CloseNotifier, deprecated for long, but gin's
// Context.Stream panics without it.
func (w *response) CloseNotify() <-chan bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.notify == nil {
		notify := make(chan bool, 1)
		w.notify = notify
		w.stopNotify = context.AfterFunc(w.environ.Context(), func() { notify <- true })
	}
	return w.notify
}
