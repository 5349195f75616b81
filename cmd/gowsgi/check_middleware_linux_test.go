package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestCheckOfMiddleware checks middlewares of Python by the module and the command of
// doc/guide.md: one that does nothing keeps the rules, and one that joins the blocks and
// forgets close breaks those that the page names.
func TestCheckOfMiddleware(t *testing.T) {
	interpreter := pythonFor(t)
	text, err := os.ReadFile("../../doc/guide.md")
	if err != nil {
		t.Fatal(err)
	}
	module := regexp.MustCompile("(?s)```python\n# wrapped.py\n(.*?)```").FindSubmatch(text)
	command := regexp.MustCompile(`(?m)^gowsgi check -- gowsgi (serve wrapped:app .*)$`).FindSubmatch(text)
	if module == nil || command == nil {
		t.Fatal("doc/guide.md has no wrapped.py, or no check of it")
	}
	for _, test := range []struct {
		name, body string
		status     int
		broken     []string
	}{
		{"does nothing", "return self.app(environ, start_response)", exitOK, nil},
		{"joins, and forgets close", "return [b''.join(self.app(environ, start_response))]", exitFailure, []string{"BODY-08", "BUF-01"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.Mkdir(filepath.Join(dir, "shop"), 0o777); err != nil {
				t.Fatal(err)
			}
			for name, text := range map[string]string{
				"wrapped.py": string(module[1]), "shop/__init__.py": "",
				"shop/middleware.py": "class Middleware:\n    def __init__(self, app):\n        self.app = app\n\n" +
					"    def __call__(self, environ, start_response):\n        " + test.body + "\n",
			} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			path, err := os.Executable()
			if err != nil {
				t.Fatal(err)
			}
			args := append([]string{"check", "--only", "BODY-08,BUF-01,SRV-01", "--", path}, strings.Fields(string(command[1]))...)
			args = append(args, "--python", interpreter, "--chdir", dir)
			out, err := self(t, nil, args...).CombinedOutput()
			if status := exitStatus(err); status != test.status {
				t.Fatalf("the status is %d, want %d:\n%s", status, test.status, out)
			}
			var broken []string
			for _, found := range regexp.MustCompile(`(?m)^FAIL  (\S+)`).FindAllSubmatch(out, -1) {
				broken = append(broken, string(found[1]))
			}
			if got, want := strings.Join(broken, " "), strings.Join(test.broken, " "); got != want {
				t.Errorf("%q is broken, want %q:\n%s", got, want, out)
			}
		})
	}
}

// exitStatus is that of a command that has ended.
func exitStatus(err error) int {
	if err == nil {
		return exitOK
	}
	if ended := (*exec.ExitError)(nil); errors.As(err, &ended) {
		return ended.ExitCode()
	}
	return -1
}
