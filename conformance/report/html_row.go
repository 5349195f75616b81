package report

import (
	"html/template"
	"strings"

	"github.com/gowsgi/gowsgi/conformance"
)

type pageGroup struct {
	ID, Title string
	Broken    []pageCount // by subject
	Rows      []pageRow
}

type pageCount struct {
	N     int
	Class string
}

type pageRow struct {
	ID, Level, Word string
	Anchor          string
	Link            template.URL
	Text            template.HTML
	Section         string
	Binds, Checks   string
	IsBroken        bool
	Cells           []pageCell
	Entries         []pageEntry
}

type pageCell struct {
	Class, Mark, Meaning string
	Link                 template.URL // "" for what has no evidence
}

// pageEntry is what was found of one rule, of all subjects of which it is the
// same.
type pageEntry struct {
	Class, Mark, Meaning string
	Who                  []pageWho
	Evidence             string
}

type pageWho struct{ Anchor, Title string }

func (p *page) group(g group, ids anchors) pageGroup {
	shown := pageGroup{ID: visible(g.id), Title: visible(g.title), Broken: make([]pageCount, len(p.Subjects))}
	for _, row := range g.rows {
		shown.Rows = append(shown.Rows, p.row(row, ids.unique(row.rule.ID)))
		for i, result := range row.results {
			c := &shown.Broken[i]
			switch result.Status {
			case conformance.Fail:
				c.N++
				c.Class = "fail"
			case conformance.Warn:
				if c.N++; c.Class == "" {
					c.Class = "warn"
				}
			}
		}
	}
	return shown
}

func (p *page) row(r row, anchor string) pageRow {
	shown := pageRow{
		ID:       visible(r.rule.ID),
		Level:    visible(r.rule.Level),
		Word:     levelWord(r.rule.Level),
		Anchor:   anchor,
		Link:     template.URL("#" + anchor),
		Text:     codeSpans(r.rule.Text),
		Section:  r.rule.Section,
		Binds:    strings.Join(r.rule.Binds, ", "),
		Checks:   strings.Join(r.rule.Checks, ", "),
		IsBroken: r.broken(),
	}
	type same struct{ class, evidence string }
	entries := make(map[same]int)
	for i, result := range r.results {
		class, meaning := classOf(result)
		cell := pageCell{Class: class, Mark: mark(result.Status), Meaning: meaning}
		own := anchor + "/" + p.Subjects[i].Slug
		evidence := cut(strings.Join(evidenceLines(result.Evidence), "\n"), evidenceLimit)
		if evidence != "" {
			cell.Link = template.URL("#" + own)
		}
		shown.Cells = append(shown.Cells, cell)
		at, ok := entries[same{class, evidence}]
		if !ok {
			at = len(shown.Entries)
			entries[same{class, evidence}] = at
			shown.Entries = append(shown.Entries, pageEntry{Class: class, Mark: cell.Mark, Meaning: meaning, Evidence: evidence})
		}
		e := &shown.Entries[at]
		e.Who = append(e.Who, pageWho{own, p.Subjects[i].Title})
	}
	return shown
}

// classOf returns the class of an element that shows a result, and its status
// in words.
func classOf(r conformance.Result) (class, meaning string) {
	switch r.Status {
	case conformance.Pass:
		return "pass", "kept"
	case conformance.Fail:
		return "fail", "broken"
	case conformance.Warn:
		if readOtherwise(r) {
			return "warn", "read in another way"
		}
		return "warn", "broken, a warning"
	case conformance.Skip, "":
		return "skip", "not looked at"
	}
	return "skip", visible(string(r.Status))
}

// codeSpans returns text with what stands between backticks as code.
func codeSpans(text string) template.HTML {
	parts := strings.Split(text, "`")
	var b strings.Builder
	for i, part := range parts {
		escaped := template.HTMLEscapeString(part)
		if i%2 == 1 && i < len(parts)-1 {
			escaped = "<code>" + escaped + "</code>"
		}
		b.WriteString(escaped)
	}
	return template.HTML(b.String())
}
