package wsgi_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/wsgi"
)

func TestEnvironClone(t *testing.T) {
	type contextKey struct{}
	outer := context.WithValue(context.Background(), contextKey{}, "outer")
	inner := context.WithValue(context.Background(), contextKey{}, "inner")
	for _, changed := range []bool{false, true} { // before and after the overlay exists
		original := wsgi.NewEnviron(outer, newSource())
		if changed {
			original.Set("my.key", "both")
		}
		clone := original.WithContext(inner)
		original.Set("my.key", "original")
		clone.Set("my.key", "clone")
		clone.Set("PATH_INFO", "/clone")
		if original.Get("my.key") != "original" || clone.Get("my.key") != "clone" {
			t.Errorf("changed %v: a change reached the other dictionary", changed)
		}
		if original.Context() != outer || clone.Context() != inner {
			t.Errorf("changed %v: contexts are mixed up", changed)
		}
		if original.Altered() || !clone.Altered() {
			t.Errorf("changed %v: Altered is %v and %v, want false and true", changed, original.Altered(), clone.Altered())
		}
	}
	t.Run("changes that are shared", func(t *testing.T) {
		first := wsgi.NewEnviron(outer, newSource())
		for _, key := range []string{"a", "b", "c"} {
			first.Set(key, "first "+key)
		}
		second := first.Clone()
		second.Set("a", "second a") // the oldest of those that both have
		second.Delete("b")
		third := second.Clone()
		third.Set("b", "third b")
		third.Set("a", "third a")
		first.Set("c", "first c again")
		first.Delete("a")
		second.Set("d", "second d")
		want := []map[string]any{
			{"b": "first b", "c": "first c again"},
			{"a": "second a", "c": "first c", "d": "second d"},
			{"a": "third a", "b": "third b", "c": "first c"},
		}
		for i, environ := range []*wsgi.Environ{first, second, third} {
			for key, value := range newSource().vars {
				want[i][key] = value
			}
			if diff := cmp.Diff(want[i], environ.Map()); diff != "" {
				t.Errorf("dictionary %d (-want +got):\n%s", i+1, diff)
			}
		}
	})
	t.Run("inside something larger", func(t *testing.T) {
		var of struct{ one, other wsgi.Environ }
		original := wsgi.NewEnviron(outer, newValueSource())
		original.Set("my.key", "original")
		original.CloneInto(&of.one, nil)
		of.one.Set("my.key", "one")
		of.one.Set("PATH_INFO", "/one")
		of.one.CloneInto(&of.other, inner)
		of.other.Set("my.key", "other")
		if original.Get("my.key") != "original" || of.one.Get("my.key") != "one" || of.other.Get("my.key") != "other" || of.other.Var("PATH_INFO") != "/one" {
			t.Error("a change reached another dictionary, or not its copy")
		}
		if of.one.Context() != outer || of.other.Context() != inner || original.Altered() || !of.other.Altered() {
			t.Error("the contexts are mixed up, or Altered is lost")
		}
		if n := testing.AllocsPerRun(100, func() { original.CloneInto(&of.one, inner); of.one.Set("my.key", nil) }); n > 1 {
			t.Errorf("a copy with its first change takes %v allocations, expected that of the list without the old value at most", n)
		}
	})
	t.Run("what is set again takes no memory", func(t *testing.T) {
		e := wsgi.NewEnviron(outer, newSource())
		e.Set("last", 1)
		if n := testing.AllocsPerRun(100, func() { e.Set("last", nil) }); n > 1 {
			t.Errorf("%v allocations, expected at most the one for what is set", n)
		}
	})
	for form, environ := range environs() {
		t.Run("ENV-24/"+form+" passed on is whole", func(t *testing.T) {
			if diff := cmp.Diff(environ.Map(), environ.WithContext(inner).Map()); diff != "" {
				t.Errorf("the clone (-original +clone):\n%s", diff)
			}
		})
	}
	t.Run("never without a context", func(t *testing.T) {
		if new(wsgi.Environ).Context() == nil || wsgi.EnvironFromMap(nil).Context() == nil {
			t.Error("Context is nil")
		}
	})
	t.Run("Reset", func(t *testing.T) {
		e := wsgi.NewEnviron(outer, newValueSource())
		e.Set("PATH_INFO", "/old")
		e.Reset(inner, newSource())
		if diff := cmp.Diff(wsgi.NewEnviron(inner, newSource()).Map(), e.Map()); diff != "" {
			t.Errorf("after Reset (-want +got):\n%s", diff)
		}
		if e.Altered() || e.Context() != inner {
			t.Error("Reset kept something of the last request")
		}
	})
}

func TestEnvironAltered(t *testing.T) {
	tests := []struct {
		name string
		do   func(e *wsgi.Environ)
		want bool
	}{
		{"EXT-03/nothing changed", func(e *wsgi.Environ) { e.Map() }, false},
		{"EXT-03/CGI variable set", func(e *wsgi.Environ) { e.Set("PATH_INFO", "/x") }, true},
		{"EXT-03/CGI variable deleted", func(e *wsgi.Environ) { e.Delete("HTTP_ACCEPT") }, true},
		{"EXT-03/input replaced", func(e *wsgi.Environ) { e.Set("wsgi.input", wsgi.NewInput(nil)) }, true},
		{"EXT-03/scheme replaced", func(e *wsgi.Environ) { e.Set("wsgi.url_scheme", "https") }, true},
		{"EXT-03/other variables", func(e *wsgi.Environ) { e.Set("my.user", "x"); e.Delete("wsgi.errors") }, false},
		{"EXT-03/stays", func(e *wsgi.Environ) { e.Set("A", ""); e.Set("my.user", "x") }, true},
		{"EXT-03/shift", func(e *wsgi.Environ) { e.ShiftPathInfo() }, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := wsgi.NewEnviron(context.Background(), newSource())
			tt.do(e)
			if e.Altered() != tt.want || e.Clone().Altered() != tt.want {
				t.Errorf("Altered is %v, of a clone %v; want %v", e.Altered(), e.Clone().Altered(), tt.want)
			}
		})
	}
	t.Run("EXT-04/no server made a map", func(t *testing.T) {
		if !wsgi.EnvironFromMap(nil).Altered() {
			t.Error("an Environ that describes no server's request must not give access to one")
		}
	})
}
