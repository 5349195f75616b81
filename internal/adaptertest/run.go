package adaptertest

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gowsgi/gowsgi/internal/backend"
	"github.com/gowsgi/gowsgi/wsgi"
)

// run: Run lets what runs finish when its context ends, or cuts it, and returns.
func (s Subject) run(t *testing.T) {
	for name, test := range map[string]struct {
		limit time.Duration
		cut   string
	}{
		"finishes what runs":       {0, ""},
		"cuts what takes too long": {time.Millisecond, s.Protocol + ": responses that did not finish in time were cut"},
	} {
		t.Run(name, func(t *testing.T) {
			called, release := make(chan bool), make(chan bool)
			server := s.New(backend.Options{ShutdownTimeout: test.limit, Logger: Silent, App: wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
				called <- true
				select {
				case <-release:
				case <-environ.Context().Done():
				}
				return respond("finished")(environ, start)
			})})
			if n := server.Connections(); n != 0 {
				t.Errorf("there are %d connections before it runs", n)
			}
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			ran := make(chan error, 1)
			go func() { ran <- server.Run(ctx, l) }()
			c := Dial(t, l.Addr().String())
			c.Write(append(Request(s.Protocol), Body(s.Protocol, "")...))
			<-called
			if n := server.Connections(); n != 1 {
				t.Errorf("there are %d connections, expected 1", n)
			}
			cancel()
			if test.cut == "" {
				close(release)
				Receive(s.Protocol, c).expect(t, 200, "finished")
			} else if r := Receive(s.Protocol, c); r.Code != 0 || errors.Is(r.Err, os.ErrDeadlineExceeded) {
				t.Errorf("the answer is %v, expected none, and the end of the connection", r)
			}
			text := ""
			if err := <-ran; err != nil {
				text = err.Error()
			}
			if text != test.cut {
				t.Errorf("Run returned %q, expected %q", text, test.cut)
			}
		})
	}
}

// listens: where Run listens when it is given no listener.
func (s Subject) listens(t *testing.T) {
	if err := s.New(backend.Options{}).Run(t.Context()); err == nil || !strings.Contains(err.Error(), "App is nil") {
		t.Errorf("without an application, Run returned %v", err)
	}
	o := backend.Options{App: respond("ok"), Logger: Silent}
	if err := s.New(o).Run(t.Context()); err == nil || !strings.Contains(err.Error(), "nowhere to listen") {
		t.Errorf("without an address, Run returned %v", err)
	}
	if runtime.GOOS == "windows" {
		return // without sockets that have a name to be known before
	}
	path := filepath.Join(t.TempDir(), "s")
	server := s.New(o)
	reflect.ValueOf(server).Elem().FieldByName("Addr").SetString("unix:" + path)
	ctx, cancel := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	go func() { ran <- server.Run(ctx) }()
	for end := time.Now().Add(Patience); ; time.Sleep(time.Millisecond) {
		c, err := net.Dial("unix", path)
		if err == nil {
			c.Close()
			break
		}
		if time.Now().After(end) {
			t.Fatalf("it does not listen on Addr: %v", err)
		}
	}
	s.call(t, path, "").expect(t, 200, "ok")
	cancel()
	if err := <-ran; err != nil {
		t.Errorf("Run returned %v", err)
	}
}
