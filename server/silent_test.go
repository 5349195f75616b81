package server_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/gowsgi/gowsgi/server"
	"github.com/gowsgi/gowsgi/wsgi"
)

// TestShutdownSilent stops a server while a client holds a connection on which
// it has asked nothing, as browsers do.
func TestShutdownSilent(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server.Server{App: wsgi.Response{Status: "200 OK", Body: wsgi.Empty()}}
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	silent, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	// Connections are accepted in order: once this one is answered, the one
	// before it is known.
	response, err := http.Get("http://" + l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()

	begin := time.Now()
	if err := s.Shutdown(context.Background()); err != nil {
		t.Errorf("Shutdown returned %v, expected nil", err)
	}
	if took := time.Since(begin); took > 3*time.Second {
		t.Errorf("stopping took %v, expected less than the five seconds of net/http", took)
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		t.Errorf("Serve returned %v, expected http.ErrServerClosed", err)
	}
	if n, err := silent.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("the silent connection read %d bytes, %v, expected its end", n, err)
	}
}
