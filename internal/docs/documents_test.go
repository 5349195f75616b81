// Package docs holds no code, only the tests that keep README.md and the other
// documents true: their programs compile, their links resolve, and the tables
// in them agree with the server.
package docs

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/gowsgi/gowsgi"

// document is one Markdown file.
type document struct {
	name  string // relative to the root of the repository
	lines []string
}

// root returns the root of the repository.
func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// documents reads every Markdown file at the root and in doc.
func documents(t *testing.T) []document {
	t.Helper()
	dir := root(t)
	var docs []document
	for _, pattern := range []string{"*.md", "doc/*.md"} {
		names, err := filepath.Glob(filepath.Join(dir, filepath.FromSlash(pattern)))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			rel, err := filepath.Rel(dir, name)
			if err != nil {
				t.Fatal(err)
			}
			docs = append(docs, document{filepath.ToSlash(rel), strings.Split(read(t, rel), "\n")})
		}
	}
	if !slices.ContainsFunc(docs, func(d document) bool { return d.name == "README.md" }) {
		t.Fatalf("no README.md in %s", dir)
	}
	return docs
}

// exists reports whether the repository has name.
func exists(t *testing.T, name string) bool {
	t.Helper()
	_, err := os.Stat(filepath.Join(root(t), filepath.FromSlash(name)))
	return err == nil
}

// read returns the text of a file of the repository.
func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root(t), filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(text), "\r\n", "\n")
}

// block is a fenced piece of a document.
type block struct {
	document string
	line     int // where its first line is, counted from 1
	language string
	text     string
}

// split separates the fenced blocks of d from its prose. The lines of the
// prose keep their numbers.
func (d document) split(t *testing.T) (prose []string, blocks []block) {
	t.Helper()
	prose = make([]string, len(d.lines))
	var fence *block
	for i, line := range d.lines {
		language, ok := strings.CutPrefix(line, "```")
		switch {
		case !ok && strings.HasPrefix(strings.TrimSpace(line), "```"):
			t.Fatalf("%s:%d: an indented fence, expected it at the beginning of the line", d.name, i+1)
		case ok && fence == nil:
			fence = &block{document: d.name, line: i + 2, language: language}
		case ok:
			blocks = append(blocks, *fence)
			fence = nil
		case fence != nil:
			fence.text += line + "\n"
		default:
			prose[i] = line
		}
	}
	if fence != nil {
		t.Fatalf("%s:%d: this fence is never closed", d.name, fence.line-1)
	}
	return prose, blocks
}
