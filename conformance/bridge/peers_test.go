package bridge_test

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gowsgi/gowsgi/conformance/bridge"
)

// require reports whether what a plain machine lacks is a failure.
func require() bool { return os.Getenv("GOWSGI_PEERS") == "require" }

// lacking skips a test for want of something, or fails it.
func lacking(t testing.TB, format string, args ...any) {
	t.Helper()
	if require() {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

// peer is a Python server.
type peer struct {
	name    string
	module  string // that the interpreter must have
	program string // that must be installed; the interpreter if it is empty
	args    func(dir, addr string) []string

	looked string // the version that was looked at, or how it begins
	known  string // the rules that it breaks
}

// script is a peer that is a few lines of Python.
func script(text string) func(dir, addr string) []string {
	return func(_, addr string) []string {
		host, port, _ := net.SplitHostPort(addr)
		return []string{"-c", strings.NewReplacer("HOST", host, "PORT", port).Replace(text)}
	}
}

// reference is the server in testdata.
var reference = peer{name: "reference", module: "wsgiref", args: func(_, addr string) []string {
	host, port, _ := net.SplitHostPort(addr)
	return []string{testdataPath("reference_server.py"), host, port, "gowsgi_probe:CALLABLE"}
}}

var peers = []peer{
	{"wsgiref", "wsgiref", "", script(`
from wsgiref.simple_server import make_server
from gowsgi_probe import CALLABLE as application
make_server("HOST", PORT, application).serve_forever()
`), "3.11",
		"SRV-10 SRV-12 CGI-10 CGI-19 CGI-21 CGI-23 CGI-24 CGI-25 CGI-28 CGI-29 INPUT-07 INPUT-10 INPUT-20 INPUT-21 " +
			"START-06 START-08 START-09 START-15 START-22 HDR-15 LEN-01 LEN-02 LEN-03 LEN-10 LEN-11 LEN-13 LEN-14 ERR-16 HTTP-15 " +
			"HTTP-16 FILE-11 COM-03"},
	{"waitress", "waitress", "", script(`
import waitress
from gowsgi_probe import CALLABLE as application
waitress.serve(application, host="HOST", port=PORT, threads=8)
`), "2.1.2",
		"SRV-10 CGI-19 CGI-23 CGI-25 CGI-28 CGI-29 CGI-31 START-13 START-22 HDR-15 LEN-02 LEN-03 LEN-10 LEN-11 BODY-14 ERR-13 " +
			"ERR-16 HTTP-15"},
	{"cheroot", "cheroot", "", script(`
from cheroot.wsgi import Server
from gowsgi_probe import CALLABLE as application
Server(("HOST", PORT), application, numthreads=8).start()
`), "9.0.0+ds1",
		"SRV-06 SRV-07 CGI-17 CGI-19 CGI-21 CGI-23 CGI-25 CGI-28 CGI-29 INPUT-03 INPUT-07 INPUT-19 INPUT-21 START-13 " +
			"START-22 START-28 HDR-15 LEN-01 LEN-02 LEN-03 LEN-04 LEN-10 LEN-11 LEN-13 BODY-01 BODY-13 BODY-14 ERR-10 ERR-13 " +
			"ERR-16 EXP-05 HTTP-07 HTTP-15 HTTP-16 COM-02 COM-03"},
	{"werkzeug", "werkzeug", "", script(`
from werkzeug.serving import run_simple, WSGIRequestHandler
from gowsgi_probe import CALLABLE as application
WSGIRequestHandler.protocol_version = "HTTP/1.1"
run_simple("HOST", PORT, application, threaded=True)
`), "2.2.2",
		"SRV-12 STR-06 ENV-07 CGI-17 CGI-19 CGI-21 CGI-23 CGI-24 CGI-25 CGI-26 CGI-28 CGI-31 INPUT-07 INPUT-10 INPUT-20 " +
			"INPUT-21 START-06 START-08 START-09 START-22 HDR-15 HDR-17 LEN-01 LEN-02 LEN-03 LEN-10 LEN-11 LEN-13 ERR-16 EXP-05 " +
			"HTTP-07 HTTP-15 HTTP-16 HTTP-17 COM-03 COM-13"},
	{"gunicorn-sync", "gunicorn", "", func(_, addr string) []string {
		return []string{"-m", "gunicorn", "--bind", addr, "--workers", "1", "--worker-class", "sync", "gowsgi_probe:CALLABLE"}
	}, "20.1.0",
		"SRV-06 SRV-07 SRV-10 SRV-12 CGI-21 CGI-23 CGI-24 CGI-25 CGI-26 CGI-28 CGI-29 CGI-30 CGI-31 INPUT-21 START-06 " +
			"START-08 START-09 START-13 START-22 START-28 HDR-15 HDR-17 LEN-02 LEN-03 LEN-10 LEN-11 LEN-13 ERR-16 EXP-05 HTTP-15 " +
			"HTTP-16 FILE-11 FILE-12 COM-03 COM-17"},
	{"gunicorn-gthread", "gunicorn", "", func(_, addr string) []string {
		return []string{"-m", "gunicorn", "--bind", addr, "--workers", "1", "--worker-class", "gthread", "--threads", "8", "gowsgi_probe:CALLABLE"}
	}, "20.1.0",
		"SRV-10 SRV-12 CGI-21 CGI-23 CGI-24 CGI-25 CGI-26 CGI-28 CGI-29 CGI-30 CGI-31 INPUT-21 START-06 START-08 " +
			"START-09 START-13 START-22 START-28 HDR-15 HDR-17 LEN-02 LEN-03 LEN-10 LEN-11 LEN-13 ERR-13 ERR-16 EXP-05 HTTP-15 " +
			"HTTP-16 FILE-11 FILE-12 COM-03 COM-17"},
	{"uwsgi", "", "uwsgi", func(dir, addr string) []string {
		return []string{"--plugin", "python3", "--http-socket", addr, "--pythonpath", dir, "--module", "gowsgi_probe:CALLABLE", "--threads", "8", "--master", "--die-on-term"}
	}, "2.0.21-debian",
		"SRV-06 SRV-07 SRV-10 CGI-19 CGI-21 CGI-23 CGI-24 CGI-25 CGI-26 CGI-28 CGI-29 CGI-31 INPUT-05 INPUT-11 LOG-05 " +
			"START-08 START-09 START-13 START-15 START-19 START-20 START-22 START-24 HDR-15 HDR-16 LEN-01 LEN-02 LEN-03 LEN-10 " +
			"LEN-11 LEN-13 BODY-01 ERR-10 ERR-16 EXP-01 HTTP-07 HTTP-15 HTTP-16 FILE-05 FILE-11 COM-03 COM-17"},
}

// interpreter is a Python that has the module; tests of servers take the first
// one that does.
func interpreter(module string) (string, bool) {
	names := []string{os.Getenv("GOWSGI_PYTHON")}
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		names = append(names, filepath.Join(dir, "python3"), filepath.Join(dir, "python"))
	}
	for _, name := range names {
		if _, err := exec.LookPath(name); err != nil {
			continue
		}
		if exec.Command(name, "-c", "import "+module).Run() == nil {
			return name, true
		}
	}
	return "", false
}

// start runs the server with the bridge's application until the end of the
// test, and returns where it listens.
func (p peer) start(t testing.TB, b *bridge.Bridge, callable string) (network, addr string) {
	t.Helper()
	program := p.program
	if program == "" {
		var ok bool
		if program, ok = interpreter(p.module); !ok {
			lacking(t, "no Python with the module %s", p.module)
		}
	} else if _, err := exec.LookPath(program); err != nil {
		lacking(t, "%v", err)
	}
	addr = freeAddr(t)
	args := p.args(b.Dir(), addr)
	for i := range args {
		args[i] = strings.ReplaceAll(args[i], "CALLABLE", callable)
	}
	return launch(t, b, addr, program, args...)
}

func launch(t testing.TB, b *bridge.Bridge, addr, program string, args ...string) (network, _ string) {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), b.Env()...)
	out := new(output)
	cmd.Stdout, cmd.Stderr = out, out
	ownGroup(cmd)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()
	t.Cleanup(func() {
		endGroup(cmd)
		<-exited
		if t.Failed() && os.Getenv("GOWSGI_OUTPUT") != "" {
			t.Logf("%s wrote:\n%s", program, out)
		}
	})
	for begun := time.Now(); ; {
		c, err := net.DialTimeout("tcp", addr, time.Second)
		if err == nil {
			c.Close()
			return "tcp", addr
		}
		select {
		case err := <-exited:
			exited <- err
			t.Fatalf("%s ended: %v\n%s", program, err, out)
		case <-time.After(20 * time.Millisecond):
		}
		if time.Since(begun) > time.Minute {
			t.Fatalf("%s does not listen on %s\n%s", program, addr, out)
		}
	}
}

// output keeps the end of what a program writes.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.b.Len() > 1<<20 {
		o.b.Next(o.b.Len() / 2)
	}
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// freeAddr returns an address of the loopback device on which nothing listens.
func freeAddr(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// testdataPath returns the path of a file of this package.
func testdataPath(name string) string {
	path, err := filepath.Abs(filepath.Join("testdata", name))
	if err != nil {
		panic(err)
	}
	return path
}
