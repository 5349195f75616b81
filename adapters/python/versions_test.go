package python_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// checker looks at the worker as the oldest CPython would, and at what it
// imports as the newest: its arguments are the modules that have been removed
// from the standard library up to 3.14, or will be.
const checker = `
import ast, sys
tree = ast.parse(sys.stdin.read(), feature_version=(3, 8))
removed = set(sys.argv[1].split())
for node in ast.walk(tree):
    names = []
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom):
        names = [node.module]
    for name in names:
        top = name.split(".")[0]
        if top in removed or top not in getattr(sys, "stdlib_module_names", [top]):
            print("line %d imports %s" % (node.lineno, name))
`

// removed are the modules that some CPython from 3.8 to 3.14 does not have.
// Sources: "What's New" of 3.9 to 3.14, PEP 594, PEP 632.
const removed = "_bootlocale aifc asynchat asyncore audioop binhex cgi cgitb chunk crypt distutils dummy_threading " +
	"formatter imghdr imp lib2to3 macpath mailcap msilib nis nntplib ossaudiodev parser pipes smtpd sndhdr spwd " +
	"sunau symbol telnetlib uu xdrlib"

// TestVersions: the worker is written in what CPython 3.8 understands, and needs
// nothing that a later one has lost. That it works with each of them is a matter
// of GOWSGI_PYTHON, with which all tests of this package are run.
func TestVersions(t *testing.T) {
	check := func(script string) string {
		t.Helper()
		cmd := exec.Command(interpreter(t), "-c", checker, removed)
		cmd.Stdin = strings.NewReader(script)
		out, err := cmd.CombinedOutput()
		if err != nil {
			return err.Error() + "\n" + string(out)
		}
		return string(out)
	}
	script, err := os.ReadFile("worker.py")
	if err != nil {
		t.Fatal(err)
	}
	if text := check(string(script)); text != "" {
		t.Errorf("worker.py: %s", text)
	}
	for _, test := range []struct{ name, script, want string }{
		{"a statement of 3.10", "match 1:\n    case 1: pass\n", "SyntaxError"},
		{"a module that is gone", "import os\nfrom cgi import parse\n", "line 2 imports cgi"},
	} {
		if text := check(test.script); !strings.Contains(text, test.want) {
			t.Errorf("%s: the check says %q, want %q", test.name, text, test.want)
		}
	}
}
