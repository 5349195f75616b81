package wsgi_test

import (
	"context"
	"reflect"
	"testing"

	"github.com/gowsgi/gowsgi/wsgi"
)

// FuzzEnviron runs random operations on an Environ and on a plain map, which
// must not differ in any answer.
func FuzzEnviron(f *testing.F) {
	f.Add(byte(0), []byte{0, 1, 2, 3})
	f.Add(byte(1), []byte("\x00\x00\x01\x01\x00\x02\x02\x00\x05\x00"))
	f.Add(byte(2), []byte("\x01\x01\x00\x01\x05\x01\x03\x01\x00\x04"))
	keys := []string{"REQUEST_METHOD", "PATH_INFO", "QUERY_STRING", "wsgi.version", "wsgi.url_scheme", "ABSENT", "my.key", ""}
	values := []any{"text", "", nil, 42, [2]int{1, 0}, &struct{ _ byte }{}, false}

	f.Fuzz(func(t *testing.T, form byte, operations []byte) {
		var from wsgi.Source
		model := make(map[string]any)
		switch form % 3 {
		case 1:
			from = newSource()
		case 2:
			from = newValueSource()
			for key, value := range newValueSource().values {
				model[key] = value
			}
		}
		if from != nil {
			for key, value := range newSource().vars {
				model[key] = value
			}
		}
		e := wsgi.NewEnviron(context.Background(), from)
		type pair struct {
			e     *wsgi.Environ
			model map[string]any
		}
		var abandoned []pair // dictionaries from which a clone was made
		for len(operations) >= 2 {
			key, op := keys[int(operations[0])%len(keys)], operations[1]
			operations = operations[2:]
			switch op % 4 {
			case 0, 1:
				value := values[int(op/4)%len(values)]
				e.Set(key, value)
				model[key] = value
			case 2:
				e.Delete(key)
				delete(model, key)
			case 3:
				abandoned = append(abandoned, pair{e, model})
				e = e.Clone()
				copied := make(map[string]any)
				for key, value := range model {
					copied[key] = value
				}
				model = copied
			}
		}
		for _, p := range append(abandoned, pair{e, model}) {
			if got := p.e.Map(); !reflect.DeepEqual(got, p.model) {
				t.Fatalf("Map = %v, want %v", got, p.model)
			}
			seen := make(map[string]bool)
			for key := range p.e.All() {
				if seen[key] {
					t.Errorf("All yields %q twice", key)
				}
				seen[key] = true
			}
			for _, key := range keys {
				want, present := p.model[key]
				if got, ok := p.e.Lookup(key); got != want || ok != present || p.e.Get(key) != want {
					t.Errorf("Lookup(%q) = %v, %v; want %v, %v", key, got, ok, want, present)
				}
				// Var is for CGI variables: a dotted key may be kept in Values.
				if text, _ := want.(string); p.e.Var(key) != text && key != "wsgi.url_scheme" {
					t.Errorf("Var(%q) = %q, want %q", key, p.e.Var(key), text)
				}
			}
		}
	})
}

func BenchmarkEnvironVar(b *testing.B) {
	e := wsgi.NewEnviron(context.Background(), newSource())
	b.ReportAllocs()
	for b.Loop() {
		e.Var("PATH_INFO")
	}
}
