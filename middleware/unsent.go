package middleware

import (
	"github.com/gowsgi/gowsgi/wsgi"
)

// unsent is a response whose body may turn out not to be sent: for Head and
// ConditionalGet. Then it is iterated only until start_response was called, and
// closed.
type unsent struct {
	start wsgi.StartResponse // the server's

	// decide makes the head, and reports whether the body is not to be sent.
	decide func(status string, headers wsgi.Headers) (string, wsgi.Headers, bool)

	started bool
	drop    bool // by the present head
	body    wsgi.Iterable
	direct  bool // the body was passed on as it is
}

func (u *unsent) startResponse(status string, headers wsgi.Headers, excInfo error) (wsgi.Write, error) {
	newStatus, newHeaders, drop := u.decide(status, headers)
	if drop && u.direct {
		newStatus, newHeaders, drop = status, headers, false
	}
	write, err := u.start(newStatus, newHeaders, excInfo)
	if err != nil {
		return nil, err
	}
	u.started, u.drop = true, drop
	if !drop {
		return write, nil
	}
	// The head is sent with the first write, as for any other (WRITE-10).
	return func(block []byte) (int, error) {
		if _, err := write(nil); err != nil {
			return 0, err
		}
		return len(block), nil
	}, nil
}

func (u *unsent) call(next wsgi.Application, environ *wsgi.Environ) (wsgi.Iterable, error) {
	body, err := next.Call(environ, u.startResponse)
	if body == nil || err != nil {
		return body, err
	}
	if u.started && !u.drop {
		u.direct = true
		return body, nil
	}
	u.body = body
	return u, nil
}

// Blocks yields the blocks of a body that is to be sent, and of any other those
// that come before start_response was called, which are empty.
func (u *unsent) Blocks(yield func(block []byte, err error) bool) {
	if u.started && u.drop {
		return
	}
	u.body.Blocks(func(block []byte, err error) bool {
		if u.started && u.drop && err == nil {
			yield(nil, nil) // in the place of the block (MW-06)
			return false
		}
		return yield(block, err)
	})
}

func (u *unsent) Close() error { return u.body.Close() }
