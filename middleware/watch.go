package middleware

import (
	"errors"
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
	body    wsgi.Iterable
	at      ender
	passing *passing // nil when nobody wants to hear of blocks
	done    bool     // Close was called
}

// ender is told that a request is over: once, after the body was closed. Its error
// is one of Close.
type ender interface{ end() error }

// passing are the blocks of a watched body on their way, and who watches them.
type passing struct {
	by    watcher // nil for nobody
	yield func(block []byte, err error) bool
	enter func() (leave func()) // around all that the body does; may be nil
}

// watcher is told what becomes of the blocks of a body.
type watcher interface {
	before(n int)             // n bytes are about to be passed on, or -1 for a file
	after(n int64, more bool) // n bytes were taken, and the server wants more or not
	failed(err error)         // the body has ended in err, or in a panic
	iterated()                // the body has ended
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
	p := w.passing
	if p != nil && p.enter != nil {
		defer p.enter()()
	}
	if p == nil || p.by == nil {
		w.body.Blocks(yield)
		return
	}
	p.yield = yield
	defer p.caught()
	if block, ok := blockOf(w.body); ok {
		p.pass(block, nil) // no function has to be made for it
	} else {
		w.body.Blocks(p.pass)
	}
	p.by.iterated()
}

func (w *watched) StreamFiles(
	yield func(block []byte, err error) bool,
	sendFile func(file *os.File, n int64) (int64, error),
) {
	p := w.passing
	if p != nil && p.enter != nil {
		defer p.enter()()
	}
	if p == nil || p.by == nil {
		w.body.(wsgi.FileStreamer).StreamFiles(yield, sendFile)
		return
	}
	p.yield = yield
	defer p.caught()
	w.body.(wsgi.FileStreamer).StreamFiles(p.pass, func(file *os.File, n int64) (int64, error) {
		p.by.before(-1)
		sent, err := sendFile(file, n)
		p.by.after(sent, err == nil)
		return sent, err
	})
	p.by.iterated()
}

// caught tells of a panic, which goes on. The stack that a server sees is still
// that of the panic, since this is called on top of it.
func (p *passing) caught() {
	if v := recover(); v != nil {
		p.by.failed(&wsgi.PanicError{Value: v, Stack: debug.Stack()})
		panic(v)
	}
}

func (p *passing) pass(block []byte, err error) bool {
	if err != nil {
		p.by.failed(err)
		return p.yield(block, err)
	}
	p.by.before(len(block))
	if !p.yield(block, nil) {
		p.by.after(0, false)
		return false
	}
	p.by.after(int64(len(block)), true)
	return true
}

func (w *watched) Len() int { return w.body.(wsgi.Sized).Len() }

func (w *watched) Close() (err error) {
	if w.done {
		return nil
	}
	w.done = true
	if p := w.passing; p != nil && p.enter != nil {
		defer p.enter()()
	}
	closed := false
	defer func() {
		if !closed { // a panic, or Goexit, which goes on
			w.at.end()
		}
	}()
	err = w.body.Close()
	closed = true
	if late := w.at.end(); late != nil {
		err = errors.Join(err, late)
	}
	return err
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
