package requirements_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/internal/requirements"
)

// TestPageIsFresh compares doc/rules.md with the table that it is made from.
func TestPageIsFresh(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "doc", "rules.md"))
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Split(string(requirements.Page()), "\n")
	got := strings.Split(strings.ReplaceAll(string(page), "\r\n", "\n"), "\n")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("doc/rules.md is stale, run go generate ./conformance (-want +got):\n%s", diff)
	}
}

func TestPageShowsText(t *testing.T) {
	page := string(requirements.Page())
	for _, row := range requirements.All() {
		if n := strings.Count(page, `<a id="`+row.ID+`"></a>`); n != 1 {
			t.Errorf("the page has %d anchors for %s, expected one", n, row.ID)
		}
	}
	for i, line := range strings.Split(page, "\n") {
		if !strings.HasPrefix(line, "| <a ") {
			continue
		}
		if n := strings.Count(line, "|") - strings.Count(line, `\|`); n != 7 {
			t.Errorf("line %d has %d cells, expected 6: %s", i+1, n-1, line)
		}
	}
}
