package peers

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/gowsgi/gowsgi/internal/installed"
)

// Front is a web server with a configuration of doc/deploy.
type Front struct {
	Server   string // "nginx", "apache", "lighttpd", "haproxy" or "caddy"
	Protocol string // "fastcgi", "scgi", "uwsgi", "cgi" or "http"; "fcgid" and "spawn" are FastCGI to a program that it starts
}

// Fronts are all of them.
var Fronts = []Front{
	{"nginx", "fastcgi"}, {"nginx", "scgi"}, {"nginx", "uwsgi"}, {"nginx", "http"},
	{"apache", "fastcgi"}, {"apache", "scgi"}, {"apache", "uwsgi"}, {"apache", "cgi"}, {"apache", "http"},
	{"lighttpd", "fastcgi"}, {"lighttpd", "scgi"}, {"lighttpd", "uwsgi"}, {"lighttpd", "cgi"}, {"lighttpd", "http"},
	{"apache", "fcgid"}, {"lighttpd", "spawn"},
	{"haproxy", "http"}, {"caddy", "http"},
}

// Runs reports whether the front end starts a program, and so is not given the port
// of a server.
func (f Front) Runs() bool {
	return f.Protocol == "cgi" || f.Protocol == "fcgid" || f.Protocol == "spawn"
}

// String names the front end as its file in doc/deploy.
func (f Front) String() string { return f.Server + "-" + f.Protocol }

// program is the name of the web server's program.
func (f Front) program() string {
	if f.Server == "apache" {
		return "apache2"
	}
	return f.Server
}

// Deploy is doc/deploy as seen from a package in internal.
const Deploy = "../../doc/deploy"

// Start starts the web server. backend is the port of what it passes requests
// on to; where it Runs a program, that is the file, and backend, unless it is 0, is
// what the program is to pass its connections on to. It returns where it
// takes requests, and where over HTTP/2 without TLS.
func (f Front) Start(t testing.TB, backend int, program string) (addr, http2 string) {
	t.Helper()
	return f.start(t, backend, program, func(config string) string { return config })
}

// start starts the web server with what change makes of its configuration.
func (f Front) start(t testing.TB, backend int, program string, change func(config string) string) (addr, http2 string) {
	t.Helper()
	path := installed.Find(t, f.program())
	text, err := os.ReadFile(filepath.Join(Deploy, f.String()+".conf"))
	if err != nil {
		t.Fatal(err)
	}
	config := change(string(text))
	dir, front, front2 := Folder(t), Port(t), 0
	if strings.Contains(config, "8081") {
		front2 = Port(t)
	} else {
		front2 = front
	}
	config = strings.NewReplacer("/srv/www", dir, "8080", strconv.Itoa(front), "8081", strconv.Itoa(front2),
		"9000", strconv.Itoa(backend)).Replace(config)
	file := filepath.Join(dir, "server.conf")
	if err := os.WriteFile(file, []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	if program != "" {
		name := "app.fcgi"
		if f.Protocol == "cgi" {
			name = "app.cgi"
		}
		copyProgram(t, program, filepath.Join(dir, name))
		if backend > 0 {
			if err := os.WriteFile(filepath.Join(dir, name+relayed), []byte(strconv.Itoa(backend)), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	var cmd *exec.Cmd
	switch f.Server {
	case "nginx":
		cmd = exec.Command(path, "-p", dir, "-c", file, "-e", filepath.Join(dir, "error.log"), "-g", "daemon off;")
	case "apache":
		cmd = exec.Command(path, "-D", "FOREGROUND", "-f", file)
	case "haproxy":
		cmd = exec.Command(path, "-db", "-f", file)
	case "caddy":
		cmd = exec.Command(path, "run", "--config", file, "--adapter", "caddyfile")
	default:
		cmd = exec.Command(path, "-D", "-f", file)
	}
	addr = fmt.Sprintf("127.0.0.1:%d", front)
	Start(t, dir, "tcp", addr, cmd)
	return addr, fmt.Sprintf("127.0.0.1:%d", front2)
}

// relayed is what the name of a file ends in that tells a program, beside which it
// lies, to pass its connections on to the port in it.
const relayed = ".port"

func copyProgram(t testing.TB, from, to string) {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
}
