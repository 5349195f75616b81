//go:build unix

package main

import (
	"crypto/tls"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestLogFile renames the logs, as those do who rotate them, and has both opened
// again. What a person at a terminal is told stays there.
func TestLogFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	log, access := filepath.Join(dir, "serve.log"), filepath.Join(dir, "access.log")
	c := start(t, nil, "--listen", "127.0.0.1:0", "--log-file", log, "--access-logfile", access, "--access-logformat", "%m %U")
	base := c.url()
	get(t, http.DefaultClient, base+"error")
	awaitLines(access, 1)
	for _, name := range []string{log, access} {
		if err := os.Rename(name, name+".1"); err != nil {
			t.Fatal(err)
		}
	}
	c.signal(syscall.SIGUSR1)
	awaitLines(log, 1)
	awaitLines(access, 0)
	get(t, http.DefaultClient, base+"error")
	c.signal(syscall.SIGTERM)
	if status, lines := c.exit(); status != exitOK || len(lines) > 0 {
		t.Errorf("status %d after %q, want 0 and the log in its file", status, lines)
	}
	for name, want := range map[string][]string{
		log + ".1":    {"listening address=" + base, "the kettle is empty"},
		log:           {"log opened again file=" + log, "access log opened again file=" + access, "the kettle is empty", "stopping reason=terminated"},
		access + ".1": {"GET /error\n"},
		access:        {"GET /error\n"},
	} {
		text, err := os.ReadFile(name)
		for _, part := range want {
			if !strings.Contains(string(text), part) {
				t.Errorf("%s has %q, %v, want it to have %q", filepath.Base(name), text, err, part)
			}
		}
		if strings.HasPrefix(want[0], "GET") && string(text) != want[0] {
			t.Errorf("%s has %q, want one line", filepath.Base(name), text)
		}
	}
}

// TestLogFileTellsWhy: what ends serve is in its log too.
func TestLogFileTellsWhy(t *testing.T) {
	t.Parallel()
	log := filepath.Join(t.TempDir(), "serve.log")
	status, lines := start(t, nil, "dir:/nonesuch", "--listen", "127.0.0.1:0", "--log-file", log).exit()
	const want = "open /nonesuch: no such file or directory"
	if status != exitFailure || len(lines) != 1 || lines[0] != "gowsgi: "+want {
		t.Errorf("status %d after %q, want 1 and %s", status, lines, want)
	}
	if text, err := os.ReadFile(log); err != nil || !strings.Contains(string(text), `ERROR serve has failed error="`+want+`"`) {
		t.Errorf("the log has %q, %v, want %s", text, err, want)
	}
}

// TestUmask lets the group connect to a socket, and nobody else.
func TestUmask(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	socket, pid := filepath.Join(dir, "s"), filepath.Join(dir, "pid")
	c := start(t, nil, "--listen", "unix:"+socket, "--pid", pid, "--umask", "007")
	c.wait(`listening on unix:`)
	c.wait(`listening address=`)
	for name, want := range map[string]fs.FileMode{socket: 0o770, pid: 0o640} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s has the permissions %v, %v, want %v", filepath.Base(name), info.Mode().Perm(), err, want)
		}
	}
	// Another process, that is to take this one's place, has written its own.
	if err := os.WriteFile(pid, []byte("1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	c.stop()
	if text, err := os.ReadFile(pid); string(text) != "1\n" {
		t.Errorf("the file of the other process has %q, %v", text, err)
	}
}

// TestPort listens where a platform says.
func TestPort(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() // taken: no other test is disturbed
	_, port, _ := net.SplitHostPort(l.Addr().String())
	status, lines := start(t, []string{"PORT=" + port}).exit()
	if want := "gowsgi: listen tcp :" + port + ": address already in use"; status != exitFailure || !strings.HasPrefix(lines[len(lines)-1], want) {
		t.Errorf("status %d after %q, want 1 and %s", status, lines, want)
	}
}

// TestRenewedCertificate reads a certificate again, and keeps the one that was there
// where it cannot be read.
func TestRenewedCertificate(t *testing.T) {
	t.Parallel()
	certFile, keyFile, _ := certificate(t)
	c := start(t, nil, "--listen", "127.0.0.1:0", "--tls-cert", certFile, "--tls-key", keyFile)
	addr := strings.TrimSuffix(strings.TrimPrefix(c.url(), "https://"), "/")
	served := func() string {
		conn, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		return string(conn.ConnectionState().PeerCertificates[0].Raw)
	}
	first := served()
	if err := os.WriteFile(certFile, []byte("half of one"), 0o600); err != nil {
		t.Fatal(err)
	}
	c.signal(syscall.SIGHUP)
	c.wait(`ERROR the certificate was not read again; the one that was there stays error=`)
	if served() != first {
		t.Error("the certificate has changed")
	}
	newCert, newKey, _ := certificate(t)
	for from, to := range map[string]string{newCert: certFile, newKey: keyFile} {
		if err := os.Rename(from, to); err != nil {
			t.Fatal(err)
		}
	}
	c.signal(syscall.SIGHUP)
	c.wait(`INFO  certificate read again file=`)
	if served() == first {
		t.Error("the certificate is still the first one")
	}
	c.stop()
}
