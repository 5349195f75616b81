// Package audit holds tables that name tests to their word: a row says what can
// go wrong and which test would see it, and a test that has another name by now
// sees nothing.
package audit

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// Tests knows the tests of packages.
type Tests struct {
	// Folders are the folders of the packages by the names that tables have for
	// them.
	Folders map[string]string

	known map[string]map[string]map[string]bool // package, test, the texts in it
}

// Check reports an error unless there is a test of that name: a package, a test
// function, and where it is one case of many, its name, as in
// "scgi.TestMalformed/no comma". why says what the test is named for.
func (x *Tests) Check(t testing.TB, why, name string) {
	t.Helper()
	pkg, test, _ := strings.Cut(name, ".")
	test, one, oneOfMany := strings.Cut(test, "/")
	if x.known[pkg] == nil {
		if x.known == nil {
			x.known = map[string]map[string]map[string]bool{}
		}
		x.known[pkg] = testsIn(t, x.Folders[pkg])
	}
	texts, ok := x.known[pkg][test]
	if !ok {
		t.Errorf("%s: there is no test %s", why, name)
	} else if oneOfMany && !texts[one] {
		t.Errorf("%s: %s.%s has no case %q", why, pkg, test, one)
	}
}

// testsIn returns the tests in a folder, each with the texts that are in its code.
func testsIn(t testing.TB, dir string) map[string]map[string]bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil || dir == "" || len(files) == 0 {
		t.Fatalf("there are no tests in %q: %v", dir, err)
	}
	tests := map[string]map[string]bool{}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok || f.Recv != nil || !strings.HasPrefix(f.Name.Name, "Test") {
				continue
			}
			texts := map[string]bool{}
			ast.Inspect(f, func(n ast.Node) bool {
				if literal, ok := n.(*ast.BasicLit); ok && literal.Kind == token.STRING {
					if text, err := strconv.Unquote(literal.Value); err == nil {
						texts[text] = true
					}
				}
				return true
			})
			tests[f.Name.Name] = texts
		}
	}
	return tests
}
