package adaptertest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// own are the fields whose text is one adapter's own, with the reason. Every other
// field that adapters have in common is the same in each: a struct that they
// shared could not be written down in one piece by who uses it, and go doc would
// hide its fields.
var own = map[string]string{
	"fastcgi.Server.Errors":       "FastCGI has a stream for them",
	"fastcgi.Server.MaxBodyBytes": "a body there may have no declared length",
	"uwsgi.Server.MaxHeaderBytes": "the protocol has a limit, and no answer beyond it",
	"fastcgi.Client.MaxConns":     "libfcgi serves a connection to its end",
	"nethttp.Client.MaxIdleConns": "FastCGI tells the backend whether its connection is kept",
	"nethttp.Client.WriteTimeout": "net/http says when it writes",
	"nethttp.Client.MaxBodyBytes": "HTTP has bodies without a length, and Django none",
}

// TestFieldsAreDocumentedAlike compares the fields of servers, and of clients: their
// texts, and their order.
func TestFieldsAreDocumentedAlike(t *testing.T) {
	used := map[string]bool{}
	for name, adapters := range map[string][]string{
		"Server": {"scgi", "uwsgi", "fastcgi"}, "Client": {"scgi", "uwsgi", "fastcgi", "nethttp"},
	} {
		first, texts := fields(t, adapters[0], name)
		for _, adapter := range adapters[1:] {
			names, others := fields(t, adapter, name)
			var common, commonToo []string
			for _, field := range first {
				if _, ok := others[field]; ok {
					common = append(common, field)
				}
			}
			for _, field := range names {
				text, ok := texts[field]
				if !ok {
					texts[field] = others[field] // for those that come later
					continue
				}
				for _, n := range first {
					if n == field {
						commonToo = append(commonToo, field)
					}
				}
				full := adapter + "." + name + "." + field
				diff := cmp.Diff(text, others[field])
				if own[full] != "" {
					if used[full] = true; diff == "" {
						t.Errorf("%s has no text of its own any more", full)
					}
				} else if diff != "" {
					t.Errorf("%s (-in %s +here):\n%s", full, adapters[0], diff)
				}
			}
			if diff := cmp.Diff(common, commonToo); diff != "" {
				t.Errorf("%s.%s has another order of fields (-in %s +here):\n%s", adapter, name, adapters[0], diff)
			}
		}
	}
	for full := range own {
		if !used[full] {
			t.Errorf("%s is not compared", full)
		}
	}
}

// fields returns the exported fields of a struct of an adapter, in their order, and
// what is said of each.
func fields(t *testing.T, adapter, name string) (names []string, texts map[string]string) {
	t.Helper()
	file := map[string]string{"Server": "server.go", "Client": "client.go"}[name]
	parsed, err := parser.ParseFile(token.NewFileSet(), "../../adapters/"+adapter+"/"+file, nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	texts = map[string]string{}
	ast.Inspect(parsed, func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		if !ok || spec.Name.Name != name {
			return true
		}
		for _, field := range spec.Type.(*ast.StructType).Fields.List {
			for _, ident := range field.Names {
				if ident.IsExported() {
					names = append(names, ident.Name)
					texts[ident.Name] = field.Doc.Text()
				}
			}
		}
		return false
	})
	if len(names) == 0 {
		t.Fatalf("%s has no %s with fields", file, name)
	}
	return names, texts
}
