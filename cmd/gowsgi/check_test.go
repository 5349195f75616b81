package main

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/conformance"
)

// TestCheckOptions reads a command line.
func TestCheckOptions(t *testing.T) {
	c := newCheckConfig()
	environ := map[string]string{"GOWSGI_PYTHON": "python3.9", "GOWSGI_ONLY": "len, exp", "GOWSGI_STRICT": "1"}
	s, err := c.parse(strings.Fields("--only start-13,HDR --json gunicorn --timeout 90s --junit j --html=h --protocol scgi --verbose"),
		func(name string) (string, bool) { value, ok := environ[name]; return value, ok })
	if err != nil || s.title != "gunicorn" {
		t.Errorf("the subject is %q, error %v", s.title, err)
	}
	want := &checkConfig{only: []string{"START-13", "HDR"}, strict: true, json: true, junitFile: "j", htmlFile: "h",
		protocol: "scgi", timeout: 90e9, python: "python3.9", verbose: true}
	if diff := cmp.Diff(want, c, cmp.AllowUnexported(checkConfig{})); diff != "" {
		t.Errorf("the options are not as wanted (-want +got):\n%s", diff)
	}
	c = newCheckConfig()
	s, err = c.parse([]string{"--json", "--", "gunicorn", "--verbose", "-b", "{addr}", "--", "{module}:{app}"}, func(string) (string, bool) { return "", false })
	if err != nil || s.title != "gunicorn --verbose -b {addr} -- {module}:{app}" || c.verbose || !c.json {
		t.Errorf("the command is %q, error %v, want all that is behind the first --", s.title, err)
	}
}

// TestCheckReports makes all forms of a report at once.
func TestCheckReports(t *testing.T) {
	dir := t.TempDir()
	junit, html := filepath.Join(dir, "r.xml"), filepath.Join(dir, "r.html")
	status, stdout, stderr := runWith(nil, "check", "gowsgi", "--json", "--only", "start", "--junit", junit, "--html", html)
	if status != exitOK || stderr != "" {
		t.Fatalf("status %d, said %s, want 0 and nothing", status, stderr)
	}
	var r conformance.Report
	d := json.NewDecoder(strings.NewReader(stdout))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		t.Fatal(err)
	}
	if rest, _ := io.ReadAll(d.Buffered()); strings.TrimSpace(string(rest)) != "" {
		t.Errorf("behind the object comes %q", rest)
	}
	if r.Subject != "gowsgi" || r.Version == "" || r.Count(conformance.Pass) < 10 {
		t.Errorf("the report is about %q %q, and %d rules pass", r.Subject, r.Version, r.Count(conformance.Pass))
	}
	for _, x := range r.Results {
		if !strings.HasPrefix(x.ID, "START-") {
			t.Errorf("%s is in the report, want START alone", x.ID)
		}
	}
	for path, want := range map[string]string{junit: "<testsuite", html: "<!DOCTYPE html>"} {
		if content, err := os.ReadFile(path); err != nil || !strings.Contains(strings.ToLower(string(content)), strings.ToLower(want)) {
			t.Errorf("%s is %.60q, error %v, want %q in it", path, content, err, want)
		}
	}
	status, stdout, stderr = runWith(map[string]string{"COLUMNS": "100"}, "check", "gowsgi", "--only", "START-13")
	if status != exitOK || stderr != "gowsgi: checking gowsgi (Ctrl-C stops)\n" || strings.Contains(stdout, "\x1b") ||
		!strings.Contains(stdout, "All 1 SHOULD rules are kept") {
		t.Errorf("status %d, said\n%s%s", status, stdout, stderr)
	}
}

// TestCheckStatus has a server for each exit status.
func TestCheckStatus(t *testing.T) {
	serve := func(name, value string) string {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set(name, value)
			io.WriteString(w, "a page")
		}))
		t.Cleanup(s.Close)
		return s.URL
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	sound, should, must := serve("X-Nothing", "x"), serve("TE", "trailers"), serve("Status", "200 OK")
	for _, test := range []struct {
		name   string
		args   []string
		status int
		stdout string
		stderr string
	}{
		{"all is kept", []string{sound + "/x?y"}, exitOK, "rules are kept", "checking http://"},
		{"strict, and all is kept", []string{sound, "--strict"}, exitOK, "rules are kept", ""},
		{"a SHOULD", []string{should}, exitOK, "WARN  HDR-15", ""},
		{"strict, and a SHOULD", []string{should, "--strict"}, exitFailure, "WARN  HDR-15", ""},
		{"a MUST", []string{must}, exitFailure, "FAIL  HDR-19", ""},
		{"a MUST that is left out", []string{must, "--only", "HDR-16"}, exitOK, "All 1 MUST rules are kept", ""},
		{"a MUST, in JSON", []string{must, "--json"}, exitFailure, `"status": "fail"`, ""},
		{"nobody listens", []string{"http://" + l.Addr().String()}, exitUnchecked, "", "connection refused\n"},
		{"a page that cannot be written", []string{sound, "--html", filepath.Join(t.TempDir(), "no", "such", "folder")}, exitUnchecked, "", "no such file or directory\n"},
		{"a command that ends", []string{"--", "go", "nonsense", "{addr}"}, exitUnchecked, "",
			"gowsgi: go: ended with status 2 before it answered; expected a server that stays in the foreground\n"},
		{"a command that is not there", []string{"--", "gowsgi-no-such-program", "{addr}"}, exitUnchecked, "", "gowsgi: gowsgi-no-such-program: expected the program on the PATH, it is not there\n"},
		{"a Python that is not there", []string{"--python", "no-such-python", "gunicorn"}, exitUnchecked, "", "gowsgi: gunicorn: expected a Python interpreter, there is no program no-such-python\n"},
		{"no time", []string{sound, "--timeout", "1ns"}, exitUnchecked, "", "gowsgi: the check took longer than 1ns\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			status, stdout, stderr := runWith(nil, append([]string{"check"}, test.args...)...)
			if status != test.status || !strings.Contains(stdout, test.stdout) || !strings.Contains(stderr, test.stderr) {
				t.Errorf("status %d, said\n%s\n%s\nwant status %d, %q and %q", status, stdout, stderr, test.status, test.stdout, test.stderr)
			}
			if test.status == exitUnchecked && stdout != "" {
				t.Errorf("standard output is %q, though there is no report", stdout)
			}
			if strings.Contains(strings.Join(test.args, " "), "--json") && stderr != "" {
				t.Errorf("standard error is %q beside JSON", stderr)
			}
		})
	}
	t.Run("the output of the command", func(t *testing.T) {
		_, _, stderr := runWith(nil, "check", "--", "go", "nonsense", "{addr}")
		if want := "  | go nonsense: unknown command\n"; !strings.Contains(stderr, want) {
			t.Errorf("said\n%s\nwant %q", stderr, want)
		}
		_, _, stderr = runWith(nil, "check", "--verbose", "--", "go", "nonsense", "{addr}")
		if strings.Count(stderr, "unknown command") != 1 || strings.Contains(stderr, "  |") {
			t.Errorf("said\n%s\nwant the output once, as it came", stderr)
		}
	})
}

// TestInterpreter takes what serve takes for --python.
func TestInterpreter(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "python")
	if err := os.WriteFile(file, nil, 0o777); err != nil {
		t.Fatal(err)
	}
	inside := filepath.Join(dir, "bin", "python")
	if runtime.GOOS == "windows" {
		inside = filepath.Join(dir, "Scripts", "python.exe")
	}
	for given, want := range map[string]string{"": "", "python3.9": "python3.9", file: file, dir: inside} {
		if got := interpreter(given); got != want {
			t.Errorf("interpreter(%q) = %q, want %q", given, got, want)
		}
	}
}

// TestSubject tells a Python application from the name of a server.
func TestSubject(t *testing.T) {
	for name, application := range map[string]bool{
		"shop:app": true, "shop.py:app": true, "./shop.wsgi": true, "/srv/shop.wsgi": true, "/srv/shop.wsgi:app": true,
		"mysite.wsgi": true, "mysite.wsgi:application": true, "shop.py": true,
		"nginx": false, ":app": false, "shop:": false, "": false,
	} {
		if s, err := namedSubject(name); (err == nil) != application || err == nil && s.title != name {
			t.Errorf("%q is %q, %v, expected an application: %t", name, s.title, err, application)
		}
	}
}
