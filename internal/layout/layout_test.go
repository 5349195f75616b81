// Package layout holds the tests that keep the module in the shape that its
// architecture gives it.
package layout

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	module = "github.com/gowsgi/gowsgi"
	root   = "../.." // from this package
)

// mayImport says which packages of this module those in a folder may import
// besides the folder itself and internal/. The first folder that fits counts.
// "*" is everything: those stand at the top.
var mayImport = []struct {
	folder  string
	imports []string
}{
	{"wsgi/wsgitest", []string{"wsgi", "server/gateway"}},
	{"wsgi", nil},
	{"server/gateway", []string{"wsgi"}},
	{"server", []string{"wsgi", "server/gateway"}},
	{"adapters/nethttp", []string{"wsgi"}},
	{"adapters/python", []string{"wsgi"}},
	{"adapters", []string{"wsgi", "server/gateway"}},
	{"middleware", []string{"wsgi"}},
	{"conformance", []string{"*"}},
	{"cmd", []string{"*"}},
	{"internal", []string{"*"}}, // by whom it is imported is what counts
	{"examples", []string{"*"}},
}

// pkg is what go list tells of a package.
type pkg struct {
	folder  string // in the module
	imports []string
}

// packages lists the packages of the root module and what they import; tests
// may import what they like.
func packages(t *testing.T) []pkg {
	t.Helper()
	list := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "./...")
	list.Dir = root
	list.Env = append(os.Environ(), "GOWORK=off")
	out, err := list.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []pkg
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(line)
		all = append(all, pkg{strings.TrimPrefix(strings.TrimPrefix(words[0], module), "/"), words[1:]})
	}
	return all
}

// TestImports checks that nothing imports upward.
func TestImports(t *testing.T) {
	below := func(folder, parent string) bool {
		return folder == parent || strings.HasPrefix(folder, parent+"/")
	}
	// What a package imports by way of internal/ it imports all the same.
	viaInternal := map[string][]string{}
	all := packages(t)
	for _, p := range all {
		viaInternal[p.folder] = p.imports
	}
	for _, p := range all {
		i := slices.IndexFunc(mayImport, func(rule struct {
			folder  string
			imports []string
		}) bool {
			return below(p.folder, rule.folder)
		})
		if i < 0 {
			t.Errorf("%s is in no folder of the architecture", p.folder)
			continue
		}
		rule := mayImport[i]
		if slices.Contains(rule.imports, "*") {
			continue
		}
		seen := map[string]bool{}
		var check func(imports []string)
		check = func(imports []string) {
			for _, name := range imports {
				first, _, _ := strings.Cut(name, "/")
				if !strings.Contains(first, ".") {
					continue // the standard library
				}
				folder, own := strings.CutPrefix(name, module+"/")
				switch {
				case seen[name] || own && below(folder, p.folder):
				case own && below(folder, "internal"):
					seen[name] = true
					check(viaInternal[folder])
				case own && slices.Contains(rule.imports, folder):
				case !own && rule.folder != "wsgi" && strings.HasPrefix(name, "golang.org/x/sync/"):
				default:
					t.Errorf("%s imports %s, expected only the standard library and %v", p.folder, name, rule.imports)
				}
			}
		}
		check(p.imports)
	}
}

// tracked returns the files that are under version control, as paths with
// slashes from the root.
func tracked(t *testing.T) []string {
	t.Helper()
	list := exec.Command("git", "ls-files", "-z")
	list.Dir = root
	out, err := list.Output()
	if err != nil {
		t.Skipf("this is no clone: git ls-files: %v", err)
	}
	return slices.DeleteFunc(strings.Split(string(out), "\x00"), func(name string) bool {
		if name == "" {
			return true
		}
		_, err := os.Lstat(filepath.Join(root, filepath.FromSlash(name)))
		return os.IsNotExist(err) // deleted, and not yet committed
	})
}

// TestTopLevel checks that nothing has come to lie at the top that the
// architecture has no place for.
func TestTopLevel(t *testing.T) {
	allowed := []string{
		"wsgi", "middleware", "server", "adapters", "conformance", "doc", "go.mod", "go.sum", "LICENSE",
		"cmd", "examples", "bench", "contrib", "deploy", "internal",
	}
	reported := map[string]bool{}
	for _, name := range tracked(t) {
		top, _, folder := strings.Cut(name, "/")
		switch {
		case slices.Contains(allowed, top), strings.HasPrefix(top, "."), !folder && path.Ext(top) == ".md", reported[top]:
		default:
			reported[top] = true
			t.Errorf("%s lies at the top, expected only %v, dot files and *.md", top, allowed)
		}
	}
}

// TestFileLength checks that no file of Go has grown to hold more than a
// reader takes in.
func TestFileLength(t *testing.T) {
	const most = 450
	for _, name := range tracked(t) {
		if path.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(text), "\n"); n > most {
			t.Errorf("%s has %d lines, expected at most %d", name, n, most)
		}
	}
}

// TestDependencies checks that the root module requires nothing else than it
// is meant to.
func TestDependencies(t *testing.T) {
	allowed := []string{"github.com/google/go-cmp", "golang.org/x/sync"}
	text, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	block := ""
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(line, "//")
		words := strings.Fields(line)
		switch {
		case len(words) == 0:
			continue
		case words[0] == ")":
			block = ""
			continue
		case len(words) == 2 && words[1] == "(":
			block = words[0]
			continue
		case block != "":
			words = append([]string{block}, words...)
		}
		switch words[0] {
		case "module", "go":
		case "require":
			if !slices.Contains(allowed, words[1]) {
				t.Errorf("go.mod requires %s, expected nothing but %v", words[1], allowed)
			}
		default: // replace, exclude, toolchain, tool: none of them is for a library
			t.Errorf("go.mod has the line %q, expected module, go and require only", strings.Join(words, " "))
		}
	}
}

// TestGatewayExports checks that the gateway is still a small interface: what
// a protocol needs, and no more.
func TestGatewayExports(t *testing.T) {
	const most = 15
	var names []string
	folder := os.DirFS(filepath.Join(root, "server", "gateway"))
	files, err := fs.Glob(folder, "*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := fs.ReadFile(folder, name)
		if err != nil {
			t.Fatal(err)
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, text, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range file.Decls {
			names = append(names, declared(decl)...)
		}
	}
	names = slices.DeleteFunc(names, func(name string) bool { return !ast.IsExported(name) })
	if len(names) > most {
		t.Errorf("server/gateway exports %d names, expected at most %d: %v", len(names), most, names)
	}
}

// declared returns the names that decl adds to its package.
func declared(decl ast.Decl) (names []string) {
	switch decl := decl.(type) {
	case *ast.FuncDecl:
		if decl.Recv == nil {
			names = append(names, decl.Name.Name)
		}
	case *ast.GenDecl:
		for _, spec := range decl.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				names = append(names, spec.Name.Name)
			case *ast.ValueSpec:
				for _, name := range spec.Names {
					names = append(names, name.Name)
				}
			}
		}
	}
	return names
}
