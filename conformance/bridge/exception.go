package bridge

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"syscall"
)

// Exception is an exception that Python raised.
type Exception struct {
	Class     string // its class, with the module that defines it unless it is built in
	Text      string // what str makes of it
	Traceback string // of an application; "" for what a server raised

	ledger *ledger // of the call in which it was raised
	number int     // under which it is known there
	cause  error   // what the other side had returned, or given as exc_info
}

// Error returns the class and the text.
func (e *Exception) Error() string {
	if e.Text == "" {
		return e.Class
	}
	return fmt.Sprintf("%s: %s", e.Class, e.Text)
}

// Unwrap returns the error of the Go side for which Python was given this very
// exception, nil when it is an exception of Python's own.
func (e *Exception) Unwrap() error { return e.cause }

// ledger is what a call knows of the errors that were passed between the two
// sides, so that each is again itself when it comes back.
type ledger struct {
	errs []error // that Python was given, by key
}

// exception makes an error of how Python describes an exception.
func (l *ledger) exception(value any) (*Exception, error) {
	args, _ := value.(Tuple)
	e := &Exception{ledger: l}
	var key int
	if !(scan(args, &e.Class, &e.Text, &e.number, &key) || scan(args, &e.Class, &e.Text, &e.number, &key, &e.Traceback)) || key >= len(l.errs) {
		return nil, fmt.Errorf("bridge: expected the description of an exception, got %v", value)
	}
	if key >= 0 {
		e.cause = l.errs[key]
	}
	return e, nil
}

// cause is an error as Python is told of it: the exception that it came from,
// or one that stands for it. special says whether it is of the kind that has a
// class of its own there.
func (l *ledger) cause(err error, special bool) Tuple {
	var e *Exception
	if errors.As(err, &e) && e.ledger == l {
		return Tuple{"raised", e.number}
	}
	key := -1
	for i, given := range l.errs {
		if reflect.TypeOf(err).Comparable() && given == err {
			key = i
		}
	}
	if key < 0 {
		l.errs = append(l.errs, err)
		key = len(l.errs) - 1
	}
	return Tuple{"go", key, err.Error(), special}
}

// isReset reports whether err is what reading and writing give when the peer
// has gone.
func isReset(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.Is(err, io.ErrUnexpectedEOF)
}
