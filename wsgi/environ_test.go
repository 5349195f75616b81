package wsgi_test

import (
	"context"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/wsgi"
)

// source is a Source that counts what it is asked.
type source struct {
	vars    map[string]string
	lookups int
	ranges  int
}

func (s *source) Lookup(key string) (string, bool) {
	s.lookups++
	value, ok := s.vars[key]
	return value, ok
}

func (s *source) All(yield func(key, value string) bool) {
	s.ranges++
	for key, value := range s.vars {
		if !yield(key, value) {
			return
		}
	}
}

// valueSource is a ValueSource that counts what it is asked.
type valueSource struct {
	source
	values map[string]any
}

func (s *valueSource) Value(key string) (any, bool) {
	s.lookups++
	value, ok := s.values[key]
	return value, ok
}

func (s *valueSource) Values(yield func(key string, value any) bool) {
	s.ranges++
	for key, value := range s.values {
		if !yield(key, value) {
			return
		}
	}
}

func newSource() *source {
	return &source{vars: map[string]string{"REQUEST_METHOD": "GET", "PATH_INFO": "/caf\xe9", "QUERY_STRING": ""}}
}

func newValueSource() *valueSource {
	return &valueSource{
		source: *newSource(),
		values: map[string]any{"wsgi.version": [2]int{1, 0}, "wsgi.multithread": true, "wsgi.url_scheme": "http"},
	}
}

// environs gives the same dictionary in each of its forms.
func environs() map[string]*wsgi.Environ {
	all := make(map[string]any)
	from := newValueSource()
	for key, value := range from.vars {
		all[key] = value
	}
	for key, value := range from.values {
		all[key] = value
	}
	mixed := wsgi.NewEnviron(context.Background(), newSource())
	for key, value := range from.values {
		mixed.Set(key, value)
	}
	empty := wsgi.NewEnviron(context.Background(), nil)
	var zero wsgi.Environ
	for key, value := range all {
		empty.Set(key, value)
		zero.Set(key, value)
	}
	return map[string]*wsgi.Environ{
		"map":                wsgi.EnvironFromMap(all),
		"source with values": wsgi.NewEnviron(context.Background(), from),
		"source and changes": mixed,
		"no source":          empty,
		"zero value":         &zero,
	}
}

func TestEnviron(t *testing.T) {
	for form, environ := range environs() {
		before := environ.Map()
		t.Run("ENV-01/"+form+" is a whole dictionary", func(t *testing.T) {
			want := map[string]any{
				"REQUEST_METHOD": "GET", "PATH_INFO": "/caf\xe9", "QUERY_STRING": "",
				"wsgi.version": [2]int{1, 0}, "wsgi.multithread": true, "wsgi.url_scheme": "http",
			}
			if diff := cmp.Diff(want, before); diff != "" {
				t.Errorf("Map (-want +got):\n%s", diff)
			}
			for key, value := range want {
				if got, ok := environ.Lookup(key); !ok || got != value {
					t.Errorf("Lookup(%q) = %v, %v; want %v, true", key, got, ok, value)
				}
				if got := environ.Get(key); got != value {
					t.Errorf("Get(%q) = %v, want %v", key, got, value)
				}
			}
			if got, ok := environ.Lookup("ABSENT"); got != nil || ok || environ.Get("ABSENT") != nil {
				t.Errorf("Lookup of an absent key = %v, %v; want nil, false", got, ok)
			}
		})
		t.Run("ENV-02/"+form+" may be changed in any way", func(t *testing.T) {
			e := environ.Clone()
			e.Set("REQUEST_METHOD", "PUT")
			e.Set("my.key", nil) // a nil value is present
			e.Delete("QUERY_STRING")
			e.Delete("wsgi.version")
			e.Delete("ABSENT")
			e.Delete("PATH_INFO")
			e.Set("PATH_INFO", "/again")
			want := map[string]any{
				"REQUEST_METHOD": "PUT", "PATH_INFO": "/again", "my.key": nil,
				"wsgi.multithread": true, "wsgi.url_scheme": "http",
			}
			if diff := cmp.Diff(want, e.Map()); diff != "" {
				t.Errorf("Map (-want +got):\n%s", diff)
			}
			if _, ok := e.Lookup("QUERY_STRING"); ok {
				t.Error("a deleted key is present")
			}
			if value, ok := e.Lookup("my.key"); value != nil || !ok {
				t.Errorf("Lookup of a nil value = %v, %v; want nil, true", value, ok)
			}
			if diff := cmp.Diff(before, environ.Map()); diff != "" {
				t.Errorf("the clone's changes reached the original (-before +after):\n%s", diff)
			}
		})
		t.Run("ENV-02/"+form+" emptied", func(t *testing.T) {
			e := environ.Clone()
			for key := range e.Map() {
				e.Delete(key)
			}
			for key, value := range e.All() {
				t.Errorf("%q = %v is left", key, value)
			}
		})
		// A loop over All may be left at any point, and is not called again.
		t.Run("ENV-01/"+form+" iteration left early", func(t *testing.T) {
			e := environ.Clone()
			e.Set("my.key", 1)
			e.Delete("QUERY_STRING")
			for stop := range len(e.Map()) {
				n := 0
				e.All()(func(string, any) bool { n++; return n <= stop })
				if n != stop+1 {
					t.Errorf("yield returned false at %d and was called %d times", stop+1, n)
				}
			}
		})
	}

	t.Run("ENV-01/one concrete type", func(t *testing.T) {
		if kind := reflect.TypeFor[wsgi.Environ]().Kind(); kind != reflect.Struct {
			t.Errorf("Environ is a %v: an interface could be emulated", kind)
		}
	})
	t.Run("ENV-22/keys are native strings", func(t *testing.T) {
		for _, name := range []string{"Get", "Lookup", "Var", "Set", "Delete"} {
			method, _ := reflect.TypeFor[*wsgi.Environ]().MethodByName(name)
			if key := method.Type.In(1); key != reflect.TypeFor[string]() {
				t.Errorf("%s takes a %v, want exactly string", name, key)
			}
		}
	})
	t.Run("ENV-02/the source is never changed", func(t *testing.T) {
		s := newSource()
		e := wsgi.NewEnviron(context.Background(), s)
		e.Set("PATH_INFO", "/other")
		e.Delete("REQUEST_METHOD")
		if diff := cmp.Diff(newSource().vars, s.vars); diff != "" {
			t.Errorf("source (-before +after):\n%s", diff)
		}
	})
	t.Run("EXT-03/a map is no source", func(t *testing.T) {
		if s := wsgi.EnvironFromMap(nil).Source(); s != nil {
			t.Errorf("Source is %v, expected nil", s)
		}
	})
	t.Run("ENV-02/the map is copied", func(t *testing.T) {
		vars := map[string]any{"A": "1"}
		e := wsgi.EnvironFromMap(vars)
		vars["A"], vars["B"] = "2", "2"
		if diff := cmp.Diff(map[string]any{"A": "1"}, e.Map()); diff != "" {
			t.Errorf("Map (-want +got):\n%s", diff)
		}
		e.Map()["A"] = "3"
		if got := e.Var("A"); got != "1" {
			t.Errorf("a change of the Map reached the Environ: %q", got)
		}
	})
	t.Run("ENV-07/bytes are kept", func(t *testing.T) {
		e := wsgi.NewEnviron(context.Background(), newSource())
		if got := e.Get("PATH_INFO"); got != "/caf\xe9" {
			t.Errorf("PATH_INFO is %q of type %[1]T, want the client's bytes as a string", got)
		}
	})
	t.Run("ENV-23/services of any type", func(t *testing.T) {
		e := wsgi.EnvironFromMap(nil)
		// A slice cannot be compared: the overlay must not try.
		e.Set("my.slice", []string{"a"})
		e.Set("my.map", map[string]int{})
		if got, ok := e.Get("my.slice").([]string); !ok || len(got) != 1 {
			t.Errorf("my.slice is %v", got)
		}
		if n := len(e.Map()); n != 2 {
			t.Errorf("%d keys, want 2", n)
		}
	})
}

// An Environ asks its source only for what somebody asked of it.
func TestEnvironLazy(t *testing.T) {
	tests := []struct {
		name            string
		do              func(e *wsgi.Environ)
		lookups, ranges int
	}{
		{"new", func(*wsgi.Environ) {}, 0, 0},
		{"Var", func(e *wsgi.Environ) { e.Var("PATH_INFO") }, 1, 0},
		{"Var absent", func(e *wsgi.Environ) { e.Var("ABSENT") }, 1, 0},
		{"Get of a value", func(e *wsgi.Environ) { e.Get("wsgi.version") }, 1, 0},
		{"Get of a string", func(e *wsgi.Environ) { e.Get("PATH_INFO") }, 2, 0}, // Value, then Lookup
		{"Header", func(e *wsgi.Environ) { e.Header("Accept") }, 1, 0},
		{"Set", func(e *wsgi.Environ) { e.Set("PATH_INFO", "/") }, 0, 0},
		{"Set and Var", func(e *wsgi.Environ) { e.Set("PATH_INFO", "/"); e.Var("PATH_INFO") }, 0, 0},
		{"Delete and Get", func(e *wsgi.Environ) { e.Delete("PATH_INFO"); e.Get("PATH_INFO") }, 0, 0},
		{"Clone", func(e *wsgi.Environ) { e.Clone() }, 0, 0},
		{"WithContext", func(e *wsgi.Environ) { e.WithContext(context.Background()) }, 0, 0},
		{"All, not iterated", func(e *wsgi.Environ) { e.All() }, 0, 0},
		{"Map", func(e *wsgi.Environ) { e.Map() }, 0, 2}, // All and Values
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newValueSource()
			tt.do(wsgi.NewEnviron(context.Background(), s))
			if s.lookups != tt.lookups || s.ranges != tt.ranges {
				t.Errorf("the source was asked %d times and ranged over %d times, want %d and %d",
					s.lookups, s.ranges, tt.lookups, tt.ranges)
			}
		})
	}
	t.Run("Var does not allocate", func(t *testing.T) {
		e := wsgi.NewEnviron(context.Background(), newValueSource())
		if n := testing.AllocsPerRun(100, func() { e.Var("PATH_INFO") }); n != 0 {
			t.Errorf("%v allocations, want none", n)
		}
	})
}

func TestStrings(t *testing.T) {
	e := wsgi.NewEnviron(t.Context(), &valueSource{source: source{vars: map[string]string{"PATH_INFO": "/a", "QUERY_STRING": "", "HTTP_HOST": "h"}}})
	e.Set("my.user", "ann")
	e.Set("my.count", 3)
	e.Set("PATH_INFO", "/b")
	e.Delete("HTTP_HOST")
	got := map[string]string{}
	e.Strings(func(key, value string) bool {
		if _, twice := got[key]; twice {
			t.Errorf("%s came twice", key)
		}
		got[key] = value
		return true
	})
	want := map[string]string{"PATH_INFO": "/b", "QUERY_STRING": "", "my.user": "ann"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	n := 0
	e.Strings(func(string, string) bool { n++; return false })
	if n != 1 {
		t.Errorf("after false came %d more", n-1)
	}
}
