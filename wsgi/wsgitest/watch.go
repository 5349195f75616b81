package wsgitest

import (
	"os"
	"sync"

	"github.com/gowsgi/gowsgi/wsgi"
)

// watch is the application as the gateway sees it: the one under test, and
// somebody who counts. What passes through is not changed, and a body is
// replaced only by one of which the gateway will think the same.
type watch struct {
	app     wsgi.Application
	request *Request

	mu      sync.Mutex // the callables may be used after the request, from anywhere
	environ *wsgi.Environ
	closes  int
	wrote   bool
}

func (w *watch) Call(environ *wsgi.Environ, startResponse wsgi.StartResponse) (wsgi.Iterable, error) {
	w.request.replace(environ)
	w.environ = environ
	body, err := w.app.Call(environ, func(status string, headers wsgi.Headers, excInfo error) (wsgi.Write, error) {
		write, err := startResponse(status, headers, excInfo)
		if err != nil {
			return nil, err
		}
		return func(block []byte) (int, error) {
			w.mu.Lock()
			w.wrote = true
			w.mu.Unlock()
			return write(block)
		}, nil
	})
	return w.body(body), err
}

// tell writes what was seen into res.
func (w *watch) tell(res *Response) {
	w.mu.Lock()
	defer w.mu.Unlock()
	res.Environ, res.Closes, res.Wrote = w.environ, w.closes, w.wrote
}

// body returns a stand-in for body that counts the calls of Close. It has the
// optional methods for which the gateway looks, exactly when body has them. A
// wsgi.Block the gateway knows by its type: nothing can stand in for it.
func (w *watch) body(body wsgi.Iterable) wsgi.Iterable {
	if body == nil {
		return nil
	}
	if _, ok := body.(wsgi.Block); ok {
		w.closes = 1
		return body
	}
	counted := countedBody{body, w}
	sized, isSized := body.(wsgi.Sized)
	files, isFiles := body.(wsgi.FileStreamer)
	switch {
	case isSized && isFiles:
		return struct {
			countedFiles
			wsgi.Sized
		}{countedFiles{counted, files}, sized}
	case isFiles:
		return countedFiles{counted, files}
	case isSized:
		return struct {
			countedBody
			wsgi.Sized
		}{counted, sized}
	}
	return counted
}

type countedBody struct {
	wsgi.Iterable
	watch *watch
}

func (b countedBody) Close() error {
	b.watch.mu.Lock()
	b.watch.closes++
	b.watch.mu.Unlock()
	return b.Iterable.Close()
}

type countedFiles struct {
	countedBody
	files wsgi.FileStreamer
}

func (b countedFiles) StreamFiles(
	yield func(block []byte, err error) bool,
	sendFile func(file *os.File, n int64) (int64, error),
) {
	b.files.StreamFiles(yield, sendFile)
}
