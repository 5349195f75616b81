package fastcgi

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/gowsgi/gowsgi/internal/adaptertest"
	"github.com/gowsgi/gowsgi/internal/fcgi"
	"github.com/gowsgi/gowsgi/wsgi"
)

// An aborted request gets one END_REQUEST, when the application is done, and
// nothing else; its id is free then.
func TestAbort(t *testing.T) {
	causes := make(chan error, 1)
	called := make(chan bool, 1)
	p := connect(t, func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		switch environ.Var("QUERY_STRING") {
		case "waits":
			called <- true
			<-environ.Context().Done()
			causes <- context.Cause(environ.Context())
			return wsgi.Response{Status: "200 OK", Body: wsgi.Strings("too late")}.Call(environ, start)
		case "reads":
			called <- true
			_, err := io.ReadAll(environ.Input())
			causes <- err
			return nil, err
		case "streams":
			write, _ := start("200 OK", nil, nil)
			for {
				if _, err := write([]byte("block")); err != nil {
					causes <- err
					return nil, err
				}
				select {
				case called <- true:
				default:
				}
			}
		}
		return echo(environ, start)
	})
	ended := record{fcgi.EndRequest, 1, okay}
	for _, query := range []string{"waits", "reads"} {
		p.Write(ask(1, fcgi.KeepConn, "QUERY_STRING", query))
		<-called
		p.Write(fcgi.AppendAbort(nil, 1))
		if err := <-causes; err == nil || !strings.Contains(err.Error(), errAborted.Error()) {
			t.Errorf("%s: ended by %v, expected %v", query, err, errAborted)
		}
		p.expect(ended)
		p.Write(append(ask(1, fcgi.KeepConn), stdinOf(1, "ok")...))
		p.expect(echoed(1, "ok")...)
	}
	p.Write(ask(1, fcgi.KeepConn, "QUERY_STRING", "streams"))
	<-called
	p.Write(fcgi.AppendAbort(nil, 1))
	for r := p.next(); r != ended; r = p.next() {
		if r.Type != fcgi.Stdout || r.Content == "" {
			t.Fatalf("got %v, expected STDOUT records and then END_REQUEST", r)
		}
	}
	<-causes
	p.Write(fcgi.AppendBegin(nil, 1, fcgi.Responder, fcgi.KeepConn)) // before it has its variables
	p.Write(fcgi.AppendAbort(nil, 1))
	p.expect(ended)
	p.Write(fcgi.AppendAbort(nil, 1)) // nobody's
	p.Write(append(ask(1, 0), stdinOf(1, "ok")...))
	p.expect(append(echoed(1, "ok"), record{})...)
}

func TestStderr(t *testing.T) {
	p := connect(t, func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		environ.Errors().WriteString("before\nnot yet")
		start("200 OK", nil, nil)
		return wsgi.Generator(func(yield func([]byte, error) bool) {
			environ.Errors().WriteString(" whole\n")
			yield([]byte("block"), nil)
		}), nil
	})
	p.Write(append(ask(1, 0), stdinOf(1, "")...))
	p.expect(
		record{fcgi.Stderr, 1, "before\n"}, record{fcgi.Stderr, 1, "not yet whole\n"},
		record{fcgi.Stdout, 1, "Status: 200 OK\r\n\r\nblock"}, record{fcgi.Stdout, 1, ""}, record{fcgi.Stderr, 1, ""},
		record{fcgi.EndRequest, 1, okay}, record{})
}

// What is said when the request has ended goes to the log.
func TestStderrAfterTheEnd(t *testing.T) {
	var log bytes.Buffer
	s := &Server{App: wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		start("200 OK", nil, nil)
		return &closing{wsgi.Strings("x"), func() { environ.Errors().WriteString("on Close\n") }}, nil
	}), Logger: textLogger(&log)}
	addr := adaptertest.Serve(t, s, "tcp")
	p := &peer{adaptertest.Dial(t, addr), t}
	p.Write(append(ask(1, fcgi.KeepConn), stdinOf(1, "")...)) // on a connection that could take it
	p.expect(record{fcgi.Stdout, 1, "Status: 200 OK\r\n\r\nx"}, record{fcgi.Stdout, 1, ""}, record{fcgi.EndRequest, 1, okay})
	ctx, cancel := context.WithTimeout(t.Context(), adaptertest.Patience)
	defer cancel()
	if err := s.Shutdown(ctx); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(log.String(), "on Close") {
		t.Errorf("the log is %q, expected what Close said", log.String())
	}
	p.expect(record{})
}

// A response that fails in the middle has no END_REQUEST.
func TestCut(t *testing.T) {
	p := connect(t, func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		start("200 OK", nil, nil)
		return wsgi.Generator(func(yield func([]byte, error) bool) {
			if yield([]byte("begun"), nil) {
				yield(nil, io.ErrUnexpectedEOF)
			}
		}), nil
	})
	p.Write(append(ask(1, fcgi.KeepConn), stdinOf(1, "")...))
	r := adaptertest.Receive("fastcgi", p)
	if r.Body != "begun" || r.Ended || errors.Is(r.Err, os.ErrDeadlineExceeded) {
		t.Errorf("got %v, %v, expected a response that is cut", r, r.Err)
	}
}

// STDIN and CONTENT_LENGTH do not agree.
func TestStdinAndLength(t *testing.T) {
	for _, tt := range []struct{ name, length, sent, code, body string }{
		{"longer", "3", "abcdef", "200", "abc"},
		{"shorter", "9", "abc", "400", "400 Bad Request\n"},
		{"without length", "", "abc", "200", "abc"},
		{"unknown", "-1", "abc", "200", "abc"},
		{"none", "0", "abc", "200", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := connect(t, echo)
			p.Write(append(ask(1, 0, "CONTENT_LENGTH", tt.length), stdinOf(1, tt.sent)...))
			if r := adaptertest.Receive("fastcgi", p); !strings.HasPrefix(r.Status, tt.code) || r.Body != tt.body || !r.Ended {
				t.Errorf("got %v, expected %s %q", r, tt.code, tt.body)
			}
		})
	}
	t.Run("too much without length", func(t *testing.T) {
		s := &Server{App: wsgi.AppFunc(echo), MaxBodyBytes: 10, Logger: adaptertest.Silent}
		p := &peer{adaptertest.Dial(t, adaptertest.Serve(t, s, "tcp")), t}
		p.Write(append(ask(1, 0, "CONTENT_LENGTH", ""), stdinOf(1, "more than ten")...))
		if r := adaptertest.Receive("fastcgi", p); r.Code != 413 {
			t.Errorf("got %v, expected 413", r)
		}
	})
}

// Heads and blocks of any size fit into records.
func TestLargeHeadAndBlock(t *testing.T) {
	large := strings.Repeat("h", 150_000)
	for _, body := range []string{"", "x", strings.Repeat("b", 200_000)} {
		p := connect(t, func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			start("200 OK", wsgi.Headers{{Name: "X", Value: large}}, nil)
			return wsgi.Strings(body), nil
		})
		p.Write(append(ask(1, 0), stdinOf(1, "")...))
		if r := adaptertest.Receive("fastcgi", p); r.Headers.Get("X") != large || r.Body != body || !r.Ended || r.Err != nil {
			t.Errorf("a head of 150 kB with a body of %d bytes came as a head with %d and %d bytes, ended %t, %v",
				len(body), len(r.Headers.Get("X")), len(r.Body), r.Ended, r.Err)
		}
	}
}
