package conformance

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing/iotest"

	"github.com/gowsgi/gowsgi/wsgi"
)

// applicationProbes is the suite for applications.
var applicationProbes = slices.Concat(
	[]probe[wsgi.Application]{
		headProbe("HDR-01", "status"),
		headProbe("HDR-02", "no blanks around the status"),
		headProbe("HDR-03", "no control characters in the status"),
		headProbe("HDR-04", "no line end in the status"),
		headProbe("HDR-05", "status code"),
		headProbe("HDR-23", "final status"),
		headProbe("HDR-09", "names of headers"),
		headProbe("HDR-10", "no punctuation in names of headers"),
		headProbe("HDR-11", "values of headers"),
		headProbe("HDR-13", "no hop-by-hop headers"),
		headProbe("LEN-10", "Content-Length is a number"),
		headProbe("LEN-11", "one Content-Length"),
	},
	[]probe[wsgi.Application]{
		onApplication("BODY-01", "returns a body", func(c *caller) {
			c.each(func(r *reply) {
				if r.isNil && r.err == nil {
					c.faultf("expected a body or an error for %s, got neither", c.method)
				}
			})
		}),
		onApplication("ERR-01", "traps its own panics", func(c *caller) {
			c.each(func(r *reply) {
				if panicked := (*wsgi.PanicError)(nil); errors.As(r.err, &panicked) {
					c.faultf("expected no panic for %s of the root, got %v", c.method, r.err)
				}
			})
		}),
		onApplication("START-04", "starts before data", func(c *caller) {
			c.each(func(r *reply) {
				if r.unstarted || r.starts == 0 && r.err == nil && !r.isNil {
					c.faultf("expected start_response before the first block of the response to %s, got %v", c.method, r)
				}
			})
		}),
		onApplication("START-19", "starts once", func(c *caller) {
			c.each(func(r *reply) {
				if r.second {
					c.faultf("expected one call of start_response without exc_info for %s, got %d calls", c.method, r.starts)
				}
			})
		}),
		onApplication("START-27", "gives the headers away", func(c *caller) {
			c.each(func(r *reply) {
				for i, given := range r.given {
					if !slices.Equal(given, r.copies[i]) {
						c.faultf("expected the list of headers not to change after start_response, %q became %q", r.copies[i], given)
					}
				}
			})
		}),
		onApplication("START-27", "a list for each call", func(c *caller) {
			first := c.call()
			c.afterStart = func(h wsgi.Headers) { clear(h) }
			c.call()
			c.afterStart = nil
			if third := c.call(); len(third.headers) != len(first.headers) || third.headers.Get("Content-Type") != first.headers.Get("Content-Type") {
				c.faultf("expected fresh headers after a server changed those of an earlier call, %q, got %q", first.headers, third.headers)
			}
		}),
		onApplication("HDR-19", "no header named Status", func(c *caller) {
			c.each(func(r *reply) {
				if r.headers.Has("Status") {
					c.faultf("expected no header named Status, got %q", r.headers)
				}
			})
		}),
		onApplication("HDR-20", "Content-Type", func(c *caller) {
			if r := c.call(); r.err == nil && r.starts > 0 && r.size > 0 && !r.headers.Has("Content-Type") && !r.bodiless() {
				c.faultf("expected a Content-Type with a body of %d bytes, got %q", r.size, r.headers)
			}
		}),
		onApplication("HDR-24", "Content-Length is right", func(c *caller) {
			r := c.call()
			c.ends(r)
			if length := r.headers.Get("Content-Length"); isNumber(length) && r.err == nil && !r.isNil && !r.bodiless() && length != fmt.Sprint(r.size) {
				c.faultf("expected the Content-Length to be the number of bytes, %d, got %s", r.size, length)
			}
		}),
		onApplication("BODY-07", "Len", func(c *caller) {
			c.each(func(r *reply) {
				c.ends(r)
				if r.sized && r.err == nil && r.len != r.blocks {
					c.faultf("expected Len to be the number of blocks, %d, got %d", r.blocks, r.len)
				}
			})
		}),
		onApplication("WRITE-08", "no write from the body", func(c *caller) {
			c.each(func(r *reply) {
				if r.wroteLate {
					c.faultf("expected write not to be called once the application had returned, it was")
				}
			})
		}),
		onApplication("BODY-15", "not iterated to the end", func(c *caller) {
			c.stopAfter = 1
			c.closedEarly("a stop after one block")
			c.stopAfter, c.dontAsk = 0, true
			c.closedEarly("no iteration")
		}),
		onApplication("START-16", "passes a refusal on", func(c *caller) {
			c.refuses = true
			c.each(func(r *reply) {
				if r.err == nil && r.refused { // or START-04 is broken
					c.faultf("expected the error of start_response to be returned for %s, got %v", c.method, r)
				}
			})
		}),
		onApplication("START-17", "passes the same error on", func(c *caller) {
			c.refuses = true
			c.each(func(r *reply) {
				if panicked := (*wsgi.PanicError)(nil); r.err != nil && !errors.Is(r.err, errProbe) && !errors.As(r.err, &panicked) {
					c.faultf("expected the error of start_response, %v, got %v", errProbe, r.err)
				}
			})
		}),
	},
	callProbes,
)

// isNumber tells a length from what LEN-10 is about.
func isNumber(text string) bool {
	return text != "" && strings.Trim(text, "0123456789") == ""
}

// headProbe looks at one rule of response heads.
func headProbe(rule, name string) probe[wsgi.Application] {
	return onApplication(rule, name, func(c *caller) {
		c.each(func(r *reply) {
			if broken, err := r.headFault(); broken == rule {
				c.faultf("expected a head that servers accept in the response to %s, got %v", c.method, err)
			}
		})
	})
}

// closedEarly expects a body that is left before its end to take it well.
func (c *caller) closedEarly(what string) {
	r := c.call()
	if panicked := (*wsgi.PanicError)(nil); r.wentOn || errors.As(r.err, &panicked) {
		c.faultf("expected nothing more of the body after %s, got %v, blocks after the stop: %t", what, r, r.wentOn)
	}
}

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
		c.environ = func(e *wsgi.Environ) {
			e.Set("wsgi.input", wsgi.NewInput(iotest.OneByteReader(bytes.NewReader([]byte(postedForm)))))
		}
		c.alike("a request that comes byte by byte", c.call(), first)
	}),
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
