package report

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/gowsgi/gowsgi/conformance"
)

// TextOptions says how Text writes. The zero value is fit for a file.
type TextOptions struct {
	// Color adds the colours of ANSI terminals. The caller decides, by
	// whether the output is a terminal and by the variable NO_COLOR.
	Color bool

	// Width is the number of columns to fill; 0 means 80.
	Width int

	// Verbose shows the whole evidence, and why rules were skipped.
	Verbose bool

	// Strict makes the last lines say that a broken SHOULD fails too; see
	// Failed.
	Strict bool
}

const (
	usualWidth = 80
	leastWidth = 40
	foldAfter  = 8 // lines of evidence; what follows is for Verbose
)

// Text writes r for a terminal: a table that counts the results of each group,
// then the broken rules with their evidence, then what it comes to in words.
// The only control characters in it are line ends and, with Color, the
// sequences of the colours.
func Text(w io.Writer, r conformance.Report, o TextOptions) error {
	if o.Width == 0 {
		o.Width = usualWidth
	}
	t := &text{TextOptions: o, report: r, groups: arrange([]conformance.Report{r})}
	t.Width = max(o.Width, leastWidth)
	t.title()
	t.table()
	t.broken()
	if o.Verbose {
		t.skipped()
	}
	t.conclude()
	_, err := io.WriteString(w, t.b.String())
	return err
}

// text is a report for a terminal while it is written.
type text struct {
	TextOptions
	report conformance.Report
	groups []group
	b      strings.Builder
}

// colours of ANSI terminals.
const (
	bold   = "1"
	dim    = "2"
	red    = "31"
	green  = "32"
	yellow = "33"
)

func (t *text) paint(colour, s string) string {
	if !t.Color || colour == "" || s == "" {
		return s
	}
	return "\x1b[" + colour + "m" + s + "\x1b[0m"
}

func (t *text) lines(lines []string) {
	for _, line := range lines {
		t.b.WriteString(line + "\n")
	}
}

// painted writes lines in a colour that does not reach into their indent.
func (t *text) painted(colour string, lines []string) {
	for _, line := range lines {
		s := strings.TrimLeft(line, " ")
		t.b.WriteString(line[:len(line)-len(s)] + t.paint(colour, s) + "\n")
	}
}

func (t *text) title() {
	name := strings.TrimSpace(visible(t.report.Subject) + " " + visible(t.report.Version))
	if name == "" {
		return
	}
	t.painted(bold, wrap(name, "", "", t.Width))
	t.b.WriteByte('\n')
}

// columns are the counts of the table.
var columns = []struct {
	status conformance.Status
	colour string
}{
	{conformance.Pass, green},
	{conformance.Fail, red},
	{conformance.Warn, yellow},
	{conformance.Skip, dim},
}

const (
	groupWidth = 6 // of an id and a blank
	countWidth = 6
)

func (t *text) table() {
	title := groupWidth
	for _, g := range t.groups {
		title = max(title, len([]rune(g.title)))
	}
	title = min(title, t.Width-groupWidth-len(columns)*countWidth)
	t.b.WriteString(strings.Repeat(" ", groupWidth+title))
	for _, c := range columns {
		fmt.Fprintf(&t.b, "%*s", countWidth, c.status)
	}
	t.b.WriteByte('\n')
	for _, g := range t.groups {
		counts := make(map[conformance.Status]int)
		for _, row := range g.rows {
			counts[row.results[0].Status]++
		}
		t.counts(pad(visible(g.id), groupWidth-1)+" "+pad(g.title, title), counts)
	}
	all := make(map[conformance.Status]int)
	for _, c := range columns {
		all[c.status] = t.report.Count(c.status)
	}
	t.counts(pad("all", groupWidth+title), all)
}

// counts writes a line of the table. A zero is a hyphen, so that the others
// are seen.
func (t *text) counts(head string, counts map[conformance.Status]int) {
	t.b.WriteString(head)
	for _, c := range columns {
		s, colour := "-", dim
		if n := counts[c.status]; n > 0 {
			s, colour = strconv.Itoa(n), c.colour
		}
		t.b.WriteString(strings.Repeat(" ", max(countWidth-len(s), 1)) + t.paint(colour, s))
	}
	t.b.WriteByte('\n')
}

const entryIndent = "      " // as wide as FAIL and two blanks

// broken writes every failure and warning.
func (t *text) broken() {
	for _, g := range t.groups {
		first := true
		for _, row := range g.rows {
			result := row.results[0]
			word, colour := "FAIL", red
			switch result.Status {
			case conformance.Fail:
			case conformance.Warn:
				word, colour = "WARN", yellow
			default:
				continue
			}
			if first {
				t.b.WriteByte('\n')
				t.painted(bold, wrap(g.title, "", "", t.Width))
				first = false
			}
			fmt.Fprintf(&t.b, "\n%s  %s  %s\n", t.paint(colour, word), t.paint(bold, visible(result.ID)), visible(result.Level))
			t.lines(wrap(row.rule.Text, entryIndent, "", t.Width))
			t.evidence(result.Evidence)
		}
	}
}

func (t *text) evidence(evidence string) {
	var lines []string
	for _, line := range evidenceLines(evidence) {
		content := strings.TrimLeft(line, " ")
		own := line[:min(len(line)-len(content), 8)]
		lines = append(lines, wrap(content, entryIndent+"| "+own, "  ", t.Width)...)
	}
	// A fold of one line would take as much room as it saves.
	if n := len(lines) - foldAfter; n > 1 && !t.Verbose {
		t.lines(lines[:foldAfter])
		t.painted(dim, []string{fmt.Sprintf("%s| … %d more lines with --verbose", entryIndent, n)})
		return
	}
	t.lines(lines)
}

// skipped writes the rules that were not looked at, together where the reason
// is the same.
func (t *text) skipped() {
	var reasons []string
	ids := make(map[string][]string)
	for _, g := range t.groups {
		for _, row := range g.rows {
			if result := row.results[0]; result.Status == conformance.Skip {
				reason := strings.Join(evidenceLines(result.Evidence), "; ")
				if ids[reason] == nil {
					reasons = append(reasons, reason)
				}
				ids[reason] = append(ids[reason], visible(result.ID))
			}
		}
	}
	if len(reasons) == 0 {
		return
	}
	t.b.WriteByte('\n')
	t.painted(bold, []string{"Not looked at"})
	for _, reason := range reasons {
		t.b.WriteByte('\n')
		if reason == "" {
			reason = "no reason given"
		}
		t.lines(wrap(reason, "", "  ", t.Width))
		t.lines(wrap(strings.Join(ids[reason], " "), entryIndent, "", t.Width))
	}
}

func (t *text) conclude() {
	t.b.WriteByte('\n')
	colour := green
	switch {
	case Failed(t.report, t.Strict):
		colour = red
	case t.report.Count(conformance.Warn) > 0:
		colour = yellow
	}
	t.painted(colour, wrap(sentence(t.report), "", "", t.Width))
	if n := t.report.Count(conformance.Skip); n > 0 {
		hint := fmt.Sprintf("%s not looked at.", were(n, "rule"))
		if !t.Verbose {
			hint = fmt.Sprintf("%s not looked at; --verbose says why.", were(n, "rule"))
		}
		t.lines(wrap(hint, "", "", t.Width))
	}
	t.undecided()
	if t.report.Count(conformance.Fail) == 0 && t.report.Count(conformance.Warn) > 0 {
		if t.Strict {
			t.lines(wrap("That is a failure, for --strict is given.", "", "", t.Width))
		} else {
			t.lines(wrap("That is no failure unless --strict is given.", "", "", t.Width))
		}
	}
	for _, result := range t.report.Results {
		if isBroken(result) {
			id := visible(result.ID)
			t.lines(wrap(fmt.Sprintf("To see one rule: gowsgi rules %s; to check it alone: --only %s", id, id), "", "", t.Width))
			break
		}
	}
}

// undecided names the rules that something else kept from being looked at: unlike those
// that have no probe, they may be broken, and nobody would think of it who sees a number.
func (t *text) undecided() {
	var ids []string
	for _, result := range t.report.Results {
		if result.Status == conformance.Skip && strings.Contains(result.Evidence, "not decided: ") {
			ids = append(ids, visible(result.ID))
		}
	}
	if len(ids) == 0 {
		return
	}
	t.lines(wrap(fmt.Sprintf("Of these %s not decided, because something else came between; mend what is broken and check again, or look at one alone by --only: %s",
		were(len(ids), "rule"), strings.Join(ids, " ")), "", "", t.Width))
}
