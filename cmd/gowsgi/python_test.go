//go:build linux

package main

import (
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gowsgi/gowsgi/conformance"
	"github.com/gowsgi/gowsgi/conformance/launch"
)

// pythonFor returns a Python that can be tested with.
func pythonFor(t *testing.T) string {
	t.Helper()
	for _, name := range []string{os.Getenv("GOWSGI_PYTHON"), "python3"} {
		if name != "" && exec.Command(name, "-c", "import sys; sys.exit(sys.version_info < (3, 8))").Run() == nil {
			return name
		}
	}
	if os.Getenv("GOWSGI_PEERS") == "require" {
		t.Fatal("no Python 3.8 or later, and GOWSGI_PEERS=require")
	}
	t.Skip("no Python 3.8 or later")
	return ""
}

// TestPythonConformance runs the suite inside of workers, in strict mode: no
// rule is excepted.
func TestPythonConformance(t *testing.T) {
	interpreter := pythonFor(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("BE_GOWSGI", "1")
	for _, how := range []string{"--workers=1 --threads=4", "--workers=2 --threads=2 --preload"} {
		t.Run(how, func(t *testing.T) {
			args := append([]string{self, "serve", "--pass-env=*", "--python", interpreter, "--listen", "{addr}", "{module}:{app}"}, strings.Fields(how)...)
			report, err := launch.CheckCommand(t.Context(), conformance.Suite{}, args, launch.Options{Python: interpreter})
			if err != nil {
				t.Fatal(err)
			}
			passed := 0
			for _, result := range report.Results {
				switch result.Status {
				case conformance.Pass:
					passed++
				case conformance.Fail, conformance.Warn:
					t.Errorf("%s: %s", result.ID, result.Evidence)
				}
			}
			if passed < 150 {
				t.Errorf("%d rules were found to be kept, expected more than 150 to be looked at", passed)
			}
		})
	}
}

// project writes an application into a folder of its own.
func project(t *testing.T, text string) (dir string, write func(text string)) {
	dir = t.TempDir()
	write = func(text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, "site_app.py"), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	write(text)
	return dir, write
}

const sayApp = `import os
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"%s " + os.environ.get("COLOUR", "grey").encode() + b" " + environ["SCRIPT_NAME"].encode()]
`

func say(word string) string { return strings.Replace(sayApp, "%s", word, 1) }

// TestServePython starts a Python application with gunicorn's options, and does
// with signals what its users do.
func TestServePython(t *testing.T) {
	interpreter := pythonFor(t)
	dir, write := project(t, say("first"))
	log, pid := filepath.Join(dir, "access.log"), filepath.Join(dir, "pid")
	c := start(t, nil, "site_app:app", "--python", interpreter, "--chdir", dir, "-b", "127.0.0.1:0", "-w", "2", "--threads", "2",
		"--timeout", "20", "--graceful-timeout", "10", "--max-requests", "1000", "--max-requests-jitter", "10", "--preload",
		"--env", "COLOUR=red", "--access-logfile", log, "--pid", pid, "--log-level", "debug", "--mount", "/demo=demo")
	base := c.wait(`serving site_app:app; open (\S+) `)[1]
	want := func(path, text string) {
		t.Helper()
		if status, body := get(t, http.DefaultClient, base+path); status != 200 || !strings.Contains(body, text) {
			t.Errorf("/%s: got %d, %.100q, want %q", path, status, body, text)
		}
	}
	want("", "first red ")
	want("demo/", "One contract")
	if text, _ := os.ReadFile(pid); string(text) != strconv.Itoa(c.cmd.Process.Pid)+"\n" {
		t.Errorf("the file of --pid has %q", text)
	}

	write(say("second"))
	c.signal(syscall.SIGHUP)
	c.wait(`application reloaded app=site_app:app generation=2`)
	want("", "second red")

	write("import nonesuch\n")
	c.signal(syscall.SIGHUP)
	before := len(c.said)
	c.wait(`ERROR the application was not reloaded; the one that was there goes on app=site_app:app error="ModuleNotFoundError: No module named 'nonesuch'"$`)
	if said := strings.Join(c.said[before:], "\n"); strings.Count(said, "Traceback (most recent call last)") != 1 {
		t.Errorf("the failed reload is told of by\n%s\nwant the traceback once, and the reason behind it", said)
	}
	want("", "second red")

	c.signal(syscall.SIGTTIN)
	c.wait(`number of workers changed workers=3`)
	c.signal(syscall.SIGTTOU)
	c.wait(`number of workers changed workers=2`)
	want("", "second red")

	awaitLines(log, 5)
	if err := os.Rename(log, log+".1"); err != nil {
		t.Fatal(err)
	}
	c.signal(syscall.SIGUSR1)
	c.wait(`access log opened again`)
	want("", "second red")
	c.stop()
	if text, _ := os.ReadFile(log + ".1"); strings.Count(string(text), "\n") != 5 {
		t.Errorf("the old log has %q, want five lines", text)
	}
	if text, _ := os.ReadFile(log); strings.Count(string(text), "GET / HTTP/1.1\" 200") != 1 {
		t.Errorf("the new log has %q, want one line", text)
	}
	if _, err := os.Stat(pid); err == nil {
		t.Error("the file of --pid is left")
	}
}

// TestWorkersByDefault: as many as the processors that Go has found, which are those
// of the quota of a container.
func TestWorkersByDefault(t *testing.T) {
	interpreter := pythonFor(t)
	dir, _ := project(t, say("first"))
	c := start(t, []string{"GOMAXPROCS=3"}, "site_app:app", "--python", interpreter, "--chdir", dir, "-b", "127.0.0.1:0")
	c.wait(`INFO  workers are ready app=site_app:app python=\S+ workers=3 threads=1$`)
	c.wait(`serving site_app:app; open (\S+) `)
	c.stop()
}

// TestReloadPython changes a file that the application has imported.
func TestReloadPython(t *testing.T) {
	interpreter := pythonFor(t)
	dir, write := project(t, say("first"))
	c := start(t, nil, "site_app:app", "--python", interpreter, "--chdir", dir, "-b", "127.0.0.1:0", "-w", "1", "--reload", "--env", "PYTHONDONTWRITEBYTECODE=1")
	base := c.wait(`serving site_app:app; open (\S+) `)[1]
	if _, body := get(t, http.DefaultClient, base); !strings.HasPrefix(body, "first") {
		t.Errorf("got %q", body)
	}
	time.Sleep(2 * watchEvery) // the change is to come after the first look
	write(say("second"))
	c.wait(`a file has changed file=\S*site_app.py`)
	c.wait(`application reloaded`)
	if _, body := get(t, http.DefaultClient, base); !strings.HasPrefix(body, "second") {
		t.Errorf("got %q, want the second", body)
	}
	c.stop()
}

// TestPythonCannotStart makes the mistakes of newcomers: each ends with a line
// that says what to do, below the traceback where there is one.
func TestPythonCannotStart(t *testing.T) {
	interpreter := pythonFor(t)
	dir, _ := project(t, "import os\n")
	broken, _ := project(t, "import nonesuch\n")
	secret, _ := project(t, "import os\nos.environ['SECRET_KEY']\n")
	for _, test := range []struct {
		name      string
		target    string
		args      []string
		traceback string // its last line
		want      string
	}{
		{"a module that imports what is not there", "site_app:app", []string{"--chdir", broken}, "ModuleNotFoundError: No module named 'nonesuch'",
			"site_app:app cannot be imported; the traceback is above; modules are looked for in --chdir, in --pythonpath, and in the environment of --python"},
		{"a variable that is not passed on", "site_app:app", []string{"--chdir", secret}, "KeyError: 'SECRET_KEY'",
			"site_app:app cannot be imported; the traceback is above; workers see of the environment what --pass-env NAME and --env KEY=VALUE give them"},
		{"another folder", "elsewhere:app", []string{"--chdir", dir}, "ModuleNotFoundError: No module named 'elsewhere'",
			"elsewhere:app cannot be imported; the traceback is above; modules are looked for in --chdir, in --pythonpath, and in the environment of --python"},
		{"another name", "site_app:nonesuch", []string{"--chdir", dir}, "AttributeError: module 'site_app' has no attribute 'nonesuch'",
			"site_app:nonesuch cannot be imported; the traceback is above; TARGET is module:callable, and without a callable it is application"},
		{"no callable", "site_app:os", []string{"--chdir", dir}, "TypeError: site_app:os is a module, which cannot be called",
			"site_app:os cannot be imported; the traceback is above"},
		{"no folder", "site_app:app", []string{"--chdir", dir + "/nonesuch"}, "", `--chdir is "` + dir + `/nonesuch", expected a folder that exists`},
		{"no interpreter", "site_app:app", []string{"--python", dir + "/nonesuch"}, "",
			`python: the interpreter: exec: "` + dir + `/nonesuch": stat ` + dir + "/nonesuch: no such file or directory; --python expects an interpreter, or the folder of a virtual environment"},
		{"no virtual environment", "site_app:app", []string{"--python", dir}, "",
			"python: " + dir + " is no virtual environment: stat " + dir + "/bin/python: no such file or directory; --python expects an interpreter, or the folder of a virtual environment"},
	} {
		t.Run(test.name, func(t *testing.T) {
			args := append([]string{test.target, "--python", interpreter, "-b", "127.0.0.1:0"}, test.args...)
			status, lines := start(t, nil, args...).exit()
			if test.traceback != "" && !slices.Contains(lines, test.traceback) {
				t.Errorf("got\n%s\nwant a line %q", strings.Join(lines, "\n"), test.traceback)
			}
			if last := lines[len(lines)-1]; status != exitFailure || last != "gowsgi: "+test.want {
				t.Errorf("status %d after\n%s\nwant 1 after\n%s", status, last, test.want)
			}
		})
	}
}

// TestStopsWhileImporting does not wait for an import that takes an hour.
func TestStopsWhileImporting(t *testing.T) {
	interpreter := pythonFor(t)
	dir, _ := project(t, "import sys, time\nprint('importing', flush=True)\ntime.sleep(3600)\n")
	c := start(t, nil, "site_app:app", "-w", "1", "--python", interpreter, "--chdir", dir, "-b", "127.0.0.1:0")
	c.wait(`importing$`)
	c.signal(os.Interrupt)
	c.wait(`INFO  stopping before the application was there reason=interrupt$`)
	if status, lines := c.exit(); status != exitOK {
		t.Errorf("status %d after %q, want 0", status, lines)
	}
}

// TestCutsWorkers stops a server whose worker would be busy for an hour: whatever
// cuts the response ends the worker too, however long --graceful-timeout is.
func TestCutsWorkers(t *testing.T) {
	interpreter := pythonFor(t)
	dir, _ := project(t, "import time\ndef app(environ, start_response):\n    print('busy', flush=True)\n    time.sleep(3600)\n")
	for _, test := range []struct {
		name    string
		signals []syscall.Signal
		limit   string // --shutdown-timeout
		leaves  bool   // the client, before
	}{
		{"the second signal", []syscall.Signal{syscall.SIGTERM, syscall.SIGTERM}, "0", false},
		{"the limit", []syscall.Signal{syscall.SIGTERM}, "100ms", false},
		{"the limit, and nobody waits any more", []syscall.Signal{syscall.SIGTERM}, "100ms", true},
		{"SIGQUIT", []syscall.Signal{syscall.SIGQUIT}, "0", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := start(t, nil, "site_app:app", "-w", "1", "--python", interpreter, "--chdir", dir, "-b", "127.0.0.1:0",
				"--graceful-timeout", "3600", "--timeout", "0", "--shutdown-timeout", test.limit)
			base := c.wait(`serving site_app:app; open (\S+) `)[1]
			ctx, leave := context.WithCancel(t.Context())
			asked := make(chan struct{})
			go func() {
				defer close(asked)
				request, err := http.NewRequestWithContext(ctx, "GET", base, nil)
				if err != nil {
					t.Error(err)
					return
				}
				if response, err := http.DefaultClient.Do(request); err == nil {
					response.Body.Close()
				}
			}()
			c.wait(`busy$`)
			if test.leaves {
				leave()
				<-asked
			}
			for i, sig := range test.signals {
				c.signal(sig)
				if i == 0 {
					c.wait(`INFO  stopping`) // or two would be one
				}
			}
			status, lines := c.exit()
			if last := lines[len(lines)-1]; status != exitFailure || !strings.HasSuffix(last, "python: workers that did not end in time were killed") {
				t.Errorf("status %d after\n%s\nwant 1, and that workers were killed", status, strings.Join(lines, "\n"))
			}
			leave()
			<-asked
		})
	}
}

// TestQuit: SIGQUIT is no failure where nothing had to be cut.
func TestQuit(t *testing.T) {
	interpreter := pythonFor(t)
	dir, _ := project(t, say("first"))
	c := start(t, nil, "site_app:app", "--python", interpreter, "--chdir", dir, "-b", "127.0.0.1:0", "-w", "1")
	c.wait(`serving site_app:app; open (\S+) `)
	c.signal(syscall.SIGQUIT)
	if status, lines := c.exit(); status != exitOK || len(lines) == 0 || !strings.HasSuffix(lines[len(lines)-1], "stopping reason=quit") {
		t.Errorf("status %d after %q, want 0 and the reason", status, lines)
	}
}

// TestOrphans kills the parent in a way that it cannot see coming.
func TestOrphans(t *testing.T) {
	interpreter := pythonFor(t)
	dir, _ := project(t, "import os, time\n"+say("x")+"def sleeps(environ, start_response):\n    time.sleep(3600)\n")
	for _, how := range []string{"", "--preload"} {
		args := []string{"site_app:app", "--python", interpreter, "--chdir", dir, "-b", "127.0.0.1:0", "-w", "2", "--env", "GOWSGI_MARK=" + t.Name()}
		if how != "" {
			args = append(args, how)
		}
		args[0] = "site_app:sleeps"
		c := start(t, nil, args...)
		base := c.wait(`serving site_app:sleeps; open (\S+) `)[1]
		go func() { // a worker that is busy does not look at its queue
			if response, err := http.Get(base); err == nil {
				response.Body.Close()
			}
		}()
		marked := func() (n int) {
			files, _ := filepath.Glob("/proc/[0-9]*/environ")
			for _, file := range files {
				if text, err := os.ReadFile(file); err == nil && strings.Contains(string(text), "GOWSGI_MARK="+t.Name()+"\x00") {
					n++
				}
			}
			return n
		}
		if n := marked(); n < 2 {
			t.Fatalf("%d workers, want 2 or more", n)
		}
		c.signal(syscall.SIGKILL)
		for end := time.Now().Add(patience); marked() > 0; time.Sleep(10 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%d workers live on without their parent", marked())
			}
		}
	}
}
