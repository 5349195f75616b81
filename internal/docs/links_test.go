package docs

import (
	"path"
	"regexp"
	"strings"
	"testing"
	"unicode"
)

var link = regexp.MustCompile(`\[[^\]]+\]\(([^)\s]+)\)`)

// Every relative link leads to a file of the repository, and to a heading
// where it names one.
func TestLinksResolve(t *testing.T) {
	headings := map[string]map[string]bool{}
	docs := documents(t)
	for _, d := range docs {
		prose, _ := d.split(t)
		headings[d.name] = anchors(prose)
	}
	for _, d := range docs {
		prose, _ := d.split(t)
		for i, line := range prose {
			for _, m := range link.FindAllStringSubmatch(line, -1) {
				target := m[1]
				if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
					continue
				}
				name, fragment, _ := strings.Cut(target, "#")
				file := d.name
				if name != "" {
					file = path.Join(path.Dir(d.name), name)
				}
				if !exists(t, file) {
					t.Errorf("%s:%d: the link to %s leads nowhere", d.name, i+1, target)
				} else if fragment != "" && !headings[file][fragment] {
					t.Errorf("%s:%d: %s has no heading #%s", d.name, i+1, file, fragment)
				}
			}
		}
	}
}

var anchor = regexp.MustCompile(`<a id="([^"]+)"></a>`)

// anchors returns the anchors of the headings among lines, formed as the hosts
// of repositories form them, and those that the lines set themselves.
func anchors(lines []string) map[string]bool {
	all := map[string]bool{}
	for _, line := range lines {
		for _, m := range anchor.FindAllStringSubmatch(line, -1) {
			all[m[1]] = true
		}
		text := strings.TrimLeft(line, "#")
		if text == line || !strings.HasPrefix(text, " ") {
			continue
		}
		anchor := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
				return unicode.ToLower(r)
			}
			return -1
		}, strings.TrimSpace(text))
		all[anchor] = true
	}
	return all
}
