package browsertest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"testing"
)

func TestMain(m *testing.M) {
	code := m.Run()
	closeBrowser()
	removeBuild()
	os.Exit(code)
}

var removeBuild = func() {} // before there is one

// buildDir is where the command is, built from the module around this one.
var buildDir = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "gowsgi-browsertest-")
	if err != nil {
		return "", err
	}
	removeBuild = func() { os.RemoveAll(dir) }
	build := exec.Command("go", "build", "-C", "../../..", "-o", filepath.Join(dir, "gowsgi"), "./cmd/gowsgi")
	build.Env = append(os.Environ(), "GOWORK=off")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return dir, nil
})

var announcement = regexp.MustCompile(`^gowsgi: serving .*; open (http://\S+)/ \(Ctrl-C stops\)$`)

// serve starts gowsgi serve on a free port and returns the URL of its root,
// without a slash at the end. When the test ends it is told to stop, and has
// to exit with status 0.
func serve(t *testing.T, args ...string) string {
	t.Helper()
	dir, err := buildDir()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(filepath.Join(dir, "gowsgi"), append([]string{"serve", "--listen", "127.0.0.1:0"}, args...)...)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(stderr)
	first, err := lines.ReadString('\n')
	found := announcement.FindStringSubmatch(first[:max(0, len(first)-1)])
	var rest []byte
	drained := make(chan error, 1)
	go func() {
		var err error
		rest, err = io.ReadAll(lines)
		drained <- err
	}()
	t.Cleanup(func() {
		cmd.Process.Signal(os.Interrupt)
		err := errors.Join(<-drained, cmd.Wait())
		if err != nil || t.Failed() {
			t.Logf("gowsgi serve: %v\n%s%s", err, first, rest)
		}
		if err != nil {
			t.Errorf("gowsgi serve ended with %v, want status 0", err)
		}
	})
	if err != nil || found == nil {
		t.Fatalf("gowsgi serve said %q (%v), want an announcement with a URL", first, err)
	}
	return found[1]
}
