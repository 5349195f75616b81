package server_test

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/gowsgi/gowsgi/server"
	"github.com/gowsgi/gowsgi/wsgi"
)

// protocol is one way of talking to a server.
type protocol struct {
	name   string
	secure bool
	proto  string // as SERVER_PROTOCOL has it
}

var protocols = []protocol{
	{"h1", false, "HTTP/1.1"}, {"h1-tls", true, "HTTP/1.1"}, {"h2", true, "HTTP/2.0"}, {"h2c", false, "HTTP/2.0"},
}

// client returns an http.Client that speaks p.
func (p protocol) client(t testing.TB, certificates ...tls.Certificate) *http.Client {
	var protos http.Protocols
	protos.SetHTTP1(p.proto == "HTTP/1.1")
	protos.SetHTTP2(p.proto == "HTTP/2.0" && p.secure)
	protos.SetUnencryptedHTTP2(p.proto == "HTTP/2.0" && !p.secure)
	transport := &http.Transport{
		Protocols:          &protos,
		TLSClientConfig:    &tls.Config{InsecureSkipVerify: true, Certificates: certificates, ServerName: "test.example"},
		DisableCompression: true,
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 2 * patience} // later than the test that waits for the server
}

func (p protocol) serve(t testing.TB, s *server.Server) (l *live, url string) {
	t.Helper()
	url = "http://"
	if p.secure {
		s.TLSConfig = &tls.Config{Certificates: []tls.Certificate{certificate(t, "server")}, ClientAuth: tls.RequestClientCert}
		url = "https://"
	}
	l = serve(t, s)
	return l, url + l.addr.String()
}

// TestServerProtocols runs what matters over every protocol.
func TestServerProtocols(t *testing.T) {
	for _, p := range protocols {
		t.Run(p.name, func(t *testing.T) {
			body := make(chan struct{}, 1)
			gate := make(chan struct{})
			l, url := p.serve(t, &server.Server{MaxBodyBytes: 1 << 20, App: wsgi.AppFunc(func(e *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
				switch e.Var("PATH_INFO") {
				case "/dump":
					return dump(e, start)
				case "/echo":
					return readAll(e, start)
				case "/fail":
					return fails("part", false)(e, start)
				case "/fail-early":
					return fails("", true)(e, start)
				case "/short":
					return respond("200 OK", withLength("20"), "short")(e, start)
				case "/nothing":
					return respond("204 No Content", nil)(e, start)
				case "/stream":
					start("200 OK", plain, nil)
					return wsgi.Generator(func(yield func([]byte, error) bool) {
						if yield([]byte("first"), nil) {
							<-gate
							yield([]byte("second"), nil)
						}
					}), nil
				case "/duplex":
					start("200 OK", plain, nil)
					return wsgi.Generator(func(yield func([]byte, error) bool) {
						for line, err := range e.Input().Lines() {
							if !yield(line, err) {
								return
							}
						}
					}), nil
				case "/endless":
					start("200 OK", plain, nil)
					return wsgi.Generator(func(yield func([]byte, error) bool) {
						for yield(make([]byte, 16<<10), nil) {
						}
						body <- struct{}{}
					}), nil
				}
				return text("x")(e, start)
			})})
			c := p.client(t)
			get := func(path string) (string, *http.Response, error) {
				r, err := c.Get(url + path)
				if err != nil {
					t.Fatal(err)
				}
				defer r.Body.Close()
				b, err := io.ReadAll(r.Body)
				return string(b), r, err
			}
			t.Run("CGI-09/N-23", func(t *testing.T) {
				vars, _, _ := get("/dump?x=1")
				for _, want := range []string{
					"SERVER_PROTOCOL\tstring\t" + strconv.Quote(p.proto),
					"PATH_INFO\tstring\t\"/dump\"", "QUERY_STRING\tstring\t\"x=1\"",
					"HTTP_HOST\tstring\t" + strconv.Quote(l.addr.String()),
				} {
					if !strings.Contains(vars, want+"\n") {
						t.Errorf("environ has no %q:\n%s", want, vars)
					}
				}
			})
			t.Run("ENV-15/ENV-10", func(t *testing.T) {
				vars, _, _ := get("/dump")
				scheme := "http"
				if p.secure {
					scheme = "https"
				}
				for key, want := range map[string]bool{
					"wsgi.url_scheme\tstring\t" + strconv.Quote(scheme): true,
					"HTTPS\tstring\t\"on\"":                             p.secure,
					"SSL_PROTOCOL\tstring\t\"TLSv1.3\"":                 p.secure,
					"SSL_CIPHER\tstring\t\"TLS_":                        p.secure,
					"SSL_TLS_SNI\tstring\t\"test.example\"":             p.secure,
					"SSL_CLIENT_VERIFY\tstring\t\"NONE\"":               p.secure,
					"SSL_CLIENT_CERT\t":                                 false,
				} {
					if strings.Contains(vars, key) != want {
						t.Errorf("environ contains %q: %v, expected %v", key, !want, want)
					}
				}
			})
			certificateOf := func(t *testing.T) {
				certified := p.client(t, certificate(t, "somebody"))
				r, err := certified.Get(url + "/dump")
				if err != nil {
					t.Fatal(err)
				}
				defer r.Body.Close()
				b, _ := io.ReadAll(r.Body)
				for _, want := range []string{`SSL_CLIENT_S_DN	string	"CN=somebody"`, `SSL_CLIENT_VERIFY	string	"GENEROUS"`, `SSL_CLIENT_I_DN	string	"CN=somebody"`} {
					if !strings.Contains(string(b), want) {
						t.Errorf("environ has no %q", want)
					}
				}
				_, after, _ := strings.Cut(string(b), "SSL_CLIENT_CERT\tstring\t")
				line, _, _ := strings.Cut(after, "\n")
				value, _ := strconv.Unquote(line)
				if block, _ := pem.Decode([]byte(value)); block == nil {
					t.Errorf("SSL_CLIENT_CERT is %q, expected PEM", value)
				}
			}
			if p.secure {
				t.Run("COM-16/client-certificate", certificateOf)
			}
			t.Run("INPUT-07/echo", func(t *testing.T) {
				r, err := c.Post(url+"/echo", "text/plain", strings.NewReader("hello"))
				if err != nil {
					t.Fatal(err)
				}
				defer r.Body.Close()
				if b, _ := io.ReadAll(r.Body); string(b) != "5:hello" {
					t.Errorf("answer is %q", b)
				}
			})
			t.Run("limit/chunked", func(t *testing.T) {
				r, err := c.Post(url+"/echo", "text/plain", io.LimitReader(zeros{}, 1<<20+1))
				if err != nil {
					t.Fatal(err)
				}
				r.Body.Close()
				if r.StatusCode != 413 {
					t.Errorf("answer is %s, expected 413", r.Status)
				}
			})
			t.Run("ERR-11/cut", func(t *testing.T) {
				for _, path := range []string{"/fail", "/short"} {
					if got, r, err := get(path); err == nil {
						t.Errorf("%s: answer is %s %q without an error, expected it to be cut", path, r.Status, got)
					}
				}
			})
			t.Run("ERR-10/early", func(t *testing.T) {
				if got, r, err := get("/fail-early"); r.StatusCode != 500 || err != nil || strings.Contains(got, "probe failed") {
					t.Errorf("answer is %s %q, %v, expected a plain 500 (ERR-14)", r.Status, got, err)
				}
			})
			t.Run("HTTP-16/204", func(t *testing.T) {
				if got, r, err := get("/nothing"); r.StatusCode != 204 || got != "" || err != nil || r.Header.Get("Content-Type") != "" {
					t.Errorf("answer is %s %v %q, %v", r.Status, r.Header, got, err)
				}
			})
			t.Run("HTTP-15/HEAD", func(t *testing.T) {
				r, err := c.Head(url + "/endless")
				if err != nil {
					t.Fatal(err)
				}
				r.Body.Close()
				if r.StatusCode != 200 {
					t.Errorf("answer is %s", r.Status)
				}
				receive(t, "the body ends, though nobody leaves and nothing is written", body)
			})
			t.Run("BUF-01/stream", func(t *testing.T) {
				r, err := c.Get(url + "/stream")
				if err != nil {
					t.Fatal(err)
				}
				defer r.Body.Close()
				first := make([]byte, 5)
				if _, err := io.ReadFull(r.Body, first); err != nil || string(first) != "first" {
					t.Errorf("first block is %q, %v", first, err)
				}
				gate <- struct{}{}
				if rest, err := io.ReadAll(r.Body); err != nil || string(rest) != "second" {
					t.Errorf("rest is %q, %v", rest, err)
				}
			})
			t.Run("INPUT-19/duplex", func(t *testing.T) {
				read, write := io.Pipe()
				request, _ := http.NewRequest("POST", url+"/duplex", read)
				go func() { fmt.Fprintln(write, "one") }()
				r, err := c.Do(request)
				if err != nil {
					t.Fatal(err)
				}
				defer r.Body.Close()
				line := make([]byte, 4)
				for _, want := range []string{"one\n", "two\n"} {
					if _, err := io.ReadFull(r.Body, line); err != nil || string(line) != want {
						t.Fatalf("line is %q, %v, expected %q", line, err, want)
					}
					if want == "one\n" {
						fmt.Fprintln(write, "two")
					}
				}
				write.Close()
				if rest, err := io.ReadAll(r.Body); len(rest) > 0 || err != nil {
					t.Errorf("then came %q, %v", rest, err)
				}
			})
			t.Run("BODY-10/client-gone", func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				request, _ := http.NewRequestWithContext(ctx, "GET", url+"/endless", nil)
				r, err := c.Do(request)
				if err != nil {
					t.Fatal(err)
				}
				io.CopyN(io.Discard, r.Body, 1)
				cancel()
				r.Body.Close()
				receive(t, "the body ends", body)
			})
		})
	}
}
