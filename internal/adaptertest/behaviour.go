package adaptertest

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gowsgi/gowsgi/internal/backend"
	"github.com/gowsgi/gowsgi/wsgi"
)

// Behaviour tests what is the same of all adapters.
func (s Subject) Behaviour(t *testing.T) {
	for name, test := range s.behaviours() {
		t.Run(name, func(t *testing.T) {
			Leaks(t)
			test(t)
		})
	}
}

// behaviours are the tests of Behaviour by their names.
func (s Subject) behaviours() map[string]func(*testing.T) {
	return map[string]func(*testing.T){
		"variables":   s.variables,
		"body":        s.bodyAsItComes,
		"cut body":    s.cutBody,
		"surplus":     s.surplus,
		"refused":     s.refused,
		"early":       s.earlyAnswer,
		"gone":        s.clientGone,
		"slow":        s.slow,
		"limits":      s.limits,
		"lying":       s.lyingLengths,
		"run":         s.run,
		"listens":     s.listens,
		"shutdown":    s.shutdown,
		"close":       s.close,
		"silent":      s.silent,
		"unix":        s.unix,
		"mount":       s.mount,
		"head":        s.head,
		"not started": s.notStarted,
		"peers":       s.peers,
	}
}

// peers: who may connect.
func (s Subject) peers(t *testing.T) {
	for prefix, admitted := range map[string]bool{"127.0.0.1/32": true, "10.0.0.0/8": false, "::1/128": false} {
		o := backend.Options{Peers: []netip.Prefix{netip.MustParsePrefix(prefix)}, App: respond("yes"), Logger: Silent}
		code, body := 0, ""
		if admitted {
			code, body = 200, "yes"
		}
		c := Dial(t, s.start(t, o, nil))
		c.Write(append(Request(s.Protocol), Body(s.Protocol, "")...))
		if r := Receive(s.Protocol, c); r.Code != code || r.Body != body {
			t.Errorf("with the peers %s the answer is %v, expected %d", prefix, r, code)
		}
	}
	o := backend.Options{Peers: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, App: respond("yes"), Logger: Silent}
	s.call(t, Serve(t, s.New(o), "unix"), "").expect(t, 200, "yes")
}

// call sends a whole request and returns the answer.
func (s Subject) call(t testing.TB, addr, body string, list ...string) Response {
	t.Helper()
	c := Dial(t, addr)
	defer c.Close()
	raw := append(Request(s.Protocol, list...), Body(s.Protocol, body)...)
	if body != "" {
		raw = append(raw, Body(s.Protocol, "")...)
	}
	if _, err := c.Write(raw); err != nil {
		t.Fatal(err)
	}
	return Receive(s.Protocol, c)
}

func (r Response) expect(t testing.TB, code int, body string) {
	t.Helper()
	if r.Code != code || r.Body != body || !r.Ended || r.Err != nil {
		t.Errorf("the answer is %v, expected %d %q", r, code, body)
	}
}

// respond is an application that answers with text.
func respond(text string) wsgi.AppFunc {
	return wsgi.Response{Status: "200 OK", Body: wsgi.Strings(text)}.Call
}

// various. Covers: the fields of the options that are the gateway's.
func (s Subject) variables(t *testing.T) {
	addr := s.start(t, backend.Options{SingleThread: true, Multiprocess: true, Environ: map[string]string{"DEPLOYED": "yes", "SERVER_NAME": "no"}},
		func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			if environ.Get("wsgi.multithread") != false || environ.Get("wsgi.multiprocess") != true || environ.Get("wsgi.run_once") != false {
				t.Errorf("flags are %v", environ.Map())
			}
			return respond(environ.Var("DEPLOYED")+environ.Var("SERVER_NAME"))(environ, start)
		})
	s.call(t, addr, "").expect(t, 200, "yess")
}

// clientGone: the context ends when the web server closes the connection.
func (s Subject) clientGone(t *testing.T) {
	called, gone := make(chan bool), make(chan error)
	addr := s.start(t, backend.Options{}, func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		if environ.Var("REQUEST_METHOD") == "POST" {
			io.ReadAll(environ.Input())
		}
		called <- true
		select {
		case <-environ.Context().Done():
			gone <- context.Cause(environ.Context())
		case <-time.After(Patience):
			gone <- nil
		}
		return nil, environ.Context().Err()
	})
	for _, method := range []string{"GET", "POST"} {
		c := Dial(t, addr)
		if method == "GET" {
			c.Write(append(Request(s.Protocol), Body(s.Protocol, "")...))
		} else {
			c.Write(append(Request(s.Protocol, "REQUEST_METHOD", "POST", "CONTENT_LENGTH", "3"), Body(s.Protocol, "abc")...))
			c.Write(Body(s.Protocol, ""))
		}
		<-called
		c.Close()
		if cause := <-gone; cause == nil || errors.Is(cause, context.Canceled) {
			t.Errorf("%s: the context ended with the cause %v, expected one that says who left", method, cause)
		}
	}
}

// slow is about peers that stop in the middle.
func (s Subject) slow(t *testing.T) {
	const limit = 30 * time.Millisecond
	blocked := make(chan error, 1)
	o := backend.Options{ReadHeaderTimeout: limit, ReadTimeout: limit, WriteTimeout: limit}
	addr := s.start(t, o, func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		if environ.Var("QUERY_STRING") == "stream" {
			write, _ := start("200 OK", nil, nil)
			for {
				if _, err := write(make([]byte, 1<<20)); err != nil {
					blocked <- err
					return nil, err
				}
			}
		}
		_, err := io.ReadAll(environ.Input())
		if err != nil {
			return nil, err
		}
		return respond("read")(environ, start)
	})
	t.Run("head", func(t *testing.T) {
		raw := Request(s.Protocol)
		for _, n := range []int{0, 1, len(raw) - 20} {
			c := Dial(t, addr)
			c.Write(raw[:n])
			if r := Receive(s.Protocol, c); r.Code != 0 || r.Err != nil {
				t.Errorf("after %d bytes of a head the answer is %v, expected the end of the connection", n, r)
			}
		}
	})
	t.Run("body", func(t *testing.T) {
		c := Dial(t, addr)
		c.Write(append(Request(s.Protocol, "REQUEST_METHOD", "POST", "CONTENT_LENGTH", "10"), Body(s.Protocol, "half")...))
		begin := time.Now()
		Receive(s.Protocol, c).expect(t, 408, "408 Request Timeout\n")
		if d := time.Since(begin); d > Patience/4 {
			t.Errorf("the end of the answer comes %v after the request, expected it with the answer", d)
		}
	})
	t.Run("response", func(t *testing.T) {
		c := Dial(t, addr)
		c.Write(append(Request(s.Protocol, "QUERY_STRING", "stream"), Body(s.Protocol, "")...))
		select {
		case <-blocked:
		case <-time.After(Patience):
			t.Error("a peer that does not read is waited for")
		}
	})
	t.Run("after a response", func(t *testing.T) {
		r := s.call(t, addr, "ok", "REQUEST_METHOD", "POST", "CONTENT_LENGTH", "2")
		r.expect(t, 200, "read")
	})
}

func (s Subject) unix(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no Unix sockets here")
	}
	addr := Serve(t, s.New(backend.Options{App: wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		return respond(environ.Var("SERVER_NAME")+":"+environ.Var("SERVER_PORT"))(environ, start)
	}), Logger: Silent}), "unix")
	s.call(t, addr, "").expect(t, 200, "s:80")
	s.call(t, addr, "", "SERVER_NAME", "", "SERVER_PORT", "").expect(t, 200, "localhost:80")
}

func (s Subject) mount(t *testing.T) {
	addr := s.start(t, backend.Options{ScriptName: "/app"}, func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		return respond(environ.Var("SCRIPT_NAME")+" "+environ.Var("PATH_INFO"))(environ, start)
	})
	s.call(t, addr, "", "PATH_INFO", "/app/x").expect(t, 200, "/app /x")
	s.call(t, addr, "", "PATH_INFO", "/x").expect(t, 404, "404 Not Found\n")
	if r := s.call(t, addr, "", "PATH_INFO", "/x", "REQUEST_METHOD", "HEAD"); r.Code != 404 || r.Body != "" {
		t.Errorf("HEAD outside of the mount is answered by %v, expected 404 without a body", r)
	}
}

func (s Subject) head(t *testing.T) {
	addr := s.start(t, backend.Options{}, respond("not on the wire"))
	r := s.call(t, addr, "", "REQUEST_METHOD", "HEAD")
	r.expect(t, 200, "")
}

// notStarted: a Server that cannot serve says so.
func (s Subject) notStarted(t *testing.T) {
	for want, o := range map[string]backend.Options{
		"App is nil": {}, "ScriptName is app": {App: respond(""), ScriptName: "app"}, "ScriptName is /app/": {App: respond(""), ScriptName: "/app/"},
	} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		server := s.New(o)
		if err := server.Serve(l); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Serve returned %v, expected an error with %q", err, want)
		}
		if err := server.Shutdown(t.Context()); err != nil {
			t.Errorf("Shutdown returned %v", err)
		}
	}
}
