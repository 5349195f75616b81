package nethttp

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"sync"

	"github.com/gowsgi/gowsgi/wsgi"
)

// forwarded is one request on its way to a backend, in its context.
type forwarded struct {
	environ *wsgi.Environ

	mu       sync.Mutex
	backend  string // the one that was chosen last
	inputErr error  // why the request body could not be read
}

type forwardedKey struct{}

func forwardedBy(ctx context.Context) *forwarded { return ctx.Value(forwardedKey{}).(*forwarded) }

func (f *forwarded) addr() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.backend
}

func (f *forwarded) inputError() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.inputErr
}

// url is the whole path and the query, as the client wrote them where they are
// still what the environ says.
func (f *forwarded) url() *url.URL {
	path := f.environ.Var("SCRIPT_NAME") + f.environ.Var("PATH_INFO")
	u := &url.URL{Path: path, RawPath: rawPath(f.environ.Var("REQUEST_URI"), "", path), RawQuery: f.environ.Var("QUERY_STRING")}
	if u.Path == "" {
		u.Path = "/"
	}
	return u
}

// watchedBody notes why the request body could not be read: that is not the
// backend's fault.
type watchedBody struct {
	io.ReadCloser
	f *forwarded
}

func (b *watchedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && err != io.EOF && err != http.ErrBodyReadAfterClose {
		b.f.mu.Lock()
		b.f.inputErr = err
		b.f.mu.Unlock()
	}
	return n, err
}
