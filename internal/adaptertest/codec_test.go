package adaptertest

import (
	"strings"
	"testing"

	"github.com/gowsgi/gowsgi/internal/cgi"
	"github.com/gowsgi/gowsgi/internal/fcgi"
	"github.com/gowsgi/gowsgi/internal/scgi"
	"github.com/gowsgi/gowsgi/internal/uwsgi"
	"github.com/gowsgi/gowsgi/wsgi"
)

// BenchmarkCodec is what a request costs without its connection and its
// application: its variables, of which there are 24, and the head of its
// response.
func BenchmarkCodec(b *testing.B) {
	list := []string{"HTTP_HOST", "h", "HTTP_ACCEPT", "text/html,application/xhtml+xml", "HTTP_USER_AGENT", strings.Repeat("agent ", 15),
		"HTTP_ACCEPT_LANGUAGE", "en", "HTTP_ACCEPT_ENCODING", "gzip, deflate, br", "HTTP_COOKIE", "a=1; b=2", "HTTP_REFERER", "http://h/b",
		"REMOTE_ADDR", "127.0.0.1", "REMOTE_PORT", "1234", "QUERY_STRING", "a=b", "REQUEST_SCHEME", "http", "GATEWAY_INTERFACE", "CGI/1.1",
		"SERVER_SOFTWARE", "nginx/1.22.1", "DOCUMENT_ROOT", "/var/www", "DOCUMENT_URI", "/a", "SERVER_ADDR", "127.0.0.1"}
	headers := wsgi.Headers{{Name: "Content-Type", Value: "text/plain"}, {Name: "Content-Length", Value: "14"}}
	for protocol, parse := range map[string]func(raw []byte, add func(name, value string) error) error{
		"scgi": func(raw []byte, add func(name, value string) error) error {
			n, err := scgi.HeadLen(raw)
			if err != nil {
				return err
			}
			return scgi.Parse(string(raw[:n]), add)
		},
		"uwsgi": func(raw []byte, add func(name, value string) error) error {
			n, err := uwsgi.HeadLen(raw)
			if err != nil {
				return err
			}
			return uwsgi.Parse(string(raw[:n]), add)
		},
		"fastcgi": func(raw []byte, add func(name, value string) error) error {
			raw = raw[fcgi.HeaderLen+fcgi.BodyLen:] // BEGIN_REQUEST
			h, err := fcgi.ParseHeader(raw)
			if err != nil {
				return err
			}
			for block := string(raw[fcgi.HeaderLen:][:h.Length]); block != ""; {
				var name, value string
				if name, value, block, err = fcgi.NextPair(block); err != nil {
					return err
				}
				if err := add(name, value); err != nil {
					return err
				}
			}
			return nil
		},
	} {
		b.Run(protocol, func(b *testing.B) {
			raw := Request(protocol, list...)
			out := make([]byte, 0, 4096)
			b.ReportAllocs()
			for b.Loop() {
				vars := new(cgi.Vars)
				if err := parse(raw, vars.Add); err != nil {
					b.Fatal(err)
				}
				if err := vars.Settle(cgi.Terms{}); err != nil {
					b.Fatal(err)
				}
				out = cgi.AppendHead(out[:0], cgi.Status, "200 OK", headers)
				if protocol == "fastcgi" {
					out = fcgi.AppendEnd(fcgi.AppendRecord(out, fcgi.Stdout, 1, hello), 1, 0, 0)
				}
			}
		})
	}
}

var hello = []byte("Hello, world!\n")
