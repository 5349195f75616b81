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
