package launch

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gowsgi/gowsgi/conformance/bridge"
	"github.com/gowsgi/gowsgi/wsgi"
)

// A Server is a command that runs and has answered.
type Server struct {
	// Network and Addr are where it listens, as for net.Dial.
	Network, Addr string

	// Software is the header Server of its first answer, "" if there was none.
	Software string

	command Command
	app     served
	at      place
	tmp     string
	release func() // of the port
	bridge  *bridge.Bridge

	mu      sync.Mutex
	process *process
	stop    func() // ends process when the context of Start does
	stopped bool
}

// A StartError says why a command did not become a server.
type StartError struct {
	Command []string // the program and its arguments
	Err     error    // what was expected, and what happened
	Output  string   // the last lines that it printed
}

func (e *StartError) Error() string {
	text := filepath.Base(e.Command[0]) + ": " + e.Err.Error()
	if e.Output != "" {
		text += "\nthe end of its output:\n" + e.Output
	}
	return text
}

// Unwrap returns Err.
func (e *StartError) Unwrap() error { return e.Err }

// Start runs c with app as its application and returns when it answers. The
// error of a command that does not is a *StartError. When ctx ends, the command
// does; the caller calls Stop in any case.
func Start(ctx context.Context, c Command, app wsgi.Application) (*Server, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	q := newQuestion()
	b, err := bridge.Listen(q.before(app))
	if err != nil {
		return nil, err
	}
	s, err := c.start(ctx, served{bridge.Module, bridge.Callable, b.Dir(), b.Env(), q})
	if err != nil {
		return nil, errors.Join(err, b.Close())
	}
	s.bridge = b
	return s, nil
}

// newQuestion returns a question that nobody has heard before.
func newQuestion() question {
	return question{path: "/gowsgi-" + rand.Text(), answer: rand.Text()}
}

// before returns an application that answers q by itself, and calls app for
// everything else.
func (q question) before(app wsgi.Application) wsgi.AppFunc {
	return func(environ *wsgi.Environ, startResponse wsgi.StartResponse) (wsgi.Iterable, error) {
		if !strings.HasSuffix(environ.Var("SCRIPT_NAME")+environ.Var("PATH_INFO"), q.path) {
			return app.Call(environ, startResponse)
		}
		_, err := startResponse("200 OK", wsgi.Headers{{Name: "Content-Type", Value: "text/plain"}}, nil)
		return wsgi.Strings(q.answer), err
	}
}

// startTries is how many ports are tried. Somebody may take a port between the
// choice and the start of the command.
const startTries = 4

// start runs c with an application that is there already.
func (c Command) start(ctx context.Context, app served) (s *Server, err error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	for try := 1; ; try++ {
		s, err = c.tryStart(ctx, app)
		if taken := (*takenError)(nil); !errors.As(err, &taken) || try == startTries {
			return s, err
		}
	}
}

// takenError says that a command has ended because its port was taken.
type takenError struct{ error }

func (e *takenError) Unwrap() error { return e.error }

func (c Command) tryStart(ctx context.Context, app served) (_ *Server, err error) {
	s := &Server{command: c, app: app, release: func() {}}
	defer func() {
		if err != nil {
			s.clean()
		}
	}()
	if s.tmp, err = os.MkdirTemp("", "gowsgi"); err != nil {
		return nil, err
	}
	if os.Geteuid() == 0 { // the server may go on as somebody else
		if err := os.Chmod(s.tmp, 0o755); err != nil {
			return nil, err
		}
	}
	if c.uses("{unix}") {
		s.at = place{network: "unix", path: filepath.Join(s.tmp, "socket")}
	} else {
		s.at = place{network: "tcp", host: loopback}
		if s.at.port, s.release, err = freePort(); err != nil {
			return nil, err
		}
	}
	s.Network, s.Addr = s.at.network, s.at.addr()
	if err := s.run(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// run starts the process and waits for its answer.
func (s *Server) run(ctx context.Context) error {
	fill := s.command.filler(s.at, s.app, s.tmp)
	if s.command.prepare != nil {
		if err := s.command.prepare(s.tmp, fill); err != nil {
			return err
		}
	}
	args := make([]string, len(s.command.Args))
	for i, arg := range s.command.Args {
		args[i] = fill.Replace(arg)
	}
	if s.at.network == "unix" {
		os.Remove(s.at.path) // what an earlier process of this server has left
	}
	env := slices.Concat(os.Environ(), s.command.Env, s.app.env, []string{"TMPDIR=" + s.tmp})
	p, err := startProcess(args, fill.Replace(s.command.Dir), env, s.command.Output)
	if err != nil {
		return &StartError{args, notStarted(err), ""}
	}
	a, err := p.await(ctx, s.at, asker(s.command.Protocol), s.app.question, cmp.Or(s.command.StartTimeout, defaultStartTimeout))
	if err == nil {
		s.Software = a.server()
		s.adopt(ctx, p)
		return nil
	}
	taken := false
	if errors.Is(err, errEnded) {
		err = fmt.Errorf("%s before it answered; expected a server that stays in the foreground", p.how())
		taken = s.at.network == "tcp" && (p.output.contains("in use", "eaddrinuse") || !bindable(s.at.port))
	} else {
		p.stop(ctx, s.grace())
	}
	err = &StartError{args, err, p.output.String()}
	if taken {
		err = &takenError{err}
	}
	return err
}

func (s *Server) grace() (d time.Duration) { return cmp.Or(s.command.Grace, defaultGrace) }

// adopt makes p the process of the server.
func (s *Server) adopt(ctx context.Context, p *process) {
	stopAfter := context.AfterFunc(ctx, func() { p.stop(context.Background(), s.grace()) })
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stop != nil {
		s.stop() // that of a process before, which has ended
	}
	s.process, s.stop = p, func() { stopAfter() }
}

// Done returns a channel that is closed when the command has ended, whether it
// was told to or not.
func (s *Server) Done() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.process.done
}

// Output returns the last lines that the command has printed.
func (s *Server) Output() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.process.output.String()
}

// gone reports whether the command has ended, or does not listen any more,
// though nobody told it to, and how.
func (s *Server) gone(ctx context.Context) (how string, gone bool) {
	s.mu.Lock()
	p, stopped := s.process, s.stopped
	s.mu.Unlock()
	select {
	case <-p.done:
		return p.how(), !stopped
	default:
	}
	d := net.Dialer{Timeout: attemptTime}
	c, err := d.DialContext(ctx, s.Network, s.Addr)
	if err == nil {
		c.Close()
		return "", false
	}
	if ne := net.Error(nil); errors.As(err, &ne) && ne.Timeout() {
		return "", false // it is busy
	}
	select {
	case <-p.done: // whose end is about to be known
		return p.how(), !stopped
	case <-time.After(endTime):
	}
	return fmt.Sprintf("stopped listening (%v)", err), !stopped
}

// endTime is how long the end of a process may take behind the end of its
// connections.
const endTime = 500 * time.Millisecond

// restart starts the command again, in the place where it was.
func (s *Server) restart(ctx context.Context) error {
	s.mu.Lock()
	p := s.process
	s.mu.Unlock()
	p.stop(ctx, s.grace())
	return s.run(ctx)
}

// Stop ends the command and everything that it has started, and returns when
// nothing of that is left. Further calls do nothing.
func (s *Server) Stop() error {
	s.mu.Lock()
	p, first := s.process, !s.stopped
	s.stopped = true
	s.mu.Unlock()
	if !first {
		return nil
	}
	s.stop()
	p.stop(context.Background(), s.grace())
	return s.clean()
}

// clean takes back what the server was given.
func (s *Server) clean() (err error) {
	s.release()
	if s.bridge != nil {
		err = s.bridge.Close()
	}
	if s.tmp != "" {
		err = errors.Join(err, os.RemoveAll(s.tmp))
	}
	return err
}

// notStarted puts into words that a program cannot be run.
func notStarted(err error) error {
	if errors.Is(err, exec.ErrNotFound) {
		return errors.New("expected the program on the PATH, it is not there")
	}
	if path := (*fs.PathError)(nil); errors.As(err, &path) {
		return fmt.Errorf("expected a program that can be run: %w", path.Err)
	}
	return err
}
