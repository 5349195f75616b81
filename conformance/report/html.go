package report

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strings"

	"github.com/gowsgi/gowsgi/conformance"
)

//go:embed page
var pageFiles embed.FS

var pageTemplate = template.Must(template.ParseFS(pageFiles, "page/page.html"))

// evidenceLimit is how many bytes of the evidence of one result a page shows.
const evidenceLimit = 16 << 10

// HTML writes one page that shows reports side by side: a matrix of rules and
// subjects, with filters, and the evidence behind each mark. It needs no other
// file and asks no host for anything, which its policy makes the browser see
// to. #START-13/gunicorn at the end of its address opens the evidence of one
// result.
func HTML(w io.Writer, reports ...conformance.Report) error {
	p, err := newPage(reports)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, p); err != nil {
		return err
	}
	_, err = w.Write(b.Bytes())
	return err
}

// page is what the template shows.
type page struct {
	Title         string
	Policy        string // the content security policy
	Style         template.CSS
	Early, Script template.JS
	Subjects      []pageSubject
	Groups        []pageGroup
}

type pageSubject struct {
	Name, Version, Title string
	Short                string // of the version, for the head of a column
	Slug                 string // as part of an anchor
	Levels               []pageBar
	Skipped              int
}

// pageBar is a drawing of what is kept of what was looked at.
type pageBar struct {
	KeptWidth, BrokenAt, BrokenWidth string // pixels
	OtherwiseAt, OtherwiseWidth      string
	Class, Words                     string
}

func newPage(reports []conformance.Report) (*page, error) {
	p := &page{Title: "WSGI conformance"}
	if err := p.load(); err != nil {
		return nil, err
	}
	names := make(anchors)
	for _, r := range reports {
		s := pageSubject{Name: visible(r.Subject), Version: visible(r.Version), Skipped: r.Count(conformance.Skip)}
		s.Title = strings.TrimSpace(s.Name + " " + s.Version)
		s.Short, _, _ = strings.Cut(s.Version, " (")
		s.Slug = names.unique(r.Subject)
		tallies := count(r)
		s.Levels = []pageBar{newBar(tallies["MUST"], "fail"), newBar(tallies["SHOULD"], "warn")}
		p.Subjects = append(p.Subjects, s)
	}
	if len(reports) == 1 && p.Subjects[0].Title != "" {
		p.Title += " of " + p.Subjects[0].Title
	}
	ids := make(anchors)
	for _, id := range []string{"matrix", "filters", "evidence", "levels", "panel", "work", "count", "hint", "none", "close"} {
		ids.unique(id)
	}
	for _, g := range arrange(reports) {
		p.Groups = append(p.Groups, p.group(g, ids))
	}
	return p, nil
}

// load reads the style and the scripts, and makes a policy that allows them
// and nothing else.
func (p *page) load() error {
	var hashes []string
	var texts []string
	for _, name := range []string{"page/page.css", "page/early.js", "page/page.js"} {
		text, err := pageFiles.ReadFile(name)
		if err != nil {
			return err
		}
		// A checkout may have changed the ends of lines; a browser changes
		// them back before it computes the hash.
		text = bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))
		sum := sha256.Sum256(text)
		hashes = append(hashes, "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'")
		texts = append(texts, string(text))
	}
	p.Style, p.Early, p.Script = template.CSS(texts[0]), template.JS(texts[1]), template.JS(texts[2])
	p.Policy = fmt.Sprintf("default-src 'none'; style-src %s; script-src %s %s; img-src data:; base-uri 'none'; form-action 'none'",
		hashes[0], hashes[1], hashes[2])
	return nil
}

func newBar(t tally, class string) pageBar {
	const width = 96
	if t.looked() == 0 {
		return pageBar{"0", "0", "0", "0", "0", class, "none looked at"}
	}
	// One broken rule of many is to be seen, so it has a pixel at least.
	part := func(n int) float64 {
		if n == 0 {
			return 0
		}
		return max(width*float64(n)/float64(t.looked()), 1)
	}
	pixels := func(n float64) string { return fmt.Sprintf("%.1f", n) }
	broken, otherwise := part(t.broken), part(t.otherwise)
	words := fmt.Sprintf("all %d kept", t.looked())
	switch {
	case t.broken > 0:
		words = fmt.Sprintf("%d of %d broken", t.broken, t.looked())
	case t.otherwise > 0:
		words = fmt.Sprintf("none of %d broken", t.looked())
	}
	if t.otherwise > 0 {
		words += fmt.Sprintf(", %d read otherwise", t.otherwise)
	}
	return pageBar{
		KeptWidth:      pixels(width - broken - otherwise),
		OtherwiseAt:    pixels(width - broken - otherwise),
		OtherwiseWidth: pixels(otherwise),
		BrokenAt:       pixels(width - broken),
		BrokenWidth:    pixels(broken),
		Class:          class,
		Words:          words,
	}
}

// anchors are the names that are taken.
type anchors map[string]bool

// unique returns name as it can stand in an address without any escape, and
// different from all before.
func (a anchors) unique(name string) string {
	name = strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '.', r == '_', r == '-':
			return r
		}
		return '-'
	}, name)
	if name == "" {
		name = "-"
	}
	candidate := name
	for n := 2; a[candidate]; n++ {
		candidate = fmt.Sprintf("%s-%d", name, n)
	}
	a[candidate] = true
	return candidate
}
