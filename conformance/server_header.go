package conformance

import (
	"net/http"
	"slices"
	"strings"

	"github.com/gowsgi/gowsgi/wsgi"
)

// serverHeaderProbes look at what becomes of status and headers.
var serverHeaderProbes = slices.Concat(
	refusals("START-22", "status", "AMB-13", []badHead{
		{"without a phrase", "200", nil},
	}),
	refusals("START-22", "status", "", []badHead{
		{"without a blank", "200OK", nil},
		{"two blanks", "200  OK", nil},
		{"blank before", " 200 OK", nil},
		{"blank after", "200 OK ", nil},
		{"four digits", "2000 OK", nil},
		{"letters", "abc OK", nil},
		{"low code", "099 Low", nil},
		{"control character", "200 O\x01K", nil},
	}),
	refusals("START-22", "name", "", []badHead{
		{"empty", "200 OK", fields("", "x")},
		{"blank", "200 OK", fields("X Y", "x")},
		{"colon", "200 OK", fields("X-Y:", "x")},
		{"not ASCII", "200 OK", fields("X-\xe9", "x")},
	}),
	refusals("START-22", "value", "", []badHead{
		{"CR LF", "200 OK", fields("X-Probe", "a\r\nX-Injected: 1")},
		{"LF", "200 OK", fields("X-Probe", "a\nX-Injected: 1")},
		{"CR", "200 OK", fields("X-Probe", "a\rb")},
		{"NUL", "200 OK", fields("X-Probe", "a\x00b")},
	}),
	refusals("START-22", "value", "AMB-07", []badHead{
		{"DEL", "200 OK", fields("X-Probe", "a\x7fb")},
	}),
	refusals("START-22", "status with line end", "", []badHead{
		{"CR LF", "200 OK\r\nX-Injected: 1", nil},
		{"LF", "200 OK\n", nil},
	}),
	refusals("HDR-15", "header", "AMB-08", []badHead{
		{"Connection", "200 OK", fields("Connection", "close")},
		{"Keep-Alive", "200 OK", fields("keep-alive", "timeout=5")},
		{"Proxy-Authenticate", "200 OK", fields("Proxy-Authenticate", "Basic")},
		{"Proxy-Authorization", "200 OK", fields("Proxy-Authorization", "Basic eA==")},
		{"TE", "200 OK", fields("TE", "trailers")},
		{"Trailer", "200 OK", fields("Trailer", "X-T")},
		{"Transfer-Encoding", "200 OK", fields("Transfer-Encoding", "chunked")},
		{"Upgrade", "200 OK", fields("Upgrade", "websocket")},
	}),
	refusals("START-22", "interim status", "AMB-30", []badHead{
		{"100", "100 Continue", nil},
		{"101", "101 Switching Protocols", nil},
		{"103", "103 Early Hints", nil},
	}),
	refusals("LEN-10", "Content-Length", "", []badHead{
		{"letters", "200 OK", fields("Content-Length", "abc")},
		{"negative", "200 OK", fields("Content-Length", "-1")},
		{"list", "200 OK", fields("Content-Length", "1,1")},
	}),
	refusals("LEN-11", "Content-Length", "", []badHead{
		{"twice", "200 OK", fields("Content-Length", "2", "content-length", "2")},
	}),
	[]probe[*serverSubject]{
		onServer("HDR-12", "names in any case", func(s *serverRun) {
			r := s.get(s.answer("200 OK", fields("content-TYPE", "a/b", "content-LENGTH", "4"), blocksOf("ab", "cd")))
			s.expect(r, 200, "abcd")
			if r.framing != "length" || len(r.headers.Values("Content-Type")) != 1 {
				s.faultf("expected one Content-Type and a body framed by Content-Length, got %q framed by %s", r.headers, r.framing)
			}
		}),
		onServer("HDR-16", "Date", func(s *serverRun) {
			s.onHTTP()
			r := s.get(s.answer("200 OK", plainText(), blocksOf("ok")))
			if _, err := http.ParseTime(r.headers.Get("Date")); err != nil {
				s.faultf("expected a Date in a response whose application gave none, got %q", r.headers.Get("Date"))
			}
		}),
		onServer("HDR-17", "Date and Server of the application", func(s *serverRun) {
			s.reading("AMB-40")
			const date = "Thu, 01 Jan 1970 00:00:00 GMT"
			r := s.get(s.answer("200 OK", plainText("Date", date, "Server", "the-application"), blocksOf("ok")))
			for name, want := range map[string]string{"Date": date, "Server": "the-application"} {
				if got := r.headers.Values(name); len(got) != 1 || got[0] != want {
					s.faultf("expected one header %s with the application's value %q, got %q", name, want, got)
				}
			}
		}),
		onServer("HDR-18", "repeated headers", func(s *serverRun) {
			r := s.get(s.answer("200 OK", plainText("Set-Cookie", "b=1", "X-Other", "x", "set-cookie", "c=2", "Set-Cookie", "a=3"), blocksOf("ok")))
			if got, want := r.headers.Values("Set-Cookie"), []string{"b=1", "c=2", "a=3"}; !slices.Equal(got, want) {
				s.faultf("expected three headers Set-Cookie in the order %q, got %q", want, got)
			}
		}),
		onServer("HDR-21", "no invented Content-Type", func(s *serverRun) {
			r := s.get(s.answer("200 OK", nil, blocksOf("<html><p>sniff me")))
			if got := r.headers.Values("Content-Type"); got != nil {
				s.faultf("expected no Content-Type, the application gave none; got %q", got)
			}
		}),
		onServer("HDR-25", "values byte for byte", func(s *serverRun) {
			sent := fields("X-Latin", "caf\xe9 \x85", "X-Empty", "", "X-Inner", "a  b", "ETag", `W/"x"`)
			r := s.get(s.answer("200 OK", sent, blocksOf("ok")))
			for _, h := range sent {
				if got := r.headers.Values(h.Name); len(got) != 1 || got[0] != h.Value {
					s.faultf("expected the header %s with the value %q, got %q", h.Name, h.Value, got)
				}
			}
		}),
		onServer("HTTP-01", "nothing added to the content", func(s *serverRun) {
			r := s.get(s.answer("200 OK", fields("Content-Type", "text/html"), blocksOf("ok")))
			for _, name := range []string{"Content-Encoding", "Cache-Control", "ETag", "Last-Modified", "Expires", "Set-Cookie"} {
				if r.headers.Has(name) {
					s.faultf("expected no header but those of the application and of the connection, got %s: %q", name, r.headers.Get(name))
				}
			}
			s.expect(r, 200, "ok")
		}),
		onServer("HTTP-02", "status as given", func(s *serverRun) {
			for _, code := range []string{"299", "404", "418", "599", "799"} {
				r := s.get(s.answer(code+" Probe", plainText(), blocksOf("ok")))
				if !strings.Contains(r.line, " "+code+" ") || r.body != "ok" {
					s.faultf("expected a response with the code %s and the body %q, got %v", code, "ok", r)
				}
			}
		}),
	},
)

// badHead is a status with headers that start_response must refuse.
type badHead struct {
	name    string
	status  string
	headers wsgi.Headers
}

// refusals makes a probe of each bad head: start_response returns an error,
// which the application returns, the client gets a 500, and nothing of the bad
// head is on the wire. Where a server may read the PEP otherwise, reading is
// the ambiguity.
func refusals(rule, name, reading string, heads []badHead) (probes []probe[*serverSubject]) {
	// An application that goes on shows what comes of its head, but may keep a
	// client waiting for more.
	goesOn := strings.HasPrefix(rule, "LEN-")
	for _, bad := range heads {
		probes = append(probes, onServer(rule, "refuses "+name+" "+bad.name, func(s *serverRun) {
			s.reading(reading)
			s.install(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
				_, err := start(bad.status, bad.headers, nil)
				if err != nil {
					return nil, err
				}
				s.record.addAs("taken", "")
				if goesOn {
					return s.body(blocksOf("ok")), nil
				}
				return nil, errProbe
			})
			c := s.dial().send(s.request("GET", s.path))
			r, err := c.receive("GET")
			switch {
			case s.record.has("taken") && goesOn && s.subject.python && err == nil && r.code == 500:
				// Refused in the end, when the head was put together.
			case s.record.has("taken"):
				s.faultf("expected start_response(%q%s) to fail, it returned no error", bad.status, listed(bad.headers))
			case err != nil:
				s.fatalf("%s", unreceived("GET", err))
			default:
				if s.expectError(r); r.complete() {
					s.follow(c)
				}
			}
		}))
	}
	return probes
}
