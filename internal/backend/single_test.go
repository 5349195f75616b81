package backend

import (
	"io"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gowsgi/gowsgi/internal/cgi"
	"github.com/gowsgi/gowsgi/internal/scgi"
	"github.com/gowsgi/gowsgi/wsgi"
)

// requestHead is a request over SCGI up to its body.
func requestHead(t *testing.T, method string, length int) string {
	t.Helper()
	head, err := scgi.Append(nil, func(yield func(name, value string) bool) {
		_ = yield("CONTENT_LENGTH", strconv.Itoa(length)) && yield("SCGI", "1") && yield("REQUEST_METHOD", method) && yield("PATH_INFO", "/")
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(head)
}

// TestDeadlinesEnd: the time limits are for what is still to come. An application
// may work for longer, with the request read, and its client is there all the time.
func TestDeadlinesEnd(t *testing.T) {
	for _, tt := range []struct {
		name, method, body string
		o                  Options
	}{
		{"without a body", "GET", "", Options{}},
		{"with a body", "POST", "body", Options{}},
		{"with a body for which there is no limit", "POST", "body", Options{ReadTimeout: -1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tt.o.Logger = slog.New(slog.DiscardHandler)
				tt.o.App = wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
					text, err := io.ReadAll(environ.Input())
					if err != nil {
						return nil, err
					}
					select {
					case <-environ.Context().Done():
						text = []byte("the client has left")
					case <-time.After(time.Hour):
					}
					return wsgi.Response{Status: "200 OK", Body: wsgi.Bytes(text)}.Call(environ, start)
				})
				s, err := (&Protocol{HeadLen: scgi.HeadLen, Parse: scgi.Parse, Form: cgi.Status}).NewServer(tt.o)
				if err != nil {
					t.Fatal(err)
				}
				near, far := net.Pipe()
				s.take(near, nil)
				head := requestHead(t, tt.method, len(tt.body))
				io.WriteString(far, head[:10])
				time.Sleep(defaultReadHeaderTimeout / 2)
				io.WriteString(far, head[10:])
				time.Sleep(defaultReadTimeout / 2)
				io.WriteString(far, tt.body)
				answer, err := io.ReadAll(far)
				if !strings.HasSuffix(string(answer), "\r\n\r\n"+tt.body) || err != nil {
					t.Errorf("answered by %q, %v, expected it to end in %q", answer, err, tt.body)
				}
			})
		})
	}
}

// TestFreshWhileStopping: a connection on which nothing has come when the server is
// told to stop is waited for a moment only.
func TestFreshWhileStopping(t *testing.T) {
	for _, timeout := range []time.Duration{0, -1, time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			s, err := New(Options{App: wsgi.Response{}, ReadHeaderTimeout: timeout}, func(*Conn) {})
			if err != nil {
				t.Fatal(err)
			}
			s.stopping = true
			near, far := net.Pipe()
			defer far.Close()
			c := &Conn{Conn: near, Server: s}
			begin := time.Now()
			c.ArmHead()
			near.Read(make([]byte, 1))
			want := grace
			if timeout > 0 {
				want = timeout
			}
			if passed := time.Since(begin); passed != want {
				t.Errorf("with the limit %v it is waited for %v, expected %v", timeout, passed, want)
			}
		})
	}
}

// TestBodyBehindTheLength: what comes behind CONTENT_LENGTH, in whatever pieces, is
// nobody's, and least of all the application's.
func TestBodyBehindTheLength(t *testing.T) {
	for _, tt := range []struct {
		name   string
		pieces []string // behind the head
		joined bool     // the first of them comes with the head
	}{
		{"nothing", []string{"a", "bc"}, false},
		{"in the piece of the last byte", []string{"a", "bcdef"}, false},
		{"in a piece of its own", []string{"abc", "def"}, false},
		{"with the head", []string{"abcdef"}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, err := (&Protocol{HeadLen: scgi.HeadLen, Parse: scgi.Parse, Form: cgi.Status}).NewServer(Options{
					Logger: slog.New(slog.DiscardHandler),
					App: wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
						text, err := io.ReadAll(environ.Input())
						if err != nil {
							return nil, err
						}
						return wsgi.Response{Status: "200 OK", Body: wsgi.Bytes(text)}.Call(environ, start)
					}),
				})
				if err != nil {
					t.Fatal(err)
				}
				near, far := net.Pipe()
				defer far.Close()
				s.take(near, nil)
				sent := requestHead(t, "POST", len("abc"))
				if tt.joined {
					sent += tt.pieces[0]
					tt.pieces = tt.pieces[1:]
				}
				go func() {
					for _, piece := range append([]string{sent}, tt.pieces...) {
						io.WriteString(far, piece)
					}
				}()
				answer, err := io.ReadAll(far)
				if !strings.HasSuffix(string(answer), "\r\n\r\nabc") || err != nil {
					t.Errorf("answered by %q, %v, expected it to end in abc", answer, err)
				}
			})
		})
	}
}
