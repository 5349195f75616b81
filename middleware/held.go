package middleware

import "github.com/gowsgi/gowsgi/wsgi"

// held is a start_response that may be held back until the application has
// returned its body, or uses write: until then it is not known how long the
// response is. What the server would refuse is not held, so that the application
// learns of it at once and can still repair it.
type held struct {
	start wsgi.StartResponse // the server's

	by adjuster

	status  string
	headers wsgi.Headers
	excInfo error
	waiting bool // there is a head that is held back
	open    bool // nothing is held back any more
	write   wsgi.Write
}

// adjuster makes the head that the server gets. body is that of the application
// where the head was held back for it, otherwise nil. adjust may be called again,
// when the head is replaced.
type adjuster interface {
	adjust(status string, headers wsgi.Headers, body wsgi.Iterable) (wsgi.Headers, error)
}

type adjustFunc func(status string, headers wsgi.Headers, body wsgi.Iterable) wsgi.Headers

func (f adjustFunc) adjust(status string, headers wsgi.Headers, body wsgi.Iterable) (wsgi.Headers, error) {
	return f(status, headers, body), nil
}

func (h *held) startResponse(status string, headers wsgi.Headers, excInfo error) (wsgi.Write, error) {
	if err := h.begin(status, headers, excInfo); err != nil {
		return nil, err
	}
	return h.onWrite, nil
}

// begin holds the head back, or gives it to the server.
func (h *held) begin(status string, headers wsgi.Headers, excInfo error) error {
	if h.waiting && excInfo == nil {
		if err := h.release(nil); err != nil { // the second call is for the server to refuse
			return err
		}
	}
	h.status, h.headers, h.excInfo = status, headers, excInfo
	if !h.open {
		if _, _, err := wsgi.ParseStatus(status); err == nil && headers.Validate() == nil {
			h.waiting = true
			return nil
		}
	}
	return h.release(nil)
}

// release gives the head to the server.
func (h *held) release(body wsgi.Iterable) error {
	h.waiting, h.open = false, true
	headers, err := h.by.adjust(h.status, h.headers, body)
	if err != nil {
		return err
	}
	h.write, err = h.start(h.status, headers, h.excInfo)
	return err
}

// returned is called when the application has returned body.
func (h *held) returned(body wsgi.Iterable) error {
	if h.waiting {
		return h.release(body)
	}
	h.open = true
	return nil
}

func (h *held) onWrite(block []byte) (int, error) {
	if h.waiting {
		if err := h.release(nil); err != nil {
			return 0, err
		}
	}
	return h.write(block)
}

// call calls next, and lets go of the head when its body is known.
func (h *held) call(next wsgi.Application, environ *wsgi.Environ) (wsgi.Iterable, error) {
	body, err := next.Call(environ, h.startResponse)
	if body == nil || err != nil {
		return body, err
	}
	if err := h.returned(body); err != nil {
		body.Close()
		return nil, err
	}
	return body, nil
}

// holdBack calls next, and adjusts the head of its response when its body is
// known, or cannot be.
func holdBack(
	next wsgi.Application, environ *wsgi.Environ, start wsgi.StartResponse,
	adjust adjustFunc,
) (wsgi.Iterable, error) {
	return (&held{start: start, by: adjust}).call(next, environ)
}

// length returns how many bytes a body has, when that is known without iterating
// it.
func length(body wsgi.Iterable) (n int, known bool) {
	if block, ok := blockOf(body); ok {
		return len(block), true
	}
	if sized, ok := body.(wsgi.Sized); ok {
		return 0, sized.Len() == 0
	}
	return 0, false
}
