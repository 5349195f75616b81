package peers

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/gowsgi/gowsgi/wsgi"
)

// testimony is what the application saw of a request.
type testimony struct {
	Vars   map[string]string
	Length int64  // of the body that it has read
	Sum    string // SHA-256 of it
	Err    string // of reading it
}

// seen are the variables that are compared, besides those of headers. The
// names and addresses of servers differ by nature.
var seen = []string{
	"REQUEST_METHOD", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "REQUEST_URI", "CONTENT_TYPE", "CONTENT_LENGTH", "SERVER_PROTOCOL", "REMOTE_ADDR",
}

// witness is the application behind every front end. It runs in the process of
// the test, or as a CGI program in one of its own: files stand for signals.
func witness(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
	file := environ.Header("X-File")
	text := wsgi.Headers{{Name: "Content-Type", Value: "text/plain"}, {Name: "X-Accel-Buffering", Value: "no"}, {Name: "X-App", Value: "1"}}
	switch path := environ.Var("PATH_INFO"); path {
	case "/early":
		return wsgi.Response{Status: "413 Content Too Large", Headers: text, Body: wsgi.Strings("too large")}.Call(environ, start)
	case "/stream":
		_, err := start("200 OK", text, nil)
		return wsgi.Generator(func(yield func([]byte, error) bool) {
			if !yield([]byte("first\n"), nil) {
				return
			}
			if await(file) {
				yield([]byte("second\n"), nil)
			} else {
				yield([]byte("nobody has seen the first\n"), nil)
			}
		}), err
	case "/large":
		_, err := start("200 OK", text, nil)
		return wsgi.Generator(func(yield func([]byte, error) bool) {
			block := []byte(strings.Repeat("0123456789abcdef", 4<<10))
			for range largeBlocks {
				if !yield(block, nil) {
					return
				}
			}
		}), err
	case "/cut":
		_, err := start("200 OK", text, nil)
		return wsgi.Generator(func(yield func([]byte, error) bool) {
			if yield([]byte("first\n"), nil) {
				await(file)
				yield(nil, io.ErrUnexpectedEOF)
			}
		}), err
	case "/endless":
		_, err := start("200 OK", text, nil)
		return endless{file}, err
	case "/redirect":
		return wsgi.Response{Status: "303 See Other", Headers: wsgi.Headers{{Name: "Location", Value: "/app/elsewhere"}}}.Call(environ, start)
	case "/none":
		return wsgi.Response{Status: "204 No Content"}.Call(environ, start)
	}
	return testify(environ, start)
}

const largeBlocks = 128 // of 64 KiB

// testify answers with what there is to be seen.
func testify(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
	w := testimony{Vars: make(map[string]string)}
	for name, value := range environ.All() {
		if value, ok := value.(string); ok && strings.HasPrefix(name, "HTTP_") && name != "HTTP_X_FILE" {
			w.Vars[name] = strconv.QuoteToASCII(value)
		}
	}
	for _, name := range seen {
		if value, ok := environ.Lookup(name); ok {
			w.Vars[name] = strconv.QuoteToASCII(value.(string))
		}
	}
	w.Vars["wsgi.url_scheme"] = fmt.Sprint(environ.Get("wsgi.url_scheme"))
	sum := sha256.New()
	n, err := io.Copy(sum, environ.Input())
	if w.Length, w.Sum = n, fmt.Sprintf("%x", sum.Sum(nil)); err != nil {
		w.Err = err.Error()
	}
	text, err := json.Marshal(w)
	if err != nil {
		return nil, err
	}
	headers := wsgi.Headers{
		{Name: "Content-Type", Value: "application/json"}, {Name: "Set-Cookie", Value: "a=1"}, {Name: "Set-Cookie", Value: "b=2"},
		{Name: "X-Value", Value: "caf\xe9, a  b"},
	}
	return wsgi.Response{Status: "201 Made", Headers: headers, Body: wsgi.Bytes(text)}.Call(environ, start)
}

// await waits for the test to make the file, and reports whether it has.
func await(file string) bool {
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if _, err := os.Stat(file); err == nil {
			return true
		}
	}
	return false
}

// endless is a body that leaves a file when it is closed.
type endless struct{ file string }

func (endless) Blocks(yield func([]byte, error) bool) {
	block := make([]byte, 16<<10)
	for yield(block, nil) {
	}
}

func (e endless) Close() error { return os.WriteFile(e.file, []byte("closed"), 0o600) }
