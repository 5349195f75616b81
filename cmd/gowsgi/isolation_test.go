//go:build linux

package main

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

const tellApp = `import os
def app(environ, start_response):
    try:
        os.setuid(0)
        back = "root again"
    except PermissionError:
        back = "for good"
    sockets = sum("socket:" in os.readlink(fd) for fd in os.scandir("/proc/self/fd") if os.path.islink(fd))
    start_response("200 OK", [])
    said = [os.getresuid(), os.getresgid(), os.getgroups(), back, sockets] + [os.environ.get(name) for name in ("SECRET", "PASSED", "GIVEN")]
    return [repr(said).encode()]
`

// TestServeUnprivileged: with --user and --group the workers are nobody for good
// while serve itself is not, have no socket but their own two, and see of its
// environment what they are given.
func TestServeUnprivileged(t *testing.T) {
	interpreter := pythonFor(t)
	dir, _ := project(t, tellApp)
	args := []string{"site_app:app", "--chdir", dir, "-b", "127.0.0.1:0", "-w", "1", "--pass-env", "PASSED", "--env", "GIVEN=2"}
	who := []int{os.Getuid(), os.Getgid()}
	if who[0] == 0 {
		// Nobody has to get at the folder, and at an interpreter that may not be root's own.
		for parent := dir; parent != "/" && parent != os.TempDir(); parent = filepath.Dir(parent) {
			os.Chmod(parent, 0o755)
		}
		if path, err := exec.LookPath("/usr/bin/python3"); err == nil {
			interpreter = path
		}
		args = append(args, "--user", "nobody", "--group", "nogroup")
	}
	socket := filepath.Join(dir, "s")
	args = append(args, "-b", "unix:"+socket)
	c := start(t, []string{"SECRET=0", "PASSED=1"}, append(args, "--python", interpreter)...)
	base := c.wait(`serving site_app:app; open (\S+) `)[1]
	if info, err := os.Stat(socket); err != nil {
		t.Error(err)
	} else if owner := info.Sys().(*syscall.Stat_t); who[0] == 0 && (owner.Uid != 65534 || owner.Gid != 65534) {
		t.Errorf("the socket belongs to %d and %d, want nobody and nogroup", owner.Uid, owner.Gid)
	}
	_, body := get(t, http.DefaultClient, base)
	if who[0] == 0 && !strings.HasPrefix(body, "[(65534, 65534, 65534), (65534, 65534, 65534), [65534], 'for good', ") {
		t.Errorf("the worker is %s, want it to be nobody and nogroup", body)
	}
	if !strings.HasSuffix(body, ", 2, None, '1', '2']") {
		t.Errorf("the worker says %s, want two sockets, no secret, what was passed and what was given", body)
	}
	c.stop()
}
