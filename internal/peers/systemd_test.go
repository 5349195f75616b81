//go:build linux

package peers

import (
	"bufio"
	"bytes"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/gowsgi/gowsgi/adapters/fastcgi"
	"github.com/gowsgi/gowsgi/internal/installed"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

// setting returns the value of a setting of a unit in doc/deploy.
func setting(t *testing.T, unit, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(Deploy, unit))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, name+"="); ok {
			return strings.TrimSpace(value)
		}
	}
	t.Fatalf("%s has no %s", unit, name)
	return ""
}

// TestSystemd runs the command of the service with the socket of its unit, as
// systemd does, and as it is done by the program that systemd has for such tests.
func TestSystemd(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the command")
	}
	dir := Folder(t)
	program := filepath.Join(dir, "gowsgi")
	if out, err := exec.Command("go", "build", "-o", program, "../../cmd/gowsgi").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	words := strings.Fields(setting(t, "gowsgi.service", "ExecStart"))
	if setting(t, "gowsgi.service", "Requires") != "gowsgi.socket" || words[0] != "/usr/local/bin/gowsgi" {
		t.Fatalf("the service is for another socket or program")
	}
	socket := filepath.Base(setting(t, "gowsgi.socket", "ListenStream"))

	t.Run("descriptor", func(t *testing.T) {
		addr := filepath.Join(Folder(t), socket)
		l, err := net.Listen("unix", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		file, err := l.(*net.UnixListener).File()
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		cmd := exec.Command(program, words[1:]...)
		cmd.ExtraFiles = []*os.File{file}
		activated(t, cmd, addr)
	})
	t.Run("systemd-socket-activate", func(t *testing.T) {
		addr := filepath.Join(Folder(t), socket)
		activated(t, exec.Command(installed.Find(t, "systemd-socket-activate"), append([]string{"--listen=" + addr, program}, words[1:]...)...), addr)
	})
}

// activated expects the service to answer on its socket, and to end when it is told
// to.
func activated(t *testing.T, cmd *exec.Cmd, addr string) {
	cmd.Env = []string{"TMPDIR=" + t.TempDir(), "HOME=/"}
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said := bufio.NewScanner(stderr)
	said.Scan() // it listens
	app := &fastcgi.Client{Network: "unix", Addr: addr}
	answer := wsgitest.Record(app, wsgitest.NewRequest("GET", "/app/hello?name=systemd"))
	if answer.Code != http.StatusOK || answer.Text() != "Hello, systemd!\n" {
		t.Errorf("got %s %q after %q", answer.Status, answer.Text(), said.Text())
	}
	app.CloseIdleConnections()
	cmd.Process.Signal(syscall.SIGTERM)
	for said.Scan() {
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("at SIGTERM the service ends with %v", err)
	}
}

// TestUnits has systemd read its units: what it does not know, or ignores, it says.
func TestUnits(t *testing.T) {
	path := installed.Find(t, "systemd-analyze")
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	args := []string{"verify", "--man=no"}
	for _, unit := range []string{"gowsgi.service", "gowsgi.socket"} {
		text, err := os.ReadFile(filepath.Join(Deploy, unit))
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(dir, unit)
		// It looks for the program.
		if err := os.WriteFile(file, bytes.ReplaceAll(text, []byte("/usr/local/bin/gowsgi"), []byte(program)), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, file)
	}
	out, err := exec.Command(path, args...).CombinedOutput() // about units of the machine too
	if err != nil || bytes.Contains(out, []byte("gowsgi.")) {
		t.Errorf("systemd-analyze: %v\n%s", err, out)
	}
}
