package bridge_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gowsgi/gowsgi/conformance/bridge"
	"github.com/gowsgi/gowsgi/wsgi"
)

// TestLate uses the callables of a call from within another, and after all.
func TestLate(t *testing.T) {
	var start wsgi.StartResponse
	var write wsgi.Write
	got := python(t, wsgi.AppFunc(func(e *wsgi.Environ, sr wsgi.StartResponse) (wsgi.Iterable, error) {
		if e.Var("PATH_INFO") == "/first" {
			start = sr
			write, _ = sr("200 OK", nil, nil)
			return wsgi.Empty(), nil
		}
		_, err1 := write([]byte("late"))
		_, err2 := start("late", nil, errPlanned)
		return wsgi.Strings(fmt.Sprint(err1, ", ", err2)), nil
	}), `
def first(status, headers, *exc_info):
    print("first", status)
    if exc_info:
        raise ValueError("too late")
    return lambda data: print("first", data)
application(environ(PATH_INFO="/first"), first)
print(application(environ(PATH_INFO="/second"), start_response)[0].decode())`)
	if want := "first 200 OK\nfirst b'late'\nfirst late\n<nil>, ValueError: too late\n"; got != want {
		t.Errorf("Python prints %q, expected %q", got, want)
	}
	if _, err := write(nil); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("error of write is %v when its process has ended, expected one that says so", err)
	}
}

// TestDropped sees that a body which is forgotten, and one whose process is
// killed, end on this side, and are not said to be closed.
func TestDropped(t *testing.T) {
	for name, script := range map[string]string{
		"forgotten": `
body = application(environ(), start_response)
print(next(body))
del body
gc.collect()
input()`,
		"killed": `
import os
body = application(environ(), start_response)
print(next(body))
sys.stdout.flush()
os._exit(0)`,
	} {
		t.Run(name, func(t *testing.T) {
			ended := make(chan string, 4)
			b := listen(t, wsgi.AppFunc(func(e *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
				go func() {
					<-e.Context().Done()
					ended <- "context"
				}()
				return body{func(yield func([]byte, error) bool) {
					yield([]byte("a"), nil)
					_, err := start("200 OK", nil, nil)
					ended <- fmt.Sprint("body, ", err)
				}, func() error { ended <- "closed"; return nil }}, nil
			}))
			cmd := exec.Command(somePython(t), "-c", prelude+script)
			cmd.Env = append(os.Environ(), b.Env()...)
			stdin, err := cmd.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			defer cmd.Wait()
			defer stdin.Close()
			var got []string
			for range 2 {
				select {
				case event := <-ended:
					got = append(got, event)
				case <-time.After(10 * time.Second):
					t.Fatalf("only %q ended", got)
				}
			}
			if !strings.Contains(strings.Join(got, "; "), "body, bridge: ") || strings.Contains(strings.Join(got, "; "), "closed") {
				t.Errorf("events are %q, expected the end of the body and of the context, and no close", got)
			}
		})
	}
}

// TestStrangers sees that wrong bytes end their own connection and nothing
// else, and that Close ends all of them.
func TestStrangers(t *testing.T) {
	before := runtime.NumGoroutine()
	b, err := bridge.Listen(wsgi.AppFunc(func(*wsgi.Environ, wsgi.StartResponse) (wsgi.Iterable, error) {
		t.Error("the application was called by a stranger")
		return wsgi.Empty(), nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	address, err := os.ReadFile(filepath.Join(b.Dir(), "address"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(address), "\n")
	app := func(token string) string {
		payload := "L\x00\x00\x00\x05S\x00\x00\x00" + string(rune(len(token))) + token + "I\x00\x00\x00\x00\x00\x00\x00\x01I\x00\x00\x00\x00\x00\x00\x00\x01D\x00\x00\x00\x00L\x00\x00\x00\x00"
		return "\x00\x00\x00" + string(rune(len(payload)+1)) + "a" + payload
	}
	for name, raw := range map[string]string{
		"garbage": "GET / HTTP/1.1\r\n\r\n", "too long": "\xff\xff\xff\xffa", "empty": "\x00\x00\x00\x00a", "another frame": "\x00\x00\x00\x02rN",
		"cut": "\x00\x00\x00\x09aN", "wrong token": app("wrong"),
	} {
		t.Run(name, func(t *testing.T) {
			c, err := net.Dial(lines[0], lines[1])
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			io.WriteString(c, raw)
			c.(interface{ CloseWrite() error }).CloseWrite()
			c.SetReadDeadline(time.Now().Add(5 * time.Second))
			if got, err := io.ReadAll(c); len(got) > 0 || errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("got %q, %v, expected the end of the connection", got, err)
			}
		})
	}
	idle, err := net.Dial(lines[0], lines[1])
	if err != nil {
		t.Fatal(err)
	}
	defer idle.Close()
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	if err := b.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
	if _, err := os.Stat(b.Dir()); !os.IsNotExist(err) {
		t.Errorf("the folder is still there: %v", err)
	}
	for end := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before && time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
	}
	if n := runtime.NumGoroutine(); n > before {
		stacks := make([]byte, 64<<10)
		t.Errorf("%d goroutines, %d before\n%s", n, before, stacks[:runtime.Stack(stacks, true)])
	}
}

// TestCloseUnderWay sees that Close ends a call in the middle, on both sides.
func TestCloseUnderWay(t *testing.T) {
	inside := make(chan bool)
	b, err := bridge.Listen(wsgi.AppFunc(func(e *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		close(inside)
		<-e.Context().Done()
		_, err := start("200 OK", nil, nil)
		if err == nil {
			t.Error("start_response has no error when the bridge is closed")
		}
		return nil, err
	}))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(somePython(t), "-c", prelude+`
try:
    application(environ(), start_response)
except OSError as exc:
    print("ended")`)
	cmd.Env = append(os.Environ(), b.Env()...)
	var out bytes.Buffer
	cmd.Stdout = &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	<-inside
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	if err := cmd.Wait(); err != nil || out.String() != "ended\n" {
		t.Errorf("Python printed %q, %v, expected that it ended", &out, err)
	}
}
