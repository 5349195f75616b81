package middleware

import (
	"os"
	"runtime/debug"

	"github.com/gowsgi/gowsgi/wsgi"
)

// watched is the body of an application that is passed on as it is, while
// somebody looks on. What is passed to the server is a view of it that has the
// optional methods of the application's body and no others: a list of one block
// still gets its Content-Length, and an open file is still sent by the operating
// system.
type watched struct {
	body  wsgi.Iterable
	by    watcher
	quiet bool                  // by does not want to hear of blocks
	enter func() (leave func()) // around all that the body does; may be nil
	done  bool                  // Close was called

	yield    func(block []byte, err error) bool
	sendFile func(file *os.File, n int64) (int64, error)
}

// watcher is told what becomes of a body.
type watcher interface {
	before(n int)                   // n bytes are about to be passed on, or -1 for a file
	after(n int64, more bool)       // n bytes were taken, and the server wants more or not
	failed(err error)               // the body has ended in err, or in a panic
	iterated()                      // the body has ended
	closed(err error) (still error) // the body was closed; the result is that of Close
}

// watch returns w as the server is to see it.
func watch(w *watched) wsgi.Iterable {
	_, sized := w.body.(wsgi.Sized)
	_, files := w.body.(wsgi.FileStreamer)
	switch {
	case sized && files:
		return w
	case sized:
		return (*watchedList)(w)
	case files:
		return (*watchedFile)(w)
	}
	return (*watchedBody)(w)
}

func (w *watched) Blocks(yield func(block []byte, err error) bool) {
	if w.enter != nil {
		defer w.enter()()
	}
	if w.quiet {
		w.body.Blocks(yield)
		return
	}
	w.yield = yield
	defer w.caught()
	if block, ok := blockOf(w.body); ok {
		w.pass(block, nil) // no function has to be made for it
	} else {
		w.body.Blocks(w.pass)
	}
	w.by.iterated()
}

func (w *watched) StreamFiles(
	yield func(block []byte, err error) bool,
	sendFile func(file *os.File, n int64) (int64, error),
) {
	if w.enter != nil {
		defer w.enter()()
	}
	if w.quiet {
		w.body.(wsgi.FileStreamer).StreamFiles(yield, sendFile)
		return
	}
	w.yield, w.sendFile = yield, sendFile
	defer w.caught()
	w.body.(wsgi.FileStreamer).StreamFiles(w.pass, w.passFile)
	w.by.iterated()
}

// caught tells of a panic, which goes on. The stack that a server sees is still
// that of the panic, since this is called on top of it.
func (w *watched) caught() {
	if v := recover(); v != nil {
		w.by.failed(&wsgi.PanicError{Value: v, Stack: debug.Stack()})
		panic(v)
	}
}

func (w *watched) pass(block []byte, err error) bool {
	if err != nil {
		w.by.failed(err)
		return w.yield(block, err)
	}
	w.by.before(len(block))
	if !w.yield(block, nil) {
		w.by.after(0, false)
		return false
	}
	w.by.after(int64(len(block)), true)
	return true
}

func (w *watched) passFile(file *os.File, n int64) (int64, error) {
	w.by.before(-1)
	sent, err := w.sendFile(file, n)
	w.by.after(sent, err == nil)
	return sent, err
}

func (w *watched) Len() int { return w.body.(wsgi.Sized).Len() }

func (w *watched) Close() (err error) {
	if w.done {
		return nil
	}
	w.done = true
	if w.enter != nil {
		defer w.enter()()
	}
	closed := false
	defer func() {
		if !closed { // a panic, or Goexit, which goes on
			w.by.closed(nil)
		}
	}()
	err = w.body.Close()
	closed = true
	return w.by.closed(err)
}

// The views of a watched body.
type (
	watchedBody watched
	watchedList watched
	watchedFile watched
)

func (w *watchedBody) Blocks(yield func([]byte, error) bool) { (*watched)(w).Blocks(yield) }
func (w *watchedBody) Close() error                          { return (*watched)(w).Close() }

func (w *watchedList) Blocks(yield func([]byte, error) bool) { (*watched)(w).Blocks(yield) }
func (w *watchedList) Close() error                          { return (*watched)(w).Close() }
func (w *watchedList) Len() int                              { return (*watched)(w).Len() }

func (w *watchedFile) Blocks(yield func([]byte, error) bool) { (*watched)(w).Blocks(yield) }
func (w *watchedFile) Close() error                          { return (*watched)(w).Close() }
func (w *watchedFile) StreamFiles(
	yield func(block []byte, err error) bool,
	sendFile func(file *os.File, n int64) (int64, error),
) {
	(*watched)(w).StreamFiles(yield, sendFile)
}
