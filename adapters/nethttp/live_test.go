package nethttp_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/adapters/nethttp"
	"github.com/gowsgi/gowsgi/server"
)

// TestStreaming: each event is with the client before the handler makes the
// next one, whether it flushes or not.
func TestStreaming(t *testing.T) {
	for _, flush := range []bool{false, true} {
		t.Run(fmt.Sprintf("flush %v", flush), func(t *testing.T) {
			both := newSides(t)
			seen := make(chan struct{})
			both.serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "text/event-stream")
				for i := range 5 {
					fmt.Fprintf(w, "data: %d\n", i)
					if flush {
						w.(http.Flusher).Flush()
					}
					<-seen
				}
			}))
			for _, address := range []string{both.wsgi.plain.URL, both.wsgi.tls.URL} {
				resp, err := both.wsgi.tls.Client().Get(address)
				if err != nil {
					t.Fatal(err)
				}
				lines := bufio.NewScanner(resp.Body)
				for i := 0; lines.Scan(); i++ {
					if want := fmt.Sprintf("data: %d", i); lines.Text() != want {
						t.Errorf("line is %q, want %q", lines.Text(), want)
					}
					seen <- struct{}{}
				}
				resp.Body.Close()
			}
		})
	}
}

// TestDuplex: a handler answers each line of the request while it is sent.
func TestDuplex(t *testing.T) {
	both := newSides(t)
	both.serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := http.NewResponseController(w).EnableFullDuplex(); err != nil {
			t.Error(err)
		}
		for lines := bufio.NewScanner(r.Body); lines.Scan(); {
			fmt.Fprintln(w, strings.ToUpper(lines.Text()))
			w.(http.Flusher).Flush()
		}
	}))
	out, in := io.Pipe()
	go io.WriteString(in, "a\n")
	resp, err := both.wsgi.tls.Client().Post(both.wsgi.plain.URL, "text/plain", out)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answers := bufio.NewReader(resp.Body)
	for _, next := range []string{"b\n", "c\n", ""} {
		line, err := answers.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if next == "" {
			in.Close()
			if rest, err := io.ReadAll(answers); line != "C\n" || len(rest) != 0 || err != nil {
				t.Errorf("last line is %q, then %q, %v", line, rest, err)
			}
			break
		}
		io.WriteString(in, next)
	}
}

// TestCancellation: a client that leaves ends r.Context, and writes fail.
func TestCancellation(t *testing.T) {
	both := newSides(t)
	result := make(chan error, 1)
	both.serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "x")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		for {
			if _, err := w.Write(make([]byte, 64<<10)); err != nil {
				result <- err
				return
			}
		}
	}))
	resp, err := both.wsgi.tls.Client().Get(both.wsgi.plain.URL)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if err := <-result; !strings.Contains(err.Error(), "broken off") {
		t.Errorf("Write returned %v", err)
	}
}

func TestDeadlines(t *testing.T) {
	both := newSides(t)
	result := make(chan error, 1)
	both.serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := http.NewResponseController(w)
		if err := errors.Join(c.SetReadDeadline(time.Now().Add(-time.Second)), c.SetWriteDeadline(time.Now().Add(time.Minute))); err != nil {
			t.Error(err)
		}
		_, err := io.ReadAll(r.Body)
		result <- err
	}))
	// More is promised than is sent: the read ends by its deadline.
	both.wsgi.http1(t, "HTTP/1.1", request{method: "POST", target: "/", header: "Content-Length: 10\r\n"})
	if err := <-result; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("Read returned %v", err)
	}
}

// TestEarlyAnswer: the backend of a proxy answers before it has read the
// request. The client gets that answer although the proxy's transport is still
// reading from it; and when the request is over nobody is (the race detector
// tells).
func TestEarlyAnswer(t *testing.T) {
	for _, answer := range []string{"", "enough"} {
		t.Run(fmt.Sprintf("%q", answer), func(t *testing.T) {
			checkGoroutines(t)
			backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Connection", "close")
				w.WriteHeader(401)
				io.WriteString(w, answer)
			}))
			t.Cleanup(backend.Close)
			target, _ := url.Parse(backend.URL)
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			s := &server.Server{App: nethttp.Application(httputil.NewSingleHostReverseProxy(target))}
			stopped := make(chan error)
			go func() { stopped <- s.Serve(l) }()
			t.Cleanup(func() {
				s.Close()
				<-stopped
			})
			// net/http by itself waits here for a client that waits for it.
			got := (&side{plain: &httptest.Server{Listener: l}}).http1(t, "HTTP/1.1", request{method: "POST", target: "/", header: "Content-Length: 1000000\r\n"})
			if got.Status != 401 || got.Body != answer || got.Cut {
				t.Errorf("answer is %+v", got)
			}
		})
	}
}

// TestDifferences are the places where net/http does more, or another thing.
// Each is in the package comment.
func TestDifferences(t *testing.T) {
	both := newSides(t)
	for _, test := range []struct {
		name      string
		handler   http.HandlerFunc
		raw, wsgi seen
	}{
		{"a panic before the first block is a 500",
			func(w http.ResponseWriter, r *http.Request) { panic("oh") },
			seen{Cut: true},
			seen{Status: 500, Body: "500 Internal Server Error\n"}},
		{"declared trailers are refused",
			func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Trailer", "X-Sum")
				io.WriteString(w, "x")
				w.Header().Set("X-Sum", "1")
			},
			seen{Status: 200, Body: "x", Chunked: true, Trailer: http.Header{"X-Sum": {"1"}}},
			seen{Status: 500, Body: "500 Internal Server Error\n"}},
		{"trailers with a prefix are not sent",
			func(w http.ResponseWriter, r *http.Request) {
				io.WriteString(w, "x")
				w.(http.Flusher).Flush()
				w.Header().Set(http.TrailerPrefix+"X-Sum", "1")
			},
			seen{Status: 200, Body: "x", Chunked: true, Trailer: http.Header{"X-Sum": {"1"}}},
			seen{Status: 200, Body: "x", Chunked: true}},
		{"interim responses but 103 are not sent",
			func(w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(102)
				w.WriteHeader(103)
			},
			seen{Status: 200, Interim: []string{"102 ", "103 "}},
			seen{Status: 200, Interim: []string{"103 "}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			both.serve(test.handler)
			for _, side := range []struct {
				name string
				side *side
				want seen
			}{{"net/http", both.raw, test.raw}, {"gowsgi", both.wsgi, test.wsgi}} {
				got := side.side.http1(t, "HTTP/1.1", request{method: "GET", target: "/"})
				got.Proto, got.Header = "", nil
				if diff := cmp.Diff(side.want, got); diff != "" {
					t.Errorf("%s (-want +got):\n%s", side.name, diff)
				}
			}
		})
	}
}
