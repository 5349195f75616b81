package wsgi

import (
	"context"
	"iter"
	"maps"
	"strings"
)

// Source is where a gateway keeps the variables of one request. It is asked
// only for what is used, so an Environ costs next to nothing until somebody
// looks into it. An Environ never changes its Source.
//
// Lookup and All must agree, and must give the same answers for as long as the
// Environ is in use, which may be longer than the request.
type Source interface {
	Lookup(key string) (value string, ok bool)
	All(yield func(key, value string) bool)
}

// ValueSource is a Source that also keeps variables which are not strings:
// wsgi.input and its kind. Value and Values are for them what Lookup and All
// are for the strings. A key is answered by Lookup or by Value, never by both.
type ValueSource interface {
	Source
	Value(key string) (value any, ok bool)
	Values(yield func(key string, value any) bool)
}

// Environ is the environ dictionary of one request: the CGI variables, the
// wsgi.* variables, and whatever servers, middleware and applications add.
// Keys are native strings (ENV-22); the value of every key without a dot is a
// native string, whose bytes are the bytes that the client sent (ENV-07).
//
// It is one concrete type, so nobody can pass an emulation (ENV-01), with a
// dictionary's operations. It is lazy: a variable is computed when it is asked
// for, and changes are kept beside the source.
//
// Like a map, an Environ is not safe for concurrent use while it is being
// changed. The server reads nothing from it after the call (SRV-12): it
// belongs to the application, which may keep it, though not use its streams,
// when the request is over.
//
// Source: PEP 3333, "environ Variables".
type Environ struct {
	ctx     context.Context
	source  Source  // nil when there is none
	changes *change // over source, the last one first; nil when there is none
	first   change  // room for the first change that is made
	used    bool    // first is among the changes
	altered bool    // see Altered
}

// change is a variable that was set, or deleted, and those before it. It never
// changes itself, so that a Clone shares it. There is one for each key, and there
// are so few that a search is quicker than a map.
type change struct {
	key    string
	value  any
	before *change
}

// deleted stands in Environ.changes for a key that was removed.
var deleted any = new(struct{ _ byte })

// NewEnviron returns the dictionary of the variables in source. ctx is the
// request's: it ends with the request, or when the client leaves.
func NewEnviron(ctx context.Context, source Source) *Environ {
	e := new(Environ)
	e.Reset(ctx, source)
	return e
}

// EnvironFromMap returns a dictionary of a copy of vars, with the background
// context.
func EnvironFromMap(vars map[string]any) *Environ {
	return &Environ{ctx: context.Background(), source: mapSource(maps.Clone(vars)), altered: true}
}

// Reset makes e the dictionary of the variables in source, as NewEnviron does.
// It is for gateways that keep the Environ inside their own request; an
// Environ that an application has seen must not be reset, for it may have been
// kept.
func (e *Environ) Reset(ctx context.Context, source Source) {
	*e = Environ{ctx: ctx, source: source}
}

// Get returns the value of key, nil when it is absent.
func (e *Environ) Get(key string) any {
	value, _ := e.Lookup(key)
	return value
}

// Lookup returns the value of key and whether it is present.
func (e *Environ) Lookup(key string) (any, bool) {
	if c := e.changed(key); c != nil {
		if c.value != deleted {
			return c.value, true
		}
		return nil, false
	}
	if values, ok := e.source.(ValueSource); ok {
		if value, ok := values.Value(key); ok {
			return value, true
		}
	}
	if e.source != nil {
		if value, ok := e.source.Lookup(key); ok {
			return value, true
		}
	}
	return nil, false
}

// changed returns the change of key, or nil.
func (e *Environ) changed(key string) *change {
	c := e.changes
	for c != nil && c.key != key {
		c = c.before
	}
	return c
}

// Set adds key or replaces its value (ENV-02).
func (e *Environ) Set(key string, value any) {
	e.altered = e.altered || describesRequest(key)
	if old := e.changed(key); old != nil {
		e.changes = e.changes.without(old)
	}
	c := &e.first
	if e.used {
		c = new(change)
	}
	*c = change{key, value, e.changes}
	e.changes, e.used = c, true
}

// without returns the changes but for old, which is one of them. Those after it
// are copied, for they may be shared.
func (c *change) without(old *change) *change {
	if c == old {
		return c.before
	}
	return &change{c.key, c.value, c.before.without(old)}
}

// Delete removes key; a key that is absent is no error.
func (e *Environ) Delete(key string) { e.Set(key, deleted) }

// Source returns what NewEnviron or Reset was given, nil for a dictionary made
// from a map. Changes to the dictionary are not in it.
func (e *Environ) Source() Source {
	if _, ok := e.source.(mapSource); ok {
		return nil
	}
	return e.source
}

// mapSource is the map of EnvironFromMap.
type mapSource map[string]any

func (m mapSource) Lookup(key string) (string, bool) {
	s, ok := m[key].(string)
	return s, ok
}

func (m mapSource) All(yield func(key, value string) bool) {
	for key, value := range m {
		if s, ok := value.(string); ok && !yield(key, s) {
			return
		}
	}
}

func (m mapSource) Value(key string) (any, bool) {
	value, ok := m[key]
	if _, isString := value.(string); isString {
		return nil, false
	}
	return value, ok
}

func (m mapSource) Values(yield func(key string, value any) bool) {
	for key, value := range m {
		if _, ok := value.(string); !ok && !yield(key, value) {
			return
		}
	}
}

// Altered reports whether a variable that describes the request was set or
// deleted since the server made the dictionary: a CGI variable, which is a key
// without a dot, wsgi.input or wsgi.url_scheme. A server extension that gives
// access to its own form of the request refuses service, or follows the
// dictionary, when this is true (EXT-03, EXT-04).
func (e *Environ) Altered() bool { return e.altered }

func describesRequest(key string) bool {
	return key == "wsgi.input" || key == "wsgi.url_scheme" || strings.IndexByte(key, '.') < 0
}

// All iterates over all keys and their values, in no particular order. The
// dictionary must not be changed meanwhile.
func (e *Environ) All() iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		for c := e.changes; c != nil; c = c.before {
			if c.value != deleted && !yield(c.key, c.value) {
				return
			}
		}
		more := true
		each := func(key string, value any) bool {
			if e.changed(key) == nil {
				more = yield(key, value)
			}
			return more
		}
		if values, ok := e.source.(ValueSource); ok {
			values.Values(each)
		}
		if e.source != nil && more {
			e.source.All(func(key, value string) bool { return each(key, value) })
		}
	}
}

// Map returns a copy of the dictionary as a map.
func (e *Environ) Map() map[string]any { return maps.Collect(e.All()) }

// Clone returns a copy; changes to either do not reach the other. Values are
// shared, the streams among them.
func (e *Environ) Clone() *Environ {
	c := new(Environ)
	e.CloneInto(c, nil)
	return c
}

// CloneInto makes c a Clone that has the context ctx, or the same one for nil. It is
// for middlewares that keep the copy inside what else they keep of a request. As with
// Reset, c must not be an Environ that an application has seen.
func (e *Environ) CloneInto(c *Environ, ctx context.Context) {
	if ctx == nil {
		ctx = e.ctx
	}
	*c = Environ{ctx: ctx, source: e.source, changes: e.changes, altered: e.altered}
}

// Context returns the context of the request. It ends when the request does or
// when the client leaves; some transports notice that only while they read or
// write, and net/http also takes a client that has closed its sending half for
// one that has left. It is never nil: the background context where there is no
// other.
func (e *Environ) Context() context.Context {
	if e.ctx == nil {
		return context.Background()
	}
	return e.ctx
}

// WithContext returns a Clone that has another context.
func (e *Environ) WithContext(ctx context.Context) *Environ {
	c := new(Environ)
	e.CloneInto(c, ctx)
	return c
}
