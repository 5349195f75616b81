package bridge_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/conformance"
	"github.com/gowsgi/gowsgi/conformance/bridge"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

// runApp runs an application of testdata/apps.py until the end of the test.
func runApp(t testing.TB, target string) *bridge.App {
	t.Helper()
	python := somePython(t)
	a, err := bridge.Run(t.Context(), bridge.Program{Interpreter: python, Target: target, Dir: testdataPath(""), Stderr: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	return a
}

// somePython returns a Python to run, or skips the test.
func somePython(t testing.TB) string {
	t.Helper()
	python, ok := interpreter("wsgiref")
	if !ok {
		lacking(t, "no Python")
	}
	return python
}

func TestTargets(t *testing.T) {
	python := somePython(t)
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "broken.py"), []byte("import nothing_of_this_name\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	script := filepath.Join(folder, "apps.wsgi")
	if err := os.WriteFile(script, []byte("from apps import good as application\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PYTHONPATH", testdataPath(""))
	tests := []struct{ target, body, err string }{
		{script, "GET /where\n", ""},
		{script + ":application", "GET /where\n", ""},
		{"apps:good", "GET /where\n", ""},
		{"apps", "GET /where\n", ""},
		{"apps:factory()", "GET /where\n", ""},
		{"apps:Namespace.nested", "GET /where\n", ""},
		{"apps:Class", "late start", ""},
		{testdataPath("apps.py") + ":good", "GET /where\n", ""},
		{testdataPath("apps.py"), "GET /where\n", ""},
		{filepath.Join(folder, "broken.py") + ":app", "", "No module named 'nothing_of_this_name'"},
		{"apps:missing", "", "AttributeError"},
		{"apps:TEXT", "", "cannot be called"},
		{"no.such.module:app", "", "ModuleNotFoundError"},
	}
	for _, tt := range tests {
		t.Run(filepath.Base(tt.target), func(t *testing.T) {
			a, err := bridge.Run(t.Context(), bridge.Program{Interpreter: python, Target: tt.target, Dir: testdataPath("")})
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) || !strings.Contains(err.Error(), "Traceback") {
					t.Fatalf("error is %v, expected a traceback with %q", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer a.Close()
			if got := wsgitest.Record(a, wsgitest.NewRequest("GET", "/where")).Text(); got != tt.body {
				t.Errorf("body is %q, expected %q", got, tt.body)
			}
		})
	}
	t.Run("no-interpreter", func(t *testing.T) {
		if _, err := bridge.Run(t.Context(), bridge.Program{Interpreter: filepath.Join(folder, "python"), Target: "apps:good"}); err == nil {
			t.Error("no error for an interpreter that is not there")
		}
	})
	t.Run("no-python", func(t *testing.T) {
		if _, err := bridge.Run(t.Context(), bridge.Program{Interpreter: "true", Target: "apps:good"}); err == nil || !strings.Contains(err.Error(), "ended") {
			t.Errorf("error is %v, expected that the interpreter has ended", err)
		}
	})
}

// TestApps looks at what becomes of calls.
func TestApps(t *testing.T) {
	type outcome struct{ Status, Body, Fault string }
	tests := []struct {
		app     string
		request *wsgitest.Request
		want    outcome
	}{
		{"good", wsgitest.NewRequest("GET", "/caf%C3%A9"), outcome{"200 OK", "GET /café\n", ""}},
		{"Class", wsgitest.NewRequest("GET", "/"), outcome{"200 OK", "late start", ""}},
		{"writes", wsgitest.NewRequest("GET", "/"), outcome{"200 OK", "written and yielded", ""}},
		{"recovers", wsgitest.NewRequest("GET", "/"), outcome{"500 Sorry", "sorry", ""}},
		{"wraps_file", wsgitest.NewRequest("GET", "/"), outcome{"200 OK", "file content", ""}},
		{"fails", wsgitest.NewRequest("GET", "/"), outcome{"500 Internal Server Error", "500 Internal Server Error\n", "ValueError"}},
		{"fails_late", wsgitest.NewRequest("GET", "/"), outcome{"200 OK", "begun", "ValueError"}},
		{"exits", wsgitest.NewRequest("GET", "/"), outcome{"500 Internal Server Error", "500 Internal Server Error\n", "SystemExit"}},
		{"echo", wsgitest.NewRequest("POST", "/").Content("text/plain", "line1\nline2\nline3\nline4\nline5"),
			outcome{"200 OK", "li|ne1\n|li|ne2\n|line3\nline4\nline5|", ""}},
	}
	for _, tt := range tests {
		t.Run(tt.app, func(t *testing.T) {
			a := runApp(t, "apps:"+tt.app)
			for range 2 { // the thread is used again
				res := wsgitest.Record(a, tt.request)
				got := outcome{Status: res.Status, Body: res.Text()}
				var raised *bridge.Exception
				if errors.As(res.Fault, &raised) {
					got.Fault = raised.Class
					if !strings.Contains(raised.Traceback, "apps.py") {
						t.Errorf("traceback is %q", raised.Traceback)
					}
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("response differs (-want +got):\n%s", diff)
				}
			}
			if findings := a.Findings(); len(findings) > 0 {
				t.Errorf("findings are %v, expected none", findings)
			}
		})
	}
	t.Run("close", func(t *testing.T) {
		a := runApp(t, "apps:closing")
		for _, want := range []string{"0", "1", "2"} {
			if got := wsgitest.Record(a, wsgitest.NewRequest("GET", "/")).Text(); got != want {
				t.Errorf("bodies closed: %s, expected %s", got, want)
			}
		}
	})
}

// TestFindings has an application for each mistake, each found for its rule
// and nothing else.
func TestFindings(t *testing.T) {
	tests := []struct {
		app, rule string
		fatal     bool // and the error says so
	}{
		{"_text_block", "STR-03", true},
		{"_bytearray_block", "STR-11", false},
		{"_keywords", "CALL-05", false},
		{"_tuple_headers", "HDR-06", false},
		{"_list_header", "HDR-08", false},
		{"_bytes_status", "STR-02", true},
		{"_subclass_status", "STR-09", false},
		{"_wide_header", "STR-05", true},
		{"_no_tuple_exc_info", "START-11", false},
		{"_returns_none", "BODY-01", false},
		{"_returns_number", "BODY-01", false},
		{"_returns_bytes", "BODY-20 STR-03", true},
		{"_lying_len", "BODY-07", false},
		{"_raising_len", "BODY-07", false},
		{"_write_keyword", "CALL-06", true},
		{"_changes_headers", "START-27", false},
		{"_closes_input", "INPUT-15", false},
		{"_seeks_input", "INPUT-14", false},
		{"_closes_errors", "LOG-10", false},
		{"_names_errors", "LOG-09", false},
		{"_bytes_to_errors", "LOG-14", false},
		{"_bytes_key", "ENV-22", false},
	}
	for _, tt := range tests {
		t.Run(tt.app, func(t *testing.T) {
			a := runApp(t, "apps:"+tt.app)
			res := wsgitest.Record(a, wsgitest.NewRequest("GET", "/"))
			var found []string
			for _, f := range a.Findings() {
				found = append(found, f.Rule.ID)
				if f.Side != "application" || f.Request != "GET /" || f.Where != "apps:"+tt.app || f.Detail == "" {
					t.Errorf("finding is %+v", f)
				}
			}
			if diff := cmp.Diff(strings.Fields(tt.rule), found); diff != "" {
				t.Errorf("rules differ (-want +got):\n%s\n%v", diff, res.Fault)
			}
			var broken *wsgi.ContractError
			if errors.As(res.Fault, &broken) && tt.fatal && !strings.HasSuffix(tt.rule, broken.Rule) || tt.fatal && broken == nil {
				t.Errorf("the error is %v, expected one that wraps a ContractError of %s", res.Fault, tt.rule)
			}
		})
	}
}

// TestSuite runs the suite for applications on some of Python's.
func TestSuite(t *testing.T) {
	for _, app := range []string{"good", "Class"} {
		t.Run(app, func(t *testing.T) {
			conformance.Suite{}.TestApplication(t, runApp(t, "apps:"+app))
		})
	}
}

// TestEnds sees that nothing hangs when a process or a caller ends.
func TestEnds(t *testing.T) {
	t.Run("the process dies", func(t *testing.T) {
		a := runApp(t, "apps:dies")
		res := wsgitest.Record(a, wsgitest.NewRequest("GET", "/"))
		if res.Fault == nil || res.Code != 500 {
			t.Errorf("response is %q, %v, expected 500", res.Status, res.Fault)
		}
		if _, err := a.Call(wsgitest.NewRequest("GET", "/").Environ(), nil); err == nil {
			t.Error("a later call has no error")
		}
	})
	t.Run("Close while a call is under way", func(t *testing.T) {
		python := somePython(t)
		a, err := bridge.Run(t.Context(), bridge.Program{Interpreter: python, Target: "apps:slow", Dir: testdataPath("")})
		if err != nil {
			t.Fatal(err)
		}
		failed := make(chan error, 1)
		go func() {
			_, err := a.Call(wsgitest.NewRequest("GET", "/").Environ(), nil)
			failed <- err
		}()
		time.Sleep(50 * time.Millisecond)
		if err := a.Close(); err != nil {
			t.Error(err)
		}
		if err := <-failed; err == nil {
			t.Error("the call has no error")
		}
	})
	t.Run("the context ends", func(t *testing.T) {
		python := somePython(t)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := bridge.Run(ctx, bridge.Program{Interpreter: python, Target: "apps:good", Dir: testdataPath("")}); !errors.Is(err, context.Canceled) {
			t.Errorf("error is %v, expected that of the context", err)
		}
	})
	t.Run("more calls than threads", func(t *testing.T) {
		python := somePython(t)
		a, err := bridge.Run(t.Context(), bridge.Program{Interpreter: python, Target: "apps:slow", Dir: testdataPath(""), Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		go a.Call(wsgitest.NewRequest("GET", "/").Environ(), nil)
		time.Sleep(50 * time.Millisecond)
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if _, err := a.Call(wsgitest.NewRequest("GET", "/").Environ().WithContext(ctx), nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error of the second call is %v, expected that of its context", err)
		}
		a.Close()
	})
}

// TestFindingsInReport sees that the suite for applications tells what was
// found, and that it knows every rule that the driver can name.
func TestFindingsInReport(t *testing.T) {
	report, err := conformance.Suite{}.CheckApplication(t.Context(), runApp(t, "apps:_tuple_headers"))
	if err != nil {
		t.Fatal(err)
	}
	checked := map[string]conformance.Status{}
	for _, r := range report.Results {
		checked[r.ID] = r.Status
		if r.ID == "HDR-06" && (r.Status != conformance.Fail || !strings.Contains(r.Evidence, "headers are a tuple")) {
			t.Errorf("result of HDR-06 is %+v", r)
		}
	}
	driver, err := os.ReadFile(filepath.Join("python", "gowsgi_driver.py"))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`(?:finding\(|_rule, _name = )"([A-Z]+-[0-9]+)"`).FindAllSubmatch(driver, -1) {
		if rule := string(m[1]); checked[rule] != conformance.Pass && rule != "HDR-06" {
			t.Errorf("the suite says %q of %s, expected it to pass", checked[rule], rule)
		}
	}
}
