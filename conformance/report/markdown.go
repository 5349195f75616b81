package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/gowsgi/gowsgi/conformance"
)

// marks are the signs of a matrix.
var marks = map[conformance.Status]string{
	conformance.Pass: "✓",
	conformance.Fail: "✗",
	conformance.Warn: "!",
	conformance.Skip: "–",
}

// mark returns the sign of a status; what a report says nothing of is empty.
func mark(s conformance.Status) string {
	if s == "" {
		return ""
	}
	if m, ok := marks[s]; ok {
		return m
	}
	return "?"
}

const (
	markdownWidth = 100 // columns of the evidence
	markdownLines = 6   // of one result
)

// Markdown writes reports as sections of a document: a table of the subjects,
// a matrix of the rules that somebody breaks, and what each subject breaks with
// the evidence, shortened. Ids link to rules.md, the catalogue as a document,
// in the same folder.
func Markdown(w io.Writer, reports ...conformance.Report) error {
	var b strings.Builder
	groups := arrange(reports)
	writeSubjects(&b, reports)
	writeMatrix(&b, reports, groups)
	for i, r := range reports {
		writeBroken(&b, r, i, groups)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func writeSubjects(b *strings.Builder, reports []conformance.Report) {
	b.WriteString("## Subjects\n\n" +
		"MUST stands for MUST NOT too, SHOULD for SHOULD NOT. *Otherwise* are rules that the PEP\n" +
		"lets one read in more than one way, where the subject follows another reading than the\n" +
		"suite: they are differences and not faults.\n\n" +
		"| Subject | Version | MUST kept | otherwise | broken | SHOULD kept | broken | Not looked at |\n|---|---|--:|--:|--:|--:|--:|--:|\n")
	for _, r := range reports {
		tallies := count(r)
		must, should := tallies["MUST"], tallies["SHOULD"]
		fmt.Fprintf(b, "| %s | %s | %d | %d | %d | %d | %d | %d |\n", markdownText(r.Subject), markdownText(r.Version),
			must.kept, must.otherwise, must.broken, should.kept, should.broken, r.Count(conformance.Skip))
	}
}

func writeMatrix(b *strings.Builder, reports []conformance.Report, groups []group) {
	b.WriteString("\n## Rules that not everybody keeps\n\n")
	rows := 0
	for _, g := range groups {
		for _, row := range g.rows {
			if !row.broken() {
				continue
			}
			if rows++; rows == 1 {
				b.WriteString("✓ kept, ✗ a broken MUST, ! a broken SHOULD or another reading of a MUST, – not looked at.\n\n| Rule | Level |")
				for _, r := range reports {
					fmt.Fprintf(b, " %s |", markdownText(r.Subject))
				}
				b.WriteString(" What it asks for |\n|---|---|" + strings.Repeat(":-:|", len(reports)) + "---|\n")
			}
			fmt.Fprintf(b, "| %s | %s |", ruleLink(row.rule), markdownText(row.rule.Level))
			for _, result := range row.results {
				fmt.Fprintf(b, " %s |", mark(result.Status))
			}
			fmt.Fprintf(b, " %s |\n", markdownCode(row.rule.Text))
		}
	}
	if rows == 0 {
		b.WriteString("None.\n")
	}
}

// broken reports whether anybody breaks the rule.
func (r row) broken() bool {
	for _, result := range r.results {
		if isBroken(result) {
			return true
		}
	}
	return false
}

// writeBroken writes what the i-th subject breaks. The evidence stands in one
// fenced block, where nothing in it is markup.
func writeBroken(b *strings.Builder, r conformance.Report, i int, groups []group) {
	fmt.Fprintf(b, "\n## %s\n\n", markdownText(strings.TrimSpace(r.Subject+" "+r.Version)))
	b.WriteString(markdownText(sentence(r)) + "\n")
	var lines []string
	for _, g := range groups {
		for _, row := range g.rows {
			result := row.results[i]
			if !isBroken(result) {
				continue
			}
			if lines != nil {
				lines = append(lines, "")
			}
			lines = append(lines, fmt.Sprintf("%s %s %s", mark(result.Status), visible(result.ID), visible(result.Level)))
			lines = append(lines, shortEvidence(result.Evidence)...)
		}
	}
	if lines == nil {
		return
	}
	text := strings.Join(lines, "\n")
	fence := fenceFor(text)
	fmt.Fprintf(b, "\n%stext\n%s\n%[1]s\n", fence, text)
}

// shortEvidence returns the first lines of evidence, and how many are missing.
func shortEvidence(evidence string) []string {
	var lines []string
	for _, line := range evidenceLines(evidence) {
		content := strings.TrimLeft(line, " ")
		own := line[:min(len(line)-len(content), 8)]
		lines = append(lines, wrap(content, "  "+own, "  ", markdownWidth)...)
	}
	if n := len(lines) - markdownLines; n > 1 {
		lines = append(lines[:markdownLines], fmt.Sprintf("  … %d more lines", n))
	}
	return lines
}

// fenceFor returns a fence that nothing in text closes.
func fenceFor(text string) string {
	longest, run := 2, 0
	for _, r := range text {
		if r == '`' {
			run++
			longest = max(longest, run)
		} else {
			run = 0
		}
	}
	return strings.Repeat("`", longest+1)
}

// ruleLink links a rule of the catalogue to where it stands in rules.md.
func ruleLink(r conformance.Rule) string {
	if r.Section == "" && r.Binds == nil { // not in the catalogue
		return markdownText(r.ID)
	}
	return fmt.Sprintf("[%s](rules.md#%[1]s)", r.ID)
}

var markdownEscapes = strings.NewReplacer(
	`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "<", "&lt;", "&", "&amp;", "|", `\|`, "#", `\#`, "~", `\~`,
)

// markdownText returns text so that Markdown reads it as text and nothing else,
// in a cell of a table too.
func markdownText(text string) string { return markdownEscapes.Replace(visible(text)) }

// markdownCode is markdownText, but what stands between backticks stays code.
func markdownCode(text string) string {
	parts := strings.Split(text, "`")
	for i := range parts {
		if i%2 == 0 {
			parts[i] = markdownText(parts[i])
		} else {
			parts[i] = strings.ReplaceAll(parts[i], "|", `\|`)
		}
	}
	return strings.Join(parts, "`")
}
