package launch

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"time"
)

// process is a running command: the leader, which is the program that was
// started, and whatever that has started in turn.
type process struct {
	pid    int
	mark   string // in the environment of all of them
	output *tail
	done   chan struct{} // closed when none of them is left
	state  *os.ProcessState
}

// markVariable is in the environment of a command, with a value of its own:
// where a system shows it, it tells what the command has started, even if that
// has left the process group.
const markVariable = "GOWSGI_LAUNCH"

// startProcess starts a command that runs in the folder dir and with env,
// which is all of its environment. It ends with this process where the system
// has a means for that.
func startProcess(args []string, dir string, env []string, out io.Writer) (*process, error) {
	p := &process{mark: rand.Text(), output: &tail{also: out}, done: make(chan struct{})}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = dir
	cmd.Env = append(env, markVariable+"="+p.mark)
	cmd.Stdout, cmd.Stderr = w, w
	cmd.SysProcAttr = attributes()
	started := make(chan error)
	go func() {
		// Linux takes the end of the thread that started a command for the
		// end of its parent. Let this thread live as long as the command.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		w.Close()
		if err == nil {
			p.pid = cmd.Process.Pid
		}
		started <- err
		if err != nil {
			r.Close()
			return
		}
		copied := make(chan struct{})
		go func() {
			defer close(copied)
			io.Copy(p.output, r)
		}()
		cmd.Wait()
		p.sweep()
		select {
		case <-copied:
		case <-time.After(time.Second): // somebody who was not found has the pipe
		}
		r.Close()
		p.state = cmd.ProcessState
		close(p.done)
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}

// stop ends the process and returns when nothing of it is left. It asks
// first, and waits as long as grace and ctx allow.
func (p *process) stop(ctx context.Context, grace time.Duration) {
	p.terminate()
	limit := time.NewTimer(grace)
	defer limit.Stop()
	select {
	case <-p.done:
		return
	case <-ctx.Done():
	case <-limit.C:
	}
	p.kill()
	<-p.done
}

// how says how the leader has ended. It is called after that.
func (p *process) how() string {
	if code := p.state.ExitCode(); code >= 0 {
		return fmt.Sprintf("ended with status %d", code)
	}
	return "was ended by " + p.state.String()
}
