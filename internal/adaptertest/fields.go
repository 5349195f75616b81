package adaptertest

import (
	"bytes"
	"log/slog"
	"reflect"
	"testing"
	"time"

	"github.com/gowsgi/gowsgi/internal/backend"
	"github.com/gowsgi/gowsgi/wsgi"
)

// Set sets the fields of an adapter's Server that o has too.
func Set[S any](server *S, o backend.Options) *S {
	to, from := reflect.ValueOf(server).Elem(), reflect.ValueOf(o)
	for field, value := range from.Fields() {
		if f := to.FieldByName(field.Name); f.IsValid() {
			f.Set(value)
		}
	}
	return server
}

// Fields checks that every field of an adapter's Server has an effect: that it
// is among the options of the server that made makes of it.
func Fields[S any](t *testing.T, made func(server *S) (*backend.Server, error)) {
	o := backend.Options{
		App: wsgi.AppFunc(respond("")), ScriptName: "/x", Environ: map[string]string{"A": "b"},
		ReadHeaderTimeout: 1 * time.Second, ReadTimeout: 2 * time.Second, WriteTimeout: 3 * time.Second, IdleTimeout: 4 * time.Second,
		MaxHeaderBytes: 5, MaxBodyBytes: 6, SingleThread: true, Multiprocess: true, AllowTab: true, AllowProxyAuthenticate: true, Debug: true,
		Errors: new(bytes.Buffer), Logger: slog.New(slog.DiscardHandler),
	}
	b, err := made(Set(new(S), o))
	if err != nil {
		t.Fatal(err)
	}
	want, got := reflect.ValueOf(o), reflect.ValueOf(b.Options)
	for field := range reflect.TypeFor[S]().Fields() {
		if !field.IsExported() {
			continue
		}
		w, g := want.FieldByName(field.Name), got.FieldByName(field.Name)
		switch {
		case !w.IsValid() || w.IsZero():
			t.Errorf("nothing is known of the field %s", field.Name)
		case w.Kind() == reflect.Interface && w.Elem().Kind() == reflect.Func:
			if g.IsNil() {
				t.Errorf("the field %s has no effect", field.Name)
			}
		case !reflect.DeepEqual(w.Interface(), g.Interface()):
			t.Errorf("the field %s is %v and becomes %v", field.Name, w, g)
		}
	}
}
