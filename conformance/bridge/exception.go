package bridge

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"syscall"

	"github.com/gowsgi/gowsgi/wsgi"
)

// Exception is an exception that Python raised.
type Exception struct {
	Class string // its class, with the module that defines it unless it is built in
	Text  string // what str makes of it

	strand *strand // where it was raised, and under which number it is known
	number int
	cause  error // what the application had returned, or given as exc_info
}

// Error returns the class and the text.
func (e *Exception) Error() string { return fmt.Sprintf("%s: %s", e.Class, e.Text) }

// Unwrap returns the error of the application for which Python was given this
// very exception, nil when it is an exception of the server's.
func (e *Exception) Unwrap() error { return e.cause }

// exception makes an error of how Python describes an exception.
func (s *strand) exception(value any) (*Exception, error) {
	args, _ := value.(Tuple)
	e := &Exception{strand: s}
	var key int
	if !scan(args, &e.Class, &e.Text, &e.number, &key) || key >= len(s.errs) {
		return nil, fmt.Errorf("bridge: expected the description of an exception, got %v", value)
	}
	if key >= 0 {
		e.cause = s.errs[key]
	}
	return e, nil
}

// cause is an error of the application as Python is told of it: the exception
// that it came from, or one that stands for it.
func (s *strand) cause(err error) Tuple {
	var e *Exception
	if errors.As(err, &e) && e.strand == s {
		return Tuple{"raised", e.number}
	}
	key := -1
	for i, given := range s.errs {
		if reflect.TypeOf(err).Comparable() && given == err {
			key = i
		}
	}
	if key < 0 {
		s.errs = append(s.errs, err)
		key = len(s.errs) - 1
	}
	var panicked *wsgi.PanicError
	return Tuple{"go", key, err.Error(), errors.As(err, &panicked)}
}

// isReset reports whether err is what reading and writing give when the peer
// has gone.
func isReset(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.Is(err, io.ErrUnexpectedEOF)
}
