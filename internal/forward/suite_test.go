package forward_test

import (
	"cmp"
	"testing"

	"github.com/gowsgi/gowsgi/adapters/fastcgi"
	"github.com/gowsgi/gowsgi/adapters/nethttp"
	"github.com/gowsgi/gowsgi/adapters/scgi"
	"github.com/gowsgi/gowsgi/adapters/uwsgi"
	"github.com/gowsgi/gowsgi/conformance"
	"github.com/gowsgi/gowsgi/internal/adaptertest"
	"github.com/gowsgi/gowsgi/server"
	"github.com/gowsgi/gowsgi/wsgi"
)

// otherwise has the rules that a whole of two servers cannot keep, each with the
// reason; "" begins those of every protocol.
var otherwise = map[string]map[string]string{
	"": {
		"WRITE-10": "a head without a block is not passed on before it is known how the response ends",
		"ERR-13":   "a backend that cuts the connection is answered for by 502, which the probe does not know of",
	},
	"scgi": {"CGI-10": "SCGI demands CONTENT_LENGTH, 0 where there is no body"},
	"http": {
		"CGI-09": "the protocol is that of the client's own request, HTTP/1.1",
		"CGI-10": "it adds X-Forwarded-For and its like, as a proxy does",
	},
}

// TestSuite looks at each client with a server of its protocol behind it, and
// our HTTP server before it: what the probes see is what a client of the whole
// sees, and what the application behind it is given.
func TestSuite(t *testing.T) {
	for _, tt := range []struct {
		name   string
		serve  func(app wsgi.Application) adaptertest.Server
		client func(addr string) wsgi.Application
	}{
		{"fastcgi", func(app wsgi.Application) adaptertest.Server {
			return &fastcgi.Server{App: app, Logger: adaptertest.Silent}
		},
			func(addr string) wsgi.Application { return &fastcgi.Client{Addr: addr, Logger: adaptertest.Silent} }},
		{"scgi", func(app wsgi.Application) adaptertest.Server {
			return &scgi.Server{App: app, Logger: adaptertest.Silent}
		},
			func(addr string) wsgi.Application { return &scgi.Client{Addr: addr, Logger: adaptertest.Silent} }},
		{"uwsgi", func(app wsgi.Application) adaptertest.Server {
			return &uwsgi.Server{App: app, Logger: adaptertest.Silent}
		},
			func(addr string) wsgi.Application { return &uwsgi.Client{Addr: addr, Logger: adaptertest.Silent} }},
		{"http", func(app wsgi.Application) adaptertest.Server {
			return &server.Server{App: app, Logger: adaptertest.Silent}
		},
			func(addr string) wsgi.Application { return &nethttp.Client{Addr: addr, Logger: adaptertest.Silent} }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			report, err := conformance.Suite{}.CheckServer(t.Context(), func(app wsgi.Application) (network, addr string, err error) {
				behind := adaptertest.Serve(t, tt.serve(app), "tcp")
				return "tcp", adaptertest.Serve(t, &server.Server{App: tt.client(behind), Logger: adaptertest.Silent}, "tcp"), nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if kept := report.Count(conformance.Pass); kept < 130 {
				t.Errorf("%d rules are kept, expected those that a server keeps", kept)
			}
			for _, r := range report.Results {
				reason := cmp.Or(otherwise[tt.name][r.ID], otherwise[""][r.ID])
				switch broken := r.Status == conformance.Fail || r.Status == conformance.Warn; {
				case broken && reason == "":
					t.Errorf("%s %s: %s", r.ID, r.Status, r.Evidence)
				case !broken && reason != "":
					t.Errorf("%s: expected it not to be kept, for %s", r.ID, reason)
				}
			}
		})
	}
}
