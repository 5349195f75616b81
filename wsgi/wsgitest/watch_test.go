package wsgitest_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/server/gateway"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

// closing is a body that counts its closing by itself.
type closing struct {
	err    error
	exit   bool
	closes int
}

func (c *closing) exiting() *closing { c.exit = true; return c }

func (c *closing) Blocks(yield func([]byte, error) bool) {
	if c.exit {
		runtime.Goexit()
	}
	yield([]byte("hello"), nil)
}

func (c *closing) Close() error { c.closes++; return c.err }

func TestResponseCloses(t *testing.T) {
	tests := []struct {
		name string
		app  wsgi.AppFunc
		want int
	}{
		{"generator", answer("200 OK", text, generate("hello")), 1},
		{"list", answer("200 OK", text, wsgi.Strings("hello")), 1},
		{"block", answer("200 OK", text, wsgi.Block("hello")), 1},
		{"Close fails", answer("200 OK", text, &closing{err: errBoom}), 1},
		{"never iterated", answer("bad status", text, generate("hello")), 0},
		{"body and error", func(*wsgi.Environ, wsgi.StartResponse) (wsgi.Iterable, error) {
			return generate(), errBoom
		}, 1},
		{"no body", answer("200 OK", text, nil), 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := wsgitest.Record(tt.app, get()).Closes; got != tt.want {
				t.Errorf("Close was called %d times, expected %d", got, tt.want)
			}
		})
	}
}

func TestResponseBlocks(t *testing.T) {
	reused := []byte("aa")
	body := wsgi.Generator(func(yield func([]byte, error) bool) {
		for _, c := range "abc" {
			reused[0], reused[1] = byte(c), byte(c)
			if !yield(reused, nil) || !yield(nil, nil) {
				return
			}
		}
	})
	res := wsgitest.Do(t, answer("200 OK", text, body), get())
	want := [][]byte{[]byte("aa"), []byte("bb"), []byte("cc")}
	if diff := cmp.Diff(want, res.Blocks); diff != "" {
		t.Errorf("blocks (-want +got):\n%s", diff)
	}
}

func TestResponseWrote(t *testing.T) {
	leaked := make(chan wsgi.Write, 1)
	writes := func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		write, err := start("200 OK", text, nil)
		if err != nil {
			return nil, err
		}
		leaked <- write
		_, err = write([]byte("hello"))
		return wsgi.Empty(), err
	}
	res := wsgitest.Do(t, wsgi.AppFunc(writes), get())
	if !res.Wrote || res.Text() != "hello" {
		t.Errorf("Wrote is %v, body %q; expected true and hello", res.Wrote, res.Text())
	}
	// SRV-10: what was leaked fails, and does not reach the response.
	if _, err := (<-leaked)([]byte("more")); !errors.Is(err, &wsgi.ContractError{Rule: "SRV-10"}) {
		t.Errorf("write after the request: %v, expected SRV-10", err)
	}
	if res := wsgitest.Do(t, answer("200 OK", text, wsgi.Strings("hello")), get()); res.Wrote {
		t.Error("Wrote is true, expected false")
	}
}

func TestResponseFileBytes(t *testing.T) {
	res := wsgitest.Do(t, sendFile(files(t), text), get())
	if res.FileBytes != 5 || res.Closes != 1 {
		t.Errorf("%d bytes from files, %d closes; expected 5 and 1", res.FileBytes, res.Closes)
	}
	// FILE-14: what is no file is read.
	like := func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		return answer("200 OK", text, environ.FileWrapper()(onlyReader{}, 0))(environ, start)
	}
	if res := wsgitest.Do(t, wsgi.AppFunc(like), get()); res.FileBytes != 0 || res.Text() != "read" {
		t.Errorf("%d bytes from files, body %q; expected 0 and read", res.FileBytes, res.Text())
	}
}

// sizedFiles is a body with every optional method.
type sizedFiles struct {
	wsgi.FileStreamer
	wsgi.Sized
}

// Whatever optional methods a body has, the gateway finds those and no others:
// Len makes a Content-Length (LEN-06), StreamFiles hands over a file.
func TestRecordKeepsOptionalMethods(t *testing.T) {
	dir := files(t)
	open := func() wsgi.FileStreamer {
		file, err := os.Open(filepath.Join(dir, "hello"))
		if err != nil {
			t.Fatal(err)
		}
		return wsgi.WrapFile(file, 0).(wsgi.FileStreamer)
	}
	one := wsgi.Strings("helloworld")
	for _, tt := range []struct {
		name      string
		body      wsgi.Iterable
		length    string
		fileBytes int64
	}{
		{"neither", generate("helloworld"), "", 0},
		{"Len", one, "10", 0},
		{"StreamFiles", open(), "10", 10},
		{"both", sizedFiles{open(), one.(wsgi.Sized)}, "10", 10},
	} {
		t.Run(tt.name, func(t *testing.T) {
			res := wsgitest.Do(t, answer("200 OK", text, tt.body), get())
			if got := res.Headers.Get("Content-Length"); got != tt.length || res.FileBytes != tt.fileBytes || res.Closes != 1 {
				t.Errorf("Content-Length %q, %d bytes from files, %d closes; expected %q, %d, 1",
					got, res.FileBytes, res.Closes, tt.length, tt.fileBytes)
			}
		})
	}
}

// A file that cannot be read fails the response, not the connection.
func TestResponseFileError(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	app := func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			return nil, err
		}
		file.WriteString("secret")
		file.Seek(0, 0)
		return answer("200 OK", text, environ.FileWrapper()(file, 0))(environ, start)
	}
	req := get()
	req.ExpectErrors = true
	res := wsgitest.Do(t, wsgi.AppFunc(app), req)
	if !errors.Is(res.Err, gateway.ErrCut) || res.Fault == nil {
		t.Errorf("error %v, fault %v; expected a cut and a fault", res.Err, res.Fault)
	}
}

type onlyReader struct{}

func (onlyReader) Read(p []byte) (int, error) { return copy(p, "read"), io.EOF }

func TestResponseFault(t *testing.T) {
	res := wsgitest.Record(answer("200", nil, wsgi.Empty()), get())
	if !errors.Is(res.Fault, &wsgi.ContractError{Rule: "HDR-01"}) {
		t.Errorf("fault is %v, expected HDR-01", res.Fault)
	}
	res = wsgitest.Record(answer("200 OK", nil, &closing{err: errBoom}), get())
	if !errors.Is(res.Fault, errBoom) || res.Err != nil {
		t.Errorf("fault %v, error %v; expected boom and none", res.Fault, res.Err)
	}
	if res.Panic() != nil {
		t.Errorf("panic %v, expected none", res.Panic())
	}
	res = wsgitest.Record(wsgi.AppFunc(func(*wsgi.Environ, wsgi.StartResponse) (wsgi.Iterable, error) {
		panic(errBoom)
	}), get())
	if p := res.Panic(); p == nil || p.Value != errBoom || !errors.Is(res.Fault, errBoom) {
		t.Errorf("panic %v, fault %v; expected boom in both", res.Panic(), res.Fault)
	}
}

func TestResponseErrors(t *testing.T) {
	app := func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		environ.Errors().WriteLines("one\n", "two\nthr")
		environ.Errors().WriteString("ee")
		return wsgi.Response{Status: "200 OK"}.Call(environ, start)
	}
	if got, want := wsgitest.Record(wsgi.AppFunc(app), get()).Errors, "one\ntwo\nthree\n"; got != want {
		t.Errorf("wsgi.errors is %q, expected %q", got, want)
	}
}

func TestResponseEnviron(t *testing.T) {
	app := func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		environ.Set("shop.user", "ada")
		return wsgi.Response{Status: "200 OK"}.Call(environ, start)
	}
	res := wsgitest.Do(t, wsgi.AppFunc(app), get())
	if got := res.Environ.Get("shop.user"); got != "ada" {
		t.Errorf("shop.user is %v, expected ada", got)
	}
}
