// Package requirements is the catalogue of what PEP 3333 and the practice
// around it ask of servers, applications and middleware: the rows that the
// rules, the reports and the tests of this module are named after.
package requirements

import (
	_ "embed"
	"slices"
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

// One row a line: ID, level, who is bound, and the requirement, separated by
// tabs. The order is that of the PEP.
//
//go:embed requirements.tsv
var table string

var rows = sync.OnceValue(func() (rows []Row) {
	for line := range strings.Lines(table) {
		cells := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		rows = append(rows, Row{cells[0], cells[1], cells[2], cells[3]})
	}
	return rows
})

var index = sync.OnceValue(func() map[string]Row {
	byID := make(map[string]Row)
	for _, row := range rows() {
		byID[row.ID] = row
	}
	return byID
})

// All returns all rows, in the order of the PEP.
func All() []Row { return slices.Clone(rows()) }

// ByID returns the row that has the given id, and whether there is one.
func ByID(id string) (Row, bool) {
	row, ok := index()[id]
	return row, ok
}
