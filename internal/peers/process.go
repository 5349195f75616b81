package peers

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Patience bounds each wait for a program.
const Patience = 20 * time.Second

// nobody is the user whom a test that runs as root starts programs as.
const nobody = 65534

// Folder returns a folder that goes away with the test, for a program that
// Start starts.
func Folder(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "gw") // the folder of a test may be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	Give(t, dir)
	return dir
}

// Give makes a file that of the user whom programs run as.
func Give(t testing.TB, path string) {
	t.Helper()
	if os.Getuid() != 0 {
		return
	}
	if err := os.Chown(path, nobody, nobody); err != nil {
		t.Fatal(err)
	}
}

// Port returns a port of 127.0.0.1 that was free a moment ago.
func Port(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// Process is a program that runs.
type Process struct {
	out   output
	ended chan struct{}
	err   error // of Wait, once ended is closed
}

// output is what a program says.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// Start starts cmd in dir, without the environment of the test, and waits until
// it takes connections on addr, as network says. It is told to end with the
// test.
func Start(t testing.TB, dir, network, addr string, cmd *exec.Cmd) *Process {
	t.Helper()
	p := &Process{ended: make(chan struct{})}
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &p.out, &p.out
	cmd.Env = append([]string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=" + dir, "TMPDIR=" + dir}, cmd.Env...)
	cmd.SysProcAttr = unprivileged()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		p.err = cmd.Wait()
		close(p.ended)
	}()
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-p.ended:
		case <-time.After(Patience):
			cmd.Process.Kill()
			<-p.ended
		}
		if t.Failed() {
			log, _ := os.ReadFile(filepath.Join(dir, "error.log"))
			t.Logf("%s said: %s\n%s", cmd.Path, &p.out, log)
		}
	})
	if err := p.wait(network, addr); err != nil {
		log, _ := os.ReadFile(filepath.Join(dir, "error.log"))
		t.Fatalf("%s: %v\n%s\n%s", cmd.Path, err, &p.out, log)
	}
	return p
}

func (p *Process) wait(network, addr string) error {
	for end := time.Now().Add(Patience); ; {
		if c, err := net.Dial(network, addr); err == nil {
			return c.Close()
		} else if time.Now().After(end) {
			return err
		}
		select {
		case <-p.ended:
			return fmt.Errorf("ended before it listened: %v", p.err)
		case <-time.After(5 * time.Millisecond): // there is nobody who would say when
		}
	}
}
