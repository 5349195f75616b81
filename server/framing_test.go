package server_test

import (
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/gowsgi/gowsgi/server"
	"github.com/gowsgi/gowsgi/wsgi"
)

// respond answers with the status, the headers and a generator of the blocks,
// whose number no server can know.
func respond(status string, headers wsgi.Headers, blocks ...string) app {
	return func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		if _, err := start(status, headers, nil); err != nil {
			return nil, err
		}
		return wsgi.Generator(func(yield func([]byte, error) bool) {
			for _, block := range blocks {
				if !yield([]byte(block), nil) {
					return
				}
			}
		}), nil
	}
}

var plain = wsgi.Headers{{Name: "Content-Type", Value: "text/plain"}}

func withLength(n string) wsgi.Headers {
	return append(plain.Clone(), wsgi.Header{Name: "Content-Length", Value: n})
}

// probe is an application with what a client must see of it.
type probe struct {
	name   string
	app    app
	method string // GET when empty
	status int
	body   string
	length string // of the Content-Length header, "" for none
	cut    bool   // the body must not look complete, and the connection must end
	reason string
}

var errProbe = errors.New("probe failed")

var probes = []probe{
	{name: "LEN-06/one-block", app: text("hello"), status: 200, body: "hello", length: "5"},
	{name: "LEN-07/chunked", app: respond("200 OK", plain, "a", "b"), status: 200, body: "ab"},
	{name: "LEN-12/empty", app: respond("200 OK", plain), status: 200, length: "0"},
	{name: "LEN-06/large-block", app: text(strings.Repeat("x", 8<<10)), status: 200, body: strings.Repeat("x", 8<<10), length: "8192", reason: "N-13: net/http would count up to 2 KiB only"},
	{name: "LEN-15/empty-blocks", app: respond("200 OK", plain, "", "a", "", "b", ""), status: 200, body: "ab", reason: "an empty block is no last chunk"},
	{name: "LEN-01/too-long", app: respond("200 OK", withLength("5"), "abc", "defgh", "never"), status: 200, body: "abcde", length: "5", reason: "N-04: net/http refuses the whole block"},
	{name: "LEN-04/too-short", app: respond("200 OK", withLength("20"), "short"), status: 200, body: "short", length: "20", cut: true},
	{name: "LEN-10/unparsable", app: respond("200 OK", withLength("abc"), "x"), status: 500, body: "500 Internal Server Error\n", length: "26"},
	{name: "LEN-11/twice", app: respond("200 OK", append(withLength("1"), wsgi.Header{Name: "content-length", Value: "1"}), "x"), status: 500, body: "500 Internal Server Error\n", length: "26"},
	{name: "HTTP-15/HEAD-list", app: text("hello"), method: "HEAD", status: 200, reason: "LEN-13: only what the application supplied"},
	{name: "HTTP-15/HEAD-length", app: respond("200 OK", withLength("5"), "hello"), method: "HEAD", status: 200, length: "5"},
	{name: "HTTP-15/HEAD-generator", app: respond("200 OK", plain, "a", "b"), method: "HEAD", status: 200},
	{name: "HTTP-16/204", app: respond("204 No Content", nil, "body"), status: 204, reason: "N-11: net/http would refuse the block"},
	{name: "HTTP-16/304", app: respond("304 Not Modified", wsgi.Headers{{Name: "ETag", Value: `"x"`}}, "body"), status: 304},
	{name: "LEN-13/304-length", app: respond("304 Not Modified", withLength("4"), "body"), status: 304, reason: "N-12: net/http withholds both"},
	{name: "LEN-13/204-length", app: respond("204 No Content", wsgi.Headers{{Name: "Content-Length", Value: "4"}}, "body"), status: 204},
	{name: "ERR-10/before", app: fails("", false), status: 500, body: "500 Internal Server Error\n", length: "26"},
	{name: "ERR-11/after", app: fails("part", false), status: 200, body: "part", cut: true, reason: "N-14: no last chunk"},
	{name: "ERR-13/panic-before", app: fails("", true), status: 500, body: "500 Internal Server Error\n", length: "26", reason: "N-15"},
	{name: "ERR-13/panic-after", app: fails("part", true), status: 200, body: "part", cut: true},
	{name: "SRV-07/never-started", app: func(*wsgi.Environ, wsgi.StartResponse) (wsgi.Iterable, error) { return wsgi.Empty(), nil }, status: 500, body: "500 Internal Server Error\n", length: "26"},
	{name: "HDR-13/hop-by-hop", app: respond("200 OK", wsgi.Headers{{Name: "Connection", Value: "close"}}, "x"), status: 500, body: "500 Internal Server Error\n", length: "26", reason: "HDR-15, N-10: net/http would obey it"},
	{name: "HDR-11/header-injection", app: respond("200 OK", wsgi.Headers{{Name: "X", Value: "a\r\nSet-Cookie: b=1"}}, "x"), status: 500, body: "500 Internal Server Error\n", length: "26", reason: "N-08"},
	{name: "HDR-04/status-injection", app: respond("200 OK\r\nX-Inj: 1", nil, "x"), status: 500, body: "500 Internal Server Error\n", length: "26"},
	{name: "HDR-05/low-code", app: respond("099 Low", nil, "x"), status: 500, body: "500 Internal Server Error\n", length: "26", reason: "N-07: WriteHeader would panic"},
	{name: "HDR-22/unknown-code", app: respond("799 Custom", plain, "x"), status: 799, body: "x", reason: "N-06: the phrase is lost"},
	{name: "BODY-05/all-bytes", app: text(allBytes()), status: 200, body: allBytes(), length: "256"},
	{name: "BODY-05/like-a-head", app: text("Foo: Bar\r\n\r\nHello"), status: 200, body: "Foo: Bar\r\n\r\nHello", length: "17"},
	{name: "INPUT-18/unread", app: text("unread"), status: 200, body: "unread", length: "6"},
}

func fails(first string, panics bool) app {
	return func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		start("200 OK", wsgi.Headers{{Name: "X-Stale", Value: "1"}}, nil)
		return wsgi.Generator(func(yield func([]byte, error) bool) {
			if first != "" && !yield([]byte(first), nil) {
				return
			}
			if panics {
				panic(errProbe)
			}
			yield(nil, errProbe)
		}), nil
	}
}

func allBytes() string {
	b := make([]byte, 256)
	for i := range b {
		b[i] = byte(i)
	}
	return string(b)
}

// TestServer sends each probe over HTTP/1.1 on a connection that is reused:
// after it comes a good request, whose answer must be right or not come at all
// (HTTP-19, LEN-14). Then over HTTP/1.0, which knows no chunks (HTTP-17).
//
// Covers: HTTP-17, HTTP-19, LEN-05, LEN-08, LEN-14
func TestServer(t *testing.T) {
	t.Run("clear", func(t *testing.T) { testServer(t, new(server.Server)) })
	// HTTP/1.0 over TLS: an end that TLS has said goodbye for would be that of
	// a body that is complete.
	t.Run("tls", func(t *testing.T) { testServer(t, &server.Server{TLSConfig: tlsConfig(t)}) })
}

func testServer(t *testing.T, s *server.Server) {
	var current app
	s.App = wsgi.AppFunc(func(e *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		if e.Var("PATH_INFO") == "/good" {
			return text("good")(e, start)
		}
		return current(e, start)
	})
	l := serve(t, s)
	for _, p := range probes {
		t.Run(p.name, func(t *testing.T) {
			l := l.in(t)
			current = p.app
			if p.method == "" {
				p.method = "GET"
			}
			c := l.dial()
			c.send("%s /probe HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n0123456789", p.method).send("%s", get("/good"))
			a := c.answer(p.method)
			p.check(t, a)
			if p.cut {
				if rest := c.rest(); rest != "" {
					t.Errorf("HTTP-19: after a cut response came %q, expected the end of the connection", rest)
				}
			} else if next := c.answer("GET"); next.StatusCode != 200 || next.body != "good" {
				t.Errorf("HTTP-19: the next answer is %s %q, expected 200 and good", next.Status, next.body)
			}

			old := l.dial().send("%s /probe HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", p.method).answer(p.method)
			if old.TransferEncoding != nil || old.Header.Get("Transfer-Encoding") != "" {
				t.Errorf("HTTP-17: the answer to HTTP/1.0 is chunked")
			}
			p.check(t, old)
		})
	}
}

func (p probe) check(t *testing.T, a answer) {
	t.Helper()
	if a.StatusCode != p.status || a.body != p.body && !(p.cut && strings.HasPrefix(p.body, a.body)) {
		t.Errorf("%s answer is %d %q, expected %d %q; %s", a.Proto, a.StatusCode, a.body, p.status, p.body, p.reason)
	}
	if length := a.Header.Get("Content-Length"); length != p.length {
		t.Errorf("%s Content-Length is %q, expected %q", a.Proto, length, p.length)
	}
	if (a.err != nil) != p.cut {
		t.Errorf("%s body ended in %v, cut should be %v", a.Proto, a.err, p.cut)
	}
	if a.Header.Get("X-Stale") != "" && p.status == 500 {
		t.Errorf("ERR-10: a header of the failed response was sent")
	}
	if a.Header.Get("Date") == "" {
		t.Errorf("HDR-16: there is no Date")
	}
}

// TestServerHead looks at response heads as bytes.
func TestServerHead(t *testing.T) {
	tests := []struct {
		name    string
		headers wsgi.Headers
		has     []string
		hasNot  []string
		reason  string
	}{
		{"HDR-21/no-type", nil, nil, []string{"\r\nContent-Type:"}, "N-03: net/http would guess from the body"},
		{"HDR-21/type", wsgi.Headers{{Name: "content-type", Value: "a/b"}}, []string{"\r\nContent-Type: a/b\r\n"}, nil, "any spelling is recognised"},
		{"HDR-25/case", wsgi.Headers{{Name: "ETag", Value: `"x"`}, {Name: "x-lower", Value: "v"}}, []string{"\r\nETag: \"x\"\r\n", "\r\nx-lower: v\r\n"}, nil, "N-09"},
		{"HDR-25/latin-1", wsgi.Headers{{Name: "X-Latin", Value: "caf\xe9"}, {Name: "X-Empty", Value: ""}, {Name: "X-Inner", Value: "a  b"}}, []string{"\r\nX-Latin: caf\xe9\r\n", "\r\nX-Empty: \r\n", "\r\nX-Inner: a  b\r\n"}, nil, ""},
		{"HDR-18/repeated", wsgi.Headers{{Name: "Set-Cookie", Value: "b=1"}, {Name: "X", Value: "x"}, {Name: "set-cookie", Value: "a=2"}}, []string{"\r\nSet-Cookie: b=1\r\nSet-Cookie: a=2\r\n"}, nil, "in order, whatever the spelling"},
		{"HDR-17/date", wsgi.Headers{{Name: "Date", Value: "Thu, 01 Jan 1970 00:00:00 GMT"}, {Name: "Server", Value: "mine"}}, []string{"\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n", "\r\nServer: mine\r\n"}, []string{"GMT\r\nDate"}, "AMB-40: the application's value wins"},
		{"HDR-12/length-spelling", wsgi.Headers{{Name: "content-LENGTH", Value: "7"}}, []string{"\r\nContent-Length: 7\r\n"}, []string{"Transfer-Encoding"}, ""},
		{"HTTP-01/nothing-added", wsgi.Headers{{Name: "Content-Type", Value: "text/html"}}, nil, []string{"Cache-Control", "Content-Encoding", "X-Content-Type-Options", "Connection:"}, "HTTP-02"},
		{"HDR-18/many", many(40), []string{"\r\nX-0: 0\r\n", "\r\nX-39: 39\r\n"}, nil, "more than fit the exchange"},
	}
	var headers wsgi.Headers
	l := serve(t, &server.Server{App: wsgi.AppFunc(func(e *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		return respond("200 OK", headers, "<html>!")(e, start)
	})})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			headers = tt.headers
			head := l.dial().send("%s", get("/")).head()
			for _, s := range tt.has {
				if !strings.Contains(head, s) {
					t.Errorf("head is %q, expected it to contain %q; %s", head, s, tt.reason)
				}
			}
			for _, s := range tt.hasNot {
				if strings.Contains(head, s) {
					t.Errorf("head is %q, expected it not to contain %q; %s", head, s, tt.reason)
				}
			}
		})
	}
}

func many(n int) (h wsgi.Headers) {
	for i := range n {
		h.Add("X-"+strconv.Itoa(i), strconv.Itoa(i))
	}
	return h
}
