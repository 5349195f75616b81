package docs

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	codeSpan  = regexp.MustCompile("`([^`]+)`")
	qualified = regexp.MustCompile(`^(wsgi|wsgitest|server|gateway|middleware|static|session|nethttp|conformance|fastcgi|scgi|uwsgi|cgi|frontend|launch)\.([A-Z]\w*(?:\.[A-Z]\w*)?)`)
	bare      = regexp.MustCompile(`^[A-Z][A-Za-z0-9]*(?:\.[A-Z]\w*)?`)
)

// Every name of this module that the prose mentions, such as server.Handler or
// wsgi.Environ.Var, exists. In the map from the PEP a name without a package is
// of package wsgi.
func TestNamesExist(t *testing.T) {
	names := map[string]map[string]bool{}
	for name, dir := range packages {
		if dir, ok := strings.CutPrefix(dir, module+"/"); ok {
			names[name] = exported(t, dir)
		}
	}
	for _, d := range documents(t) {
		prose, _ := d.split(t)
		for i, line := range prose {
			if d.name == "doc/pep-to-go.md" && strings.HasPrefix(line, "|") {
				if cells := strings.Split(line, "|"); len(cells) == 6 {
					line = cells[3] // the others are in the words of the PEP
				}
			}
			for _, m := range codeSpan.FindAllStringSubmatch(line, -1) {
				pkg, name := "", ""
				if q := qualified.FindStringSubmatch(m[1]); q != nil {
					pkg, name = q[1], q[2]
				} else if d.name == "doc/pep-to-go.md" && !strings.Contains(m[1], "_") {
					pkg, name = "wsgi", bare.FindString(m[1])
				}
				if all := names[pkg]; name != "" && all != nil && !all[name] {
					t.Errorf("%s:%d: %s.%s does not exist", d.name, i+1, pkg, name)
				}
			}
		}
	}
}

// exported returns the exported names of the package in dir, a field or method
// as Type.Name.
func exported(t *testing.T, dir string) map[string]bool {
	t.Helper()
	dir = filepath.Join(root(t), filepath.FromSlash(dir))
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, entry := range entries {
		if path.Ext(entry.Name()) != ".go" || strings.HasSuffix(entry.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(dir, entry.Name()), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil {
					names[d.Name.Name] = true
				} else {
					names[receiver(d.Recv.List[0].Type)+"."+d.Name.Name] = true
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					declare(names, spec)
				}
			}
		}
	}
	return names
}

// declare adds the names of one type, constant or variable.
func declare(names map[string]bool, spec ast.Spec) {
	switch s := spec.(type) {
	case *ast.ValueSpec:
		for _, name := range s.Names {
			names[name.Name] = true
		}
	case *ast.TypeSpec:
		names[s.Name.Name] = true
		var members *ast.FieldList
		switch typ := s.Type.(type) {
		case *ast.StructType:
			members = typ.Fields
		case *ast.InterfaceType:
			members = typ.Methods
		default:
			return
		}
		for _, member := range members.List {
			for _, name := range member.Names {
				names[s.Name.Name+"."+name.Name] = true
			}
		}
	}
}

// receiver returns the name of the type that a method belongs to.
func receiver(typ ast.Expr) string {
	switch typ := typ.(type) {
	case *ast.StarExpr:
		return receiver(typ.X)
	case *ast.IndexExpr:
		return receiver(typ.X)
	case *ast.Ident:
		return typ.Name
	}
	return ""
}
