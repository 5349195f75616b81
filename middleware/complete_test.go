package middleware_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// families are the packages that have middlewares, with their folders.
var families = map[string]string{"middleware": ".", "static": "static", "session": "session"}

// rowName is what begins a row of a table for a middleware.
var rowName = regexp.MustCompile("(?m)^\\| `((?:middleware|static|session)\\.\\w+)` \\|")

// constructors adds the exported functions of the package in dir that return a
// middleware, with their comments, and returns the names of all functions of its
// tests.
func constructors(t *testing.T, pkg, dir string, comments map[string]string) (tests []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if !strings.HasSuffix(entry.Name(), ".go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(dir, entry.Name()), nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok {
				continue
			}
			if strings.HasSuffix(entry.Name(), "_test.go") {
				tests = append(tests, f.Name.Name)
				continue
			}
			if f.Recv != nil || !f.Name.IsExported() || f.Type.Results == nil {
				continue
			}
			if s, ok := f.Type.Results.List[0].Type.(*ast.SelectorExpr); ok && s.Sel.Name == "Middleware" {
				comments[pkg+"."+f.Name.Name] = strings.Join(strings.Fields(f.Doc.Text()), " ")
			}
		}
	}
	return tests
}

// Every middleware has a comment that says what it does to a response and what
// is to be known for security, an example that runs, a place in the table of
// the document, and is run live.
func TestComplete(t *testing.T) {
	document, err := os.ReadFile("../doc/middleware.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]bool{}
	for _, row := range rowName.FindAllStringSubmatch(string(document), -1) {
		if rows[row[1]] {
			t.Errorf("doc/middleware.md has two rows for %s", row[1])
		}
		rows[row[1]] = true
	}
	comments, tests := map[string]string{}, map[string][]string{}
	for pkg, dir := range families {
		before := len(comments)
		tests[pkg] = constructors(t, pkg, dir, comments)
		if len(comments) == before {
			t.Fatalf("no middleware was found in package %s", pkg)
		}
	}
	for name, comment := range comments {
		pkg, function, _ := strings.Cut(name, ".")
		for _, word := range []string{"status", "header", "body", "Security: "} {
			if !strings.Contains(strings.ToLower(comment), strings.ToLower(word)) {
				t.Errorf("the comment of %s does not mention %q", name, word)
			}
		}
		if !slices.Contains(tests[pkg], "Example"+function) {
			t.Errorf("%s has no example", name)
		}
		if _, ok := everything()[strings.TrimPrefix(name, "middleware.")]; !ok {
			t.Errorf("%s is not in the table of this test", name)
		}
		if !rows[name] {
			t.Errorf("doc/middleware.md has no row for %s", name)
		}
		delete(rows, name)
	}
	for name := range rows {
		t.Errorf("doc/middleware.md has a row for %s, which does not exist", name)
	}
}
