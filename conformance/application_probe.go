package conformance

import (
	"errors"
	"fmt"
	"slices"
	"strings"

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
			var failed []string
			c.each(func(r *reply) {
				if panicked := (*wsgi.PanicError)(nil); errors.As(r.err, &panicked) {
					c.faultf("expected no panic for %s of the root, got %v", c.method, r.err)
				} else if r.err != nil && r.starts == 0 {
					failed = append(failed, fmt.Sprintf("%s: %v", c.method, r.err))
				}
			})
			if len(failed) == len(methods) { // there is no response to judge
				c.faultf("expected a response to a request for the root, of whatever status; each ended in an error, %s", strings.Join(failed, "; "))
			}
		}),
		onApplication("START-04", "starts before data", func(c *caller) {
			c.each(func(r *reply) {
				if r.unstarted || r.starts == 0 && r.err == nil && !r.isNil {
					c.faultf("expected start_response before the first block of the response to %s, got %v", c.method, r)
				}
			})
		}),
		onApplication("START-19", "starts once", func(c *caller) {
			c.started(func(r *reply) {
				if r.second {
					c.faultf("expected one call of start_response without exc_info for %s, got %d calls", c.method, r.starts)
				}
			})
		}),
		onApplication("START-27", "gives the headers away", func(c *caller) {
			c.started(func(r *reply) {
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
			c.started(func(r *reply) {
				if r.headers.Has("Status") {
					c.faultf("expected no header named Status, got %q", r.headers)
				}
			})
		}),
		onApplication("HDR-20", "Content-Type", func(c *caller) {
			switch r := c.call(); {
			case r.err != nil || r.starts == 0 || r.size == 0 || r.bodiless():
				c.skipf("the response to GET has no body that could have a type")
			case !r.headers.Has("Content-Type"):
				c.faultf("expected a Content-Type with a body of %d bytes, got %q", r.size, r.headers)
			}
		}),
		onApplication("HDR-24", "Content-Length is right", func(c *caller) {
			r := c.call()
			c.ends(r)
			switch length := r.headers.Get("Content-Length"); {
			case !isNumber(length) || r.err != nil || r.isNil || r.bodiless():
				c.skipf("the response to GET has no body with a Content-Length that is a number")
			case length != fmt.Sprint(r.size):
				c.faultf("expected the Content-Length to be the number of bytes, %d, got %s", r.size, length)
			}
		}),
		onApplication("BODY-07", "Len", func(c *caller) {
			sized := false
			c.each(func(r *reply) {
				c.ends(r)
				if sized = sized || r.sized; r.sized && r.err == nil && r.len != r.blocks {
					c.faultf("expected Len to be the number of blocks, %d, got %d", r.blocks, r.len)
				}
			})
			if !sized {
				c.skipf("no body has a Len")
			}
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
			c.refused(func(r *reply) {
				if r.err == nil {
					c.faultf("expected the error of start_response to be returned for %s, got %v", c.method, r)
				}
			})
		}),
		onApplication("START-17", "passes the same error on", func(c *caller) {
			passed := false
			c.refused(func(r *reply) {
				passed = passed || r.err != nil
				if panicked := (*wsgi.PanicError)(nil); r.err != nil && !errors.Is(r.err, errProbe) && !errors.As(r.err, &panicked) {
					c.faultf("expected the error of start_response, %v, got %v", errProbe, r.err)
				}
			})
			if !passed {
				c.left("START-16", "the application passes no refusal on")
			}
		}),
	},
	callProbes,
)

// refused is each for the responses whose start_response was refused. It ends the
// probe where there is none.
func (c *caller) refused(look func(r *reply)) {
	c.refuses = true
	none := true
	c.each(func(r *reply) {
		if r.refused {
			none = false
			look(r)
		}
	})
	if none {
		c.skipf("not decided: the application calls start_response for none of %s", strings.Join(methods, ", "))
	}
}

// isNumber tells a length from what LEN-10 is about.
func isNumber(text string) bool {
	return text != "" && strings.Trim(text, "0123456789") == ""
}

// headProbe looks at one rule of response heads.
func headProbe(rule, name string) probe[wsgi.Application] {
	return onApplication(rule, name, func(c *caller) {
		c.started(func(r *reply) {
			for _, fault := range r.headFaults() {
				if fault.Rule == rule {
					c.faultf("expected a head that servers accept in the response to %s, got %v", c.method, fault)
				}
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
