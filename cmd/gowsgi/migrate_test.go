//go:build linux

package main

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestMigration runs each command of doc/migrate that begins with gowsgi serve,
// for an application of the name that it has there.
func TestMigration(t *testing.T) {
	interpreter := pythonFor(t)
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "mysite"), 0o777); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"__init__.py": "", "wsgi.py": strings.ReplaceAll(say("moved"), "def app", "def application"),
	} {
		if err := os.WriteFile(filepath.Join(dir, "mysite", name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	pages, err := filepath.Glob("../../doc/migrate/*.md")
	if err != nil || len(pages) < 4 {
		t.Fatalf("the pages are %q, %v, want four", pages, err)
	}
	commands := 0
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range regexp.MustCompile(`(?m)^ *gowsgi serve (.*)$`).FindAllStringSubmatch(string(text), -1) {
			commands++
			t.Run(filepath.Base(page), func(t *testing.T) {
				socket := filepath.Join(t.TempDir(), "socket")
				line := found[1]
				for old, new := range map[string]string{
					"127.0.0.1:8000": "127.0.0.1:0", " :8000": " 127.0.0.1:0", "unix:/run/mysite.sock": "unix:" + socket, "127.0.0.1:9000 ": "127.0.0.1:0 ", "'": "",
				} {
					line = strings.ReplaceAll(line, old, new)
				}
				args := append(strings.Fields(line), "--python", interpreter, "--pythonpath", dir)
				if strings.Contains(line, "mysite/wsgi.py") {
					args[0] = filepath.Join(dir, args[0])
				}
				if !strings.Contains(line, "127.0.0.1:0") && !strings.Contains(line, socket) {
					args = append(args, "--listen", "127.0.0.1:0")
				}
				c := start(t, []string{"GOWSGI_CHDIR=" + dir}, args...)
				where := c.wait(`^gowsgi: serving \S+; (?:open|listening on) (\S+)`)[1]
				if strings.HasPrefix(where, "http://") {
					if status, body := get(t, http.DefaultClient, where); status != 200 || !strings.HasPrefix(body, "moved") {
						t.Errorf("%s: got %d, %q", line, status, body)
					}
				}
				c.stop()
			})
		}
	}
	if commands < 7 {
		t.Errorf("%d commands were found, want more", commands)
	}
}
