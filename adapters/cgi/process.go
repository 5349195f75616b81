package cgi

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"
)

// process is a running program and the pipes to it.
type process struct {
	cmd     *exec.Cmd
	in, out *os.File // our ends of its standard input and output
	errs    *limited

	ended  atomic.Bool // its output has
	killed atomic.Bool // by us
	once   sync.Once
}

// patience is how long a process may go on after its output has ended, or after
// it was told to end.
const patience = 3 * time.Second

func startProcess(p *script, environ []string, errs io.Writer) (*process, error) {
	inOther, in, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	out, outOther, err := os.Pipe()
	if err != nil {
		inOther.Close()
		in.Close()
		return nil, err
	}
	r := &process{in: in, out: out, errs: &limited{errs, mostErrors}}
	r.cmd = exec.Command(p.path, p.args...)
	r.cmd.Env, r.cmd.Dir = environ, filepath.Dir(p.path)
	r.cmd.Stdin, r.cmd.Stdout, r.cmd.Stderr = inOther, outOther, r.errs
	r.cmd.WaitDelay = patience // when somebody else holds its standard error
	ownGroup(r.cmd)
	err = r.cmd.Start()
	inOther.Close()
	outOther.Close()
	if err != nil {
		in.Close()
		out.Close()
		return nil, err
	}
	return r, nil
}

func (r *process) Read(p []byte) (int, error) {
	n, err := r.out.Read(p)
	if err == io.EOF {
		r.ended.Store(true)
	}
	return n, err
}

func (r *process) Write(p []byte) (int, error)        { return r.in.Write(p) }
func (r *process) SetReadDeadline(t time.Time) error  { return r.out.SetReadDeadline(t) }
func (r *process) SetWriteDeadline(t time.Time) error { return r.in.SetWriteDeadline(t) }

// CloseWrite ends the standard input of the process.
func (r *process) CloseWrite() error { return r.in.Close() }

// Reusable reports that a process serves one request.
func (r *process) Reusable() bool { return false }

// Close waits for the process to end: after the end of its output it may finish
// what it has begun, before that it is told to end. Then it is killed.
func (r *process) Close() error {
	r.once.Do(func() {
		r.in.Close()
		r.out.Close()
		if !r.ended.Load() {
			r.killed.Store(true)
			terminateGroup(r.cmd)
		}
		timer := time.AfterFunc(patience, func() {
			r.killed.Store(true)
			killGroup(r.cmd)
		})
		defer timer.Stop()
		if err := r.cmd.Wait(); err != nil && !r.killed.Load() {
			fmt.Fprintf(r.errs, "gowsgi: %s: %v\n", r.cmd.Path, err)
		}
	})
	return nil
}

// mostErrors is how much of a process's standard error is passed on, in bytes.
const mostErrors = 64 << 10

// limited passes on the beginning of what is written, and accepts the rest.
type limited struct {
	w    io.Writer
	left int
}

func (l *limited) Write(p []byte) (int, error) {
	part := p[:min(len(p), l.left)]
	l.left -= len(part)
	l.w.Write(part)
	return len(p), nil
}
