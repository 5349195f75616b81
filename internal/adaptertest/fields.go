package adaptertest

import (
	"bytes"
	"log/slog"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"github.com/gowsgi/gowsgi/internal/backend"
	"github.com/gowsgi/gowsgi/internal/forward"
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
		App: wsgi.AppFunc(respond("")), ScriptName: "/x", Environ: map[string]string{"A": "b"}, Peers: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")},
		ReadHeaderTimeout: 1 * time.Second, ReadTimeout: 2 * time.Second, WriteTimeout: 3 * time.Second, IdleTimeout: 4 * time.Second,
		ShutdownTimeout: 5 * time.Second, MaxHeaderBytes: 5, MaxBodyBytes: 6, SingleThread: true, Multiprocess: true, AllowTab: true, AllowProxyAuthenticate: true, Debug: true,
		Errors: new(bytes.Buffer), Logger: slog.New(slog.DiscardHandler),
	}
	b, err := made(Set(new(S), o))
	if err != nil {
		t.Fatal(err)
	}
	compareFields[S](t, o, b.Options)
}

func clientOptions() forward.Options {
	return forward.Options{
		Network: "unix", Addrs: []string{"a", "b", "c"}, Environ: map[string]string{"A": "b"},
		DialTimeout: 1 * time.Second, QueueTimeout: 2 * time.Second, WriteTimeout: 3 * time.Second, ResponseTimeout: 4 * time.Second,
		ReadTimeout: 5 * time.Second, IdleTimeout: 6 * time.Second, MaxConns: 7, MaxIdleConns: 8, MaxHeaderBytes: 9, MaxBodyBytes: 10,
		Logger: slog.New(slog.DiscardHandler),
	}
}

// compareFields compares the exported fields of S, as they were set and as they
// became.
func compareFields[S, O any](t *testing.T, set, became O) {
	t.Helper()
	want, got := reflect.ValueOf(set), reflect.ValueOf(became)
	for field := range reflect.TypeFor[S]().Fields() {
		if !field.IsExported() || field.Name == "Addr" { // of a server, or the first of Addrs
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
