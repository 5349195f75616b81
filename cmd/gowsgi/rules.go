package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/gowsgi/gowsgi/conformance"
)

// ruleFilter is what the options of rules say. What is empty selects all.
type ruleFilter struct {
	level, binds, check string
	json                bool
}

func (f *ruleFilter) options() []option {
	return []option{
		{"level", "LEVEL", "Only rules of this level: MUST, SHOULD or MAY. MUST and SHOULD include\n" +
			"MUST NOT and SHOULD NOT.", choice(&f.level, "MUST", "SHOULD", "MAY")},
		{"binds", "WHO", "Only rules that bind server, app or mw, which is middleware.",
			choice(&f.binds, "server", "app", "mw")},
		{"check", "HOW", "Only rules that are checked by server, application or middleware (a\n" +
			"probe around the one that is named), lint, compiler or document.",
			choice(&f.check, "server", "application", "middleware", "lint", "compiler", "document")},
		{"json", "", "Print a JSON array of objects.", boolean(&f.json)},
	}
}

// rules prints the catalogue, or what args select of it. Its options have no
// environment variables: they ask a question and set nothing up.
func rules(args []string, p process) error {
	var f ruleFilter
	noEnv := func(string) (string, bool) { return "", false }
	names, err := parse(args, f.options(), noEnv)
	if errors.Is(err, errHelp) {
		rulesHelp(p.stdout)
		return nil
	} else if err != nil {
		return err
	}
	selected, err := f.choose(conformance.Rules(), names)
	if err != nil {
		return err
	}
	if f.json {
		e := json.NewEncoder(p.stdout)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		return e.Encode(selected)
	}
	if len(selected) == 0 {
		return errors.New("no rule is like that")
	}
	_, err = io.WriteString(p.stdout, formatRules(selected, terminalWidth(p)))
	return err
}

// choose returns the rules that names and f select. A name is an id, or what
// the ids of a group begin with.
func (f *ruleFilter) choose(all []conformance.Rule, names []string) ([]conformance.Rule, error) {
	named := make(map[string]bool)
	for _, name := range names {
		found := false
		upper := strings.ToUpper(name)
		for _, r := range all {
			if group, _, _ := strings.Cut(r.ID, "-"); r.ID == upper || group == upper {
				named[r.ID], found = true, true
			}
		}
		if !found {
			return nil, usagef("there is no rule %q, expected an id such as START-13 or a group such as START", name)
		}
	}
	selected := []conformance.Rule{} // and never null in JSON
	for _, r := range all {
		word, _, _ := strings.Cut(r.Keyword(), " ")
		if (len(names) == 0 || named[r.ID]) &&
			(f.level == "" || word == f.level) &&
			(f.binds == "" || slices.Contains(r.Binds, f.binds)) &&
			(f.check == "" || slices.Contains(r.Checks, f.check)) {
			selected = append(selected, r)
		}
	}
	return selected, nil
}

// The columns before the text of a rule.
const (
	idWidth    = 8
	levelWidth = 12
	bindsWidth = 15
)

// formatRules returns rules as a table of at most width columns. Each rule is a
// line of its short columns and then its text, below each other, for 80 columns
// have no room for both.
func formatRules(rules []conformance.Rule, width int) string {
	var b strings.Builder
	group := ""
	const indent = idWidth + 2
	for _, r := range rules {
		if r.Group != group {
			if group != "" {
				b.WriteByte('\n')
			}
			group = r.Group
			b.WriteString(wrap(group, "", width))
		}
		fmt.Fprintf(&b, "\n%-*s  %-*s  %-*s  %s\n", idWidth, r.ID, levelWidth, r.Level,
			bindsWidth, strings.Join(r.Binds, ", "), strings.Join(r.Checks, ", "))
		b.WriteString(wrap(r.Text, strings.Repeat(" ", indent), width))
		if r.Section != "" {
			b.WriteString(wrap("PEP 3333: "+r.Section, strings.Repeat(" ", indent), width))
		}
	}
	return b.String()
}

// wrap returns text as lines of at most width characters, each behind indent. A
// word that is longer stands alone.
func wrap(text, indent string, width int) string {
	var b strings.Builder
	line := 0
	for word := range strings.FieldsSeq(text) {
		n := len([]rune(word))
		switch {
		case line == 0:
			b.WriteString(indent + word)
			line = len(indent) + n
		case line+1+n > width:
			b.WriteString("\n" + indent + word)
			line = len(indent) + n
		default:
			b.WriteString(" " + word)
			line += 1 + n
		}
	}
	return b.String() + "\n"
}

func rulesHelp(w io.Writer) {
	io.WriteString(w, `Usage: gowsgi rules [ID | GROUP]... [OPTION]...

Prints the rules of the contract, PEP 3333 in numbered requirements: id, level,
who is bound, how it is checked, and the rule. Without an ID or a GROUP, all of
them.

OPTIONS

`)
	for _, o := range new(ruleFilter).options() {
		fmt.Fprintf(w, "  %s\n", strings.TrimRight("--"+o.name+" "+o.placeholder, " "))
		for line := range strings.Lines(o.usage) {
			fmt.Fprintf(w, "      %s", line)
		}
		io.WriteString(w, "\n\n")
	}
	io.WriteString(w, `A level with ° is plain prose in the PEP, with † derived; COM is common
practice outside of the PEP. A level in parentheses has no test.

EXAMPLES

  gowsgi rules START-13
  gowsgi rules HDR LEN --binds app --level MUST
  gowsgi rules --check lint --json
`)
}
