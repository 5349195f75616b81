package adaptertest

import (
	"context"
	"errors"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/gowsgi/gowsgi/internal/backend"
	"github.com/gowsgi/gowsgi/wsgi"
)

// shutdown: what runs may finish, and nothing else begins.
func (s Subject) shutdown(t *testing.T) {
	called, release := make(chan bool), make(chan bool)
	server := s.New(backend.Options{App: wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		called <- true
		<-release
		return respond("finished")(environ, start)
	}), Logger: Silent})
	addr := Serve(t, server, "tcp")
	c := Dial(t, addr)
	c.Write(append(Request(s.Protocol), Body(s.Protocol, "")...))
	<-called
	done := make(chan error, 1)
	go func() { done <- server.Shutdown(t.Context()) }()
	for { // until it has stopped listening
		nc, err := net.DialTimeout("tcp", addr, Patience)
		if err != nil {
			break
		}
		nc.Close()
		time.Sleep(time.Millisecond)
	}
	select {
	case err := <-done:
		t.Errorf("Shutdown returned %v while a request was running", err)
	default:
	}
	close(release)
	Receive(s.Protocol, c).expect(t, 200, "finished")
	if err := <-done; err != nil {
		t.Errorf("Shutdown returned %v", err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Serve(l); err != http.ErrServerClosed {
		t.Errorf("Serve after Shutdown returned %v, expected %v", err, http.ErrServerClosed)
	}
}

// silent: connections on which nothing was said are not waited for.
func (s Subject) silent(t *testing.T) {
	server := s.New(backend.Options{App: respond("ok"), Logger: Silent})
	addr := Serve(t, server, "tcp")
	Dial(t, addr)
	s.call(t, addr, "").expect(t, 200, "ok") // so that the one before is accepted
	ctx, cancel := context.WithTimeout(t.Context(), Patience/2)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		t.Errorf("Shutdown with a silent connection: %v", err)
	}
}

// close: what runs is cut, also a Shutdown that has waited for it.
func (s Subject) close(t *testing.T) {
	called := make(chan bool)
	server := s.New(backend.Options{App: wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		called <- true
		<-environ.Context().Done()
		return nil, environ.Context().Err()
	}), Logger: Silent})
	addr := Serve(t, server, "tcp")
	c := Dial(t, addr)
	c.Write(append(Request(s.Protocol), Body(s.Protocol, "")...))
	<-called
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := server.Shutdown(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Shutdown returned %v, expected the error of its context", err)
	}
	server.Close()
	if r := Receive(s.Protocol, c); r.Code != 0 {
		t.Errorf("after Close the answer is %v, expected none", r)
	}
}
