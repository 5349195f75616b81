package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestDocumentedOptions looks for options in the documents that serve or check
// does not have: in commands, and anywhere in the manual.
func TestDocumentedOptions(t *testing.T) {
	known := map[string]map[string]bool{"serve": {}, "check": {}, "rules": {"level": true, "binds": true, "check": true, "json": true}}
	for _, o := range append(newConfig().options(), newConfig().python.options()...) {
		known["serve"][o.name] = true
	}
	for alias := range aliases {
		known["serve"][alias] = true
	}
	for _, o := range newCheckConfig().options() {
		known["check"][o.name] = true
	}
	command := regexp.MustCompile(`gowsgi (serve|check|rules)\b([^\n` + "`" + `]*)`)
	option := regexp.MustCompile(`(?:^|[ ` + "`" + `])--([a-z][a-z-]*)`)
	found := 0
	look := func(name, command, text string) {
		text, _, _ = strings.Cut(text, " -- ") // behind it is the command of another server
		for _, match := range option.FindAllStringSubmatch(text, -1) {
			if found++; !known[command][match[1]] {
				t.Errorf("%s: gowsgi %s has no option --%s", name, command, match[1])
			}
		}
	}
	pages, err := filepath.Glob("../../*.md")
	if err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir("../../doc", func(path string, d fs.DirEntry, err error) error {
		pages = append(pages, path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range pages {
		switch filepath.Ext(page) {
		case ".md", ".conf", ".service":
		default:
			continue
		}
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range command.FindAllStringSubmatch(string(text), -1) {
			look(page, match[1], match[2])
		}
		if filepath.Base(page) == "operate.md" {
			look(page, "serve", string(text))
		}
	}
	if found < 50 {
		t.Errorf("found %d options in the documents, want more: the patterns are wrong", found)
	}
}

// TestDocumentedDefaults compares the table of limits in the manual with the help,
// which says the same number, "30 s" as 30s or as 30.
func TestDocumentedDefaults(t *testing.T) {
	usage := map[string]string{}
	for _, o := range append(newConfig().options(), newConfig().python.options()...) {
		usage[o.name] = strings.ReplaceAll(o.usage, "\n", " ")
	}
	text, err := os.ReadFile("../../doc/operate.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile("(?m)^\\| `--([a-z-]+)` \\| ([0-9]+)( ?[A-Za-z]*) \\|").FindAllStringSubmatch(string(text), -1)
	if len(rows) < 8 {
		t.Errorf("found %d rows in the table of limits, want more: the pattern is wrong", len(rows))
	}
	for _, row := range rows {
		said := regexp.MustCompile(`\b` + row[2] + `(` + strings.TrimSpace(row[3]) + `)? by default\b`)
		if !said.MatchString(usage[row[1]]) {
			t.Errorf("--%s is %s%s by default in doc/operate.md, and %q in the help", row[1], row[2], row[3], usage[row[1]])
		}
	}
}
