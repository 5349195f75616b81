//go:build unix

package main

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// child is this test binary as gowsgi serve, a process of its own.
type child struct {
	t      *testing.T
	cmd    *exec.Cmd
	stdout strings.Builder
	lines  chan string // of standard error, as they come
	said   []string    // those that were taken from lines
}

// patience bounds what a test waits for. Nothing takes that long.
const patience = 30 * time.Second

// self returns the test binary as gowsgi with the given arguments. Options
// in the environment of the test are left out.
func self(t *testing.T, environ []string, args ...string) *exec.Cmd {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = slices.DeleteFunc(os.Environ(), func(s string) bool {
		return strings.HasPrefix(s, "GOWSGI_") || strings.HasPrefix(s, "PORT=") || strings.HasPrefix(s, "WEB_CONCURRENCY=")
	})
	// The race detector would wait a second before it lets a process exit.
	cmd.Env = append(append(cmd.Env, "BE_GOWSGI=1", "GORACE=atexit_sleep_ms=0"), environ...)
	return cmd
}

// start starts gowsgi serve.
func start(t *testing.T, environ []string, args ...string) *child {
	t.Helper()
	return startCommand(t, self(t, environ, append([]string{"serve"}, args...)...))
}

func startCommand(t *testing.T, cmd *exec.Cmd) *child {
	t.Helper()
	c := &child{t: t, cmd: cmd, lines: make(chan string, 1000)}
	cmd.Stdout = &c.stdout
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill() // one that has ended is no longer there to be killed
		cmd.Wait()
	})
	go func() {
		defer close(c.lines)
		scanner := bufio.NewScanner(stderr)
		for scanner.Scan() {
			c.lines <- scanner.Text()
		}
	}()
	return c
}

// wait waits for a line that matches pattern and returns its groups.
func (c *child) wait(pattern string) []string {
	c.t.Helper()
	expression := regexp.MustCompile(pattern)
	for line := range c.lines {
		c.said = append(c.said, line)
		if groups := expression.FindStringSubmatch(line); groups != nil {
			return groups
		}
	}
	c.t.Fatalf("gowsgi said\n%s\nwant a line that matches %s", strings.Join(c.said, "\n"), pattern)
	return nil
}

// url waits for the announcement and returns the URL in it.
func (c *child) url() string {
	c.t.Helper()
	return c.wait(`^gowsgi: serving the demo application; open (\S+) \(Ctrl-C stops\)$`)[1]
}

func (c *child) signal(sig os.Signal) {
	c.t.Helper()
	if err := c.cmd.Process.Signal(sig); err != nil {
		c.t.Fatal(err)
	}
}

// exit waits for the end of the process and returns its status and the lines
// that were not waited for.
func (c *child) exit() (status int, rest []string) {
	c.t.Helper()
	for line := range c.lines {
		rest = append(rest, line)
	}
	c.cmd.Wait()
	if c.stdout.Len() > 0 {
		c.t.Errorf("standard output is %q, want nothing", c.stdout.String())
	}
	return c.cmd.ProcessState.ExitCode(), rest
}

// stop tells the process to stop and checks that it exits with status 0.
func (c *child) stop() {
	c.t.Helper()
	c.signal(syscall.SIGTERM)
	if status, rest := c.exit(); status != exitOK {
		c.t.Errorf("the status is %d, want 0; gowsgi said\n%s", status, strings.Join(append(c.said, rest...), "\n"))
	}
}

// get returns what url answers, through client.
func get(t *testing.T, client *http.Client, url string) (status int, body string) {
	t.Helper()
	response, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(content)
}

// unixClient connects to a socket, whatever the URL says.
func unixClient(t *testing.T, path string) *http.Client {
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", path)
	}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}
