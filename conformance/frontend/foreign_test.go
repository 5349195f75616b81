package frontend_test

import (
	"log/slog"
	"net"
	"net/http"
	"net/http/fcgi"
	"testing"
	"time"

	"github.com/gowsgi/gowsgi/conformance"
	"github.com/gowsgi/gowsgi/internal/adaptertest"
	"github.com/gowsgi/gowsgi/server"
	"github.com/gowsgi/gowsgi/wsgi"
)

// TestHTTP2 runs the suite over HTTP/2 in clear.
func TestHTTP2(t *testing.T) {
	adaptertest.Leaks(t)
	conformance.Suite{Protocol: "h2c"}.TestServer(t, func(t testing.TB, app wsgi.Application) (network, addr string) {
		return "tcp", adaptertest.Serve(t, &server.Server{App: app, Logger: adaptertest.Silent}, "tcp")
	})
}

// found has the rules that net/http/fcgi breaks, each with what it does.
var found = map[string]string{
	"START-26": "it has no way to end a response but FCGI_END_REQUEST",
	"ERR-11":   "the same",
	"ERR-13":   "the same",
	"ERR-16":   "the same",
}

// TestForeign looks at the server of net/http/fcgi, to see that the suite's
// findings through a front end are right.
func TestForeign(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	defer slog.SetDefault(slog.Default())
	slog.SetDefault(adaptertest.Silent) // server.Handler has no other
	suite := conformance.Suite{Protocol: "fastcgi", Patience: time.Second}
	report, err := suite.CheckServer(t.Context(), func(app wsgi.Application) (network, addr string, err error) {
		handler := server.Handler(app)
		go fcgi.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			defer func() { recover() }() // net/http/fcgi would end the process
			handler.ServeHTTP(w, r)
		}))
		return "tcp", l.Addr().String(), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if report.Count(conformance.Pass) < 50 {
		t.Errorf("%d rules are kept, expected most of them", report.Count(conformance.Pass))
	}
	for _, r := range report.Results {
		_, known := found[r.ID]
		if broken := r.Status == conformance.Fail || r.Status == conformance.Warn; broken != known {
			t.Errorf("%s is %s, expected it to be broken: %t\n%s", r.ID, r.Status, known, r.Evidence)
		}
	}
}
