package peers

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// difference is a row of doc/deploy/differences.md.
type difference struct {
	fronts, request, what string // patterns of path.Match; fronts and requests with commas in between
	direct, behind        string
	line                  int
	used                  bool // or need not be
}

type differences []*difference

// readDifferences reads the rows of the table.
func readDifferences(t *testing.T) (list differences) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(Deploy, "differences.md"))
	if err != nil {
		t.Fatal(err)
	}
	for i, line := range strings.Split(string(text), "\n") {
		cells := strings.Split(line, " | ")
		if !strings.HasPrefix(line, "| ") || len(cells) != 6 || strings.HasPrefix(line, "| Front end") {
			continue
		}
		for i := range cells {
			cells[i] = strings.Trim(strings.TrimSpace(strings.Trim(cells[i], "| ")), "`")
		}
		if cells[5] == "" {
			t.Errorf("differences.md:%d has no reason", i+1)
		}
		list = append(list, &difference{cells[0], cells[1], cells[2], cells[3], cells[4], i + 1, strings.HasPrefix(cells[5], "Sometimes")})
	}
	return list
}

// shown is a value in the table; absent is that there is none.
func shown(r result, what string) string {
	value, ok := r[what]
	if !ok {
		return "absent"
	}
	return value
}

// compare looks each difference up.
func (l differences) compare(t *testing.T, f Front, request string, want, got result) {
	t.Helper()
	all := make(map[string]bool)
	for what := range want {
		all[what] = true
	}
	for what := range got {
		all[what] = true
	}
	if shown(want, "status") != shown(got, "status") {
		all = map[string]bool{"status": true} // the rest follows
	}
	for what := range all {
		direct, behind := shown(want, what), shown(got, what)
		if direct == behind {
			continue
		}
		found := false
		for _, d := range l {
			if matches(d.fronts, f.String()) && matches(d.request, request) && matches(d.what, what) && same(d.direct, direct) && same(d.behind, behind) {
				d.used, found = true, true
			}
		}
		if !found {
			t.Errorf("| %s | %s | %s | %s | %s | |", f, request, what, direct, behind)
		}
	}
}

// same compares a value with a cell, in which * stands for any.
func same(cell, value string) bool { return cell == "*" || cell == value }

// unused reports the rows that nothing was like.
func (l differences) unused(t *testing.T) {
	t.Helper()
	for _, d := range l {
		if !d.used {
			t.Errorf("differences.md:%d describes what is no longer so: %s, %s, %s", d.line, d.fronts, d.request, d.what)
		}
	}
}
