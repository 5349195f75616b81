package peers

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"testing"

	"github.com/gowsgi/gowsgi/adapters/cgi"
	"github.com/gowsgi/gowsgi/adapters/fastcgi"
	"github.com/gowsgi/gowsgi/adapters/scgi"
	"github.com/gowsgi/gowsgi/adapters/uwsgi"
	"github.com/gowsgi/gowsgi/internal/adaptertest"
	"github.com/gowsgi/gowsgi/server"
	"github.com/gowsgi/gowsgi/wsgi"
)

// TestMain makes the test binary the program that web servers start, for one
// request or for many.
func TestMain(m *testing.M) {
	if cgi.Invoked() {
		if cgi.Serve(wsgi.AppFunc(witness)) != nil {
			os.Exit(1)
		}
		return
	}
	if l, err := fastcgi.Inherited(); err == nil {
		if self, err := os.Executable(); err == nil {
			if port, err := os.ReadFile(self + relayed); err == nil {
				relay(l, "127.0.0.1:"+string(port))
				return
			}
		}
		(&fastcgi.Server{App: wsgi.AppFunc(witness), ScriptName: "/app"}).Serve(l)
		return
	}
	os.Exit(m.Run())
}

// relay passes the connections of l on to addr: to a server in the process of the
// test, which has the application that the test is about.
func relay(l net.Listener, addr string) {
	for {
		near, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer near.Close()
			far, err := net.Dial("tcp", addr)
			if err != nil {
				return
			}
			defer far.Close()
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				io.Copy(far, near)
				far.(*net.TCPConn).CloseWrite()
			}()
			if _, err := io.Copy(near, far); err == nil {
				near.(*net.UnixConn).CloseWrite()
				<-ended // what is closed before all is read of it is reset
			}
		}()
	}
}

// behind serves app over a protocol, mounted at script.
func behind(t *testing.T, protocol string, app wsgi.Application, script string) (port int) {
	var s adaptertest.Server
	switch protocol {
	case "fastcgi":
		s = &fastcgi.Server{App: app, ScriptName: script, Logger: adaptertest.Silent}
	case "scgi":
		s = &scgi.Server{App: app, ScriptName: script, Logger: adaptertest.Silent}
	case "uwsgi":
		s = &uwsgi.Server{App: app, ScriptName: script, Logger: adaptertest.Silent}
	case "http":
		s = &server.Server{App: app, ScriptName: script, Logger: adaptertest.Silent}
	default:
		return 0
	}
	_, text, _ := net.SplitHostPort(adaptertest.Serve(t, s, "tcp"))
	port, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// direct is what the list gets without a front end.
func direct(t *testing.T) map[string]result {
	addr := fmt.Sprintf("127.0.0.1:%d", behind(t, "http", wsgi.AppFunc(witness), "/app"))
	answers := make(map[string]result)
	for _, q := range requests() {
		answers[q.name] = q.ask(t, addr)
	}
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h2 := &http.Server{Handler: http.StripPrefix("/app", server.Handler(wsgi.AppFunc(witness))), Protocols: protocols}
	go h2.Serve(l)
	t.Cleanup(func() { h2.Close() })
	for _, q := range http2Requests() {
		answers[q.name] = q.ask(t, l.Addr().String())
	}
	return answers
}

// TestEveryFrontEnd compares what the application sees, and what the client
// gets, behind each web server over each protocol with what they are over
// net/http. Each difference stands in doc/deploy/differences.md, with its
// reason.
func TestEveryFrontEnd(t *testing.T) {
	if testing.Short() {
		t.Skip("not with -short: starts every web server; CI runs it without")
	}
	known := readDifferences(t)
	want := direct(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	started := 0
	for _, f := range Fronts {
		t.Run(f.String(), func(t *testing.T) {
			program := ""
			if f.Runs() {
				program = self
			}
			addr, http2 := f.Start(t, behind(t, f.Protocol, wsgi.AppFunc(witness), "/app"), program)
			started++
			for _, q := range requests() {
				known.compare(t, f, q.name, want[q.name], q.ask(t, addr))
			}
			for _, q := range http2Requests() {
				known.compare(t, f, q.name, want[q.name], q.ask(t, http2))
			}
		})
	}
	if started == len(Fronts) {
		known.unused(t)
	}
}
