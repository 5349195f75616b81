package conformance

import (
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/gowsgi/gowsgi/wsgi"
)

// dispatcher is the one application of a server under test. The path of a
// request selects the probe's application; where a request can have no such
// path, or the server spoils it, the last probe's is called.
//
// It has methods that a server might be tempted by (CALL-01).
type dispatcher struct {
	mu      sync.Mutex
	n       int
	apps    map[string]wsgi.Application
	last    wsgi.Application
	touched string
}

func newDispatcher() *dispatcher {
	return &dispatcher{apps: make(map[string]wsgi.Application)}
}

const goodPath, goodBody = "/good", "the good answer\n"

// Call finds the application and calls it.
func (d *dispatcher) Call(environ *wsgi.Environ, startResponse wsgi.StartResponse) (wsgi.Iterable, error) {
	path := environ.Var("SCRIPT_NAME") + environ.Var("PATH_INFO")
	if strings.HasSuffix(path, goodPath) || path == goodPath[1:] {
		if environ.Var("REQUEST_METHOD") != "GET" { // the rest of another request before it
			return wsgi.Response{Status: "405 Method Not Allowed"}.Call(environ, startResponse)
		}
		if _, err := startResponse("200 OK", plainText(), nil); err != nil {
			return nil, err
		}
		return wsgi.Strings(goodBody), nil
	}
	for segment := range strings.SplitSeq(path, "/") {
		d.mu.Lock()
		app := d.apps[segment]
		d.mu.Unlock()
		if app != nil {
			return app.Call(environ, startResponse)
		}
	}
	d.mu.Lock()
	app := d.last
	d.mu.Unlock()
	return app.Call(environ, startResponse)
}

func (d *dispatcher) touch(method string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.touched = method
}

// ServeHTTP must not be called: an application is called by Call alone.
func (d *dispatcher) ServeHTTP(http.ResponseWriter, *http.Request) { d.touch("ServeHTTP") }

// WriteTo must not be called.
func (d *dispatcher) WriteTo(io.Writer) (int64, error) { d.touch("WriteTo"); return 0, nil }

// transcribed makes an application leave its events in x.
func (s *serverRun) transcribed(x *exchange, a app) app {
	return func(environ *wsgi.Environ, start wsgi.StartResponse) (body wsgi.Iterable, err error) {
		s.called.Store(true)
		x.note("called with %s %s", environ.Var("REQUEST_METHOD"), visible(environ.Var("SCRIPT_NAME")+environ.Var("PATH_INFO")))
		returned := false
		defer func() {
			if !returned {
				x.note("panics")
			}
		}()
		body, err = a(environ, observed(x, "", start))
		if returned = true; err != nil {
			x.note("returns the error %q", err)
		} else if body == nil {
			x.note("returns nil")
		} else {
			x.note("returns a body")
		}
		return body, err
	}
}
