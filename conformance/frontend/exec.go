package frontend

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"

	"github.com/gowsgi/gowsgi/internal/cgi"
)

// cgiLink runs the program once for each request.
type cgiLink struct{ config Config }

func (c Config) cgi() link { return &cgiLink{c} }

func (l *cgiLink) close() {}

func (l *cgiLink) begin(r *request) (exchange, error) {
	p := exec.Command(l.config.Addr)
	p.Dir = filepath.Dir(l.config.Addr)
	p.Env = []string{"PATH=" + os.Getenv("PATH")}
	for name, value := range r.variables("") {
		if value == "" && (name == "CONTENT_LENGTH" || name == "CONTENT_TYPE") {
			continue // RFC 3875: only with a body
		}
		p.Env = append(p.Env, name+"="+value)
	}
	p.Stderr = io.Discard
	in, err := p.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := p.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.Start(); err != nil {
		return nil, err
	}
	x := &cgiExchange{program: p, stdin: in, stdout: out}
	x.in = x
	return x, nil
}

type cgiExchange struct {
	afterHead
	program *exec.Cmd
	stdin   io.WriteCloser
	stdout  io.Reader

	mu     sync.Mutex
	waited bool
	result error
}

func (x *cgiExchange) send(block []byte) error {
	_, err := x.stdin.Write(block)
	return err
}

func (x *cgiExchange) sent(bool) error { return x.stdin.Close() }

func (x *cgiExchange) head() (h *head, err error) {
	h, x.rest, err = readHead(x, cgi.Status)
	return h, err
}

// Read reads what the program writes. That it ends well is said by its exit
// status alone.
func (x *cgiExchange) Read(p []byte) (int, error) {
	n, err := x.stdout.Read(p)
	if err == nil || n > 0 {
		return n, nil
	}
	if errors.Is(err, io.EOF) || errors.Is(err, os.ErrClosed) {
		if err := x.wait(); err != nil {
			return 0, fmt.Errorf("the program ended with %w", err)
		}
		return 0, io.EOF
	}
	return 0, err
}

func (x *cgiExchange) wait() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if !x.waited {
		x.waited = true
		x.result = x.program.Wait()
	}
	return x.result
}

func (x *cgiExchange) abort() { x.program.Process.Kill() }

func (x *cgiExchange) close() {
	x.stdin.Close()
	x.program.Process.Kill() // in vain when it has ended
	x.wait()
}
