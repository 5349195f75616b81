package wsgi_test

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// parsePackage returns the source files of this package and its documentation.
func parsePackage(t *testing.T) ([]*ast.File, *doc.Package) {
	t.Helper()
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	fset := token.NewFileSet()
	var files []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(fset, name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	pkg, err := doc.NewFromFiles(fset, files, "github.com/gowsgi/gowsgi/wsgi")
	if err != nil {
		t.Fatal(err)
	}
	return files, pkg
}

// What a contract names, everybody has to learn. A name more needs a reason.
const maxNames = 45

func TestNames(t *testing.T) {
	_, pkg := parsePackage(t)
	var names []string
	add := func(values []*doc.Value, funcs []*doc.Func) {
		for _, value := range values {
			for _, name := range value.Names {
				if ast.IsExported(name) {
					names = append(names, name)
				}
			}
		}
		for _, fn := range funcs {
			names = append(names, fn.Name)
		}
	}
	add(pkg.Consts, pkg.Funcs)
	add(pkg.Vars, nil)
	for _, typ := range pkg.Types {
		names = append(names, typ.Name)
		add(typ.Consts, typ.Funcs) // go/doc lists constructors with their type
		add(typ.Vars, nil)
	}
	if len(names) < 10 || len(names) > maxNames {
		t.Errorf("%d exported names, want at most %d: %q", len(names), maxNames, names)
	}
}

// Every exported name has a comment that begins with it; a struct's field and
// an interface's method has its own, or is named in that of its type.
func TestDocumented(t *testing.T) {
	_, pkg := parsePackage(t)
	begins := func(comment, owner, name string) {
		first, _, _ := strings.Cut(strings.TrimSpace(comment), " ")
		if first != name && first != "A" && first != "An" && first != "The" {
			t.Errorf("%s%s: its comment does not begin with its name: %.40q", owner, name, comment)
		}
	}
	funcs := func(owner string, list []*doc.Func) {
		for _, fn := range list {
			begins(fn.Doc, owner, fn.Name)
		}
	}
	if !strings.HasPrefix(pkg.Doc, "Package wsgi ") {
		t.Errorf("package comment: %.40q", pkg.Doc)
	}
	values := func(list []*doc.Value) {
		for _, value := range list {
			if value.Doc == "" { // one comment may stand for a group
				t.Errorf("%q have no comment", value.Names)
			}
		}
	}
	funcs("", pkg.Funcs)
	values(pkg.Consts)
	values(pkg.Vars)
	for _, typ := range pkg.Types {
		values(typ.Consts)
		values(typ.Vars)
		begins(typ.Doc, "", typ.Name)
		funcs("", typ.Funcs)
		funcs(typ.Name+".", typ.Methods)
		for _, member := range members(typ) {
			for _, name := range member.Names {
				if !name.IsExported() || member.Doc != nil || member.Comment != nil {
					continue
				}
				if !regexp.MustCompile(`\b` + name.Name + `\b`).MatchString(typ.Doc) {
					t.Errorf("%s.%s has no comment and that of %[1]s does not name it", typ.Name, name.Name)
				}
			}
		}
	}
}

// members returns the fields of a struct type or the methods of an interface.
func members(typ *doc.Type) (list []*ast.Field) {
	for _, spec := range typ.Decl.Specs {
		switch body := spec.(*ast.TypeSpec).Type.(type) {
		case *ast.StructType:
			list = append(list, body.Fields.List...)
		case *ast.InterfaceType:
			list = append(list, body.Methods.List...)
		}
	}
	return list
}

// The contract depends on nothing but Go, so that everybody can depend on it.
func TestImports(t *testing.T) {
	files, _ := parsePackage(t)
	for _, file := range files {
		for _, spec := range file.Imports {
			path, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			first, _, _ := strings.Cut(path, "/")
			// Only the standard library's first elements have no dot. The
			// others know a server, of which the contract knows nothing; C
			// and unsafe would bind it to a platform.
			if strings.Contains(first, ".") || first == "net" || path == "C" || path == "unsafe" {
				t.Errorf("imports %q", path)
			}
		}
	}
}

// LEG-05: the language version that the contract is written in is stated.
func TestLanguageVersion(t *testing.T) {
	module, err := os.ReadFile("../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`(?m)^go 1\.\d+`).Match(module) {
		t.Error("go.mod states no version of Go")
	}
}
