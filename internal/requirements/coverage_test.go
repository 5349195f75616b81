package requirements_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/internal/requirements"
)

// How a test says which requirements it is about:
//
//   - by the name of a subtest, which is the id, or several with slashes
//     between them, a slash, and what about it: a string literal that begins in
//     this way, in a table or as the name that is given to Run, or a name given
//     to Run that is the id alone;
//   - for further requirements, by a comment near it that says Covers, a
//     colon, and the ids, separated by commas, on one line.
//
// Names may also begin with the number of an ambiguity (AMB) or of a trap of
// net/http (N), which are other lists.
var (
	subtestName = regexp.MustCompile(`^[A-Z]+-[0-9][0-9]/.`)
	bareName    = regexp.MustCompile(`^[A-Z]+-[0-9][0-9]$`)
	otherList   = regexp.MustCompile(`^(AMB|N)-`)
	covers      = regexp.MustCompile(`\bCovers: ([A-Z]+-[0-9][0-9](?:, [A-Z]+-[0-9][0-9])*)`)
)

// scan adds the ids that the tests in a file carry to the places where they do.
func scan(places map[string][]string, name string, source any) error {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, source, parser.ParseComments)
	if err != nil {
		return err
	}
	add := func(id string, pos token.Pos) {
		p := fset.Position(pos)
		places[id] = append(places[id], fmt.Sprintf("%s:%d", p.Filename, p.Line))
	}
	literal := func(n ast.Node, form *regexp.Regexp) {
		lit, ok := n.(*ast.BasicLit)
		if !ok || lit.Kind != token.STRING {
			return
		}
		text, err := strconv.Unquote(lit.Value)
		if err != nil {
			return
		}
		if !form.MatchString(text) {
			return
		}
		for id := range strings.SplitSeq(text, "/") {
			if !bareName.MatchString(id) {
				break
			}
			if !otherList.MatchString(id) {
				add(id, lit.Pos())
			}
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		literal(n, subtestName)
		if call, ok := n.(*ast.CallExpr); ok && len(call.Args) == 2 {
			if fun, ok := call.Fun.(*ast.SelectorExpr); ok && fun.Sel.Name == "Run" {
				literal(call.Args[0], bareName)
			}
		}
		return true
	})
	for _, group := range file.Comments {
		for _, comment := range group.List {
			for _, match := range covers.FindAllStringSubmatch(comment.Text, -1) {
				for id := range strings.SplitSeq(match[1], ", ") {
					add(id, comment.Pos())
				}
			}
		}
	}
	return nil
}

// testFiles yields the test files of the module, save those of this package,
// whose ids are examples and reasons.
func testFiles(t *testing.T) iter.Seq[string] {
	root := filepath.Join("..", "..")
	own := filepath.Join(root, "internal", "requirements")
	return func(yield func(path string) bool) {
		err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case path == own, entry.IsDir() && (entry.Name() == "testdata" || strings.HasPrefix(entry.Name(), ".") && path != root):
				return filepath.SkipDir
			case entry.IsDir() || !strings.HasSuffix(path, "_test.go"):
				return nil
			case !yield(path):
				return filepath.SkipAll
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestCoverage looks for a test of every requirement that binds a server. What
// has none stands in because, with the reason.
func TestCoverage(t *testing.T) {
	places := make(map[string][]string)
	for path := range testFiles(t) {
		if err := scan(places, path, nil); err != nil {
			t.Fatal(err)
		}
	}
	for id, where := range places {
		if _, ok := requirements.ByID(id); !ok {
			t.Errorf("%s: there is no requirement %s", where[0], id)
		}
	}
	for _, row := range requirements.All() {
		reason, excused := because[row.ID]
		where, covered := places[row.ID]
		switch {
		case !row.BindsServer() || row.Word() == "":
			if excused {
				t.Errorf("%s needs no test, and so no reason for having none", row.ID)
			}
		case excused && covered:
			t.Errorf("%s has a test (%s), and also a reason for having none: %s", row.ID, where[0], reason)
		case !excused && !covered:
			t.Errorf("%s has no test (%s; %s): %s", row.ID, row.Level, row.Binds, row.Text)
		}
	}
	for id := range because {
		if _, ok := requirements.ByID(id); !ok {
			t.Errorf("because: there is no requirement %s", id)
		}
	}
}

// How many ambiguities of the PEP and traps of net/http the catalogue counts.
const (
	ambiguities = 42
	traps       = 28
)

// TestAmbiguities looks for a test that shows the choice in every ambiguity.
func TestAmbiguities(t *testing.T) { mentioned(t, "AMB", ambiguities) }

// TestTraps looks for a test of every trap of net/http.
func TestTraps(t *testing.T) { mentioned(t, "N", traps) }

// mentioned sees to it that the numbers from 1 to last are named by a test
// file, wherever in it.
func mentioned(t *testing.T, list string, last int) {
	t.Helper()
	form := regexp.MustCompile(`\b` + list + `-[0-9]+\b`)
	places := make(map[string]string)
	for path := range testFiles(t) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range form.FindAllString(string(text), -1) {
			places[id] = path
		}
	}
	ids := make(map[string]bool)
	for n := range last {
		id := fmt.Sprintf("%s-%02d", list, n+1)
		ids[id] = true
		if places[id] == "" {
			t.Errorf("%s is named by no test", id)
		}
	}
	for id, where := range places {
		if !ids[id] {
			t.Errorf("%s: there is no %s", where, id)
		}
	}
}

func TestScan(t *testing.T) {
	const source = `package p

// Covers: START-01, START-02
func TestA(t *testing.T) {
	tests := []struct{ name, rule string }{
		{"HDR-01/one", "HDR-02"}, // a rule is not a name
		{name: "HDR-03/two/three", rule: "see HDR-04/five"},
		{name: "AMB-01/HDR-08/HDR-11/six"},
		{name: "HDR/none"},
	}
	t.Run("HDR-05", nil)
	t.Run("HDR-06/"+x, nil) // as good as no name
	t.Run("HDR-07/a "+x, nil)
	// AMB-01. Covers: LEN-01, LEN-02. Not LEN-03.
}
`
	got := make(map[string][]string)
	if err := scan(got, "p.go", source); err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{
		"START-01": {"p.go:3"}, "START-02": {"p.go:3"},
		"HDR-01": {"p.go:6"}, "HDR-03": {"p.go:7"}, "HDR-08": {"p.go:8"}, "HDR-11": {"p.go:8"}, "HDR-05": {"p.go:11"}, "HDR-07": {"p.go:13"},
		"LEN-01": {"p.go:14"}, "LEN-02": {"p.go:14"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("ids (-want +got):\n%s", diff)
	}
}

func TestRows(t *testing.T) {
	all := requirements.All()
	if len(all) != 381 {
		t.Errorf("%d rows, expected 381", len(all))
	}
	words := []string{"", "MUST", "MUST NOT", "SHOULD", "SHOULD NOT", "MAY"}
	seen := make(map[string]bool)
	for _, row := range all {
		if !bareName.MatchString(row.ID) || row.Binds == "" || row.Text == "" || row.Checks == "" {
			t.Errorf("incomplete row %q", row)
		}
		if !slices.Contains(words, row.Word()) {
			t.Errorf("%s: level %q has the word %q", row.ID, row.Level, row.Word())
		}
		if seen[row.ID] {
			t.Errorf("%s occurs twice", row.ID)
		}
		seen[row.ID] = true
		if got, ok := requirements.ByID(row.ID); !ok || got != row {
			t.Errorf("ByID(%q) = %v, %t", row.ID, got, ok)
		}
	}
	letters := ""
	for _, m := range requirements.Means {
		letters += string(m.Letter)
	}
	for _, g := range requirements.Groups() {
		if g.Title == "" || len(g.Rows) == 0 {
			t.Errorf("incomplete group %q", g.ID)
		}
		for _, row := range g.Rows {
			if row.Group() != g.ID {
				t.Errorf("%s is in the group %s", row.ID, g.ID)
			}
			rest := letters
			for _, c := range row.Checks {
				i := strings.IndexRune(rest, c)
				if i < 0 {
					t.Errorf("%s: checks are %q, expected letters of %s in this order", row.ID, row.Checks, letters)
					break
				}
				rest = rest[i+1:]
			}
			if row.Section == "" && !strings.HasPrefix(row.ID, "COM-") {
				t.Errorf("%s has no section of the PEP", row.ID)
			}
		}
	}
	if row, ok := requirements.ByID("START-99"); ok {
		t.Errorf("ByID(%q) = %v", "START-99", row)
	}
	all[0].ID = "changed"
	if requirements.All()[0].ID == "changed" {
		t.Error("All returns the rows themselves, expected a copy")
	}
	if info, err := os.Stat("requirements.tsv"); err != nil || info.Size() > 64<<10 {
		t.Errorf("the table is too large to embed without a thought: %v, %v", info, err)
	}
}
