package sandwich

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/adapters/fastcgi"
	"github.com/gowsgi/gowsgi/adapters/scgi"
	"github.com/gowsgi/gowsgi/adapters/uwsgi"
	"github.com/gowsgi/gowsgi/conformance/frontend"
	"github.com/gowsgi/gowsgi/server"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

// Server is a server of this module.
type Server interface {
	Serve(l net.Listener) error
	Shutdown(ctx context.Context) error
	Close() error
}

// Servers are the servers of the module that run in the process of the test, by the
// protocol that they are spoken to; "net/http" is server.Handler in a server of
// net/http's own. CGI, where each request has a process, is in cgi.go.
func Servers(app wsgi.Application) map[string]Server {
	silent := slog.New(slog.DiscardHandler)
	return map[string]Server{
		"http":     &server.Server{App: app, Errors: io.Discard, Logger: silent},
		"h2c":      &server.Server{App: app, Errors: io.Discard, Logger: silent},
		"net/http": &http.Server{Handler: server.Handler(app), ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)},
		"fastcgi":  &fastcgi.Server{App: app, Errors: io.Discard, Logger: silent},
		"scgi":     &scgi.Server{App: app, Errors: io.Discard, Logger: silent},
		"uwsgi":    &uwsgi.Server{App: app, Errors: io.Discard, Logger: silent},
	}
}

// Through starts a server, with a web server before it where its protocol is not
// HTTP, and returns what sends requests.
func Through(t *testing.T, protocol string, s Server) func(*wsgitest.Request) *wsgitest.Response {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	t.Cleanup(func() {
		s.Close()
		<-done
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := s.Shutdown(ctx); err != nil {
			t.Errorf("requests are left after Close: %v", err)
		}
	})
	if protocol == "http" || protocol == "net/http" {
		return wsgitest.Live("tcp", l.Addr().String())
	}
	front, err := frontend.Listen(protocol, "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { front.Close() })
	return wsgitest.Live("tcp", front.Addr().String())
}

// Agree sends each visit to each kind of application, and compares what comes with
// what is recorded in memory.
func Agree(t *testing.T, protocol string, m wsgi.Middleware, kinds map[string]wsgi.Application, asked []string, send func(*wsgitest.Request) *wsgitest.Response, more ...string) {
	t.Helper()
	for kind := range kinds {
		for _, visit := range asked {
			// Two requests, since a body is read once.
			request := func() *wsgitest.Request {
				req := Visits()[visit].With("X-Kind", kind)
				for i := 0; i < len(more); i += 2 {
					req.With(more[i], more[i+1])
				}
				return req
			}
			want, got := wsgitest.Record(m(ByKind(kinds)), request()), send(request())
			// That a response without a body was cut cannot be seen on the wire. In SCGI
			// and uwsgi a reset says it, and while a body is being sent the goroutine of
			// the front end that sends may be the one that is told of it.
			unseen := visit == "HEAD" || visit == "POST" && (protocol == "scgi" || protocol == "uwsgi")
			cut := (got.Err == nil) != (want.Err == nil) && !unseen
			if got.Code != want.Code || got.Text() != want.Text() || cut {
				t.Errorf("%s, %s: live %d with %d bytes, error %v; expected %d with %d bytes, error %v",
					visit, kind, got.Code, len(got.Text()), got.Err, want.Code, len(want.Text()), want.Err)
			}
			if diff := cmp.Diff(OwnHeaders(want.Headers), OwnHeaders(got.Headers)); diff != "" {
				t.Errorf("%s, %s: headers (-recorded +live):\n%s", visit, kind, diff)
			}
		}
	}
}

// OwnHeaders is what of a head is not the server's, sorted.
func OwnHeaders(h wsgi.Headers) []string {
	var own []string
	for _, f := range h {
		if name := strings.ToLower(f.Name); !slices.Contains([]string{"date", "connection", "transfer-encoding"}, name) {
			own = append(own, name+": "+f.Value)
		}
	}
	slices.Sort(own)
	return own
}

// Live checks that the middleware that create returns works on every server as it does
// in memory. A new one is made for the servers and for memory: some keep a state.
func Live(t *testing.T, create func() wsgi.Middleware) {
	all, asked := Kinds(t), []string{"GET", "HEAD", "POST", "cond", "range", "cors"}
	if testing.Short() {
		asked = []string{"GET", "POST"}
	}
	for protocol, s := range Servers(create()(ByKind(all))) {
		t.Run(protocol, func(t *testing.T) {
			Agree(t, protocol, create(), all, asked, Through(t, protocol, s))
		})
	}
}
