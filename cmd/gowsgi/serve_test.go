//go:build unix

package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gowsgi/gowsgi/adapters/fastcgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

func TestServe(t *testing.T) {
	c := start(t, nil, "--listen", "127.0.0.1:0")
	base := c.url()
	c.wait(`^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d INFO  listening address=` + base + `$`)
	if status, body := get(t, http.DefaultClient, base); status != 200 || !strings.Contains(body, "One contract") {
		t.Errorf("got %d and %q, want the demo", status, body)
	}
	if status, _ := get(t, http.DefaultClient, base+"panic"); status != 500 {
		t.Errorf("/panic: status %d, want 500", status)
	}
	c.wait(`^gowsgi: GET /panic: application failed: panic: the demo application panics`)
	c.wait(`^goroutine \d+ `)
	get(t, http.DefaultClient, base+"error")
	c.wait(`^demo: /error: the kettle is empty$`)
	c.stop()
}

// stream asks for the page that takes seconds and reads its first line.
func stream(t *testing.T, base string) *bufio.Reader {
	t.Helper()
	response, err := http.Get(base + "stream")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { response.Body.Close() })
	body := bufio.NewReader(response.Body)
	if line, err := body.ReadString('\n'); err != nil || line != "<!DOCTYPE html>\n" {
		t.Fatalf("the stream begins with %q, %v, want a page", line, err)
	}
	return body
}

func TestDrain(t *testing.T) {
	t.Parallel()
	c := start(t, nil, "--listen", "127.0.0.1:0")
	body := stream(t, c.url())
	c.signal(os.Interrupt)
	c.wait(`INFO  stopping reason=interrupt$`)
	c.wait(`^gowsgi: waiting for running responses to finish; Ctrl-C again cuts them$`)
	rest, err := io.ReadAll(body)
	if err != nil || !strings.HasSuffix(string(rest), "</html>\n") {
		t.Errorf("the stream ends with %.100q, %v, want the whole page", rest[max(0, len(rest)-100):], err)
	}
	if status, lines := c.exit(); status != exitOK || len(lines) > 0 {
		t.Errorf("status %d after %q, want 0 and nothing more", status, lines)
	}
}

func TestSecondSignal(t *testing.T) {
	t.Parallel()
	c := start(t, nil, "--listen", "127.0.0.1:0")
	body := stream(t, c.url())
	c.signal(syscall.SIGTERM)
	c.wait(`INFO  stopping reason=terminated$`)
	c.signal(syscall.SIGTERM)
	if rest, err := io.ReadAll(body); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("the stream ends with %v after %d bytes, want it to be cut", err, len(rest))
	}
	status, lines := c.exit()
	if want := "gowsgi: server: responses that did not finish in time were cut"; status != exitFailure || len(lines) == 0 || lines[len(lines)-1] != want {
		t.Errorf("status %d after %q, want 1 and %q", status, lines, want)
	}
}

func TestShutdownTimeout(t *testing.T) {
	t.Parallel()
	c := start(t, nil, "--listen", "127.0.0.1:0", "--shutdown-timeout", "1ms")
	body := stream(t, c.url())
	c.signal(os.Interrupt)
	if _, err := io.ReadAll(body); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("the stream ends with %v, want it to be cut", err)
	}
	if status, lines := c.exit(); status != exitFailure {
		t.Errorf("status %d after %q, want 1", status, lines)
	}
}

// TestEarlySignal stops the process as soon as it has said that it can be.
func TestEarlySignal(t *testing.T) {
	t.Parallel()
	for range 5 {
		c := start(t, nil, "--listen", "127.0.0.1:0")
		c.url()
		c.stop()
	}
}

// awaitLines waits until an access log has n lines: one is written when its request
// is over, which the client may know first.
func awaitLines(log string, n int) {
	for late := time.Now().Add(patience); time.Now().Before(late); time.Sleep(time.Millisecond) {
		if text, _ := os.ReadFile(log); strings.Count(string(text), "\n") >= n {
			return
		}
	}
}

// TestReopen renames an access log, as those do who rotate logs, of a server that
// has no Python in it.
func TestReopen(t *testing.T) {
	t.Parallel()
	log := filepath.Join(t.TempDir(), "access.log")
	c := start(t, nil, "--listen", "127.0.0.1:0", "--access-logfile", log)
	base := c.url()
	get(t, http.DefaultClient, base+"before")
	awaitLines(log, 1)
	if err := os.Rename(log, log+".1"); err != nil {
		t.Fatal(err)
	}
	c.signal(syscall.SIGUSR1)
	c.wait(`INFO  access log opened again file=` + log)
	get(t, http.DefaultClient, base+"after")
	c.stop()
	for name, want := range map[string]string{log + ".1": "GET /before ", log: "GET /after "} {
		if text, err := os.ReadFile(name); err != nil || strings.Count(string(text), "\n") != 1 || !strings.Contains(string(text), want) {
			t.Errorf("%s has %q, %v, want one line with %q", filepath.Base(name), text, err, want)
		}
	}
}

// TestMounts mounts one folder below another, in both orders.
func TestMounts(t *testing.T) {
	t.Parallel()
	dirs := map[string]string{}
	for _, name := range []string{"outer", "inner"} {
		dirs[name] = t.TempDir()
		if err := os.WriteFile(filepath.Join(dirs[name], "who"), []byte(name), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	outer, inner := "/a=dir:"+dirs["outer"], "/a/b=dir:"+dirs["inner"]
	for _, mounts := range [][]string{{outer, inner}, {inner, outer}} {
		c := start(t, nil, "--listen", "127.0.0.1:0", "--mount", mounts[0], "--mount", mounts[1])
		base := c.url()
		for path, want := range map[string]string{"a/who": "outer", "a/b/who": "inner"} {
			if status, body := get(t, http.DefaultClient, base+path); status != 200 || body != want {
				t.Errorf("/%s after %q: %d %q, want %s", path, mounts, status, body, want)
			}
		}
		c.stop()
	}
}

// TestWithoutEffect gives options for Python to a server that has none.
func TestWithoutEffect(t *testing.T) {
	t.Parallel()
	c := start(t, []string{"GOWSGI_QUEUE=7"}, "--listen", "127.0.0.1:0", "-w", "3", "--workers", "4")
	c.wait(`WARN  an option has no effect, for no Python application is served option=--workers$`)
	c.wait(`WARN  an option has no effect, for no Python application is served option=--queue$`)
	c.url()
	c.stop()
}

// TestForwarded asks as a proxy does, and as a client that poses as one.
func TestForwarded(t *testing.T) {
	t.Parallel()
	program := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(program, []byte("#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n%s %s' $REMOTE_ADDR $HTTPS\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Run("over FastCGI", func(t *testing.T) { // whose variables name the client, and not a proxy
		c := start(t, nil, "cgi:"+program, "--listen", "fcgi://127.0.0.1:0", "--forwarded-allow-ips", "*")
		addr := c.wait(`listening on fcgi://(\S+) \(Ctrl-C stops\)$`)[1]
		request := wsgitest.NewRequest("GET", "/").With("X-Forwarded-For", "203.0.113.9").With("X-Forwarded-Proto", "https")
		request.RemoteAddr = "198.51.100.2:1"
		backend := &fastcgi.Client{Addr: addr}
		if response := wsgitest.Record(backend, request); response.Text() != "198.51.100.2 " {
			t.Errorf("the program saw %q, want the client's address, and no TLS", response.Text())
		}
		backend.CloseIdleConnections()
		c.stop()
	})
	for _, test := range []struct{ name, allow, want string }{
		{"nobody is believed", "", "127.0.0.1 "},
		{"another proxy", "192.0.2.7", "127.0.0.1 "},
		{"this proxy", "192.0.2.7, 127.0.0.0/8", "198.51.100.2 on"},
		{"everybody", "*", "198.51.100.2 on"},
	} {
		t.Run(test.name, func(t *testing.T) {
			log := filepath.Join(t.TempDir(), "access.log")
			args := []string{"cgi:" + program, "--listen", "127.0.0.1:0", "--access-logfile", log}
			if test.allow != "" {
				args = append(args, "--forwarded-allow-ips", test.allow)
			}
			c := start(t, nil, args...)
			request, err := http.NewRequest("GET", listening(c), nil)
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("X-Forwarded-For", "203.0.113.9, 198.51.100.2") // the first is the client's invention
			request.Header.Set("X-Forwarded-Proto", "https")
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			if body, err := io.ReadAll(response.Body); err != nil || string(body) != test.want {
				t.Errorf("the program saw %q, %v, want %q", body, err, test.want)
			}
			c.stop()
			address, _, _ := strings.Cut(test.want, " ")
			if text, err := os.ReadFile(log); err != nil || !strings.HasPrefix(string(text), address+" ") {
				t.Errorf("the log has %q, %v, want a line of %s", text, err, address)
			}
		})
	}
}

// TestFiles serves a folder, and nothing that is outside of it.
func TestFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	public := filepath.Join(dir, "public")
	if err := os.Mkdir(public, 0o777); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"secret": "secret", "public/index.html": "<title>home</title>", "public/a.txt": "a"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("../secret", filepath.Join(public, "link")); err != nil {
		t.Fatal(err)
	}
	c := start(t, nil, "dir:"+public, "--listen", "127.0.0.1:0", "--mount", "/again=dir:"+public)
	base := listening(c)
	for _, test := range []struct {
		path   string
		status int
		want   string
	}{
		{"", 200, "<title>home</title>"},
		{"a.txt", 200, "a"},
		{"again/a.txt", 200, "a"},
		{"link", 404, ""},
		{"..%2fsecret", 404, ""},
		{"none", 404, ""},
	} {
		if status, body := get(t, http.DefaultClient, base+test.path); status != test.status || test.want != "" && body != test.want {
			t.Errorf("/%s: %d %q, want %d %q", test.path, status, body, test.status, test.want)
		}
	}
	c.stop()
}

func TestSeveralAddresses(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "socket")
	c := start(t, nil, "--listen", "unix:"+socket, "--listen", "http://127.0.0.1:0/", "--listen", "localhost:0")
	base := c.url()
	c.wait(`listening address=unix:` + socket + `$`)
	c.wait(`listening address=` + base + `$`)
	third := c.wait(`listening address=(\S+)$`)[1]
	for _, url := range []string{base, third} {
		if status, _ := get(t, http.DefaultClient, url); status != 200 {
			t.Errorf("%s: status %d, want 200", url, status)
		}
	}
	if status, body := get(t, unixClient(t, socket), "http://name/hello?name=socket"); status != 200 || body != "Hello, socket!\n" {
		t.Errorf("on the socket: %d, %q, want a greeting", status, body)
	}
	c.stop()
	if _, err := os.Stat(socket); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the socket is left behind: %v", err)
	}
}

// TestSocketAlone has no URL to announce.
func TestSocketAlone(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "socket")
	c := start(t, nil, "--listen", "unix:"+socket)
	c.wait(`^gowsgi: serving the demo application; listening on unix:` + socket + ` \(Ctrl-C stops\)$`)
	c.stop()
}

func TestEveryInterface(t *testing.T) {
	c := start(t, nil, "--listen", ":0")
	if base := c.url(); !strings.HasPrefix(base, "http://localhost:") {
		t.Errorf("the URL is %s, want one that works", base)
	} else if status, _ := get(t, http.DefaultClient, base); status != 200 {
		t.Errorf("%s: status %d, want 200", base, status)
	}
	c.stop()
}

// TestVariables sets options in the environment.
func TestVariables(t *testing.T) {
	c := start(t, []string{
		"GOWSGI_LISTEN=127.0.0.1:0,127.0.0.1:0", "GOWSGI_SCRIPT_NAME=/shop", "GOWSGI_NAME=shop.example",
		"GOWSGI_ENV=shop.currency=EUR,shop.colour=blue", "GOWSGI_DEBUG=1", "GOWSGI_SINGLE_THREAD=1", "GOWSGI_MAX_BODY=10",
	}, "demo", "--env", "shop.colour=red")
	base := c.url()
	if !strings.HasSuffix(base, "/shop/") {
		t.Errorf("the URL is %s, want it to have the mount point", base)
	}
	_, body := get(t, http.DefaultClient, base)
	for key, want := range map[string]string{
		"SCRIPT_NAME": "/shop", "SERVER_NAME": "shop.example", "shop.colour": "red", "wsgi.multithread": "false",
	} {
		if _, after, _ := strings.Cut(body, "<code>"+key+"</code>"); !strings.Contains(strings.SplitN(after, "</tr>", 2)[0], "<code>"+want+"</code>") {
			t.Errorf("the environ has no %s of %s", key, want)
		}
	}
	if strings.Contains(body, "shop.currency") {
		t.Error("--env did not replace GOWSGI_ENV")
	}
	if _, body := get(t, http.DefaultClient, base+"panic"); !strings.Contains(body, "goroutine ") {
		t.Errorf("with --debug a panic is answered with %q, want the stack", body)
	}
	response, err := http.Post(base+"upload", "text/plain", strings.NewReader("more than ten bytes"))
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != 413 {
		t.Errorf("a body beyond --max-body gets %s, want 413", response.Status)
	}
	c.stop()
}

// TestJSON has nothing but records on standard error.
func TestJSON(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "socket")
	c := start(t, nil, "--log-format", "json", "--listen", "unix:"+socket)
	c.wait(`"msg":"listening","address":"unix:`)
	client := unixClient(t, socket)
	get(t, client, "http://name/panic")
	get(t, client, "http://name/error")
	c.signal(os.Interrupt)
	status, lines := c.exit()
	if status != exitOK || len(lines) != 3 {
		t.Errorf("status %d after %q, want 0 and three records", status, lines)
	}
	for _, line := range append(c.said, lines...) {
		var record struct{ Time, Level, Msg string }
		if err := json.Unmarshal([]byte(line), &record); err != nil || record.Time == "" || record.Level == "" || record.Msg == "" {
			t.Errorf("%s is no record: %v", line, err)
		}
	}
}

func TestLogLevel(t *testing.T) {
	c := start(t, nil, "--log-level", "warn", "--listen", "127.0.0.1:0")
	c.url()
	c.signal(os.Interrupt)
	if status, lines := c.exit(); status != exitOK || len(lines) > 0 {
		t.Errorf("status %d after %q, want 0 and no records below warn", status, lines)
	}
}
