// Package installed finds the programs of others that tests need: web servers,
// Python servers, compilers.
package installed

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Find finds a program that a test needs. Where it is missing the test is
// skipped, unless GOWSGI_PEERS=require says that it must be there.
func Find(t testing.TB, name string) (path string) {
	t.Helper()
	for _, dir := range append(filepath.SplitList(os.Getenv("PATH")), "/usr/sbin", "/usr/local/sbin") {
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return path
		}
	}
	if os.Getenv("GOWSGI_PEERS") == "require" {
		t.Fatalf("%s is missing, and GOWSGI_PEERS=require", name)
	}
	t.Skipf("%s is not installed here", name)
	return ""
}
