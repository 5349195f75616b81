package conformance

import (
	"bufio"
	"errors"
	"io"
	"net"
	"strconv"
	"sync"

	"github.com/gowsgi/gowsgi/wsgi"
)

// mutantExchange is one response of a mutantServer.
type mutantExchange struct {
	server  *mutantServer
	faults  *serverFaults
	conn    net.Conn
	w       *bufio.Writer
	request *mutantRequest

	mu        sync.Mutex
	started   bool
	committed bool
	finished  bool
	continued bool
	wrote     bool
	failure   error // sticky
	gone      error
	calls     int
	empties   int
	status    string
	headers   wsgi.Headers
	length    int64 // declared, -1 for none
	derived   bool  // length was derived from Len
	sent      int64
	single    bool
	isFile    bool
	chunked   bool
	full      bool
	held      []byte
	wrapped   *mutantFile
	close     func() error
	alone     func() // lets the next request in, in a mode with one at a time
	epoch     int32
	writes    int
	accepted  int
	whole     bool
	yielded   int
}

var (
	errOverTest  = errors.New("the request is over")
	errFullTest  = errors.New("more than the Content-Length")
	errTwiceTest = errors.New("start_response was called twice")
	errCutTest   = errors.New("too little data")
)

// run calls the application and reports whether the response is whole.
func (x *mutantExchange) run(environ *wsgi.Environ) (whole bool) {
	f := x.faults
	var body wsgi.Iterable
	closed := false
	closeBody := func() (err error) {
		if body == nil || closed {
			return nil
		}
		closed = true
		if f.noClose != nil && f.noClose(x) {
			return nil
		}
		defer recoverTo(&err)
		err = body.Close()
		x.server.report("close", err)
		if f.closesTwice || f.closesForLeaver && x.gone != nil {
			body.Close()
		}
		if f.iteratesAgain && x.length < 0 {
			body.Blocks(func([]byte, error) bool { return false })
		}
		return err
	}
	x.close = closeBody
	defer func() { // also after runtime.Goexit
		x.mu.Lock()
		x.finished = true
		x.mu.Unlock()
		closeBody()
	}()

	if f.failsAfterFailures && x.server.failures.Load() >= 10 {
		x.server.failures.Store(0)
		x.status, x.headers = "503 Service Unavailable", nil
		return x.end() == nil
	}
	body, err := x.call(environ)
	if err != nil && f.retries {
		body, err = x.call(environ)
	}
	if f.sendsWrapped && x.wrapped != nil && !x.wrapped.used {
		body = x.wrapped
	}
	if f.sharesEnviron {
		if mark := environ.Get("conformance.mark"); mark != nil {
			x.server.kept.Store("conformance.mark", mark)
		}
	}
	if f.readsEnvironLate {
		x.request.method = environ.Var("REQUEST_METHOD")
	}
	if f.asksForWrapper && environ.Get("wsgi.file_wrapper") == nil && environ.Var("PATH_INFO") != "" {
		err = errors.New("KeyError")
	}
	if f.judgesEarly && !x.started && err == nil {
		err = errors.New("start_response was not called")
	}
	if err == nil && body == nil && !f.nilIsEmpty {
		err = errors.New("nil body")
	}
	if x.server.mode == halfSingle {
		x.alone()
	}
	x.mu.Lock()
	if x.failure == nil || err != nil {
		x.failure = err
	}
	x.mu.Unlock()
	if x.failure == nil && body != nil {
		if sized, ok := body.(wsgi.Sized); ok && (sized.Len() == 1 || f.trustsAnyLen) {
			x.single = true
		}
		_, x.isFile = body.(wsgi.FileStreamer)
		if w, ok := body.(io.WriterTo); ok && f.usesWriterTo {
			w.WriteTo(x.w)
		}
		x.iterate(body)
	}
	if f.closesFirst {
		if err := closeBody(); err != nil {
			x.failure = err
		}
	}
	err = x.end()
	x.whole = err == nil && x.failure == nil
	if f.noClose == nil && !f.closesFirst {
		x.mu.Lock()
		x.finished = true
		x.mu.Unlock()
	}
	closeBody()
	return err == nil
}

func recoverTo(err *error) {
	if v := recover(); v != nil {
		*err = &wsgi.PanicError{Value: v}
	}
}

func (x *mutantExchange) call(environ *wsgi.Environ) (body wsgi.Iterable, err error) {
	defer recoverTo(&err)
	if touched, ok := x.server.app.(io.WriterTo); ok && x.faults.touchesApp {
		touched.WriteTo(io.Discard)
	}
	return x.server.app.Call(environ, x.start)
}

func (x *mutantExchange) iterate(body wsgi.Iterable) {
	defer func() {
		var err error
		if v := recover(); v != nil {
			err = &wsgi.PanicError{Value: v}
			x.failure = err
		}
	}()
	if file, ok := body.(*mutantFile); ok {
		if file.returned = true; x.faults.fileFromStart {
			file.rewind()
		}
	}
	body.Blocks(x.yield)
}

func (x *mutantExchange) yield(block []byte, err error) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	f := x.faults
	if x.yielded++; f.spreadsFailures && x.epoch != x.server.epoch.Load() && x.failure == nil {
		x.failure = errors.New("another request failed")
	}
	switch {
	case x.finished || x.failure != nil && x.committed:
		return f.forgets && !x.finished && x.more(block)
	case err != nil:
		x.failure = err
		return f.yieldsOn
	case len(block) == 0:
		x.empties++
		if f.emptyCommits && x.started || f.fewEmptiesCommit && x.empties == 3 && x.started {
			x.commit()
		}
		if f.emptyChunk && x.chunked {
			x.w.WriteString("0\r\n\r\n")
		}
		if f.startBeforeEmpty && !x.started {
			x.failure = errors.New("an empty block before start_response")
			return false
		}
		return !(x.empties >= 100 && f.manyEmptiesEnd || x.sent > 0 && f.endsAtEmpty)
	case !x.started && !f.sendsUnstarted:
		x.failure = errors.New("a block before start_response")
	}
	if x.failure != nil {
		return false
	}
	return x.more(block)
}

func (x *mutantExchange) more(block []byte) bool {
	f := x.faults
	if x.full {
		return true // only with goesOn
	}
	if n := len(block); f.collects && n > 16<<10 && n < 64<<10 {
		x.held = append(x.held, block...)
		return true
	}
	if f.dropsAfterWrite && x.wrote && x.yielded > 1 {
		return true
	}
	if x.single && x.length < 0 && !x.committed && !x.bodiless() {
		x.length, x.derived = int64(len(block)), true
		x.headers.Add("Content-Length", strconv.Itoa(len(block)))
	}
	held := x.held
	if f.writesLate {
		x.held = nil
	}
	x.sendHeld()
	_, err := x.send(block, false)
	if f.writesLate && held != nil {
		x.send(held, false)
	}
	if f.closesEarly && len(block) == 1 {
		x.close()
	}
	if f.spoilsBlocks {
		clear(block)
	}
	if err == errFullTest {
		x.full = f.goesOn
		return f.goesOn
	}
	return err == nil || f.ignoresGone
}
