package nethttp_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/adapters/nethttp"
	"github.com/gowsgi/gowsgi/wsgi"
)

type answer struct {
	Status  string
	Headers wsgi.Headers
	Blocks  []string
}

func handler(f http.HandlerFunc) wsgi.Application { return nethttp.Application(f) }

// TestResponse shows which blocks and which head come of what a handler does.
// That they are what net/http would have sent is TestDifferential's affair.
func TestResponse(t *testing.T) {
	big := strings.Repeat("x", 5000)
	for _, test := range []struct {
		name    string
		source  mapSource
		handler http.HandlerFunc
		want    answer
	}{
		{"nothing is done", get(), func(w http.ResponseWriter, r *http.Request) {},
			answer{"200 OK", wsgi.Headers{{Name: "Content-Length", Value: "0"}}, nil}},
		{"HEAD of nothing has no length", get("REQUEST_METHOD", "HEAD"), func(w http.ResponseWriter, r *http.Request) {},
			answer{"200 OK", wsgi.Headers{}, nil}},
		{"small writes are one block with a length", get(), func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "<ht")
			io.WriteString(w, "ml>")
		}, answer{"200 OK", wsgi.Headers{{Name: "Content-Length", Value: "6"}, {Name: "Content-Type", Value: "text/html; charset=utf-8"}}, []string{"<html>"}}},
		{"Content-Type nil is not guessed", get(), func(w http.ResponseWriter, r *http.Request) {
			w.Header()["Content-Type"] = nil
			io.WriteString(w, "x")
		}, answer{"200 OK", wsgi.Headers{{Name: "Content-Length", Value: "1"}}, []string{"x"}}},
		{"headers are those of WriteHeader", get(), func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "a/b")
			w.WriteHeader(404)
			w.Header().Set("X-Late", "1")
			io.WriteString(w, "x")
		}, answer{"404 Not Found", wsgi.Headers{{Name: "Content-Type", Value: "a/b"}, {Name: "Content-Length", Value: "1"}}, []string{"x"}}},
		{"a code without words", get(), func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(799) },
			answer{"799 status code 799", wsgi.Headers{{Name: "Content-Length", Value: "0"}}, nil}},
		{"Flush makes blocks and no length", get(), func(w http.ResponseWriter, r *http.Request) {
			for _, s := range []string{"a", "b"} {
				io.WriteString(w, s)
				io.WriteString(w, s)
				w.(http.Flusher).Flush()
			}
		}, answer{"200 OK", wsgi.Headers{{Name: "Content-Type", Value: "text/plain; charset=utf-8"}}, []string{"aa", "bb"}}},
		{"Flush before the body fixes the head", get(), func(w http.ResponseWriter, r *http.Request) {
			w.(http.Flusher).Flush()
			io.WriteString(w, "a")
		}, answer{"200 OK", wsgi.Headers{}, []string{"a"}}},
		{"a large write is yielded as it is", get(), func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "a/b")
			io.WriteString(w, big)
			w.Write([]byte(big))
		}, answer{"200 OK", wsgi.Headers{{Name: "Content-Type", Value: "a/b"}}, []string{big, big}}},
		{"with a Content-Length each write is a block", get(), func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "a/b")
			w.Header().Set("Content-Length", "3")
			for range 3 {
				io.WriteString(w, "a")
			}
		}, answer{"200 OK", wsgi.Headers{{Name: "Content-Type", Value: "a/b"}, {Name: "Content-Length", Value: "3"}}, []string{"a", "a", "a"}}},
		{"but a guess at the type sees them together", get(), func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "6")
			io.WriteString(w, "<ht")
			io.WriteString(w, "ml>")
		}, answer{"200 OK", wsgi.Headers{{Name: "Content-Length", Value: "6"}, {Name: "Content-Type", Value: "text/html; charset=utf-8"}}, []string{"<html>"}}},
		{"each event is a block", get(), func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			io.WriteString(w, "data: 1\n\n")
			io.WriteString(w, "data: 2\n\n")
		}, answer{"200 OK", wsgi.Headers{{Name: "Content-Type", Value: "text/event-stream"}}, []string{"data: 1\n\n", "data: 2\n\n"}}},
		{"what the server owns or HTTP forbids is dropped, the rest cleaned and sorted", get(), func(w http.ResponseWriter, r *http.Request) {
			h := w.Header()
			h.Set("Connection", "close")
			h.Set("Transfer-Encoding", "identity")
			h["Bad Name"] = []string{"x"}
			h["B"] = []string{"\tx\r\ny\x00", "caf\xe9"}
			h["A"] = []string{"1"}
			w.WriteHeader(202)
		}, answer{"202 Accepted", wsgi.Headers{{Name: "A", Value: "1"}, {Name: "B", Value: "x  y"}, {Name: "B", Value: "caf\xe9"}, {Name: "Content-Length", Value: "0"}}, nil}},
		{"no length where trailers are meant to follow", get(), func(w http.ResponseWriter, r *http.Request) {
			w.Header()["Content-Type"] = nil
			w.Header().Set(http.TrailerPrefix+"X-Sum", "1")
			io.WriteString(w, "x")
			w.Header().Del(http.TrailerPrefix + "X-Sum")
		}, answer{"200 OK", wsgi.Headers{}, []string{"x"}}},
		{"HTTP/2 collects more", get("SERVER_PROTOCOL", "HTTP/2.0"), func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "a/b")
			io.WriteString(w, big[:4000])
		}, answer{"200 OK", wsgi.Headers{{Name: "Content-Type", Value: "a/b"}, {Name: "Content-Length", Value: "4000"}}, []string{big[:4000]}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got recorder
			err, log := run(t, nethttp.Application(test.handler), test.source, "", &got)
			if err != nil || log != "" {
				t.Errorf("error %v, log %q, want none", err, log)
			}
			// The gateway adds this to an empty body whose length is open.
			if len(got.blocks) == 0 && !test.want.Headers.Has("Content-Length") {
				got.headers.Del("Content-Length")
			}
			if diff := cmp.Diff(test.want, answer{got.status, got.headers, got.blocks}); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestWriteErrors(t *testing.T) {
	for _, test := range []struct {
		name    string
		handler func(w http.ResponseWriter) error
		want    error
	}{
		{"body on 204", func(w http.ResponseWriter) error {
			w.WriteHeader(204)
			_, err := io.WriteString(w, "x")
			return err
		}, http.ErrBodyNotAllowed},
		{"body on 304", func(w http.ResponseWriter) error {
			w.WriteHeader(304)
			_, err := w.Write([]byte("x"))
			return err
		}, http.ErrBodyNotAllowed},
		{"nothing on 304", func(w http.ResponseWriter) error {
			w.WriteHeader(304)
			_, err := w.Write(nil)
			return err
		}, nil},
		{"more than Content-Length", func(w http.ResponseWriter) error {
			w.Header().Set("Content-Length", "2")
			io.WriteString(w, "ab")
			_, err := io.WriteString(w, "c")
			return err
		}, http.ErrContentLength},
		{"more than Content-Length by ReadFrom", func(w http.ResponseWriter) error {
			w.Header().Set("Content-Length", "2")
			io.WriteString(w, "ab")
			_, err := io.Copy(w, strings.NewReader("c"))
			return err
		}, http.ErrContentLength},
		{"hijack", func(w http.ResponseWriter) error {
			_, _, err := http.NewResponseController(w).Hijack()
			return err
		}, http.ErrNotSupported},
		{"deadline", func(w http.ResponseWriter) error {
			c := http.NewResponseController(w)
			return errors.Join(c.SetReadDeadline(time.Time{}), c.SetWriteDeadline(time.Time{}))
		}, errors.ErrUnsupported},
		{"full duplex", func(w http.ResponseWriter) error {
			return http.NewResponseController(w).EnableFullDuplex()
		}, nil},
		{"trailers", func(w http.ResponseWriter) error {
			w.Header().Set("Trailer", "X-Sum")
			_, err := io.WriteString(w, "x")
			return err
		}, &wsgi.ContractError{Rule: "HTTP-05"}},
		{"upgrade", func(w http.ResponseWriter) error {
			w.WriteHeader(101)
			return http.NewResponseController(w).Flush()
		}, &wsgi.ContractError{Rule: "HTTP-05"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got error
			run(t, handler(func(w http.ResponseWriter, r *http.Request) { got = test.handler(w) }), get(), "", new(recorder))
			if !errors.Is(got, test.want) {
				t.Errorf("error is %v, want %v", got, test.want)
			}
		})
	}
}

// TestReports: what cannot be done is said on wsgi.errors.
func TestReports(t *testing.T) {
	for _, test := range []struct {
		name, status string
		handler      http.HandlerFunc
		want         []string
	}{
		{"superfluous WriteHeader", "200 OK", func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(200)
			w.WriteHeader(500)
		}, []string{"http: superfluous response.WriteHeader call from ", "TestReports", "response_test.go:"}},
		{"by way of net/http", "200 OK", func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(200)
			http.Error(w, "x", 500)
		}, []string{"TestReports"}},
		{"bad Content-Length", "200 OK", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "many")
		}, []string{`http: invalid Content-Length of "many"`}},
		{"declared trailers", "500 Internal Server Error", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Trailer", "X-Sum, X-Time")
			io.WriteString(w, "never")
		}, []string{"trailers X-Sum, X-Time", "HTTP-05"}},
		{"late trailers", "200 OK", func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "x")
			w.Header().Set(http.TrailerPrefix+"X-Sum", "1")
			w.Header().Set(http.TrailerPrefix+"X-Late", "1")
		}, []string{"trailers X-Late, X-Sum were not sent", "HTTP-05"}},
		{"upgrade", "500 Internal Server Error", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(101) },
			[]string{"101 Switching Protocols", "HTTP-05"}},
		{"bad code", "500 Internal Server Error", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(99) },
			[]string{"panic: invalid WriteHeader code 99"}},
		{"panic", "500 Internal Server Error", func(w http.ResponseWriter, r *http.Request) { panic("oh") },
			[]string{"panic: oh", "TestReports"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got recorder
			_, log := run(t, nethttp.Application(test.handler), get(), "", &got)
			if got.status != test.status {
				t.Errorf("status is %q, want %q", got.status, test.status)
			}
			for _, want := range test.want {
				if !strings.Contains(log, want) {
					t.Errorf("wsgi.errors is %q, want it to contain %q", log, want)
				}
			}
			if strings.Contains(got.body(), "never") {
				t.Errorf("body is %q", got.body())
			}
		})
	}
}

func TestAbort(t *testing.T) {
	err, log := run(t, handler(func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) }), get(), "", new(recorder))
	if !errors.Is(err, http.ErrAbortHandler) || log != "" {
		t.Errorf("error %v, log %q; want http.ErrAbortHandler and an empty log", err, log)
	}
}

// TestLazy: nothing of the handler runs before the body is iterated, nor if it
// never is.
func TestLazy(t *testing.T) {
	body, err := handler(func(w http.ResponseWriter, r *http.Request) { t.Error("the handler ran") }).
		Call(wsgi.EnvironFromMap(nil), nil)
	if err == nil {
		err = body.Close()
	}
	if err != nil {
		t.Error(err)
	}
}

func TestNilHandler(t *testing.T) {
	defer func() {
		if v := recover(); v != "nethttp: nil handler" {
			t.Errorf("panic value is %v", v)
		}
	}()
	nethttp.Application(nil)
}

// TestRefusedStart: an error of start_response reaches the handler and the
// server.
func TestRefusedStart(t *testing.T) {
	refusal := errors.New("no")
	var got error
	body, _ := handler(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "x")
		got = http.NewResponseController(w).Flush()
	}).Call(wsgi.EnvironFromMap(nil), func(string, wsgi.Headers, error) (wsgi.Write, error) { return nil, refusal })
	var errs []error
	body.Blocks(func(block []byte, err error) bool {
		errs = append(errs, err)
		return err == nil
	})
	if got != refusal || len(errs) != 1 || errs[0] != refusal {
		t.Errorf("Flush returned %v and Blocks yielded %v, want %v from both", got, errs, refusal)
	}
}

func TestEarlyHints(t *testing.T) {
	var got recorder
	run(t, handler(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Link", "</a.css>")
		w.Header().Set("Content-Length", "1")
		w.WriteHeader(103)
		w.WriteHeader(102) // there is no way to send it
		w.Header().Set("Link", "</b.css>")
		w.WriteHeader(103)
		w.WriteHeader(200)
		io.WriteString(w, "x")
	}), get(), "", &got)
	want := []wsgi.Headers{{{Name: "Link", Value: "</a.css>"}}, {{Name: "Link", Value: "</b.css>"}}}
	if diff := cmp.Diff(want, got.hints); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got.status != "200 OK" || got.body() != "x" {
		t.Errorf("answer is %s %q", got.status, got.body())
	}
}
