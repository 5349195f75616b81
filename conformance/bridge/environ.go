package bridge

import (
	"fmt"
	"maps"
	"reflect"

	"github.com/gowsgi/gowsgi/wsgi"
)

// source is the environ as the server made it, and what a probe for Python
// reaches the Python side by.
type source struct {
	strand *strand
	vars   map[string]any
	how    map[string]any
}

// Lookup is a wsgi.Source's.
func (s *source) Lookup(key string) (string, bool) {
	value, ok := s.vars[key].(string)
	return value, ok
}

// All is a wsgi.Source's.
func (s *source) All(yield func(key, value string) bool) {
	for key, value := range s.vars {
		if text, ok := value.(string); ok && !yield(key, text) {
			return
		}
	}
}

// Value is a wsgi.ValueSource's.
func (s *source) Value(key string) (any, bool) {
	value, ok := s.vars[key]
	if _, text := value.(string); text {
		return nil, false
	}
	return value, ok
}

// Values is a wsgi.ValueSource's.
func (s *source) Values(yield func(key string, value any) bool) {
	for key, value := range s.vars {
		if _, text := value.(string); !text && !yield(key, value) {
			return
		}
	}
}

// value is what a variable that Python sent is in Go.
func (s *source) value(key string, value any) any {
	switch v := value.(type) {
	case Text: // no native string, and no match for any that is expected
		return string(v)
	case Tuple:
		if len(v) == 2 {
			major, ok1 := v[0].(int)
			minor, ok2 := v[1].(int)
			if ok1 && ok2 {
				return [2]int{major, minor}
			}
		}
	case *Object:
		switch key {
		case "wsgi.input":
			return &input{strand: s.strand}
		case "wsgi.errors":
			return &errorStream{s.strand}
		case "wsgi.file_wrapper":
			return wsgi.FileWrapper(s.strand.wrap)
		}
	}
	return value
}

// Fact calls the function fact_name of the Python side with the call, and
// returns what it returns: facts about it, in values of Go's own types.
func (s *source) Fact(name string, args ...any) (any, error) {
	value, err := s.strand.command("fact", name, args)
	return plain(value), err
}

// plain makes lists of tuples and strings of texts, so that a value can be
// used without the types of this package.
func plain(value any) any {
	switch v := value.(type) {
	case Text:
		return string(v)
	case Tuple:
		return plain([]any(v))
	case []any:
		for i := range v {
			v[i] = plain(v[i])
		}
	case map[string]any:
		for key := range v {
			v[key] = plain(v[key])
		}
	}
	return value
}

// How tells how the application was called: "shape" is the kind of callable,
// "more" the number of arguments beyond two, "named" the names of those that
// were named, and "touched" the attributes of the callable that were used.
func (s *source) How() map[string]any { return s.how }

// Object makes a body that lives on the Python side, by the function body_name
// there. see is told what happens to it, from the goroutine of the call or
// later. When the application returns it, that is what the server gets.
func (s *source) Object(name string, see func(event string), args ...any) (wsgi.Iterable, error) {
	s.strand.mu.Lock()
	s.strand.watchers = append(s.strand.watchers, see)
	watcher := len(s.strand.watchers) - 1
	s.strand.mu.Unlock()
	number, err := s.strand.command("object", name, watcher, args)
	if err != nil {
		return nil, err
	}
	n, _ := number.(int)
	return &object{s.strand, n}, nil
}

// Exception makes an exception of the given class of Python's. An application
// that returns the error raises it.
func (s *source) Exception(class, text string) error {
	value, err := s.strand.command("exception", class, text)
	if err != nil {
		return err
	}
	e, err := s.strand.ledger.exception(value)
	if err != nil {
		return err
	}
	return e
}

// change tells Python what the application has changed in its environ since
// it was last told. The lock is held.
func (s *strand) change() {
	if s.environ == nil || s.fault != nil {
		return
	}
	now := s.environ.Map()
	changed, deleted := map[string]any{}, []any{}
	for key, value := range now {
		if old, ok := s.sent[key]; !ok || !same(old, value) {
			changed[key] = value
		}
	}
	for key := range s.sent {
		if _, ok := now[key]; !ok {
			deleted = append(deleted, key)
		}
	}
	if len(changed)+len(deleted) == 0 {
		return
	}
	maps.Copy(s.sent, changed)
	for _, key := range deleted {
		delete(s.sent, key.(string))
	}
	s.fail(s.c.send(frameCall, []any{"environ", changed, deleted}))
}

// same reports whether two values of an environ are the same, as far as
// Python could tell.
func same(a, b any) bool {
	x, y := reflect.ValueOf(a), reflect.ValueOf(b)
	switch {
	case !x.IsValid() || !y.IsValid():
		return x.IsValid() == y.IsValid()
	case x.Type() != y.Type():
		return false
	case x.Kind() == reflect.Func:
		return x.Pointer() == y.Pointer()
	case x.Comparable():
		return x.Equal(y)
	}
	return reflect.DeepEqual(a, b)
}

// scan copies values into what dst points to. It reports false when they are
// not as many, or not of those types.
func scan(values []any, dst ...any) bool {
	if len(values) != len(dst) {
		return false
	}
	for i, v := range values {
		ok := false
		switch p := dst[i].(type) {
		case *string:
			switch v := v.(type) {
			case string:
				*p, ok = wsgi.DecodeLatin1(v), true
			case Text:
				*p, ok = string(v), true
			}
		case *int:
			*p, ok = v.(int)
		case *bool:
			*p, ok = v.(bool)
		case *[]byte:
			*p, ok = v.([]byte)
		case *[]any:
			*p, ok = v.([]any)
		case *map[string]any:
			*p, ok = v.(map[string]any)
		case *any:
			*p, ok = v, true
		default:
			panic(fmt.Sprintf("bridge: scan into %T", p))
		}
		if !ok {
			return false
		}
	}
	return true
}
