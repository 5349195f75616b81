package server_test

import (
	"strings"
	"sync/atomic"
	"testing"

	"github.com/gowsgi/gowsgi/server"
	"github.com/gowsgi/gowsgi/wsgi"
)

// TestServerRefuses sends what no application should see: each gets a 4xx or
// 5xx of the server's own, a log line, and the end of the connection where the
// next request cannot be told from this one.
func TestServerRefuses(t *testing.T) {
	for _, secure := range []bool{false, true} {
		name := "clear"
		if secure {
			name = "tls"
		}
		t.Run(name, func(t *testing.T) { testRefuses(t, secure) })
	}
}

func testRefuses(t *testing.T, secure bool) {
	var called atomic.Bool // requests come on connections of their own
	s := &server.Server{App: wsgi.AppFunc(func(e *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		called.Store(true)
		return readAll(e, start)
	}), MaxHeaderBytes: 8 << 10}
	if secure {
		s.TLSConfig = tlsConfig(t)
	}
	l := serve(t, s)
	tests := []struct {
		name, request string
		status        int
		log           string
		reason        string
	}{
		{"CGI-17/percent-encoding", "GET /%zz HTTP/1.1\r\nHost: h\r\n\r\n", 400, "malformed request", "N-18, AMB-21"},
		{"CGI-17/half-an-escape", "GET /%4 HTTP/1.1\r\nHost: h\r\n\r\n", 400, "malformed request", ""},
		{"CGI-17/NUL-in-path", "GET /a%00b HTTP/1.1\r\nHost: h\r\n\r\n", 400, "NUL", "no file and no header can hold it"},
		{"CGI-31/fragment", "GET /p#f HTTP/1.1\r\nHost: h\r\n\r\n", 400, "fragment", "N-18"},
		{"CGI-28/GET-star", "GET * HTTP/1.1\r\nHost: h\r\n\r\n", 400, "asterisk", "only OPTIONS has it"},
		{"CGI-28/CONNECT", "CONNECT h:80 HTTP/1.1\r\nHost: h\r\n\r\n", 501, "CONNECT", ""},
		{"CGI-21/length-plus", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: +4\r\n\r\nabcd", 400, "malformed request", ""},
		{"CGI-21/length-text", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: abc\r\n\r\nabcd", 400, "malformed request", ""},
		{"CGI-21/length-list", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3, 4\r\n\r\nabcd", 400, "malformed request", ""},
		{"CGI-21/length-negative", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n", 400, "malformed request", ""},
		{"CGI-21/length-empty", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length:\r\n\r\n", 400, "malformed request", ""},
		{"CGI-23/two-lengths", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcd", 400, "malformed request", "AMB-19"},
		{"CGI-23/two-hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, "malformed request", "AMB-19"},
		{"CGI-23/two-types", "POST / HTTP/1.1\r\nHost: h\r\nContent-Type: a/b\r\nContent-Type: c/d\r\nContent-Length: 1\r\n\r\nx", 400, "Content-Type", "AMB-19"},
		{"HTTP-07/CL.TE", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG", 400, "Content-Length and Transfer-Encoding", "smuggling"},
		{"HTTP-07/TE.CL", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\nG", 400, "Content-Length and Transfer-Encoding", "smuggling"},
		{"HTTP-07/TE.TE", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n", 501, "a transfer coding other than chunked", "smuggling"},
		{"HTTP-07/TE-unknown", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 501, "a transfer coding other than chunked", ""},
		{"HTTP-07/TE-in-1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, "Transfer-Encoding in HTTP/1.0", "smuggling"},
		{"HTTP-07/blank-before-colon", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n", 400, "malformed request", "smuggling"},
		{"HTTP-07/obs-fold", "GET / HTTP/1.1\r\nHost: h\r\nX: a\r\n b\r\n\r\n", 400, "folded", ""},
		{"HTTP-07/folded-TE", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", 400, "folded", "smuggling"},
		{"header/NUL", "GET / HTTP/1.1\r\nHost: h\r\nX: a\x00b\r\n\r\n", 400, "malformed request", ""},
		{"header/bare-CR", "GET / HTTP/1.1\r\nHost: h\r\nX: a\rb\r\n\r\n", 400, "malformed request", ""},
		{"header/no-colon", "GET / HTTP/1.1\r\nHost: h\r\nnonsense\r\n\r\n", 400, "malformed request", ""},
		{"header/bad-name", "GET / HTTP/1.1\r\nHost: h\r\nX(Y): z\r\n\r\n", 400, "malformed request", ""},
		{"header/no-host", "GET / HTTP/1.1\r\n\r\n", 400, "malformed request", ""},
		{"header/too-large", "GET / HTTP/1.1\r\nHost: h\r\nX: " + strings.Repeat("x", 16<<10) + "\r\n\r\n", 431, "larger than MaxHeaderBytes", ""},
		{"garbage/line", "garbage\r\n\r\n", 400, "malformed request", ""},
		{"garbage/tls-hello", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400, "malformed request", "TLS to a plain port"},
		{"version/9.9", "GET / HTTP/9.9\r\nHost: h\r\n\r\n", 505, "a version of HTTP", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := l.in(t)
			called.Store(false)
			before := len(l.log.String())
			c := l.dial().send("%sGET /next HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", tt.request)
			if a := c.answer("GET"); a.StatusCode != tt.status {
				t.Errorf("answer is %s, expected %d; %s", a.Status, tt.status, tt.reason)
			}
			eventually(t, "a log line", func() bool {
				line := l.log.String()[before:]
				return strings.Contains(line, "request refused") && strings.Contains(line, tt.log)
			})
			rest := c.rest() // no request of this case may run into the next
			if strings.HasPrefix(tt.name, "HTTP-07") && (rest != "" || called.Load()) {
				t.Errorf("then came %q, expected the end of the connection; the application was called: %v", rest, called.Load())
			}
		})
	}
	t.Run("CGI-28/OPTIONS-star", func(t *testing.T) { // N-16, AMB-22: the server answers
		called.Store(false)
		if a := l.roundTrip("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n"); a.StatusCode != 200 || called.Load() {
			t.Errorf("answer is %s, application called: %v", a.Status, called.Load())
		}
	})
	t.Run("SRV-08/second-of-a-connection", func(t *testing.T) {
		c := l.dial().send("%s", get("/"))
		c.answer("GET")
		before := len(l.log.String())
		if a := c.send("GET /%s HTTP/1.1\r\nHost: h\r\n\r\n", "%zz").answer("GET"); a.StatusCode != 400 {
			t.Errorf("answer is %s, expected 400", a.Status)
		}
		eventually(t, "a log line", func() bool { return strings.Contains(l.log.String()[before:], "request refused") })
	})
	t.Run("SRV-08/goes-on", func(t *testing.T) {
		if a := l.roundTrip(get("/")); a.StatusCode != 200 {
			t.Errorf("answer is %s", a.Status)
		}
	})
}
