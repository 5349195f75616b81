package main

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestCheckConfig looks whether serve would start, beside one that serves already,
// and leaves nothing behind.
func TestCheckConfig(t *testing.T) {
	interpreter := pythonFor(t)
	dir, write := project(t, say("first"))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	log, pid, config := filepath.Join(dir, "log"), filepath.Join(dir, "pid"), filepath.Join(dir, "serve.conf")
	settings := "target = site_app:app\nworkers = 8\npython = " + interpreter + "\nchdir = " + dir + "\nbind = " + l.Addr().String() +
		"\nlog-file = " + log + "\naccess-logfile = " + log + ".access\npid = " + pid + "\nadmin = " + l.Addr().String() + "\n"
	if err := os.WriteFile(config, []byte(settings), 0o666); err != nil {
		t.Fatal(err)
	}
	check := func(wantStatus int, wantLast string) {
		t.Helper()
		cmd := self(t, nil, "serve", "--check-config", "--config", config)
		out, _ := cmd.CombinedOutput()
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		if status := cmd.ProcessState.ExitCode(); status != wantStatus || lines[len(lines)-1] != wantLast {
			t.Errorf("status %d after\n%s\nwant %d and\n%s", status, out, wantStatus, wantLast)
		}
	}
	check(exitOK, "gowsgi: site_app:app can be served")
	write("import nonesuch\n")
	check(exitFailure, "gowsgi: site_app:app cannot be imported; the traceback is above; modules are looked for in --chdir, in --pythonpath, and in the environment of --python")
	for _, name := range []string{log, log + ".access", pid} {
		if _, err := os.Lstat(name); err == nil {
			t.Errorf("the check has made %s", name)
		}
	}
}
