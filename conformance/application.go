package conformance

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

// TestApplication tests an application: whether it keeps what PEP 3333 asks of
// applications, as far as a server can tell from requests for its root. The
// probe servers around it use all the freedom that the contract gives them.
//
// Each rule is a subtest, named after its id in the catalogue. Run it with the
// race detector: requests are also made at the same time.
func TestApplication(t *testing.T, app wsgi.Application) {
	t.Helper()
	Suite{}.TestApplication(t, app)
}

// TestApplication is the function of that name, with the choices of s.
func (s Suite) TestApplication(t *testing.T, app wsgi.Application) {
	t.Helper()
	runProbes(t, s, app, slices.Concat(applicationProbes, applicationPythonProbes))
}

// caller is a probe at work on an application: a server that makes one kind of
// request.
type caller struct {
	*probing
	app        wsgi.Application
	method     string
	environ    func(*wsgi.Environ) // changes the environ before the call
	replace    map[string]any      // if set, is the environ
	afterStart func(wsgi.Headers)  // what the server does to the list it was given
	refuses    bool                // start_response fails
	stopAfter  int                 // blocks after which the body is stopped; 0 for never
	dontAsk    bool                // the body is closed without being iterated
}

func onApplication(rule, name string, run func(c *caller)) probe[wsgi.Application] {
	return probe[wsgi.Application]{rule, name, func(p *probing, app wsgi.Application) {
		run(&caller{probing: p, app: app, method: "GET"})
	}}
}

// reply is what the server got of the application.
type reply struct {
	status    string
	headers   wsgi.Headers
	starts    int            // calls of start_response
	given     []wsgi.Headers // the lists that start_response was given
	copies    []wsgi.Headers // and what was in them
	refused   bool           // start_response was called and failed
	second    bool           // start_response was called again without exc_info
	unstarted bool           // data came before start_response
	wroteLate bool           // write was called when Call had returned
	blocks    int            // that were yielded
	size      int            // of all that was written and yielded
	begins    []byte         // with this
	sized     bool
	len       int
	err       error // of Call, of the body, or a panic
	isNil     bool
	stopped   bool
	endless   bool // the body was stopped because it did not end
	wentOn    bool // after the stop
}

// Bounds of a body that is read to its end.
const (
	maxBlocks = 1 << 14
	maxBytes  = 4 << 20
	maxAfter  = 100 // blocks after a stop
)

func (r *reply) String() string {
	return fmt.Sprintf("%d calls of start_response, status %q, %d bytes %q, %s", r.starts, r.status, r.size, shorten(string(r.begins)), ending(r.err))
}

func (r *reply) add(block []byte) {
	r.size += len(block)
	r.begins = append(r.begins, block[:min(len(block), 256-min(256, len(r.begins)))]...)
}

// call makes one request.
func (c *caller) call() *reply {
	r := new(reply)
	request := wsgitest.NewRequest(c.method, "/")
	if c.method == "POST" {
		request.Content("application/x-www-form-urlencoded", postedForm)
	}
	environ := request.Environ()
	if c.replace != nil {
		environ = wsgi.EnvironFromMap(c.replace)
	}
	if c.environ != nil {
		c.environ(environ)
	}
	x := c.script.begin("in order")
	x.note("server: calls the application with %s /", c.method)
	c.guarded("the application that is asked for "+c.method+" /", func() {
		defer recovered(x, &r.err)
		c.drive(r, x, environ)
	})
	return r
}

// drive is the server.
func (c *caller) drive(r *reply, x *exchange, environ *wsgi.Environ) {
	returned := false
	start := observed(x, "application: ", func(status string, headers wsgi.Headers, excInfo error) (wsgi.Write, error) {
		if r.refused = c.refuses; c.refuses {
			return nil, errProbe
		}
		r.second = r.second || r.starts > 0 && excInfo == nil
		r.starts++
		r.status, r.headers = status, headers.Clone()
		r.given, r.copies = append(r.given, headers), append(r.copies, headers.Clone())
		if c.afterStart != nil {
			c.afterStart(headers)
		}
		return func(block []byte) (int, error) {
			r.wroteLate = r.wroteLate || returned
			r.add(block)
			return len(block), nil
		}, nil
	})
	body, err := c.app.Call(environ, start)
	returned = true
	if r.err, r.isNil = err, body == nil; err != nil {
		x.note("application: returns the error %q", err)
	}
	if body == nil {
		x.note("application: returns no body")
		return
	}
	defer func() {
		defer recovered(x, &r.err)
		x.note("server: closes the body")
		body.Close()
	}()
	if err != nil || c.dontAsk {
		return
	}
	if sized, ok := body.(wsgi.Sized); ok {
		r.sized, r.len = true, sized.Len()
	}
	after, late := 0, time.Now().Add(c.patience/2)
	body.Blocks(func(block []byte, err error) bool {
		if r.stopped {
			if r.wentOn = true; after == 0 {
				x.note("application: yields %s after the stop", sample(block))
			}
			if after++; after == maxAfter {
				panic(errEnough) // or it would stay at work for ever
			}
			return false
		}
		if err != nil {
			x.note("application: yields the error %q", err)
			r.err, r.stopped = err, true
			return false
		}
		x.note("application: yields %s", sample(block))
		r.unstarted = r.unstarted || len(block) > 0 && r.starts == 0
		r.add(block)
		r.blocks++
		r.endless = r.blocks >= maxBlocks || r.size >= maxBytes || time.Now().After(late)
		if r.stopped = r.blocks == c.stopAfter || r.endless; r.stopped {
			x.note("server: stops")
		}
		return !r.stopped
	})
}

// ends leaves a probe that needs the end of a body which has none.
func (c *caller) ends(r *reply) {
	if r.endless {
		c.skipf("the body of %s / has no end within %d blocks, %d MiB and %v", c.method, maxBlocks, maxBytes>>20, c.patience/2)
	}
}

const postedForm = "name=value&other=1"

// methods are those of the requests that every application is sent.
var methods = []string{"GET", "HEAD", "POST"}

// each makes requests of the usual methods.
func (c *caller) each(look func(r *reply)) {
	for _, c.method = range methods {
		look(c.call())
	}
}

// started is each for what there is to be judged of a response that was
// started. It ends the probe where none is.
func (c *caller) started(look func(r *reply)) {
	none := true
	c.each(func(r *reply) {
		if r.starts > 0 {
			none = false
			look(r)
		}
	})
	if none {
		c.skipf("not decided: the application calls start_response for none of %s", strings.Join(methods, ", "))
	}
}

// headFaults returns what is wrong with the head of r. One fault hides no other,
// but for a second one in the status or in the same header.
func (r *reply) headFaults() (faults []*wsgi.ContractError) {
	var broken *wsgi.ContractError
	if code, _, err := wsgi.ParseStatus(r.status); errors.As(err, &broken) {
		faults = append(faults, broken)
	} else if code < 200 {
		faults = append(faults, &wsgi.ContractError{Rule: "HDR-23", Detail: fmt.Sprintf("the status is %q", r.status)})
	}
	return append(faults, headerFaults(r.headers)...)
}

// headerFaults returns what is wrong with each of the headers, and with all of
// them.
func headerFaults(headers wsgi.Headers) (faults []*wsgi.ContractError) {
	var broken *wsgi.ContractError
	var sound wsgi.Headers // each by itself
	for i := range headers {
		if errors.As(headers[i:i+1].Validate(), &broken) {
			faults = append(faults, broken)
		} else {
			sound = append(sound, headers[i])
		}
	}
	if errors.As(sound.Validate(), &broken) {
		faults = append(faults, broken)
	}
	return faults
}

// alike checks that two requests had the same kind of response.
func (c *caller) alike(what string, got, want *reply) {
	var panicked *wsgi.PanicError
	if errors.As(got.err, &panicked) || got.status != want.status || (got.err == nil) != (want.err == nil) {
		c.faultf("expected %s to have the response of a plain %s, %v, got %v", what, c.method, want, got)
	}
}

// bodiless reports whether a response of r's status has no body.
func (r *reply) bodiless() bool {
	return slices.Contains([]string{"204", "304"}, r.status[:min(3, len(r.status))])
}
