package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/conformance"
)

// TestPagesAreFresh compares the pages in doc with what is made of the data.
func TestPagesAreFresh(t *testing.T) {
	folder := filepath.Join("..", "..", "doc")
	b, err := read(folder)
	if err != nil {
		t.Fatal(err)
	}
	pages, err := b.pages()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range pages {
		got, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Error(err)
			continue
		}
		lines := func(text []byte) []string { return strings.Split(strings.ReplaceAll(string(text), "\r\n", "\n"), "\n") }
		if diff := cmp.Diff(lines(want), lines(got)); diff != "" {
			t.Errorf("doc/%s is stale, run go run ./internal/scoreboard -render doc (-want +got):\n%s", name, diff)
		}
	}
}

// TestPagesNameNoMachine looks in the data for what tells of who measured.
func TestPagesNameNoMachine(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "doc", dataName))
	if err != nil {
		t.Fatal(err)
	}
	n := makeNormaliser("", "", "", "") // of who measured, and not of who tests
	if again := n.text(string(text)); again != string(text) {
		t.Errorf("the data holds what is to be left out (-want +got):\n%s",
			cmp.Diff(strings.Split(again, "\n"), strings.Split(string(text), "\n")))
	}
	for _, word := range []string{"/tmp/", "/home/", "/root/"} {
		if i := bytes.Index(text, []byte(word)); i >= 0 {
			t.Errorf("the data has %q in it: …%s…", word, text[max(0, i-60):min(len(text), i+60)])
		}
	}
}

// TestOwnServersTwice checks our own servers twice, and wants the same pages.
func TestOwnServersTwice(t *testing.T) {
	var both []map[string][]byte
	for range 2 {
		var own []subject
		for _, s := range subjects() {
			if strings.HasPrefix(s.name, "gowsgi") {
				own = append(own, s)
			}
		}
		b, err := measure(t.Context(), own, 2, t.Output())
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range b.Reports {
			if n := r.Count(conformance.Fail) + r.Count(conformance.Warn); n > 0 || r.Count(conformance.Pass) < 100 {
				t.Errorf("%s keeps %d rules and does not keep %d, want all of many", r.Subject, r.Count(conformance.Pass), n)
			}
		}
		pages, err := b.pages()
		if err != nil {
			t.Fatal(err)
		}
		both = append(both, pages)
	}
	for name, first := range both[0] {
		if diff := cmp.Diff(strings.Split(string(first), "\n"), strings.Split(string(both[1][name]), "\n")); diff != "" {
			t.Errorf("two runs give two %s (-first +second):\n%s", name, diff)
		}
	}
}

// TestRender makes pages from data, and data from pages.
func TestRender(t *testing.T) {
	folder := t.TempDir()
	want := board{"a system", map[string]string{"a": "with its defaults"}, []conformance.Report{
		oneReport("a", "1", conformance.Fail, "got \x1b[0m"), oneReport("b", "2", conformance.Skip, "not there"),
	}}
	if err := want.write(folder); err != nil {
		t.Fatal(err)
	}
	if err := run(t.Context(), []string{"-render", folder}, t.Output()); err != nil {
		t.Fatal(err)
	}
	got, err := read(folder)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what was read is not what was written (-want +got):\n%s", diff)
	}
	text, err := os.ReadFile(filepath.Join(folder, markdownName))
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"Measured on a system.", "| a | with its defaults |", "| a | 1 |", "✗ SRV-06 MUST†"} {
		if !strings.Contains(string(text), part) {
			t.Errorf("the page has no %q", part)
		}
	}
}

func TestArguments(t *testing.T) {
	for _, args := range [][]string{nil, {"doc"}, {"-out", "x", "-check", "y"}, {"-out", "x", "rest"}, {"-out", "x", "-only", "nobody"}, {"-render", filepath.Join(t.TempDir(), "none")}} {
		if err := run(t.Context(), args, t.Output()); err == nil {
			t.Errorf("%q is accepted", args)
		}
	}
}

func TestWithAndOf(t *testing.T) {
	a, b, newer := oneReport("a", "1", conformance.Pass, ""), oneReport("b", "1", conformance.Pass, ""), oneReport("a", "2", conformance.Pass, "")
	all := board{Started: map[string]string{}, Reports: []conformance.Report{a, b}}
	if diff := cmp.Diff([]conformance.Report{b}, all.of(board{Reports: []conformance.Report{b}}).Reports); diff != "" {
		t.Errorf("of (-want +got):\n%s", diff)
	}
	got := board{Started: map[string]string{}, Reports: []conformance.Report{a, b}}.with(board{Reports: []conformance.Report{newer, oneReport("c", "1", conformance.Pass, "")}})
	if diff := cmp.Diff([]conformance.Report{newer, b, oneReport("c", "1", conformance.Pass, "")}, got.Reports); diff != "" {
		t.Errorf("with (-want +got):\n%s", diff)
	}
}

func TestPrettyName(t *testing.T) {
	for _, test := range []struct{ release, want string }{
		{"NAME=x\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n", "Debian GNU/Linux 12 (bookworm)"},
		{"PRETTY_NAME=Small\n", "Small"},
		{"", "linux"},
	} {
		if got := prettyName(test.release, "linux"); got != test.want {
			t.Errorf("the name of %q is %q, want %q", test.release, got, test.want)
		}
	}
}
