//go:build unix

package cgi

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/internal/adaptertest"
	"github.com/gowsgi/gowsgi/wsgi"
)

// shell writes a program of the given lines.
func shell(t *testing.T, lines string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+lines), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

// outcome is what a client answers with.
type outcome struct {
	Status  string
	Headers wsgi.Headers
	Body    string
	Err     error // of Call or of the body
}

// run calls c with a request that has the variables and the body.
func run(t *testing.T, c *Client, ctx context.Context, body string, vars map[string]any) (o outcome, errs string) {
	t.Helper()
	if c.Logger == nil {
		c.Logger = adaptertest.Silent
	}
	var stderr bytes.Buffer
	all := map[string]any{"REQUEST_METHOD": "POST", "wsgi.input": wsgi.NewInput(strings.NewReader(body)), "wsgi.errors": wsgi.NewErrors(&stderr)}
	for name, value := range vars {
		all[name] = value
	}
	answer, err := c.Call(wsgi.EnvironFromMap(all).WithContext(ctx), func(status string, headers wsgi.Headers, _ error) (wsgi.Write, error) {
		o.Status, o.Headers = status, headers.Clone()
		return nil, nil
	})
	if o.Err = err; err != nil {
		return o, stderr.String()
	}
	for block, err := range answer.Blocks {
		o.Body += string(block)
		o.Err = err
	}
	if err := answer.Close(); err != nil {
		t.Error(err)
	}
	return o, stderr.String()
}

func TestClient(t *testing.T) {
	adaptertest.Leaks(t)
	const head = "printf 'Status: 201 Made\\nContent-Type: text/x\\n\\n'\n"
	t.Setenv("GOWSGI_SECRET", "not for the program")
	for _, tt := range []struct {
		name, lines, body string
		vars              map[string]any
		want              outcome
		errs              string
	}{
		{name: "body", lines: head + "cat", body: "some text", want: outcome{Status: "201 Made", Body: "some text"}},
		{name: "large body", lines: head + "cat", body: strings.Repeat("x", 1<<20), want: outcome{Status: "201 Made", Body: strings.Repeat("x", 1<<20)}},
		{name: "body that is not read", lines: head + "echo done", body: strings.Repeat("x", 1<<20), want: outcome{Status: "201 Made", Body: "done\n"}},
		{name: "variables", lines: head + "/usr/bin/env | sort | grep -v -e ^PATH= -e ^PWD= -e ^_= -e ^SHLVL= -e ^OLDPWD=",
			vars: map[string]any{"HTTP_HOST": "h", "PATH_INFO": "/a b", "LD_PRELOAD": "/evil", "HTTP_PROXY": "evil", "wsgi.url_scheme": "https", "GOWSGI_SECRET": "x"},
			want: outcome{Status: "201 Made", Body: "GATEWAY_INTERFACE=CGI/1.1\nHTTPS=on\nHTTP_HOST=h\nOWN=1\nPATH_INFO=/a b\nREQUEST_METHOD=POST\nREQUEST_SCHEME=https\n"}},
		{name: "PATH", lines: head + "/usr/bin/env | grep ^PATH=", want: outcome{Status: "201 Made", Body: "PATH=" + os.Getenv("PATH") + "\n"}},
		{name: "folder", lines: head + "ls", want: outcome{Status: "201 Made", Body: "program\n"}},
		{name: "errors", lines: "echo a word >&2\n" + head + "exit 3", want: outcome{Status: "201 Made"}, errs: "a word\ngowsgi: PROGRAM: exit status 3\n"},
		{name: "many errors", lines: "yes | head -c 100000 >&2\n" + head, want: outcome{Status: "201 Made"}, errs: strings.Repeat("y\n", mostErrors/2)},
		{name: "HEAD", lines: head + "echo body", vars: map[string]any{"REQUEST_METHOD": "HEAD"}, want: outcome{Status: "201 Made"}},
		{name: "no response", lines: "echo garbage", want: outcome{Status: "502 Bad Gateway", Body: "502 Bad Gateway\n"}},
		{name: "nothing", lines: "", want: outcome{Status: "502 Bad Gateway", Body: "502 Bad Gateway\n"}},
		{name: "less than its length", lines: "printf 'Content-Length: 9\\n\\nhalf'", want: outcome{Status: "200 OK", Body: "half", Err: io.ErrUnexpectedEOF}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := shell(t, tt.lines)
			got, errs := run(t, &Client{Path: path, Environ: map[string]string{"OWN": "1"}}, t.Context(), tt.body, tt.vars)
			if got.Status != tt.want.Status || got.Body != tt.want.Body || !errors.Is(got.Err, tt.want.Err) {
				t.Errorf("got %s %.300q, %v, expected %s %.300q, %v", got.Status, got.Body, got.Err, tt.want.Status, tt.want.Body, tt.want.Err)
			}
			if diff := cmp.Diff(strings.ReplaceAll(tt.errs, "PROGRAM", path), errs); diff != "" {
				t.Errorf("wsgi.errors (-want +got):\n%s", diff)
			}
		})
	}
}

func TestClientFailures(t *testing.T) {
	adaptertest.Leaks(t)
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, nil))
	for _, tt := range []struct {
		name   string
		c      *Client
		status string
	}{
		{"missing", &Client{Path: "/nowhere/program"}, "502"},
		{"silent", &Client{Path: shell(t, "sleep 100"), ResponseTimeout: 50 * time.Millisecond}, "504"},
	} {
		log.Reset()
		tt.c.Logger = logger
		if got, _ := run(t, tt.c, t.Context(), "", nil); !strings.HasPrefix(got.Status, tt.status) {
			t.Errorf("%s: got %v, expected %s", tt.name, got, tt.status)
		}
		if !strings.Contains(log.String(), tt.c.Path) {
			t.Errorf("%s: the log is %q, expected it to name the program", tt.name, log.String())
		}
	}
	if got, _ := run(t, new(Client), t.Context(), "", nil); got.Err == nil {
		t.Error("a Client without a path does not say so")
	}
}

// When the client leaves, what the program has started ends with it.
func TestClientLeaves(t *testing.T) {
	adaptertest.Leaks(t)
	pids := filepath.Join(t.TempDir(), "pids")
	c := &Client{Path: shell(t, "sleep 1000 & echo $! > '"+pids+"'\nprintf 'Content-Type: text/x\\n\\nbegun\\n'\nwait")}
	c.Logger = adaptertest.Silent
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	answer, err := c.Call(wsgi.EnvironFromMap(map[string]any{"REQUEST_METHOD": "GET"}).WithContext(ctx),
		func(string, wsgi.Headers, error) (wsgi.Write, error) { return nil, nil })
	if err != nil {
		t.Fatal(err)
	}
	var got error
	for _, err := range answer.Blocks {
		cancel()
		got = err
	}
	answer.Close()
	if !errors.Is(got, context.Canceled) {
		t.Errorf("the body ended with %v, expected that the client has left", got)
	}
	pid, err := os.ReadFile(pids)
	if err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(adaptertest.Patience); ; time.Sleep(time.Millisecond) {
		state, err := os.ReadFile("/proc/" + strings.TrimSpace(string(pid)) + "/stat")
		if err != nil || strings.Contains(string(state), ") Z ") {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("process %s goes on", pid)
		}
	}
}

// No more processes run at the same time than are allowed.
func TestClientMaxProcesses(t *testing.T) {
	adaptertest.Leaks(t)
	dir := t.TempDir()
	path := shell(t, "mkdir '"+dir+"/lock' || exit 1\nprintf 'Content-Type: text/x\\n\\n'\nrmdir '"+dir+"/lock'\necho alone")
	c := &Client{Path: path, MaxProcesses: 1, Logger: adaptertest.Silent}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if got, _ := run(t, c, t.Context(), "", nil); got.Body != "alone\n" {
				t.Errorf("got %v, expected a process that is alone", got)
			}
		})
	}
	all.Wait()
}
