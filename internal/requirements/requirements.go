// Package requirements is the catalogue of what PEP 3333 and the practice
// around it ask of servers, applications and middleware: the rows that the
// rules, the reports and the tests of this module are named after.
package requirements

import (
	_ "embed"
	"strings"
	"sync"
)

// A Row is one requirement.
type Row struct {
	// ID is the group, a hyphen and two digits, such as "START-13". It never
	// changes.
	ID string

	// Level is how strongly the row binds: "MUST", "SHOULD NOT" and the like.
	// A following ° means that the PEP says so without emphasis, † that it is
	// derived, COM that it is common practice outside the PEP. A level in
	// parentheses, or with a remark in them, carries no test.
	Level string

	// Binds names who is bound, separated by commas: server, app, mw, ...
	Binds string

	// Text is the requirement.
	Text string

	// Section names the sections of PEP 3333 that say so, separated by
	// semicolons. It is "" for common practice outside the PEP.
	Section string

	// Checks has one letter for each means that can find a violation, in the
	// order of Means.
	Checks string
}

// Means are the ways to check a row: a letter of Row.Checks and its word.
var Means = []struct {
	Letter rune
	Word   string
	What   string
}{
	{'S', "server", "a probe application inside the server, and a client that looks at the wire"},
	{'A', "application", "a probe server that drives the application"},
	{'M', "middleware", "both of them, with the middleware in between"},
	{'L', "lint", "an observer at the call boundary, conformance.Lint, while requests are served"},
	{'C', "compiler", "the types of package wsgi: a program that violates it does not compile"},
	{'D', "document", "reading: the row is about documentation, or leaves nothing to test"},
}

// A Group is a set of rows about one topic.
type Group struct {
	ID    string // what the ids of its rows begin with, such as "START"
	Title string
	Rows  []Row
}

// Group returns the part of the id before the hyphen.
func (r Row) Group() string {
	group, _, _ := strings.Cut(r.ID, "-")
	return group
}

// Word returns the level without what follows its keyword: "MUST", "MUST NOT",
// "SHOULD", "SHOULD NOT" or "MAY", and "" for a row that carries no test.
func (r Row) Word() string {
	if strings.Contains(r.Level, "(") {
		return ""
	}
	return strings.TrimRight(strings.TrimSuffix(r.Level, " COM"), "°†")
}

// BindsServer reports whether the row binds a server or gateway.
func (r Row) BindsServer() bool {
	return strings.Contains(r.Binds, "server") || r.Binds == "all"
}

// One row a line: ID, level, who is bound, the requirement, sections and the
// letters of the checks, separated by tabs. A group begins with a line of its
// own: #, a space, its ID, a tab and its title. The order is that of the PEP.
//
//go:embed requirements.tsv
var table string

var groups = sync.OnceValue(func() (groups []Group) {
	for line := range strings.Lines(table) {
		cells := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if id, ok := strings.CutPrefix(cells[0], "# "); ok {
			groups = append(groups, Group{ID: id, Title: cells[1]})
			continue
		}
		g := &groups[len(groups)-1]
		g.Rows = append(g.Rows, Row{cells[0], cells[1], cells[2], cells[3], cells[4], cells[5]})
	}
	return groups
})

var index = sync.OnceValue(func() map[string]Row {
	byID := make(map[string]Row)
	for _, row := range All() {
		byID[row.ID] = row
	}
	return byID
})

// All returns all rows, in the order of the PEP.
func All() []Row {
	var rows []Row
	for _, g := range groups() {
		rows = append(rows, g.Rows...)
	}
	return rows
}

// Groups returns all groups with their rows, in the order of the PEP. They are
// not to be changed.
func Groups() []Group { return groups() }

// ByID returns the row that has the given id, and whether there is one.
func ByID(id string) (Row, bool) {
	row, ok := index()[id]
	return row, ok
}
