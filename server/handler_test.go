package server_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/internal/testlog"
	"github.com/gowsgi/gowsgi/server"
	"github.com/gowsgi/gowsgi/wsgi"
)

// serveHandler starts a server of net/http's own.
func serveHandler(t *testing.T, h http.Handler, secure bool) *live {
	s := httptest.NewUnstartedServer(h)
	l := &live{t: t, server: new(server.Server), addr: s.Listener.Addr(), log: new(testlog.Log)}
	if secure {
		l.server.TLSConfig = tlsConfig(t)
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	return l
}

// TestHandler is about a Handler in a server of somebody else's, with handlers
// of somebody else's around it.
func TestHandler(t *testing.T) {
	// N-17: a mux in front answers by itself what it would rather have asked.
	t.Run("CGI-19/ServeMux", func(t *testing.T) {
		mux := http.NewServeMux()
		mux.Handle("/", server.Handler(wsgi.AppFunc(dump)))
		if a := serveHandler(t, mux, false).roundTrip(get("/a//b")); a.StatusCode/100 != 3 || a.Header.Get("Location") != "/a/b" {
			t.Errorf("behind a mux: %s to %q, expected it to redirect: then Handler's documentation is wrong", a.Status, a.Header.Get("Location"))
		}
		alone := serveHandler(t, server.Handler(wsgi.AppFunc(dump)), false)
		if got := alone.environ(get("/a//b"))["PATH_INFO"]; got != "/a//b" {
			t.Errorf("without a mux: PATH_INFO is %q", got)
		}
	})
	t.Run("ERR-11/1.0-over-TLS", func(t *testing.T) {
		a := serveHandler(t, server.Handler(wsgi.AppFunc(fails("part", false))), true).roundTrip("GET / HTTP/1.0\r\n\r\n")
		if a.err == nil {
			t.Errorf("answer is %s %q, and seems complete", a.Status, a.body)
		}
	})
	// What a Server is told of a request holds in a Handler of it.
	t.Run("CFG-04/of-a-server", func(t *testing.T) {
		errs := new(testlog.Log)
		s := &server.Server{MaxBodyBytes: 3, Errors: errs, Software: "shop/1", App: wsgi.AppFunc(func(e *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			e.Errors().WriteString("told\n")
			if e.Var("PATH_INFO") == "/named" {
				return respond("200 OK", wsgi.Headers{{Name: "server", Value: "its own"}}, "x")(e, start)
			}
			return text(e.Var("shop.name"))(e, start)
		}), Environ: map[string]string{"shop.name": "Corner"}}
		l := serveHandler(t, s.Handler(), false)
		if a := l.roundTrip(get("/")); a.body != "Corner" || a.Header.Get("Server") != "shop/1" || errs.String() != "told\n" {
			t.Errorf("answer is %q of %q, errors %q", a.body, a.Header.Get("Server"), errs)
		}
		if a := l.roundTrip(get("/named")); a.Header.Get("Server") != "its own" {
			t.Errorf("HDR-17: Server is %q, expected what the application says", a.Header.Get("Server"))
		}
		if a := l.roundTrip("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nabcd"); a.StatusCode != 413 {
			t.Errorf("answer to a large body is %s, expected 413", a.Status)
		}
	})
	outer := func(name, value string, app app) http.Handler {
		inner := server.Handler(wsgi.AppFunc(app))
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set(name, value)
			inner.ServeHTTP(w, r)
		})
	}
	t.Run("HDR-17/an-outer-handler's", func(t *testing.T) {
		for _, name := range []string{"Date", "Server"} {
			const ours = "Thu, 01 Jan 1970 00:00:00 GMT"
			a := serveHandler(t, outer(name, "outer", respond("200 OK", wsgi.Headers{{Name: name, Value: ours}}, "x")), false).roundTrip(get("/"))
			if diff := cmp.Diff([]string{ours}, a.Header[name]); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		}
	})
	t.Run("HDR-18/an-outer-handler's", func(t *testing.T) {
		a := serveHandler(t, outer("Set-Cookie", "outer=1", respond("200 OK", wsgi.Headers{{Name: "Set-Cookie", Value: "inner=1"}}, "x")), false).roundTrip(get("/"))
		if diff := cmp.Diff([]string{"outer=1", "inner=1"}, a.Header["Set-Cookie"]); diff != "" {
			t.Errorf("Set-Cookie (-want +got):\n%s", diff)
		}
	})
	// N-26
	t.Run("COM-12/an-outer-handler's", func(t *testing.T) {
		c := serveHandler(t, outer("X-Outer", "1", func(e *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			if err := e.Get("wsgi.early_hints").(func(wsgi.Headers) error)(wsgi.Headers{{Name: "Link", Value: "</a.css>"}}); err != nil {
				return nil, err
			}
			return respond("200 OK", plain, "x")(e, start)
		}), false).dial().send("%s", get("/"))
		if head := c.head(); head != "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n" {
			t.Errorf("interim head is %q", head)
		}
		if head := c.head(); !strings.Contains(head, "\r\nX-Outer: 1\r\n") || strings.Contains(head, "Link") {
			t.Errorf("final head is %q", head)
		}
	})
	t.Run("COM-13/zone", func(t *testing.T) {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = "[fe80::1%eth0]:99"
		w := httptest.NewRecorder()
		server.Handler(wsgi.AppFunc(dump)).ServeHTTP(w, r)
		if !strings.Contains(w.Body.String(), "REMOTE_ADDR\tstring\t\"fe80::1\"\n") {
			t.Errorf("environ has no REMOTE_ADDR fe80::1:\n%s", w.Body)
		}
	})
	t.Run("INPUT-18/of-a-refused-request", func(t *testing.T) {
		l := serveHandler(t, server.Handler(wsgi.AppFunc(text("x"))), false)
		c := l.dial().send("POST / HTTP/1.1\r\nHost: h\r\nContent-Type: a/b\r\nContent-Type: c/d\r\nContent-Length: 10\r\n\r\n") // and no more
		if a := c.answer("POST"); a.StatusCode != 400 || !a.Close {
			t.Errorf("answer is %s, announces the end: %t", a.Status, a.Close)
		}
		if rest := c.rest(); rest != "" {
			t.Errorf("then came %q, expected the end of the connection", rest)
		}
	})
	t.Run("INPUT-18/too-large-and-no-more-comes", func(t *testing.T) {
		s := &server.Server{App: wsgi.AppFunc(readAll), MaxBodyBytes: 3}
		c := serveHandler(t, s.Handler(), false).dial()
		c.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
		if a := c.answer("POST"); a.StatusCode != 413 || !a.Close {
			t.Errorf("answer is %s, announces the end: %t", a.Status, a.Close)
		}
		if rest := c.rest(); rest != "" {
			t.Errorf("then came %q, expected the end of the connection", rest)
		}
	})
	// A connection that is not ours to stop is closed in net/http's own way.
	t.Run("INPUT-18/somebody's-connection", func(t *testing.T) {
		l := serveHandler(t, server.Handler(wsgi.AppFunc(text("unread"))), false)
		for _, tt := range []struct {
			head   string
			reused bool
		}{
			{"Content-Length: 5\r\n\r\nhello", true},
			{"Content-Length: 300000\r\n\r\n" + strings.Repeat("x", 300000), false},
			{"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", false},
		} {
			c := l.dial()
			go io.WriteString(c, "POST / HTTP/1.1\r\nHost: h\r\n"+tt.head+get("/next")) // the server may stop reading
			if a := c.answer("POST"); a.body != "unread" || a.err != nil || a.Close == tt.reused {
				t.Errorf("%.30q: answer is %q, %v, announces the end: %t", tt.head, a.body, a.err, a.Close)
			}
			if tt.reused {
				if a := c.answer("GET"); a.body != "unread" {
					t.Errorf("%.30q: next answer is %q", tt.head, a.body)
				}
			} else if rest := c.rest(); rest != "" {
				t.Errorf("%.30q: then came %q", tt.head, rest)
			}
		}
	})
}
