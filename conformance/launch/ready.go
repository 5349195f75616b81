package launch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"
)

// A question is a request that only the application of a command can answer
// in this way: a server that was there before, an error page and a proxy that
// answers for everybody do not know the answer.
type question struct {
	path   string
	answer string // the body of the response, and all of it
}

// answer is a response as it came.
type answer struct {
	head, body string
	connected  bool // the server accepted the connection
	timeout    bool // the server did not end its answer in time
}

// server returns the value of the header Server.
func (a answer) server() string {
	for line := range strings.Lines(a.head) {
		name, value, _ := strings.Cut(line, ":")
		if strings.EqualFold(name, "Server") {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// Bounds of one attempt to get an answer.
const (
	attemptTime  = 2 * time.Second
	attemptBytes = 16 << 10
	attemptPause = 20 * time.Millisecond
)

// wrongTime is how long a server may answer something else: it may load its
// application while it already answers for it.
const wrongTime = 5 * time.Second

// ask sends the question over one connection. The error is that of the
// connection; what came is in the answer, whether it is the right one or not.
type ask func(ctx context.Context, at place, q question) (answer, error)

// askHTTP asks over HTTP/1.1.
func askHTTP(ctx context.Context, at place, q question) (a answer, err error) {
	ctx, cancel := context.WithTimeout(ctx, attemptTime)
	defer cancel()
	var d net.Dialer
	c, err := d.DialContext(ctx, at.network, at.addr())
	if err != nil {
		return a, err
	}
	defer c.Close()
	a.connected = true
	defer context.AfterFunc(ctx, func() { c.SetDeadline(time.Unix(1, 0)) })()
	_, err = io.WriteString(c, "GET "+q.path+" HTTP/1.1\r\nHost: "+loopback+"\r\nConnection: close\r\n\r\n")
	var all []byte
	buffer := make([]byte, 4<<10)
	for n := 0; err == nil && len(all) < attemptBytes && !bytes.Contains(all, []byte(q.answer)); {
		n, err = c.Read(buffer)
		all = append(all, buffer[:n]...)
	}
	a.head, a.body, _ = strings.Cut(string(all), "\r\n\r\n")
	if len(all) > 0 {
		err = nil
	}
	if ne := net.Error(nil); errors.As(err, &ne) && ne.Timeout() {
		a.timeout, err = true, nil
	}
	return a, err
}

// right reports whether a is the answer to q.
func (a answer) right(q question) bool {
	line, _, _ := strings.Cut(a.head, "\r\n")
	proto, status, _ := strings.Cut(line, " ")
	return strings.HasPrefix(proto, "HTTP/") && strings.HasPrefix(status, "200") && strings.Contains(a.body, q.answer)
}

// String describes an answer that is not the right one.
func (a answer) String() string {
	all := a.head
	if a.body != "" {
		all += "\r\n\r\n" + a.body
	}
	const enough = 300
	switch {
	case all == "":
		return "nothing"
	case all[0] == 0x15 && len(all) > 1 && all[1] == 3:
		return fmt.Sprintf("%q, as one that speaks TLS does; expected HTTP in clear", shorten(all, enough))
	}
	return fmt.Sprintf("%q", shorten(all, enough))
}

func shorten(s string, n int) string {
	if len(s) > n {
		return s[:n] + "..."
	}
	return s
}

// await waits until the process answers q at the given place, and returns the
// answer. It returns an error when the process ends before, when ctx does, or
// when there is still no right answer after the timeout.
func (p *process) await(ctx context.Context, at place, put ask, q question, timeout time.Duration) (answer, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stopped := make(chan struct{})
	defer close(stopped)
	go func() { // an attempt must not outlast the process
		select {
		case <-p.done:
			cancel()
		case <-stopped:
		}
	}()
	limited, cancelLimit := context.WithTimeout(ctx, timeout)
	defer cancelLimit()
	var (
		last  answer // that was a wrong one
		wrong time.Time
		state error // of the last attempt that was not cut short
	)
	for {
		a, err := put(limited, at, q)
		switch {
		case err == nil && a.right(q):
			return a, nil
		case err == nil && a.head != "":
			if last = a; wrong.IsZero() {
				wrong = time.Now()
			}
		case a.timeout || err == nil:
			state = errSilent
		case a.connected:
			state = fmt.Errorf("accepts connections and ends them: %w", err)
		case state == nil || limited.Err() == nil && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, os.ErrDeadlineExceeded):
			// Not an attempt that the limit has cut short: the dialer may say so
			// before limited does, in either of two ways, and what was seen before
			// tells more.
			state = fmt.Errorf("does not listen: %w", err)
		}
		pause := time.NewTimer(attemptPause)
		select {
		case <-p.done:
		case <-limited.Done():
		case <-pause.C:
		}
		pause.Stop()
		select {
		case <-p.done:
			return last, errEnded
		default:
		}
		over := limited.Err() != nil
		switch {
		case ctx.Err() != nil:
			return last, context.Cause(ctx)
		case !wrong.IsZero() && (over || time.Since(wrong) > wrongTime):
			return last, fmt.Errorf("expected the answer of the probe application on %s, got %v", at.addr(), last)
		case over:
			return last, fmt.Errorf("expected an answer on %s within %v, it %w", at.addr(), timeout, state)
		}
	}
}

// errEnded says that a process has ended before it answered.
var errEnded = errors.New("it has ended")

// errSilent says that a server does not answer, as far as an attempt waits.
var errSilent = errors.New("accepts connections and says nothing")
