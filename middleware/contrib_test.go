package middleware_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What is in contrib has modules of its own, whose tests are run there. That each has
// the same tests and the same comments as the middlewares here is seen from here.
func TestContrib(t *testing.T) {
	const contrib = "../contrib"
	document, err := os.ReadFile("../doc/middleware.md")
	if err != nil {
		t.Fatal(err)
	}
	modules, err := filepath.Glob(filepath.Join(contrib, "*", "go.mod"))
	if err != nil || len(modules) < 4 {
		t.Fatalf("modules %q, error %v", modules, err)
	}
	for _, module := range modules {
		dir := filepath.Dir(module)
		name := filepath.Base(dir)
		if !strings.Contains(string(document), "| [contrib/"+name+"](../contrib/"+name+") |") {
			t.Errorf("doc/middleware.md has no row for contrib/%s", name)
		}
		comments, created, calls, examples := "", []string{}, map[string]bool{}, map[string]bool{}
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range files {
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			for _, decl := range file.Decls {
				f, ok := decl.(*ast.FuncDecl)
				switch {
				case !ok || f.Recv != nil:
				case !strings.HasSuffix(path, "_test.go"):
					if f.Name.IsExported() {
						created = append(created, f.Name.Name)
					}
				case f.Name.Name == "TestContract":
					ast.Inspect(f, func(n ast.Node) bool {
						if s, ok := n.(*ast.SelectorExpr); ok {
							if x, ok := s.X.(*ast.Ident); ok && x.Name == "sandwich" {
								calls[s.Sel.Name] = true
							}
						}
						return true
					})
				default:
					examples[strings.TrimPrefix(f.Name.Name, "Example")] = strings.HasPrefix(f.Name.Name, "Example")
				}
			}
			if !strings.HasSuffix(path, "_test.go") {
				for _, group := range file.Comments {
					comments += group.Text()
				}
			}
		}
		for _, word := range []string{"status", "headers", "body", "Security: "} {
			if !strings.Contains(strings.Join(strings.Fields(comments), " ")+" ", word) {
				t.Errorf("the comments of contrib/%s do not mention %q", name, word)
			}
		}
		if len(created) == 0 {
			t.Errorf("contrib/%s has no function", name)
		}
		for _, function := range created {
			if !examples[function] {
				t.Errorf("%s of contrib/%s has no example", function, name)
			}
		}
		for _, part := range []string{"Keeps", "Live", "LiveCGI"} {
			if !calls[part] {
				t.Errorf("TestContract of contrib/%s does not call sandwich.%s", name, part)
			}
		}
	}
}
