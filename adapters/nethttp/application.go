package nethttp

import (
	"net/http"
	"os"

	"github.com/gowsgi/gowsgi/wsgi"
)

// Application returns h as a WSGI application. Call returns at once; ServeHTTP
// runs when the server iterates the body, and a panic in it leaves Blocks as
// it is, http.ErrAbortHandler too.
//
// Application panics when h is nil.
func Application(h http.Handler) wsgi.Application {
	if h == nil {
		panic("nethttp: nil handler")
	}
	return application{h}
}

type application struct{ handler http.Handler }

func (a application) Call(environ *wsgi.Environ, startResponse wsgi.StartResponse) (wsgi.Iterable, error) {
	return &body{handler: a.handler, w: response{environ: environ, startResponse: startResponse}}, nil
}

// body is the response of one request before it exists. It is apart from the
// ResponseWriter so that a handler does not find Blocks on it.
type body struct {
	handler http.Handler
	input   *requestBody // nil for none
	w       response
}

var _ wsgi.FileStreamer = (*body)(nil)

func (b *body) Blocks(yield func(block []byte, err error) bool) { b.StreamFiles(yield, nil) }

func (b *body) StreamFiles(
	yield func(block []byte, err error) bool,
	sendFile func(file *os.File, n int64) (int64, error),
) {
	w := &b.w
	r, input := request(w.environ)
	b.input = input
	w.begin(r, yield, sendFile)
	defer func() { // for a panic and runtime.Goexit too
		w.end()
		if input != nil {
			input.Close()
		}
		if r.MultipartForm != nil {
			r.MultipartForm.RemoveAll() // as net/http does, which sees another *http.Request than the handler
		}
	}()
	serve(b.handler, w, r)
	w.finish()
}

// Close is called when the response is sent.
func (b *body) Close() error {
	if b.input != nil {
		b.input.wait()
	}
	return nil
}
