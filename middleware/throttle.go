package middleware

import (
	"fmt"
	"time"

	"github.com/gowsgi/gowsgi/wsgi"
)

// ThrottleConfig holds the choices of Throttle.
type ThrottleConfig struct {
	// Requests is how many may be in the application at the same time; 0 means
	// 64. With 1 they come one after another.
	Requests int

	// Backlog is how many more may wait for their turn; 0 means as many as
	// Requests, less than 0 that none waits.
	Backlog int

	// Wait is how long each of them waits at most; 0 means 10 s.
	Wait time.Duration
}

// Throttle returns a middleware that limits how many requests are in the
// application at the same time: from the call until the body is closed. Those
// that do not get their turn are answered with 503 and Retry-After; nobody waits
// for a client that has left. The application's status, headers and body stay as
// they are, and the server still gets a list, or a file, as such.
//
// Negative Requests and a negative Wait panic.
//
// Security: a turn lasts until the client has read the response, so clients that
// read slowly take turns away: the time-outs of the server give them back. The
// limit is for all clients together; RateLimit is for each.
func Throttle(c ThrottleConfig) wsgi.Middleware {
	if c.Requests < 0 || c.Wait < 0 {
		panic(fmt.Sprintf("middleware: Throttle: Requests is %d and Wait is %v, expected 0 or more", c.Requests, c.Wait))
	}
	if c.Requests == 0 {
		c.Requests = 64
	}
	if c.Backlog == 0 {
		c.Backlog = c.Requests
	}
	if c.Wait == 0 {
		c.Wait = 10 * time.Second
	}
	return func(next wsgi.Application) wsgi.Application {
		t := &throttle{turns: make(chan struct{}, c.Requests), waiting: make(chan struct{}, max(0, c.Backlog)), wait: c.Wait}
		return wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			switch err := t.take(environ); {
			case err == errBusy:
				return busy.Call(environ, start)
			case err != nil:
				return nil, err // there is nobody to answer
			}
			return new(watched).call(next, environ, start, t)
		})
	}
}

var (
	busy    = &HTTPError{Code: 503, Detail: "The server is busy.", Headers: wsgi.Headers{{Name: "Retry-After", Value: "1"}}}
	errBusy = fmt.Errorf("middleware: Throttle: no turn")
)

// throttle holds an element for each turn that is taken, and for each request
// that waits for one.
type throttle struct {
	turns, waiting chan struct{}
	wait           time.Duration
}

// end gives a turn back.
func (t *throttle) end() error {
	<-t.turns
	return nil
}

func (t *throttle) take(environ *wsgi.Environ) error {
	select {
	case t.turns <- struct{}{}:
		return nil
	default:
	}
	select {
	case t.waiting <- struct{}{}:
		defer func() { <-t.waiting }()
	default:
		return errBusy
	}
	timer := time.NewTimer(t.wait)
	defer timer.Stop()
	select {
	case t.turns <- struct{}{}:
		return nil
	case <-timer.C:
		return errBusy
	case <-environ.Context().Done():
		return environ.Context().Err()
	}
}
