package server_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"testing"

	"github.com/gowsgi/gowsgi/internal/testlog"
)

// TestServerSendfile counts the system calls of a server that sends a file: it
// must leave the bytes to the kernel.
func TestServerSendfile(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		if os.Getenv("GOWSGI_STRACE") == "require" {
			t.Fatal("GOWSGI_STRACE=require, and there is no strace")
		}
		t.Skip("there is no strace to count system calls with")
	}
	dir := t.TempDir()
	path, trace := filepath.Join(dir, "file"), filepath.Join(dir, "trace")
	const size = 8 << 20
	if err := os.WriteFile(path, make([]byte, size), 0o600); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	child := exec.Command(strace, "-f", "-qq", "-e", "trace=sendfile,splice", "-o", trace, self)
	child.Env = append(os.Environ(), "GOWSGI_TEST_RUN=127.0.0.1:0")
	child.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stderr := new(testlog.Log)
	child.Stderr = stderr
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer syscall.Kill(-child.Process.Pid, syscall.SIGKILL) // whatever happens, the traced process too
	address := regexp.MustCompile(`pid=(\d+) address=(\S+)`)
	eventually(t, "the child listens", func() bool { return address.MatchString(stderr.String()) })
	found := address.FindStringSubmatch(stderr.String())
	pid, _ := strconv.Atoi(found[1])
	url := found[2]
	client := http.Client{Timeout: patience}
	r, err := client.Get(url + "?" + path)
	if err != nil {
		t.Fatal(err)
	}
	n, err := io.Copy(io.Discard, r.Body)
	r.Body.Close()
	client.CloseIdleConnections()
	if n != size || err != nil {
		t.Errorf("got %d bytes, %v", n, err)
	}
	syscall.Kill(pid, syscall.SIGINT)
	child.Wait()
	calls, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	var sent int
	// A call during which another thread made one is told in two lines.
	for _, call := range regexp.MustCompile(`(?:sendfile|splice)(?:\(| resumed>).*= (\d+)`).FindAllStringSubmatch(string(calls), -1) {
		k, _ := strconv.Atoi(call[1])
		sent += k
	}
	// net/http copies the first 512 bytes itself, to be sure of the head.
	if sent < size-512 {
		t.Errorf("sendfile sent %d of %d bytes:\n%s", sent, size, calls)
	}
	fmt.Fprintf(t.Output(), "sendfile sent %d of %d bytes\n", sent, size)
}
