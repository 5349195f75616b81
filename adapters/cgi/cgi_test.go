package cgi

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gowsgi/gowsgi/internal/adaptertest"
	"github.com/gowsgi/gowsgi/wsgi"
)

// output is a standard output that notes its end.
type output struct {
	bytes.Buffer
	closed bool
}

func (o *output) Close() error { o.closed = true; return nil }

// TestCaptures has what Apache and lighttpd start programs with.
func TestCaptures(t *testing.T) {
	files, err := filepath.Glob("testdata/captures/*.env")
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no captures: %v", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".env")
		t.Run(name, func(t *testing.T) {
			block, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var in io.Reader = failingReader{}
			if body, err := os.ReadFile(strings.TrimSuffix(file, ".env") + ".stdin"); err == nil {
				in = bytes.NewReader(body)
			}
			var text string
			var out output
			err = serve(t.Context(), wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
				body, err := io.ReadAll(environ.Input())
				text = adaptertest.Describe(environ, body, err)
				return wsgi.Response{Status: "200 OK", Body: wsgi.Strings("observed")}.Call(environ, start)
			}), strings.Split(string(block), "\x00"), in, &out, io.Discard, 0)
			if err != nil {
				t.Fatal(err)
			}
			if want := "Status: 200 OK\r\nContent-Length: 8\r\n\r\nobserved"; out.String() != want && !strings.Contains(text, `"HEAD"`) || !out.closed {
				t.Errorf("the output is %q, closed %t, expected %q", out.String(), out.closed, want)
			}
			adaptertest.Golden(t, strings.TrimSuffix(file, ".env")+".golden", text)
		})
	}
}

// failingReader is a standard input that must not be read: it may be a
// terminal.
type failingReader struct{}

func (failingReader) Read([]byte) (int, error) { return 0, errors.New("standard input was read") }

func TestServe(t *testing.T) {
	plain := []string{"GATEWAY_INTERFACE=CGI/1.1", "REQUEST_METHOD=POST", "PATH_INFO=/a", "SERVER_PROTOCOL=HTTP/1.1"}
	echo := wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		environ.Errors().WriteString("called\n")
		b, err := io.ReadAll(environ.Input())
		if err != nil {
			return nil, err
		}
		return wsgi.Response{Status: "200 OK", Body: wsgi.Strings(string(b))}.Call(environ, start)
	})
	head := func(status, length string) string {
		return "Status: " + status + "\r\nContent-Length: " + length + "\r\n\r\n"
	}
	failed := func(status, length string) string {
		return "Status: " + status + "\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: " + length + "\r\n\r\n" + status + "\n"
	}
	tests := []struct {
		name    string
		app     wsgi.Application
		vars    []string
		in      string
		want    string
		log     string
		wantErr bool
	}{
		{"body", echo, append(plain, "CONTENT_LENGTH=3"), "abcdef", head("200 OK", "3") + "abc", "called\n", false},
		{"no body", echo, plain, "abc", head("200 OK", "0"), "called\n", false},
		{"body cut", echo, append(plain, "CONTENT_LENGTH=9"), "abc", failed("400 Bad Request", "16"),
			"called\ngowsgi: POST /a: bad request body: 400 Bad Request: unexpected EOF\n", false},
		{"decoded by Apache", echo, append(plain, "HTTP_TRANSFER_ENCODING=chunked"), "abc", head("200 OK", "3") + "abc", "called\n", false},
		{"no method", echo, plain[:1], "", failed("500 Internal Server Error", "26"), "", true},
		{"bad length", echo, append(plain, "CONTENT_LENGTH=x"), "", failed("400 Bad Request", "16"),
			"gowsgi: request refused: 400 Bad Request: CONTENT_LENGTH is \"x\", expected at most 18 digits\n", false},
		{"variables of Windows", echo, append(plain, "=C:=C:\\", "ProgramFiles(x86)=C:\\P"), "", head("200 OK", "0"), "called\n", false},
		{"cut", wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			write, _ := start("200 OK", nil, nil)
			write([]byte("begun"))
			return nil, errors.New("boom")
		}), plain, "", "Status: 200 OK\r\n\r\nbegun", "gowsgi: POST /a: response cut: boom\n", true},
		{"no application", nil, plain, "", "", "", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out output
			var log bytes.Buffer
			err := serve(t.Context(), tt.app, tt.vars, strings.NewReader(tt.in), &out, &log, 0)
			if (err != nil) != tt.wantErr {
				t.Errorf("error %v, expected one: %t", err, tt.wantErr)
			}
			if out.String() != tt.want {
				t.Errorf("the output is\n%q, expected\n%q", out.String(), tt.want)
			}
			if log.String() != tt.log {
				t.Errorf("standard error is\n%q, expected\n%q", log.String(), tt.log)
			}
		})
	}
}

// TestRefused has what no server lets through, as far as an environment can hold
// it: a name comes once, and there is neither NUL nor an empty name.
func TestRefused(t *testing.T) {
	called := wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		t.Errorf("the application was called with %v", environ.Map())
		return wsgi.Response{Status: "200 OK"}.Call(environ, start)
	})
	for _, tt := range adaptertest.Refused {
		if tt.Want == "413" {
			continue // how long a body may be is the web server's to say, where each request has a process
		}
		t.Run(tt.Name, func(t *testing.T) {
			names, vars := map[string]bool{}, []string{"GATEWAY_INTERFACE=CGI/1.1"}
			list := adaptertest.Variables(tt.Variables)
			for i := 0; i < len(list); i += 2 {
				if name := list[i]; names[name] || name == "" || strings.ContainsAny(name, "=\x00") || strings.Contains(list[i+1], "\x00") {
					return // not in an environment
				}
				names[list[i]] = true
				vars = append(vars, list[i]+"="+list[i+1])
			}
			want := tt.Want
			if strings.HasPrefix(tt.Name, "no method") {
				want = "500" // this is no request at all
			}
			var out output
			err := serve(t.Context(), called, vars, failingReader{}, &out, io.Discard, 0)
			if got, _, _ := strings.Cut(out.String(), "\r\n"); !strings.HasPrefix(got, "Status: "+want+" ") || (want == "500") != (err != nil) {
				t.Errorf("answered by %q and %v, expected %s", got, err, want)
			}
		})
	}
}

func TestFlags(t *testing.T) {
	var got [3]any
	serve(t.Context(), wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		got = [3]any{environ.Get("wsgi.multithread"), environ.Get("wsgi.multiprocess"), environ.Get("wsgi.run_once")}
		return wsgi.Response{Status: "200 OK"}.Call(environ, start)
	}), []string{"REQUEST_METHOD=GET"}, nil, new(output), io.Discard, 0)
	if want := [3]any{false, true, true}; got != want {
		t.Errorf("wsgi.multithread, multiprocess and run_once are %v, expected %v", got, want)
	}
}

// TestNotInvoked: a test is not started by a web server.
func TestNotInvoked(t *testing.T) {
	t.Setenv("GATEWAY_INTERFACE", "")
	if err := Serve(wsgi.AppFunc(wsgi.Response{Status: "200 OK"}.Call)); err == nil || Invoked() {
		t.Errorf("Serve returned %v outside of CGI, expected an error", err)
	}
}

func BenchmarkRequest(b *testing.B) {
	app := wsgi.AppFunc(wsgi.Response{Status: "200 OK", Body: wsgi.Strings("Hello, world!\n")}.Call)
	block, err := os.ReadFile("testdata/captures/apache-cgi-get.env")
	if err != nil {
		b.Fatal(err)
	}
	environ := strings.Split(string(block), "\x00")
	var out output
	b.ReportAllocs()
	for b.Loop() {
		out.Reset()
		if err := serve(b.Context(), app, environ, nil, &out, io.Discard, 0); err != nil {
			b.Fatal(err)
		}
	}
}
