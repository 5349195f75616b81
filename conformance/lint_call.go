package conformance

import (
	"slices"
	"sync"

	"github.com/gowsgi/gowsgi/wsgi"
)

// call is one request at one boundary, as its observer knows it.
type call struct {
	linter  *Linter
	at      *linted // which boundary
	environ *wsgi.Environ
	start   wsgi.StartResponse // the server's

	// How it was called.
	method, path string
	stderr       wsgi.ErrorStream // the server's, nil when there is none
	errors       lintErrors
	outer        *call // the observer in front of the middleware that made this call

	// Of the list of open bodies; guarded by Linter.mu.
	next, previous *call
	listed         bool

	// mu guards what follows: callables may be used from any goroutine, though
	// not by the rules. It is never held while somebody else's code runs.
	mu          sync.Mutex
	told        []string // the rules that were reported, each with its side
	hasReturned bool     // the application has returned
	over        bool     // the body is closed, or there is none
	executing   int      // how many of the application's functions are running

	// The response.
	starts   int          // calls of start_response
	refused  bool         // the last of them failed
	trapped  bool         // one with exc_info failed, and the error was not seen since
	code     int          // of the status, 0 when it is malformed
	hasType  bool         // Content-Type
	headers  wsgi.Headers // the application's own list
	sum      uint64       // of headers as they were
	length   int64        // the declared one, -1 for none
	wrote    bool
	output   bool  // a block that is not empty, or a write, has passed
	bytes    int64 // that have passed
	blocks   int   // that have passed
	tiny     int   // blocks of one byte
	iterated bool
	stopped  bool // the iteration was stopped by the server
	failed   bool // the call or the body ended in an error
	closes   int
	sentFile bool

	// What an observer in front of a middleware knows of those behind it.
	inners       []*call
	innerBlocks  int // that the inner bodies have yielded
	run          int // of them since this body yielded last
	longestRun   int
	inInner      int // inner yields that are running
	innerExc     int // inner calls of start_response with exc_info that are running
	innerFailure int // starts + 1 when an inner application has failed, 0 if none did
}

// meet looks for an observer in front of this one.
func (c *call) meet() {
	c.method, c.path = c.environ.Var("REQUEST_METHOD"), c.environ.Var("SCRIPT_NAME")+c.environ.Var("PATH_INFO")
	other, _ := c.environ.Get(marker).(*call)
	if other == nil {
		return
	}
	other.mu.Lock()
	executing, over := other.executing > 0, other.over
	if executing {
		other.inners = append(other.inners, c)
	}
	other.mu.Unlock()
	switch {
	case executing:
		c.outer = other
	case over && other.at == c.at: // and not a middleware that tries one application after another
		c.report("SRV-02", byServer, "environ was passed to an earlier call, expected one of its own for each")
	}
}

// enter notes that a function of the application begins to run.
func (c *call) enter() {
	c.mu.Lock()
	c.executing++
	c.mu.Unlock()
	c.environ.Set(marker, c)
}

// leave notes that it has ended. The outermost mark stays, so that a second use
// of the dictionary is seen.
func (c *call) leave() {
	c.mu.Lock()
	c.executing--
	c.mu.Unlock()
	if c.outer != nil {
		c.environ.Set(marker, c.outer)
	}
}

// finish notes that nothing of this call may be used any more, and looks for
// inner bodies that can no longer be reached.
func (c *call) finish() {
	c.mu.Lock()
	inners := slices.Clone(c.inners)
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		c.over = true
		c.mu.Unlock()
	}()
	for _, inner := range inners {
		if inner.linter.remove(inner) {
			c.report("MW-10", byApp, "the body of the inner application is still open when that of the middleware is closed, expected its Close to be called")
		}
	}
}

// innerFailed notes that an inner application, or its body, ended in an error.
func (c *call) innerFailed() {
	c.mu.Lock()
	c.innerFailure = c.starts + 1
	c.mu.Unlock()
}

// blameMiddleware reports one rule on how the middleware treats the inner body.
// What follows from the first is not a second finding.
func (c *call) blameMiddleware(id, format string, args ...any) {
	if !c.hasTold("MW-04"+byApp, "MW-05"+byApp, "MW-06"+byApp, "MW-07"+byApp, "MW-08"+byApp) {
		c.fault(id, byApp, format, args...)
	}
}
