package nethttp_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/adapters/nethttp"
	"github.com/gowsgi/gowsgi/server"
)

func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler)) // many handlers here fail on purpose
	os.Exit(m.Run())
}

// side is one of the two servers that are compared, in clear and with TLS. Its
// handler is exchanged from case to case.
type side struct {
	handler atomic.Pointer[http.Handler]
	plain   *httptest.Server
	tls     *httptest.Server
}

func (s *side) ServeHTTP(w http.ResponseWriter, r *http.Request) { (*s.handler.Load()).ServeHTTP(w, r) }

func newSide(t testing.TB) *side {
	s := new(side)
	quiet := log.New(io.Discard, "", 0)
	s.plain = httptest.NewUnstartedServer(s)
	s.plain.Config.ErrorLog = quiet
	s.plain.Start()
	s.tls = httptest.NewUnstartedServer(s)
	s.tls.Config.ErrorLog = quiet
	s.tls.EnableHTTP2 = true
	s.tls.StartTLS()
	s.tls.Client().Transport.(*http.Transport).DisableCompression = true
	s.tls.Client().CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	t.Cleanup(func() {
		s.plain.Close()
		s.tls.Close()
	})
	return s
}

// sides are net/http by itself, and by way of the contract.
type sides struct{ raw, wsgi *side }

func newSides(t testing.TB) *sides {
	if t, ok := t.(*testing.T); ok { // the fuzzing engine starts some of its own
		checkGoroutines(t)
	}
	return &sides{newSide(t), newSide(t)}
}

func (s *sides) serve(h http.Handler) {
	through := server.Handler(nethttp.Application(h))
	s.raw.handler.Store(&h)
	s.wsgi.handler.Store(&through)
}

// checkGoroutines fails t when it leaves goroutines behind.
func checkGoroutines(t testing.TB) {
	before := runtime.NumGoroutine()
	t.Cleanup(func() {
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
		deadline := time.Now().Add(5 * time.Second)
		for runtime.NumGoroutine() > before {
			if time.Now().After(deadline) {
				stacks := make([]byte, 1<<20)
				t.Fatalf("%d goroutines, %d before\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
			}
			runtime.Gosched()
		}
	})
}

// call is a request that is sent to both sides.
type request struct {
	method  string // GET when empty
	target  string // / when empty
	header  string // lines
	body    string
	chunked bool
	stay    func() // called before the client leaves, over HTTP/1; may be nil
}

// seen is what a client sees of a response. Not compared: Date; and
// Connection, by which net/http tells how it frames and whether it has read
// the request, both of them affairs of a server and not of a handler.
type seen struct {
	Interim []string
	Status  int
	Proto   string
	Header  http.Header
	Chunked bool
	Body    string
	Trailer http.Header
	Cut     bool
}

func (s *seen) take(resp *http.Response, err error) {
	if err != nil {
		s.Cut = true
		return
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	s.Cut = err != nil
	s.Status, s.Proto, s.Header = resp.StatusCode, resp.Proto, resp.Header.Clone()
	s.Header.Del("Date")
	s.Header.Del("Connection")
	s.Chunked = slices.Equal(resp.TransferEncoding, []string{"chunked"})
	s.Body = string(body)
	if len(resp.Trailer) > 0 {
		s.Trailer = resp.Trailer
	}
}

func interim(code int, header textproto.MIMEHeader) string {
	var text bytes.Buffer
	http.Header(header).Write(&text)
	return fmt.Sprintf("%d %s", code, text.String())
}

// http1 sends c as bytes over a connection of its own.
func (s *side) http1(t testing.TB, version string, c request) (got seen) {
	t.Helper()
	conn, err := net.Dial("tcp", s.plain.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	var request bytes.Buffer
	fmt.Fprintf(&request, "%s %s %s\r\nHost: example.com\r\n%s", c.method, c.target, version, c.header)
	switch {
	case c.chunked:
		fmt.Fprintf(&request, "Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\nX-Sum: 1\r\n\r\n", len(c.body), c.body)
	case c.body != "":
		fmt.Fprintf(&request, "Content-Length: %d\r\n\r\n%s", len(c.body), c.body)
	default:
		request.WriteString("\r\n")
	}
	if _, err := conn.Write(request.Bytes()); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(conn)
	for {
		resp, err := http.ReadResponse(in, &http.Request{Method: c.method})
		if err == nil && resp.StatusCode < 200 {
			got.Interim = append(got.Interim, interim(resp.StatusCode, textproto.MIMEHeader(resp.Header)))
			continue
		}
		got.take(resp, err)
		if c.stay != nil {
			c.stay()
		}
		return got
	}
}

// http2 sends c over TLS.
func (s *side) http2(t testing.TB, c request) (got seen) {
	t.Helper()
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
		Got1xxResponse: func(code int, header textproto.MIMEHeader) error {
			got.Interim = append(got.Interim, interim(code, header))
			return nil
		},
	})
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	var body io.Reader
	switch {
	case c.chunked:
		body = struct{ io.Reader }{strings.NewReader(c.body)}
	case c.body != "":
		body = strings.NewReader(c.body)
	}
	r, err := http.NewRequestWithContext(ctx, c.method, s.tls.URL+c.target, body)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = "example.com"
	header, _ := textproto.NewReader(bufio.NewReader(strings.NewReader(c.header + "\r\n"))).ReadMIMEHeader()
	for name, values := range header {
		r.Header[name] = values
	}
	got.take(s.tls.Client().Do(r))
	return got
}

// protocols are the ways to send a call.
var protocols = []struct {
	name string
	send func(*side, testing.TB, request) seen
}{
	{"HTTP/1.1", func(s *side, t testing.TB, c request) seen { return s.http1(t, "HTTP/1.1", c) }},
	{"HTTP/1.0", func(s *side, t testing.TB, c request) seen { return s.http1(t, "HTTP/1.0", c) }},
	{"HTTP/2.0", func(s *side, t testing.TB, c request) seen { return s.http2(t, c) }},
}

// short makes large bodies fit for a report.
func (s seen) short() seen {
	if len(s.Body) > 8<<10 {
		s.Body = fmt.Sprintf("%d bytes, SHA-256 %x", len(s.Body), sha256.Sum256([]byte(s.Body)))
	}
	return s
}

// reframed removes from a complete answer how its end was marked.
func (s seen) reframed() seen {
	s.Header = s.Header.Clone()
	s.Header.Del("Content-Length")
	s.Chunked = false
	return s
}

// TestDifferential is the law of this package: for any handler h,
// server.Handler(nethttp.Application(h)) answers like h.
func TestDifferential(t *testing.T) {
	both := newSides(t)
	for _, c := range cases(t) {
		t.Run(c.name, func(t *testing.T) {
			both.serve(c.handler)
			for _, call := range c.calls {
				if call.method == "" {
					call.method = "GET"
				}
				if call.target == "" {
					call.target = "/"
				}
				calls := []request{call}
				if call.method == "GET" {
					head := call
					head.method = "HEAD"
					calls = append(calls, head)
				}
				for _, call := range calls {
					for _, protocol := range protocols {
						switch {
						case protocol.name == "HTTP/1.0" && (call.chunked || c.abort), // there our server resets the connection (ERR-11)
							protocol.name == "HTTP/2.0" && c.http1,
							call.method == "HEAD" && c.abort: // whether the head got out is left open
							continue
						}
						want, got := protocol.send(both.raw, t, call), protocol.send(both.wsgi, t, call)
						if c.framing {
							want, got = want.reframed(), got.reframed()
						}
						if c.same != nil {
							for _, s := range []*seen{&want, &got} {
								s.Body = c.same(s.Body)
								s.Header.Set("Content-Type", c.same(s.Header.Get("Content-Type")))
							}
						}
						if protocol.name == "HTTP/1.0" {
							want.Interim = nil // net/http sends them, RFC 9110 forbids it (15.2)
						}
						if want.Status == 0 && !c.abort {
							t.Errorf("%s %s %s: net/http did not answer", protocol.name, call.method, call.target)
						}
						if want.Body == got.Body {
							want.Body, got.Body = "", "" // they may be large
						}
						if diff := cmp.Diff(want.short(), got.short()); diff != "" {
							t.Errorf("%s %s %s (-net/http +gowsgi):\n%s", protocol.name, call.method, call.target, diff)
						}
					}
				}
			}
		})
	}
}
