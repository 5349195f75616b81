package conformance

import "github.com/gowsgi/gowsgi/wsgi"

// iterationEnded looks at the whole of the body. normal is false after a panic.
func (c *call) iterationEnded(size int, normal bool) {
	c.mu.Lock()
	if !normal {
		c.failed, c.trapped = true, false
	}
	failed, complete, trapped := c.failed, !c.stopped && !c.failed, c.trapped
	starts, blocks, sentFile := c.starts, c.blocks, c.sentFile
	nested := len(c.inners) > 0
	c.mu.Unlock()
	if !normal && c.outer != nil {
		c.outer.innerFailed()
	}
	if failed {
		return
	}
	if trapped {
		c.reportTrapped()
	}
	if starts > 0 {
		c.checkUnchanged()
	} else if complete {
		c.report("SRV-07", byApp, "the body ended, expected start_response to be called before")
	}
	if complete && size >= 0 && size != blocks && !sentFile {
		rule := "BODY-07"
		if nested {
			rule = "MW-18"
		}
		c.report(rule, byApp, "Len is %d and the body has yielded %d blocks, expected the number of blocks", size, blocks)
	}
	c.checkLength(complete)
	if nested && complete {
		c.checkMiddleware()
	}
}

// checkLength compares the body with its declared length. There is none to
// compare with where the response has no body on the wire.
func (c *call) checkLength(complete bool) {
	c.mu.Lock()
	length, sent := c.length, c.bytes
	if c.refused || c.method == "HEAD" || c.code == 204 || c.code == 304 {
		length = -1
	}
	var inner *call
	if len(c.inners) > 0 {
		inner = c.inners[len(c.inners)-1]
	}
	c.mu.Unlock()
	if length < 0 || sent == length || sent < length && !complete {
		return
	}
	rule, more := "LEN-01", " or more" // it may have been stopped
	if sent < length {
		rule, more = "LEN-04", ""
	}
	if inner != nil && !inner.hasTold("LEN-01"+byApp, "LEN-04"+byApp) {
		rule = "MW-11"
	}
	c.fault(rule, byApp, "the body has %d bytes%s, expected the %d that Content-Length declares", sent, more, length)
}

// checkMiddleware compares what a middleware yielded with what it was given.
func (c *call) checkMiddleware() {
	c.mu.Lock()
	run, got, gave := c.longestRun, c.innerBlocks, c.blocks
	truncated := c.innerFailure > 1 && c.innerFailure == c.starts+1
	c.mu.Unlock()
	switch {
	case truncated:
		c.report("MW-19", byApp, "the inner application failed and the response ended as if it were complete, expected the error to be passed on")
	case run > 2:
		c.blameMiddleware("MW-04", "the middleware took %d blocks in a row without yielding one, expected it not to wait for several", run)
	case run == 2:
		c.blameMiddleware("MW-05", "the middleware took a second block before it yielded, expected an empty block in the meantime")
	case got > gave:
		c.blameMiddleware("MW-06", "the middleware yielded %d blocks for %d of the inner application, expected at least one for each", gave, got)
	}
}

// observeBlock looks at a body that is one block, which nobody watches when it
// is iterated.
func (c *call) observeBlock(block wsgi.Block) {
	c.mu.Lock()
	starts := c.starts
	c.mu.Unlock()
	if starts == 0 && len(block) == 0 {
		c.report("SRV-07", byApp, "the body is empty, expected start_response to be called before")
		return
	}
	c.beforeBlock(len(block))
	c.mu.Lock()
	c.bytes += int64(len(block))
	c.mu.Unlock()
	c.checkLength(true)
	if starts > 0 {
		c.checkUnchanged()
	}
	c.checkMiddleware()
}
