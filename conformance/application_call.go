package conformance

import (
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"testing/iotest"

	"github.com/gowsgi/gowsgi/wsgi"
)

// callProbes look at how the application takes calls of every kind.
var callProbes = []probe[wsgi.Application]{
	onApplication("APP-02", "any number of calls", func(c *caller) {
		first := c.call()
		for range 2 {
			c.alike("a later request", c.call(), first)
		}
	}),
	onApplication("APP-05", "calls at the same time", func(c *caller) {
		first := c.call()
		c.together(8, func(int) {
			one := &caller{probing: c.probing, app: c.app, method: "GET"}
			c.alike("a request beside others", one.call(), first)
		})
	}),
	onApplication("ENV-12", "the smallest environ", func(c *caller) {
		c.replace = map[string]any{
			"REQUEST_METHOD": "GET", "SERVER_NAME": "probe.test", "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.0",
			"SCRIPT_NAME": "", "PATH_INFO": "/", "wsgi.version": [2]int{1, 0}, "wsgi.url_scheme": "http",
			"wsgi.input": wsgi.NewInput(nil), "wsgi.errors": wsgi.NewErrors(io.Discard),
			"wsgi.multithread": false, "wsgi.multiprocess": true, "wsgi.run_once": false,
		}
		r := c.call()
		if panicked := (*wsgi.PanicError)(nil); errors.As(r.err, &panicked) {
			c.faultf("expected no panic with only the required variables, got %v", r.err)
		}
	}),
	onApplication("ENV-12", "empty variables left out", func(c *caller) {
		first := c.call()
		c.environ = func(e *wsgi.Environ) {
			for key, value := range e.Map() {
				if value == "" {
					e.Delete(key)
				}
			}
		}
		c.alike("a request without the empty variables", c.call(), first)
	}),
	onApplication("ENV-21", "run_once, twice", func(c *caller) {
		first := c.call()
		c.environ = func(e *wsgi.Environ) { e.Set("wsgi.run_once", true) }
		c.call()
		c.alike("a second request with wsgi.run_once", c.call(), first)
	}),
	onApplication("ENV-12", "without wsgi.file_wrapper", func(c *caller) {
		first := c.call()
		c.environ = func(e *wsgi.Environ) { e.Delete("wsgi.file_wrapper") }
		c.alike("a request without wsgi.file_wrapper", c.call(), first)
	}),
	onApplication("HTTP-06", "hop-by-hop headers of the request", func(c *caller) {
		first := c.call()
		c.environ = func(e *wsgi.Environ) {
			for _, name := range []string{"CONNECTION", "KEEP_ALIVE", "TE", "TRAILER", "TRANSFER_ENCODING", "UPGRADE"} {
				e.Set("HTTP_"+name, "probe")
			}
		}
		c.alike("a request with hop-by-hop headers", c.call(), first)
	}),
	onApplication("INPUT-08", "not past CONTENT_LENGTH", func(c *caller) {
		if _, python := c.app.(finder); !python {
			c.skipf("an InputStream ends with the body, and reading to its end is what io.ReadAll is for (AMB-17); a Python application can break it")
		}
		c.method = "POST"
		c.environ = func(e *wsgi.Environ) {
			e.Delete("wsgi.input_terminated")
			e.Set("wsgi.input", wsgi.NewInput(&endlessInput{c: c, rest: strings.NewReader(postedForm)}))
		}
		c.call()
	}),
	onApplication("INPUT-05", "short reads", func(c *caller) {
		c.method = "POST"
		first := c.call()
		var reads counted
		c.environ = func(e *wsgi.Environ) {
			reads.Reader = iotest.OneByteReader(strings.NewReader(postedForm))
			e.Set("wsgi.input", wsgi.NewInput(&reads))
		}
		c.alike("a request that comes byte by byte", c.call(), first)
		if reads.n.Load() == 0 {
			c.skipf("the application does not read its input")
		}
	}),
}

// counted is an input that counts how often it is read.
type counted struct {
	io.Reader
	n atomic.Int32
}

func (c *counted) Read(p []byte) (int, error) {
	c.n.Add(1)
	return c.Reader.Read(p)
}

// endlessInput is the input of a server that does not mark its end.
type endlessInput struct {
	c    *caller
	rest *strings.Reader
}

func (in *endlessInput) Read(p []byte) (int, error) {
	if in.rest.Len() == 0 {
		in.c.faultf("expected no more than CONTENT_LENGTH bytes to be read where wsgi.input_terminated is not set, more were asked for")
		return 0, io.EOF
	}
	return in.rest.Read(p)
}
