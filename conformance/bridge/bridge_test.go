package bridge_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/conformance/bridge"
	"github.com/gowsgi/gowsgi/wsgi"
)

func (b body) Close() error { return b.close() }

// TestHands sees that what the application does in Go happens in Python.
func TestHands(t *testing.T) {
	head := wsgi.Headers{{Name: "X-Caf\xe9", Value: "v"}}
	tests := []struct {
		name   string
		app    wsgi.AppFunc
		script string
		want   string
	}{
		{"list", func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			start("200 OK", head, nil)
			return wsgi.Strings("a", "\xff"), nil
		}, `print(application(environ(), start_response))`,
			"start 200 OK [('X-Café', 'v')]\n[b'a', b'\\xff']\n"},
		{"nothing", func(*wsgi.Environ, wsgi.StartResponse) (wsgi.Iterable, error) { return nil, nil },
			`print(application(environ(), start_response))`, "None\n"},
		{"write", func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			write, _ := start("200 OK", nil, nil)
			write([]byte("x"))
			return wsgi.Empty(), nil
		}, `print(application(environ(), start_response))`, "start 200 OK []\nwrite b'x'\n[]\n"},
		{"no write", func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			write, err := start("200 OK", nil, nil)
			return wsgi.Strings(fmt.Sprint(write == nil, err)), nil
		}, `print(application(environ(), lambda status, headers: None))`, "[b'true <nil>']\n"},
		{"late start and end", func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			return body{func(yield func([]byte, error) bool) {
				start("200 OK", nil, nil)
				yield([]byte("a"), nil)
				yield(nil, nil)
			}, func() error { start("closed", nil, nil); return nil }}, nil
		}, `
body = application(environ(), start_response)
print([block for block in body], hasattr(body, "__len__"))
body.close()`, "start 200 OK []\n[b'a', b''] False\nstart closed []\n"},
		{"closed early", func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			return body{func(yield func([]byte, error) bool) {
				start(fmt.Sprint(yield([]byte("a"), nil)), nil, nil)
			}, func() error { start("closed", nil, nil); return nil }}, nil
		}, `
body = application(environ(), start_response)
print(next(body))
body.close()`, "b'a'\nstart false []\nstart closed []\n"},
		{"closed twice, iterated after it", func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			return body{func(func([]byte, error) bool) { start("iterated", nil, nil) }, func() error { start("closed", nil, nil); return nil }}, nil
		}, `
body = application(environ(), start_response)
body.close()
body.close()
print(list(body))`, "start closed []\nstart closed []\nstart iterated []\n[]\n"},
		{"length that lies", func(*wsgi.Environ, wsgi.StartResponse) (wsgi.Iterable, error) { return liar{}, nil },
			`print(len(application(environ(), start_response)))`, "7\n"},
		{"exceptions", func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			_, err := start("500 Sorry", nil, errPlanned)
			var e *bridge.Exception
			return nil, fmt.Errorf("%w, is the planned one: %t, class %t", err, errors.Is(err, errPlanned), errors.As(err, &e) && e.Class == "gowsgi_probe.ProbeError")
		}, `
def start_response(status, headers, exc_info):
    global given
    given = exc_info[1]
    raise given
try:
    application(environ(), start_response)
except Exception as exc:
    print(exc is given, type(exc).__name__, exc)`, "True ProbeError on purpose\n"},
		{"an exception of the server", func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			_, err := start("200 OK", nil, errPlanned)
			if errors.Is(err, errPlanned) {
				return nil, errors.New("it wraps the planned one")
			}
			return nil, err
		}, `
mine = KeyError("mine")
def start_response(*args):
    raise mine
try:
    application(environ(), start_response)
except KeyError as exc:
    print(exc is mine)`, "True\n"},
		{"a panic", func(*wsgi.Environ, wsgi.StartResponse) (wsgi.Iterable, error) { panic(errPlanned) }, `
try:
    application(environ(), start_response)
except Exception as exc:
    print(type(exc).__name__, exc)`, "ProbePanic panic: on purpose\n"},
		{"the end of the goroutine", func(*wsgi.Environ, wsgi.StartResponse) (wsgi.Iterable, error) { runtime.Goexit(); return nil, nil }, `
try:
    application(environ(), start_response)
except Exception as exc:
    print(type(exc).__name__)`, "ProbeError\n"},
		{"an error of the body, and on", func(*wsgi.Environ, wsgi.StartResponse) (wsgi.Iterable, error) {
			return wsgi.Generator(func(yield func([]byte, error) bool) {
				if yield(nil, errPlanned) {
					yield([]byte("asked again"), nil)
				}
			}), nil
		}, `
body = application(environ(), start_response)
try:
    next(body)
except Exception as exc:
    print(exc)
print(next(body))`, "on purpose\nb'asked again'\n"},
		{"environ", func(e *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			for key := range e.Map() {
				e.Delete(key)
			}
			e.Set("k", "v\xe9")
			e.Set("n", [2]int{1, 0})
			start("200 OK", nil, nil)
			e.Set("late", true)
			return wsgi.Empty(), nil
		}, `
e = environ()
def start_response(status, headers):
    print(sorted(e.items()))
application(e, start_response)
print(sorted(e.items()))`, "[('k', 'vé'), ('n', (1, 0))]\n[('k', 'vé'), ('late', True), ('n', (1, 0))]\n"},
		{"types of the environ", func(e *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			return wsgi.Strings(fmt.Sprintf("%v %v %v %v %v %v %v %q", e.Get("wsgi.version"), e.Get("wsgi.multithread"), e.Get("wsgi.run_once"),
				e.Get("n"), e.Get("none"), e.Get("b"), e.Get("o"), e.Get("s"))), nil
		}, `print(application(environ(n=7, none=None, b=b"\xff", o=Ellipsis, s="\xff"), start_response)[0].decode())`,
			"[1 0] true false 7 <nil> [255] ellipsis object Ellipsis \"\\xff\"\n"},
		{"input", func(e *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			in := e.Input()
			one := make([]byte, 2)
			io.ReadFull(in, one)
			two, _ := in.ReadLine(2)
			three, _ := in.ReadLine(-1)
			var four []string
			for line := range in.Lines() {
				four = append(four, string(line))
			}
			five, err := in.ReadLines(0)
			_, end := in.ReadLine(-1)
			return wsgi.Strings(fmt.Sprintf("%q %q %q %q %q %v %v", one, two, three, four, five, err, end)), nil
		}, `print(application(environ(), start_response)[0].decode())`,
			"\"li\" \"ne\" \"1\\n\" [\"line2\"] [] <nil> EOF\n"},
		{"input that gives text", func(e *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			_, err := e.Input().ReadLine(-1)
			return wsgi.Strings(fmt.Sprint(err)), nil
		}, `print(application(environ(**{"wsgi.input": io.StringIO("text")}), start_response)[0].decode())`,
			"TypeError: readline gave str, expected bytes\n"},
		{"errors", func(e *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			errs := e.Errors()
			errs.WriteString("\u20ac\n")
			errs.Write([]byte("\xff\n"))
			errs.WriteLines("a", "b")
			errs.Flush()
			return wsgi.Empty(), nil
		}, `
e = environ()
application(e, start_response)
print(ascii(e["wsgi.errors"].getvalue()))`, "'\\u20ac\\n\\udcff\\nab'\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, python(t, tt.app, tt.script)); diff != "" {
				t.Errorf("Python prints something else (-want +got):\n%s", diff)
			}
		})
	}
}

type liar struct{ wsgi.Generator }

func (liar) Len() int { return 7 }

// TestFileWrapper gives files of all kinds to a file_wrapper.
func TestFileWrapper(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "file")
	if err := os.WriteFile(path, []byte("0123456789"), 0o600); err != nil {
		t.Fatal(err)
	}
	closed := make(chan bool, 4)
	app := func(open func() io.Reader, then func(io.Reader)) wsgi.AppFunc {
		return func(e *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			file := open()
			wrapped := e.FileWrapper()(file, 4)
			then(file)
			return wrapped, nil
		}
	}
	openFile := func() io.Reader {
		file, err := os.Open(path)
		if err != nil {
			t.Error(err)
		}
		return file
	}
	const script = `
class Wrapper:
    def __init__(self, file, size):
        self.file, self.size = file, size
        print(hasattr(file, "fileno"), hasattr(file, "close"), size)

def report(wrapper):
    body = application(environ(**{"wsgi.file_wrapper": wrapper}), start_response)
    print(type(body).__name__, body.file.read(3), body.file.read())
    if hasattr(body.file, "close"):
        body.file.close()
report(Wrapper)`
	tests := []struct {
		name string
		app  wsgi.AppFunc
		want string
	}{
		{"open file", app(openFile, func(io.Reader) {}), "True True 4\nWrapper b'012' b'3456789'\n"},
		{"moved after it was given", app(openFile, func(r io.Reader) { r.(io.Seeker).Seek(5, io.SeekStart) }), "True True 4\nWrapper b'567' b'89'\n"},
		{"in memory", app(func() io.Reader { return strings.NewReader("0123456789") }, func(io.Reader) {}), "False False 4\nWrapper b'012' b'3456789'\n"},
		{"in memory, with close", app(func() io.Reader { return closer{strings.NewReader("0123456789"), closed} }, func(io.Reader) {}),
			"False True 4\nWrapper b'012' b'3456789'\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.name == "moved after it was given" && runtime.GOOS == "windows" {
				t.Skip("no open files travel on Windows")
			}
			if diff := cmp.Diff(tt.want, python(t, tt.app, script)); diff != "" {
				t.Errorf("Python prints something else (-want +got):\n%s", diff)
			}
		})
	}
	select {
	case <-closed:
	default:
		t.Error("the file that has close was not closed")
	}
}

func (c closer) Close() error { c.closed <- true; return nil }

// BenchmarkCall measures a call by way of the bridge, without a server.
func BenchmarkCall(b *testing.B) {
	got := python(b, wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		start("200 OK", wsgi.Headers{{Name: "Content-Type", Value: "text/plain"}}, nil)
		return wsgi.Strings("ok"), nil
	}), fmt.Sprintf(`
import time
n = %d
e = {"HTTP_X_%%d" %% i: "some value of a header" for i in range(20)}
begun = time.perf_counter()
for i in range(n):
    application(environ(**e), lambda status, headers: None)
print((time.perf_counter() - begun) / n * 1e6)`, max(b.N, 2000)))
	var micros float64
	fmt.Sscan(got, &micros)
	b.ReportMetric(micros, "µs/call")
	b.ReportMetric(0, "ns/op")
}
