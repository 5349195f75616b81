package conformance

import (
	"hash/maphash"
	"os"
	"runtime"

	"github.com/gowsgi/gowsgi/wsgi"
)

// lintBody is a body with its observer.
type lintBody struct {
	call    *call // which does not know the lintBody: the cleanup must not keep it alive
	body    wsgi.Iterable
	cleanup runtime.Cleanup
}

// wrapBody returns body with an observer. It has the optional methods for which
// a server may look exactly when body has them.
func (c *call) wrapBody(body wsgi.Iterable) wsgi.Iterable {
	b := &lintBody{call: c, body: body}
	c.linter.add(c)
	b.cleanup = runtime.AddCleanup(b, (*call).forgotten, c)
	sized, isSized := body.(wsgi.Sized)
	files, isFiles := body.(wsgi.FileStreamer)
	switch {
	case isSized && isFiles:
		return struct {
			*lintFiles
			wsgi.Sized
		}{&lintFiles{b, files}, sized}
	case isFiles:
		return &lintFiles{b, files}
	case isSized:
		return struct {
			*lintBody
			wsgi.Sized
		}{b, sized}
	}
	return b
}

// Blocks iterates the body.
func (b *lintBody) Blocks(yield func(block []byte, err error) bool) {
	b.iterate(func(observe func([]byte, error) bool) { b.body.Blocks(observe) }, yield)
}

// lintFiles is a lintBody whose body can hand over files.
type lintFiles struct {
	*lintBody
	files wsgi.FileStreamer
}

// StreamFiles iterates the body with files left as they are.
func (b *lintFiles) StreamFiles(
	yield func(block []byte, err error) bool,
	sendFile func(file *os.File, n int64) (int64, error),
) {
	send := func(file *os.File, n int64) (int64, error) {
		b.call.beforeBlock(someBytes)
		sent, err := sendFile(file, n)
		b.call.mu.Lock()
		b.call.bytes += sent
		b.call.sentFile = true
		b.call.stopped = b.call.stopped || err != nil
		b.call.mu.Unlock()
		b.call.afterBlock()
		return sent, err
	}
	b.iterate(func(observe func([]byte, error) bool) { b.files.StreamFiles(observe, send) }, yield)
}

// someBytes is the length of a file for those who only ask whether it is a body.
const someBytes = 32 << 10

// iterate runs the body's iteration and looks at how it begins, goes on and
// ends.
func (b *lintBody) iterate(run func(observe func([]byte, error) bool), yield func([]byte, error) bool) {
	c := b.call
	c.mu.Lock()
	again, over := c.iterated, c.over
	c.iterated = true
	c.mu.Unlock()
	switch {
	case over:
		c.report("BODY-19", byServer, "the body was iterated after it was closed")
	case again:
		c.report("BODY-19", byServer, "the body was iterated again, expected once")
	}
	if c.outer != nil && !c.outer.returnedYet() {
		c.outer.blameMiddleware("MW-07", "the body of the inner application was iterated before the middleware returned, expected it to return a body first")
	}
	if over || again {
		run(yield)
		return
	}
	size := -1
	if sized, ok := b.body.(wsgi.Sized); ok {
		size = sized.Len()
	}
	c.enter()
	ended := false
	defer func() {
		c.leave()
		c.iterationEnded(size, ended)
	}()
	run(func(block []byte, err error) bool { return c.block(block, err, yield) })
	ended = true
}

func (c *call) returnedYet() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.hasReturned
}

// block observes one block on its way to the server.
func (c *call) block(block []byte, err error, yield func([]byte, error) bool) bool {
	c.mu.Lock()
	stopped := c.stopped
	if err != nil {
		c.failed, c.trapped = true, false
	}
	c.mu.Unlock()
	if stopped {
		c.report("BODY-15", byApp, "the body yielded after yield had returned false, expected it to stop")
	}
	if err != nil {
		if c.outer != nil {
			c.outer.innerFailed()
		}
		more := yield(block, err)
		c.mu.Lock()
		c.stopped = c.stopped || !more
		c.mu.Unlock()
		return more
	}
	c.beforeBlock(len(block))
	before := maphash.Bytes(seed, block)
	more := yield(block, nil)
	if maphash.Bytes(seed, block) != before {
		c.reportModified()
	}
	c.mu.Lock()
	c.bytes += int64(len(block))
	c.stopped = c.stopped || !more
	c.mu.Unlock()
	c.afterBlock()
	return more
}

// mostTiny is how many blocks of one byte pass without a remark: a terminal
// that echoes what is typed has a few.
const mostTiny = 1000

// beforeBlock looks at a block of n bytes before it is yielded.
func (c *call) beforeBlock(n int) {
	c.mu.Lock()
	early := c.starts == 0
	c.blocks++
	c.run = 0
	if n == 1 {
		c.tiny++
	}
	tiny := c.tiny
	c.mu.Unlock()
	switch {
	case early && n > 0:
		c.report("START-04", byApp, "the body yielded a block, expected start_response to be called before")
	case early:
		c.warn("START-04", byApp, "the body yielded an empty block before start_response was called, which not every server accepts (AMB-01)")
	}
	if tiny > mostTiny {
		c.report("BODY-04", byApp, "the body has yielded more than %d blocks of one byte, expected blocks of a sensible size", mostTiny)
	}
	if n > 0 {
		c.beforeOutput()
	}
	if c.outer != nil {
		c.outer.innerBlock(1)
	}
}

// afterBlock notes that yield has returned.
func (c *call) afterBlock() {
	if c.outer != nil {
		c.outer.innerBlock(-1)
	}
}

// innerBlock notes that a yield of an inner body begins or ends.
func (c *call) innerBlock(step int) {
	c.mu.Lock()
	c.inInner += step
	if step > 0 {
		c.innerBlocks++
		c.run++
		c.longestRun = max(c.longestRun, c.run)
	}
	c.mu.Unlock()
}

// Close closes the body.
func (b *lintBody) Close() error {
	c := b.call
	c.mu.Lock()
	c.closes++
	again := c.closes > 1
	c.mu.Unlock()
	if again {
		c.report("BODY-11", byServer, "the body was closed again, expected once")
		return b.body.Close()
	}
	c.linter.remove(c)
	b.cleanup.Stop()
	defer c.finish()
	return b.body.Close()
}

// forgotten reports that nobody has closed the body, by how it was used.
func (c *call) forgotten() {
	if !c.linter.remove(c) {
		return
	}
	c.mu.Lock()
	rule, how := "BODY-08", "iterated to its end"
	switch {
	case c.failed:
		rule, how = "BODY-09", "ended by an error"
	case !c.iterated:
		rule, how = "BODY-13", "not iterated at all"
	case c.stopped:
		rule, how = "BODY-10", "stopped early"
	}
	c.over = true
	c.mu.Unlock()
	c.report(rule, byServer, "a body that was %s was not closed, expected Close to be called", how)
}
