package static_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/internal/sandwich"
	"github.com/gowsgi/gowsgi/middleware/static"
	"github.com/gowsgi/gowsgi/server"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

// Every server of this module sends what the recorder tells.
func TestLive(t *testing.T) {
	for _, protocol := range []string{"http", "h2c", "net/http", "fastcgi", "scgi", "uwsgi"} {
		t.Run(protocol, func(t *testing.T) { testLive(t, protocol) })
	}
}

func testLive(t *testing.T, protocol string) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // which closes what nobody else has
	dir, root := folder(t, map[string]string{
		"a.txt": digits, "big.bin": strings.Repeat(digits, 1000), "empty": "", "d/index.html": "index", "a.txt.gz": "zipped", "l/x": "x",
	})
	app := static.New(static.Config{Files: root, Prefix: "/static", Encodings: []string{"gzip"}, List: true})(inside)
	send := sandwich.Through(t, protocol, sandwich.Servers(app)[protocol])
	for _, req := range []*wsgitest.Request{
		get("/static/a.txt"), request("HEAD", "/static/a.txt"), get("/static/big.bin"), get("/static/empty"), get("/static/d/"), get("/static/d?q"), get("/static/l/"),
		get("/static/a.txt", "Accept-Encoding", "gzip"), get("/static/a.txt", "If-None-Match", "*"), get("/static/a.txt", "If-Match", `"x"`),
		get("/static/big.bin", "Range", "bytes=100-499999"), get("/static/big.bin", "Range", "bytes=5-6,500000-999999,300-400"), get("/static/a.txt", "Range", "bytes=5000-"),
		request("POST", "/static/a.txt"), get("/static/none"), get("/static/../secret"),
		{Target: "/static/a.txt", Proto: "HTTP/1.0"},
	} {
		want, got := wsgitest.Record(app, req), send(req)
		if got.Err != nil || got.Code != want.Code || without(got.Text(), got) != without(want.Text(), want) {
			t.Errorf("%s %s %v: live %s with %d bytes, %v; expected %s with %d bytes",
				req.Method, req.Target, req.Headers, got.Status, len(got.Text()), got.Err, want.Status, len(want.Text()))
		}
		for _, h := range want.Headers {
			if h.Name != "Content-Type" || !strings.HasPrefix(h.Value, "multipart") {
				if diff := cmp.Diff(want.Headers.Values(h.Name), got.Headers.Values(h.Name)); diff != "" {
					t.Errorf("%s: %s (-recorded +live):\n%s", req.Target, h.Name, diff)
				}
			}
		}
	}
	for deadline := time.Now().Add(5 * time.Second); openFiles(t, dir) > 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d files are open still", openFiles(t, dir))
		}
	}
}

// without returns body with its boundary replaced.
func without(body string, res *wsgitest.Response) string {
	_, boundary, ok := strings.Cut(res.Headers.Get("Content-Type"), "boundary=")
	if !ok {
		return body
	}
	return strings.ReplaceAll(body, boundary, "B")
}

// openFiles returns how many files in a folder this process has open, 0 where that
// cannot be known.
func openFiles(t *testing.T, dir string) (n int) {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	for _, entry := range entries {
		// One that is closed meanwhile is no link any more.
		if target, err := os.Readlink("/proc/self/fd/" + entry.Name()); err == nil && strings.HasPrefix(target, dir+"/") {
			n++
		}
	}
	return n
}

// TestMain lets the test binary be the server that TestSendfile traces.
func TestMain(m *testing.M) {
	if dir := os.Getenv("GOWSGI_TEST_STATIC"); dir != "" {
		root, err := os.OpenRoot(dir)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		s := &server.Server{App: static.Application(static.Config{Files: root.FS()}), Addr: "127.0.0.1:0"}
		fmt.Fprintf(os.Stderr, "pid=%d\n", os.Getpid())
		fmt.Fprintln(os.Stderr, s.Run(context.Background()))
		return
	}
	os.Exit(m.Run())
}

// TestSendfile counts the system calls of a server that sends a file and ranges
// of it: the bytes are the kernel's to move.
func TestSendfile(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		if os.Getenv("GOWSGI_STRACE") == "require" {
			t.Fatal("GOWSGI_STRACE=require, and there is no strace")
		}
		t.Skip("there is no strace to count system calls with")
	}
	const size = 4 << 20
	dir, _ := folder(t, map[string]string{"file.bin": strings.Repeat("sendfile", size/8)})
	for header, most := range map[string]int{"": size, "bytes=1000-3000999": 3_000_000, "bytes=10-1000009,2000000-2999999": 2_000_000} {
		t.Run(header, func(t *testing.T) {
			trace := t.TempDir() + "/trace"
			child := exec.Command(strace, "-f", "-qq", "-e", "trace=sendfile,splice", "-o", trace, os.Args[0])
			child.Env = append(os.Environ(), "GOWSGI_TEST_STATIC="+dir)
			stderr, err := child.StderrPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := child.Start(); err != nil {
				t.Fatal(err)
			}
			defer child.Process.Kill()
			stderr.(*os.File).SetReadDeadline(time.Now().Add(10 * time.Second))
			var said strings.Builder
			address := regexp.MustCompile(`pid=(\d+)\n(?s:.*) address=(\S+)\n`)
			for chunk := make([]byte, 1024); !address.MatchString(said.String()); {
				n, err := stderr.Read(chunk)
				if said.Write(chunk[:n]); err != nil {
					t.Fatalf("the server said %q and ended: %v", said.String(), err)
				}
			}
			stderr.(*os.File).SetReadDeadline(time.Time{})
			go io.Copy(io.Discard, stderr)
			found := address.FindStringSubmatch(said.String())
			pid, _ := strconv.Atoi(found[1])
			served, err := os.FindProcess(pid)
			if err != nil {
				t.Fatal(err)
			}
			defer served.Kill()
			req, err := http.NewRequest("GET", found[2]+"file.bin", nil)
			if err != nil {
				t.Fatal(err)
			}
			if header != "" {
				req.Header.Set("Range", header)
			}
			client := http.Client{Timeout: 10 * time.Second}
			res, err := client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			n, err := io.Copy(io.Discard, res.Body)
			res.Body.Close()
			client.CloseIdleConnections()
			if err != nil || n < int64(most) || n != res.ContentLength {
				t.Errorf("got %d bytes, %v", n, err)
			}
			served.Signal(os.Interrupt)
			child.Wait()
			calls, err := os.ReadFile(trace)
			if err != nil {
				t.Fatal(err)
			}
			sent := 0
			for _, call := range regexp.MustCompile(`(?:sendfile|splice)(?:\(| resumed>).*= (\d+)`).FindAllStringSubmatch(string(calls), -1) {
				k, _ := strconv.Atoi(call[1])
				sent += k
			}
			t.Logf("sendfile sent %d of %d bytes", sent, most)
			if sent < most-512 { // net/http copies the first bytes itself, to be sure of the head
				t.Errorf("sendfile sent %d of %d bytes:\n%s", sent, most, calls)
			}
		})
	}
}
