package conformance

import (
	"strings"

	"github.com/gowsgi/gowsgi/internal/requirements"
)

// A Rule is one requirement of the contract.
type Rule struct {
	// ID is the group, a hyphen and two digits, such as "START-13". It never
	// changes, and is not used again when a rule is given up.
	ID string `json:"id"`

	// Group is what the rule is about, such as "The start_response callable".
	Group string `json:"group"`

	// Level is how strongly the rule binds, in the words of PEP 3333: MUST,
	// MUST NOT, SHOULD, SHOULD NOT or MAY. A following ° means that the PEP
	// says so without emphasis, † that the rule is derived, COM that it is
	// common practice outside of the PEP. A level in parentheses, or with a
	// remark in them, has no test.
	Level string `json:"level"`

	// Binds is who has to follow: "server", which stands for gateways too,
	// "app" and "mw" (middleware), and here and there "library", "framework"
	// or "deployer".
	Binds []string `json:"binds"`

	// Text is the rule in one or two sentences. The wording may change.
	Text string `json:"text"`

	// Section names the sections of PEP 3333 that the rule comes from,
	// separated by semicolons; "" for common practice outside of the PEP.
	Section string `json:"section"`

	// Checks is what can find a violation: "server" (a probe application in a
	// server under test), "application" (a probe server that drives it),
	// "middleware" (both, around it), "lint" (Lint), "compiler" (the types of
	// package wsgi), "document" (a reader).
	Checks []string `json:"checks"`
}

// Keyword returns the level without its signs: "MUST", "MUST NOT", "SHOULD",
// "SHOULD NOT", "MAY", or "" for a rule that has no test.
func (r Rule) Keyword() string { return requirements.Row{Level: r.Level}.Word() }

// Rules returns all rules, in the order of PEP 3333. The result belongs to the
// caller.
func Rules() []Rule {
	var rules []Rule
	for _, g := range requirements.Groups() {
		for _, row := range g.Rows {
			rules = append(rules, newRule(g, row))
		}
	}
	return rules
}

func newRule(g requirements.Group, row requirements.Row) Rule {
	return Rule{
		ID:      row.ID,
		Group:   g.Title,
		Level:   row.Level,
		Binds:   parties(row.Binds),
		Text:    row.Text,
		Section: row.Section,
		Checks:  row.Words(),
	}
}

// parties makes a list of the names in binds; a remark in parentheses is left
// out, and all are the three parties of the contract.
func parties(binds string) []string {
	binds, _, _ = strings.Cut(binds, " (")
	if binds == "all" {
		return []string{"server", "app", "mw"}
	}
	names := strings.Split(binds, ", ")
	for i, name := range names {
		names[i] = strings.TrimSuffix(name, " author")
	}
	return names
}
