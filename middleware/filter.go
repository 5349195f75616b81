package middleware

import (
	"errors"
	"slices"
	"strings"

	"github.com/gowsgi/gowsgi/wsgi"
)

// A BodyFilter makes one body of another, block by block: it returns what takes
// the place of block, which may be nothing yet. At the end of the body it is
// called once more with no block and end, for what is left. It is not called at
// the end of a body that failed.
//
// It may return block itself, but neither changes nor keeps it. What it returns
// is used before it is called again. An error fails the response.
type BodyFilter func(block []byte, end bool) ([]byte, error)

// Filter returns a middleware that changes the bodies of responses. For each
// response it asks choose for a new filter; nil leaves the response as it is.
// choose sees the head and may change the headers, for one the Content-Type; the
// list is its own.
//
// Whatever the filter does, the rest is done here: the headers that would be
// wrong are dropped, which are Content-Length, ETag, Accept-Ranges and those with
// digests. The application gets no Range, for a part of its body could not be
// filtered; if it sends a part all the same, status 206, and choose wants to
// filter it, the response fails. What is sent by write is filtered too, in order.
// Each block gives one block, an empty one if need be. When the head is replaced
// because of an error, choose is asked again and what the old filter has is
// dropped.
//
// Filter leaves the status as it is. For HEAD the headers are those of GET. For
// 204 and 304, which have no body, choose is not asked.
//
// A filter sees blocks, and something that it looks for may begin in one and end
// in the next: it has to keep the end of a block, copied, for as long as it might
// be a beginning.
//
// Security: a filter that must not be evaded looks at the Content-Encoding, for
// what is compressed passes it unseen; put it inside Compress, and drop
// HTTP_ACCEPT_ENCODING by SetEnv. Last-Modified is kept: when what the filter
// does changes, a cache does not learn of it by that.
func Filter(choose func(environ *wsgi.Environ, status string, headers *wsgi.Headers) BodyFilter) wsgi.Middleware {
	if choose == nil {
		panic("middleware: Filter: the function is nil")
	}
	return func(next wsgi.Application) wsgi.Application {
		return wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			if environ.Var("HTTP_RANGE") != "" {
				environ = environ.Clone()
				environ.Delete("HTTP_RANGE")
				environ.Delete("HTTP_IF_RANGE")
			}
			f := &chosen{choose: choose, environ: environ}
			f.held = held{start: start, open: true, by: f}
			f.head = environ.Var("REQUEST_METHOD") == "HEAD"
			return f.call(next, environ, f.startResponse)
		})
	}
}

// chosen is a response whose filter is chosen by its head.
type chosen struct {
	filtered
	choose  func(environ *wsgi.Environ, status string, headers *wsgi.Headers) BodyFilter
	environ *wsgi.Environ
}

func (f *chosen) adjust(status string, headers wsgi.Headers, _ wsgi.Iterable) (wsgi.Headers, error) {
	f.drop()
	if bodiless(status) {
		return headers, nil
	}
	headers = headers.Clone() // the application may use one list for all its responses
	filter := f.choose(f.environ, status, &headers)
	switch {
	case filter == nil:
	case strings.HasPrefix(status, "206"):
		return nil, errPart
	case f.direct && !f.head:
		return nil, errLateFilter
	default:
		headers = slices.DeleteFunc(headers, func(h wsgi.Header) bool { return dependsOnBody(h.Name) })
		f.use(funcFilter(filter))
	}
	return headers, nil
}

var (
	errPart       = errors.New("middleware: Filter: the response is a part of a body, status 206, expected the whole: a part cannot be filtered")
	errLateFilter = errors.New("middleware: Filter: the response was replaced by one that has to be filtered, when the first had not to be and its body was passed on")
)

// bodiless reports whether status is one that has no body.
func bodiless(status string) bool {
	return strings.HasPrefix(status, "204") || strings.HasPrefix(status, "304")
}

// dependents are the headers that say something of the bytes of a body (RFC
// 9110, 8 and 14; RFC 9530; and the older Content-MD5 and Digest).
var dependents = []string{
	"Content-Length", "ETag", "Accept-Ranges", "Content-Range",
	"Content-Digest", "Repr-Digest", "Digest", "Content-MD5",
}

func dependsOnBody(name string) bool {
	for _, d := range dependents {
		if len(d) == len(name) && strings.EqualFold(d, name) {
			return true
		}
	}
	return false
}

// bodyFilter is a BodyFilter that can be given up, and that may have parts of what
// becomes of a block taken before it returns the last one.
type bodyFilter interface {
	filter(block []byte, end bool, by taker) ([]byte, error)
	release()
}

// taker takes a part of a body. A filter returns its error.
type taker interface{ take(part []byte) error }

type funcFilter BodyFilter

func (f funcFilter) filter(block []byte, end bool, _ taker) ([]byte, error) { return f(block, end) }
func (f funcFilter) release()                                               {}

// filtered is a response whose body a filter changes: for Filter and Compress.
// The adjuster of its held head sets the filter.
type filtered struct {
	held
	body   wsgi.Iterable
	with   bodyFilter // nil for none
	failed error      // of the filter, in write: the application may lose it
	yield  func(block []byte, err error) bool

	head    bool // HEAD: there will be no body
	direct  bool // the body was passed on as it is
	stopped bool // the server wants nothing more, or the body has failed
}

// drop gives up the filter of a head that is replaced.
func (f *filtered) drop() {
	if f.with != nil {
		f.with.release()
		f.with = nil
	}
}

// use sets the filter of the response.
func (f *filtered) use(b bodyFilter) {
	if f.head {
		b.release()
		return
	}
	f.with = b
}

// call calls next with start, which is f's own or leads to it.
func (f *filtered) call(next wsgi.Application, environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
	returned := false
	defer func() {
		if !returned {
			f.drop() // a panic, or Goexit
		}
	}()
	body, err := next.Call(environ, start)
	returned = true
	if body == nil || err != nil {
		f.drop()
		return body, err
	}
	if err := errors.Join(f.returned(body), f.failed); err != nil {
		f.drop()
		body.Close()
		return nil, err
	}
	if f.with == nil && (f.write != nil || f.head) {
		f.direct = true
		return body, nil
	}
	f.body = body
	return f, nil
}

// startResponse is held's, with a write that goes through the filter.
func (f *filtered) startResponse(status string, headers wsgi.Headers, excInfo error) (wsgi.Write, error) {
	if err := f.begin(status, headers, excInfo); err != nil {
		return nil, err
	}
	return f.onWrite, nil
}

func (f *filtered) onWrite(block []byte) (int, error) {
	if f.waiting {
		if err := f.release(nil); err != nil {
			return 0, err
		}
	}
	f.open = true // the head is on the wire, so another one is for the server to refuse
	if f.with == nil {
		return f.write(block)
	}
	out, err := f.with.filter(block, false, (*filteredWrite)(f))
	if err != nil {
		f.failed = err
		return 0, err
	}
	if _, err := f.write(out); err != nil {
		return 0, err
	}
	return len(block), nil
}

// filteredWrite is a filtered response that the application sends by write.
type filteredWrite filtered

func (f *filteredWrite) take(part []byte) error {
	_, err := f.write(part)
	return err
}

// Blocks yields what becomes of each block of the body, and what is left.
func (f *filtered) Blocks(yield func(block []byte, err error) bool) {
	f.yield = yield
	if c, ok := f.with.(*compressing); ok {
		if block, ok := blockOf(f.body); ok {
			f.finish(c.whole(block, f))
			return
		}
	}
	f.body.Blocks(f.pass)
	if f.stopped || f.with == nil {
		return
	}
	f.finish(f.with.filter(nil, true, f))
}

// finish yields what is left.
func (f *filtered) finish(rest []byte, err error) {
	switch {
	case err != nil:
		f.fail(err)
	case len(rest) > 0:
		f.take(rest)
	}
}

func (f *filtered) pass(block []byte, err error) bool {
	if err == nil && f.with != nil {
		block, err = f.with.filter(block, false, f)
	}
	if err != nil {
		f.fail(err)
		return false
	}
	return f.take(block) == nil
}

func (f *filtered) take(part []byte) error {
	if f.stopped = !f.yield(part, nil); f.stopped {
		return errEnded // for the filter; the server knows
	}
	return nil
}

// fail ends the body with err, unless it has ended.
func (f *filtered) fail(err error) {
	if !f.stopped {
		f.stopped = true
		f.yield(nil, err)
	}
}

// Close gives up the filter and closes the application's body.
func (f *filtered) Close() error {
	f.drop()
	return f.body.Close()
}
