//go:build unix

package main

import (
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/gowsgi/gowsgi/wsgi"
)

// TestGateways serves the demo over every protocol at once, and before each a
// second process that forwards to it.
func TestGateways(t *testing.T) {
	dir, err := os.MkdirTemp("", "gw") // the folder of a test may be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket := filepath.Join(dir, "s")
	backend := start(t, nil, "--listen", "fcgi://127.0.0.1:0", "--listen", "scgi://unix:"+socket, "--listen", "uwsgi://127.0.0.1:0",
		"--listen", "http://127.0.0.1:0", "--allow-peer", "127.0.0.1", "--env", "SHOP=open")
	base := backend.url()
	targets := []string{base, "scgi://unix:" + socket}
	for _, scheme := range []string{"fcgi", "uwsgi"} {
		targets = append(targets, backend.wait(`listening address=(` + scheme + `://\S+)$`)[1])
	}
	for _, target := range targets {
		front := start(t, nil, "--listen", "127.0.0.1:0", target)
		if status, body := get(t, http.DefaultClient, listening(front)+"hello?name=backend"); status != 200 || body != "Hello, backend!\n" {
			t.Errorf("%s answers with %d, %q", target, status, body)
		}
		front.stop()
	}
	backend.stop()
}

// TestGatewayAlone has an address that a browser cannot open.
func TestGatewayAlone(t *testing.T) {
	c := start(t, nil, "--listen", "fcgi://127.0.0.1:0")
	addr := c.wait(`^gowsgi: serving the demo application; listening on fcgi://(\S+) \(Ctrl-C stops\)$`)[1]
	front := start(t, nil, "--listen", "127.0.0.1:0", "fcgi://"+addr)
	if status, _ := get(t, http.DefaultClient, listening(front)+"hello"); status != 200 {
		t.Errorf("status %d, want 200", status)
	}
	c.stop() // though the connection to it is kept
	if status, _ := get(t, http.DefaultClient, listening(front)+"hello"); status != 502 {
		t.Errorf("without its backend: status %d, want 502", status)
	}
	front.wait(`ERROR backend did not answer .*backend=` + addr)
	front.stop()
}

// TestDescriptor serves a socket that the process was started with.
func TestDescriptor(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	socket, err := l.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	for _, scheme := range []string{"fcgi", "scgi", "uwsgi"} {
		for fd, name := range map[int]string{0: "fd:0", 3: "fd:3"} {
			cmd := self(t, nil, "serve", "--listen", scheme+"://"+name)
			if fd == 0 {
				cmd.Stdin = socket
			} else {
				cmd.ExtraFiles = []*os.File{socket}
			}
			c := startCommand(t, cmd)
			c.wait(`listening address=` + scheme + `://`)
			front := start(t, nil, "--listen", "127.0.0.1:0", scheme+"://"+l.Addr().String())
			if status, _ := get(t, http.DefaultClient, listening(front)+"hello"); status != 200 {
				t.Errorf("%s on descriptor %d: status %d, want 200", scheme, fd, status)
			}
			front.stop()
			c.stop()
		}
	}
}

// TestGatewayOptions: what the options say of the server of HTTP counts for the
// others too.
func TestGatewayOptions(t *testing.T) {
	c := newConfig()
	c.singleThread, c.debug, c.environ = true, true, map[string]string{"A": "1"}
	s, err := c.server(io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	s.Multiprocess = true
	of := reflect.ValueOf(s).Elem()
	for _, scheme := range []string{"fcgi", "scgi", "uwsgi"} {
		got := reflect.ValueOf(c.gateway(scheme, s, wsgi.AppFunc(nil))).Elem()
		for field, value := range got.Fields() {
			want := of.FieldByName(field.Name)
			if field.Name == "Errors" && scheme == "fcgi" { // wsgi.errors go to the web server
				want = reflect.Zero(field.Type)
			}
			if !field.IsExported() || !want.IsValid() || field.Name == "App" || field.Name == "ShutdownTimeout" { // that is run's
				continue
			}
			if !reflect.DeepEqual(value.Interface(), want.Interface()) {
				t.Errorf("%s of %s is %v, expected %v as over HTTP", field.Name, scheme, value, want)
			}
		}
	}
}

func TestCGITarget(t *testing.T) {
	path := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(path, []byte("#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n'\necho $PATH_INFO\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	c := start(t, nil, "--listen", "127.0.0.1:0", "cgi:"+path)
	if status, body := get(t, http.DefaultClient, listening(c)+"a/b"); status != 200 || strings.TrimSpace(body) != "/a/b" {
		t.Errorf("got %d %q", status, body)
	}
	c.stop()
}

func TestSingleThreadOfTwoProtocols(t *testing.T) {
	status, lines := start(t, nil, "--listen", "fcgi://127.0.0.1:0", "--listen", "127.0.0.1:0", "--single-thread").exit()
	if status != exitUsage || len(lines) == 0 || !strings.Contains(lines[len(lines)-1], "--single-thread is for one protocol") {
		t.Errorf("status %d after %q, want 2 and the reason", status, lines)
	}
}

// listening is the URL of a process that does not serve the demo.
func listening(c *child) string {
	if !slices.ContainsFunc(c.said, func(line string) bool { return strings.Contains(line, "listening address=") }) {
		return c.wait(`listening address=(http://\S+)$`)[1]
	}
	for _, line := range c.said {
		if _, url, ok := strings.Cut(line, "listening address="); ok {
			return url
		}
	}
	return ""
}
