package main

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// TestAdminMounted tells applications apart by where they are mounted.
func TestAdminMounted(t *testing.T) {
	t.Parallel()
	interpreter := pythonFor(t)
	dir, _ := project(t, say("first"))
	c := start(t, nil, "site_app:app", "--mount", "/again=site_app:app", "-w", "1", "--python", interpreter, "--chdir", dir, "-b", "127.0.0.1:0", "--admin", "127.0.0.1:0")
	admin := c.admin()
	base := c.wait(`serving site_app:app; open (\S+) `)[1]
	c.wait(`listening address=`)
	get(t, http.DefaultClient, base+"again")
	counts(t, admin, `gowsgi_worker_requests_total{app="site_app:app",mount=""} 0`, `gowsgi_worker_requests_total{app="site_app:app",mount="/again"} 1`)
	c.stop()
}

// TestAdminPython is ready when there is a worker, and only then. Each worker waits,
// as it imports the application, for the test.
func TestAdminPython(t *testing.T) {
	t.Parallel()
	interpreter := pythonFor(t)
	dir, _ := project(t, `import os, sys
with open("gate") as gate:
    gate.read()

def app(environ, start_response):
    if environ["PATH_INFO"] == "/crash":
        os._exit(3)
    if environ["PATH_INFO"] == "/waits":
        with open("gate") as gate:
            gate.read()
    start_response("200 OK", [])
    return [b"hello"]
`)
	gate := filepath.Join(dir, "gate")
	if err := syscall.Mkfifo(gate, 0o600); err != nil {
		t.Fatal(err)
	}
	pass := func() {
		t.Helper()
		for late := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
			f, err := os.OpenFile(gate, os.O_WRONLY|syscall.O_NONBLOCK, 0)
			if err == nil {
				f.Close()
				return
			}
			if time.Now().After(late) { // ENXIO until somebody waits
				t.Fatal(err)
			}
		}
	}
	c := start(t, nil, "site_app:app", "-w", "1", "--python", interpreter, "--chdir", dir, "-b", "127.0.0.1:0", "--admin", "127.0.0.1:0")
	admin := c.admin()
	answers(t, admin+"healthz", 200, "ok\n")
	answers(t, admin+"readyz", 503, "starting\n")
	counts(t, admin, "gowsgi_ready 0")
	pass()
	base := c.wait(`serving site_app:app; open (\S+) `)[1]
	c.wait(`listening address=`)
	labels := `{app="site_app:app",mount=""}`
	counts(t, admin, "gowsgi_ready 1", "gowsgi_workers"+labels+" 1", "gowsgi_worker_threads"+labels+" 1", "gowsgi_worker_restarts_total"+labels+" 0")
	answers(t, admin+"readyz", 200, "ready\n")

	get(t, http.DefaultClient, base+"crash")
	c.wait(`worker ended unexpectedly`)
	answers(t, admin+"readyz", 503, "no worker of site_app:app is ready\n")
	counts(t, admin, "gowsgi_ready 0", "gowsgi_workers"+labels+" 0", "gowsgi_worker_restarts_total"+labels+" 1", "gowsgi_worker_requests_lost_total"+labels+" 1",
		`gowsgi_requests_total{protocol="http",code="5xx"} 1`)
	pass()
	counts(t, admin, "gowsgi_ready 1")

	// A client that does not wait for its answer is no failure of the server.
	ctx, leave := context.WithCancel(t.Context())
	left := make(chan struct{})
	go func() {
		defer close(left)
		request, err := http.NewRequestWithContext(ctx, "GET", base+"waits", nil)
		if err != nil {
			t.Error(err)
			return
		}
		if response, err := http.DefaultClient.Do(request); err == nil {
			response.Body.Close()
		}
	}()
	counts(t, admin, "gowsgi_worker_threads_busy"+labels+" 1", `gowsgi_requests_in_flight{protocol="http"} 1`)
	leave()
	<-left
	counts(t, admin, `gowsgi_requests_total{protocol="http",code="4xx"} 1`, `gowsgi_requests_total{protocol="http",code="5xx"} 1`,
		`gowsgi_requests_in_flight{protocol="http"} 0`)
	pass()

	if err := os.WriteFile(filepath.Join(dir, "site_app.py"), []byte("import nonesuch\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	c.signal(syscall.SIGHUP)
	c.wait(`the application was not reloaded`)
	counts(t, admin, "gowsgi_ready 1", "gowsgi_reload_failures_total"+labels+" 1", "gowsgi_reloads_total"+labels+" 0")
	c.stop()
}
