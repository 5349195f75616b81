//go:build unix

package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gowsgi/gowsgi/internal/installed"
)

// TestServeGit serves repositories by git's own CGI program, which is told by its
// environment where they are, and looks through real clients whether what is pushed
// arrives: in a request without a length, in one that has one, and compressed.
func TestServeGit(t *testing.T) {
	git := gitIn(t)
	folder, err := exec.Command(git.path, "--exec-path").Output()
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(strings.TrimSpace(string(folder)), "git-http-backend")
	git.run("init", "-q", "--bare", "repositories/r.git")
	git.run("-C", "repositories/r.git", "config", "http.receivepack", "true")

	c := start(t, []string{"GIT_HTTP_EXPORT_ALL=1"}, "cgi:"+program, "-b", "127.0.0.1:0",
		"--env", "GIT_PROJECT_ROOT="+filepath.Join(git.dir, "repositories"), "--pass-env", "GIT_HTTP_EXPORT_ALL")
	remote := c.wait(`serving requests for cgi:\S+; open (\S+) `)[1] + "r.git"

	git.run("clone", "-q", remote, "one")
	content := make([]byte, 3<<19)
	rand.NewChaCha8([32]byte{1}).Read(content)
	for _, push := range []struct{ name, buffer string }{
		{"chunked", "1048576"}, // what is longer than this has no length
		{"sized", "104857600"},
	} {
		content = append(content, push.name...)
		git.write("one/"+push.name, content)
		git.run("-C", "one", "add", ".")
		git.run("-C", "one", "commit", "-q", "-m", push.name)
		git.run("-C", "one", "-c", "http.postBuffer="+push.buffer, "push", "-q", remote, "HEAD:refs/heads/main")
		git.run("clone", "-q", "-b", "main", remote, "of-"+push.name)
		if got := git.read("of-" + push.name + "/" + push.name); !bytes.Equal(got, content) {
			t.Errorf("%s: %d bytes were cloned that are not the %d that were pushed", push.name, len(got), len(content))
		}
	}
	// A long list of what a client wants is compressed.
	push := []string{"-C", "of-sized", "push", "-q", "origin"}
	for i := range 24 {
		git.run("-C", "of-sized", "commit", "-q", "--allow-empty", "-m", "more")
		push = append(push, fmt.Sprintf("HEAD~%d:refs/heads/branch%d", i, i))
	}
	git.run(push...)
	git.run("-C", "one", "-c", "protocol.version=0", "fetch", "-q", remote, "refs/heads/*:refs/heads/of/*")
	if got := len(bytes.Fields(git.run("-C", "one", "branch", "--list", "--format=x", "of/branch*"))); got != 24 {
		t.Errorf("%d branches were fetched, want 24", got)
	}
	c.stop()
}

// gitClient runs git in a folder of its own, with nobody's configuration.
type gitClient struct {
	t         *testing.T
	path, dir string
}

func gitIn(t *testing.T) *gitClient {
	return &gitClient{t, installed.Find(t, "git"), t.TempDir()}
}

func (g *gitClient) run(args ...string) []byte {
	g.t.Helper()
	cmd := exec.CommandContext(g.t.Context(), g.path, args...)
	cmd.Dir = g.dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + g.dir, "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.org", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.org"}
	out, err := cmd.CombinedOutput()
	if err != nil {
		g.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

func (g *gitClient) write(name string, content []byte) {
	g.t.Helper()
	if err := os.WriteFile(filepath.Join(g.dir, name), content, 0o600); err != nil {
		g.t.Fatal(err)
	}
}

func (g *gitClient) read(name string) []byte {
	g.t.Helper()
	content, err := os.ReadFile(filepath.Join(g.dir, name))
	if err != nil {
		g.t.Fatal(err)
	}
	return content
}
