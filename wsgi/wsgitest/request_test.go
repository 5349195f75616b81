package wsgitest_test

import (
	"errors"
	"io"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

func TestRequestContent(t *testing.T) {
	tests := []struct {
		name        string
		request     *wsgitest.Request
		contentType string
		body        string
	}{
		{"text", get().Content("text/plain", "héllo"), "text/plain", "héllo"},
		{"form", get().Form(url.Values{"b": {"2 3"}, "a": {"é"}}), "application/x-www-form-urlencoded", "a=%C3%A9&b=2+3"},
		{"JSON", get().JSON(map[string]int{"n": 1}), "application/json", `{"n":1}`},
		{"the last one counts", get().JSON(1).Form(nil).Content("text/plain", "x"), "text/plain", "x"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			environ := tt.request.Environ()
			body, err := io.ReadAll(environ.Input())
			if err != nil {
				t.Fatal(err)
			}
			n, _ := environ.ContentLength()
			if environ.Var("CONTENT_TYPE") != tt.contentType || string(body) != tt.body || n != int64(len(tt.body)) {
				t.Errorf("got %q, %q, %d bytes declared; expected %q, %q",
					environ.Var("CONTENT_TYPE"), body, n, tt.contentType, tt.body)
			}
		})
	}
}

func TestRequestMultipart(t *testing.T) {
	// The file contains what would be the boundary.
	content := "--wsgitest-boundary-0--\r\n"
	req := wsgitest.NewRequest("POST", "/").Multipart(url.Values{"title": {"a", "b"}},
		wsgitest.File{Field: "f", Name: `a "b".txt`, Type: "text/plain", Content: []byte(content)},
		wsgitest.File{Field: "f", Name: "empty"},
	)
	h := req.HTTP()
	if err := h.ParseMultipartForm(1 << 20); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string][]string{"title": {"a", "b"}}, h.MultipartForm.Value); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
	var got []string
	for _, header := range h.MultipartForm.File["f"] {
		file, err := header.Open()
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		read, err := io.ReadAll(file)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, header.Filename, header.Header.Get("Content-Type"), string(read))
	}
	want := []string{`a "b".txt`, "text/plain", content, "empty", "application/octet-stream", ""}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

func TestRequestBasicAuth(t *testing.T) {
	user, password, ok := get().BasicAuth("Aladdin", "open:sesame").HTTP().BasicAuth()
	if !ok || user != "Aladdin" || password != "open:sesame" {
		t.Errorf("got %q, %q, %v", user, password, ok)
	}
}

// A declared length holds, whatever the body has (INPUT-07, INPUT-21).
func TestRequestDeclaredLength(t *testing.T) {
	tests := []struct {
		name    string
		request *wsgitest.Request
		want    string
		err     error
	}{
		{"longer body", get().Content("text/plain", "hello").With("Content-Length", "3"), "hel", nil},
		{"shorter body", get().Content("text/plain", "hello").With("Content-Length", "9"), "hello", io.ErrUnexpectedEOF},
		{"no body", get().With("Content-Length", "9"), "", io.ErrUnexpectedEOF},
		{"stream", (&wsgitest.Request{Stream: strings.NewReader("hello")}).With("Content-Length", "5"), "hello", nil},
		{"empty body", &wsgitest.Request{Body: []byte{}}, "", nil},
		{"nothing", get(), "", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []byte
			var err error
			app := func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
				got, err = io.ReadAll(environ.Input())
				return wsgi.Response{Status: "200 OK"}.Call(environ, start)
			}
			wsgitest.Do(t, wsgi.AppFunc(app), tt.request)
			if string(got) != tt.want || !errors.Is(err, tt.err) {
				t.Errorf("read %q and %v, expected %q and %v", got, err, tt.want, tt.err)
			}
		})
	}
}

// A Request can be sent again.
func TestRequestTwice(t *testing.T) {
	req := wsgitest.NewRequest("POST", "/").Content("text/plain", "hello")
	for range 2 {
		if res := wsgitest.Do(t, show("REQUEST_METHOD"), req); res.Text() != "POST\nhello" {
			t.Errorf("body %q, expected POST and hello", res.Text())
		}
	}
}

func TestRequestMalformed(t *testing.T) {
	tests := []struct {
		name    string
		request wsgitest.Request
		want    string // in the panic's text
	}{
		{"escape", wsgitest.Request{Target: "/%zz"}, `"/%zz": `},
		{"blank", wsgitest.Request{Target: "/a b"}, `"/a b": `},
		{"no slash", wsgitest.Request{Target: "cart"}, `"cart": `},
		{"fragment", wsgitest.Request{Target: "/p#f"}, "fragment"},
		{"star", wsgitest.Request{Target: "*"}, "OPTIONS"},
		{"CONNECT", wsgitest.Request{Method: "CONNECT", Target: "h:80"}, "CONNECT"},
		{"method", wsgitest.Request{Method: "GET /x"}, `"GET /x"`},
		{"injected header", wsgitest.Request{Method: "GET / HTTP/1.1\r\nX: y\r\n\r\n"}, "line break"},
		{"scheme", wsgitest.Request{Target: "ftp://h/"}, "http URL"},
		{"credentials", wsgitest.Request{Target: "http://u:p@h/"}, "BasicAuth"},
		{"protocol", wsgitest.Request{Proto: "SPDY"}, "SPDY"},
		{"not under the mount point", wsgitest.Request{ScriptName: "/app", Target: "/apple"}, `"/app"`},
		{"mount point ends in slash", wsgitest.Request{ScriptName: "/app/", Target: "/app/"}, "ScriptName"},
		{"NUL", wsgitest.Request{Target: "/%00"}, "NUL"},
		{"host", wsgitest.Request{Headers: wsgi.Headers{{Name: "Host", Value: "h i"}}}, `"h i"`},
		{"two hosts", wsgitest.Request{Headers: wsgi.Headers{{Name: "Host", Value: "h"}, {Name: "Host", Value: "h"}}}, "Host"},
		{"header name", wsgitest.Request{Headers: wsgi.Headers{{Name: "X Y"}}}, `"X Y"`},
		{"header value", wsgitest.Request{Headers: wsgi.Headers{{Name: "X", Value: "a\nb"}}}, `"a\nb"`},
		{"two types", wsgitest.Request{Headers: wsgi.Headers{{Name: "Content-Type"}, {Name: "content-type"}}}, "two Content-Type"},
		{"length", wsgitest.Request{Headers: wsgi.Headers{{Name: "Content-Length", Value: "+4"}}}, `"+4"`},
		{"two lengths", wsgitest.Request{Headers: wsgi.Headers{{Name: "Content-Length", Value: "4"}, {Name: "Content-Length", Value: "5"}}}, "two lengths"},
		{"two bodies", wsgitest.Request{Body: []byte{}, Stream: strings.NewReader("")}, "both"},
		{"HTTP/1.0 stream", wsgitest.Request{Proto: "HTTP/1.0", Stream: strings.NewReader("")}, "HTTP/1.0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			defer func() {
				if text, ok := recover().(string); !ok || !strings.HasPrefix(text, "wsgitest: ") || !strings.Contains(text, tt.want) {
					t.Errorf("panic %q, expected wsgitest's, with %q", text, tt.want)
				}
			}()
			wsgitest.Record(answer("200 OK", nil, wsgi.Empty()), &tt.request)
		})
	}
}
