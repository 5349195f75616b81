package conformance_test

import (
	"io"
	"net"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/gowsgi/gowsgi/conformance"
	"github.com/gowsgi/gowsgi/internal/demo"
	"github.com/gowsgi/gowsgi/server"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

// TestGood runs subjects without a fault behind every middleware without one,
// and expects no finding.
func TestGood(t *testing.T) {
	for _, m := range middlewares {
		for _, s := range subjects(t) {
			t.Run(m.name+"/"+s.name, func(t *testing.T) {
				req := s.req
				if req == nil {
					req = get()
				}
				var c collector
				l := c.linter()
				wsgitest.Record(l.Lint(m.m(l.Lint(s.app))), req)
				l.Close()
				if len(c.findings) > 0 {
					t.Errorf("findings, expected none:%s", c.String())
				}
			})
		}
	}
}

// TestUnchanged compares what the server does with and without the lint.
func TestUnchanged(t *testing.T) {
	without := subjects(t) // a Response can be called once
	for i, s := range subjects(t) {
		t.Run(s.name, func(t *testing.T) {
			req := s.req
			if req == nil {
				req = get()
			}
			want := wsgitest.Record(without[i].app, req)
			got := wsgitest.Record(new(collector).linter().Lint(s.app), req)
			diff := cmp.Diff(want, got,
				cmpopts.IgnoreFields(wsgitest.Response{}, "Request", "Environ", "Err", "Fault"))
			if diff != "" || (want.Err == nil) != (got.Err == nil) || (want.Fault == nil) != (got.Fault == nil) {
				t.Errorf("with lint: %v, %v; without: %v, %v (-without +with):\n%s", got.Err, got.Fault, want.Err, want.Fault, diff)
			}
		})
	}
}

// TestGoodServer runs the subjects and the demo application on a server that
// listens.
func TestGoodServer(t *testing.T) {
	d, err := demo.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	all := append(subjects(t),
		subject{"demo", d, nil},
		subject{"demo, hello", d, wsgitest.NewRequest("GET", "/hello?name=Ada")},
		subject{"demo, stream", d, wsgitest.NewRequest("GET", "/stream?n=3")},
		subject{"demo, download", d, wsgitest.NewRequest("GET", "/download")},
		subject{"demo, upload", d, wsgitest.NewRequest("POST", "/upload").Multipart(nil,
			wsgitest.File{Field: "file", Name: "a.txt", Content: []byte("text")})},
		subject{"demo, error", d, wsgitest.NewRequest("GET", "/error")},
		subject{"demo, panic", d, wsgitest.NewRequest("GET", "/panic")},
		subject{"demo, style", d, wsgitest.NewRequest("HEAD", "/style.css")},
		subject{"demo, nothing", d, wsgitest.NewRequest("GET", "/nothing")},
		subject{"HTTP/1.0", good, &wsgitest.Request{Proto: "HTTP/1.0"}},
	)
	for _, s := range all {
		t.Run(s.name, func(t *testing.T) {
			l := conformance.NewLinter(t)
			srv := &server.Server{App: l.Lint(s.app), Errors: io.Discard}
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			served := make(chan error, 1)
			go func() { served <- srv.Serve(listener) }()
			req := s.req
			if req == nil {
				req = get()
			}
			wsgitest.Live("tcp", listener.Addr().String())(req)
			if err := srv.Shutdown(t.Context()); err != nil {
				t.Error(err)
			}
			<-served
		})
	}
}
