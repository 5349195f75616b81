package conformance

import (
	"hash/maphash"

	"github.com/gowsgi/gowsgi/wsgi"
)

// seed is of the sums by which changes are noticed.
var seed = maphash.MakeSeed()

// startResponse is the callable that the application receives.
func (c *call) startResponse(status string, headers wsgi.Headers, excInfo error) (wsgi.Write, error) {
	c.mu.Lock()
	first, refused, over := c.starts == 0, c.refused, c.over
	lost := excInfo == nil && c.innerExc > 0
	c.starts++
	c.mu.Unlock()
	code := 0
	switch {
	case over:
		c.report("SRV-10", byApp, "start_response was called when the request was over, expected no further use")
	case lost:
		c.report("MW-12", byApp, "the inner application called start_response with exc_info and the middleware without, expected it to be passed on")
	case !first && excInfo == nil && refused:
		c.report("START-20", byApp, "start_response was called again with status %q and no exc_info after a call that failed", status)
	case !first && excInfo == nil:
		c.report("START-19", byApp, "start_response was called again with status %q and no exc_info", status)
	default:
		code = c.checkHead(status, headers)
		if excInfo != nil && 0 < code && code < 400 {
			c.report("START-12", byApp, "start_response was called with exc_info and status %q, expected an error response", status)
		}
	}
	if c.outer != nil && excInfo != nil {
		c.outer.addInnerExc(1)
		defer c.outer.addInnerExc(-1)
	}
	// The server gets a list of its own: it may change it in any way (HDR-07),
	// and only so is a change of the other one the application's.
	write, err := c.start(status, headers.Clone(), excInfo)
	switch {
	case err == nil && over:
		c.report("SRV-10", byServer, "start_response accepted a call when the request was over, expected an error")
	case err == nil && write == nil:
		c.report("START-02", byServer, "start_response returned neither a write callable nor an error")
	}
	c.mu.Lock()
	c.refused = err != nil
	if err != nil {
		c.trapped = c.trapped || excInfo != nil && !c.stopped // who was stopped has nobody left to tell
	} else {
		c.trapped = false
		c.keep(code, headers)
	}
	c.mu.Unlock()
	if err != nil || write == nil {
		return write, err
	}
	return func(block []byte) (int, error) { return c.write(write, block) }, nil
}

func (c *call) addInnerExc(n int) {
	c.mu.Lock()
	c.innerExc += n
	c.mu.Unlock()
}

// keep remembers the head that the server accepted. The caller holds c.mu.
func (c *call) keep(code int, headers wsgi.Headers) {
	c.code, c.headers, c.sum = code, headers, sumHeaders(headers)
	c.hasType, c.length = false, -1
	for i := range headers {
		switch len(headers[i].Name) {
		case len("Content-Type"):
			c.hasType = c.hasType || equalFold(headers[i].Name, "Content-Type")
		case len("Content-Length"):
			if equalFold(headers[i].Name, "Content-Length") {
				c.length, _ = parseLength(headers[i].Value)
			}
		}
	}
}

// reportTrapped reports an error of start_response that the application has
// neither returned nor yielded.
func (c *call) reportTrapped() {
	c.report("START-16", byApp, "start_response failed with exc_info given, and the application went on, expected it to return that error")
}

// beforeOutput looks at the head when it is about to be sent. It must be called
// without c.mu.
func (c *call) beforeOutput() {
	c.mu.Lock()
	if c.output {
		c.mu.Unlock()
		return
	}
	c.output = true
	started, noType := c.starts > 0 && !c.refused, !c.hasType
	code := c.code
	c.mu.Unlock()
	if !started {
		return
	}
	c.checkUnchanged()
	switch {
	case code == 204 || code == 304:
		c.report("HTTP-16", byApp, "a %d response has a body, expected none", code)
	case noType:
		c.report("HDR-20", byApp, "a response with a body has no Content-Type")
	}
}

// checkUnchanged looks whether the application changed its list of headers.
func (c *call) checkUnchanged() {
	c.mu.Lock()
	changed := sumHeaders(c.headers) != c.sum
	if changed {
		c.sum = sumHeaders(c.headers)
	}
	c.mu.Unlock()
	if changed {
		c.report("START-27", byApp, "the headers were changed after start_response was called, expected them to be given away")
	}
}

func sumHeaders(headers wsgi.Headers) uint64 {
	if len(headers) == 0 {
		return 0
	}
	var sum uint64
	for i := range headers {
		sum = sum*31 + maphash.String(seed, headers[i].Name)
		sum = sum*31 + maphash.String(seed, headers[i].Value)
	}
	return sum
}

// write is what the application calls as the server's write.
func (c *call) write(write wsgi.Write, block []byte) (int, error) {
	c.mu.Lock()
	over, returned, inInner := c.over, c.hasReturned, c.inInner > 0
	c.wrote = true
	c.mu.Unlock()
	switch {
	case over:
		c.report("SRV-10", byApp, "write was called when the request was over, expected no further use")
	case inInner:
		c.blameMiddleware("MW-08", "a block of the inner body was passed to write, expected the middleware to yield it")
	case returned:
		c.report("WRITE-08", byApp, "write was called when the application had returned, expected the body to yield the block")
	}
	if !over {
		c.beforeOutput()
	}
	before := maphash.Bytes(seed, block)
	n, err := write(block)
	if maphash.Bytes(seed, block) != before {
		c.reportModified()
	}
	if err == nil && over {
		c.report("SRV-10", byServer, "write accepted a block when the request was over, expected an error")
	}
	c.mu.Lock()
	c.bytes += int64(len(block))
	c.mu.Unlock()
	return n, err
}

func (c *call) reportModified() {
	c.report("BODY-22", byServer, "a block was changed while the server had it, expected it to be read only")
}
