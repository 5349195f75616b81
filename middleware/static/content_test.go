package static_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/conformance"
	"github.com/gowsgi/gowsgi/middleware/static"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

const ten = "0123456789"

// held is a reader that counts how often it is closed.
type held struct {
	io.ReadSeeker
	closes *int
}

func (h held) Close() error { *h.closes++; return nil }

// serves is an application that answers with content anew each time.
func serves(content func() static.Content) wsgi.Application {
	return wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		return content().Call(environ, start)
	})
}

func TestContent(t *testing.T) {
	modified := time.Date(2024, 5, 6, 7, 8, 9, 500, time.UTC)
	const date = "Mon, 06 May 2024 07:08:09 GMT"
	full := []string{"Content-Type: text/plain", `ETag: "v1"`, "Cache-Control: private, no-cache", "Vary: Cookie", "Content-Disposition: attachment",
		"Last-Modified: " + date, "X-Content-Type-Options: nosniff", "Accept-Ranges: bytes"}
	bare := []string{`ETag: "v1"`, "Cache-Control: private, no-cache", "Vary: Cookie"}
	refused := append(bare[:3:3], "Content-Type: text/plain; charset=utf-8", "X-Content-Type-Options: nosniff")
	tests := []struct {
		name   string
		req    *wsgitest.Request
		status string
		body   string
		want   []string
	}{
		{"whole", get("/"), "200 OK", ten, append(full[:8:8], "Content-Length: 10")},
		{"HEAD", request("HEAD", "/"), "200 OK", "", append(full[:8:8], "Content-Length: 10")},
		{"a range", get("/", "Range", "bytes=2-4"), "206 Partial Content", "234", append(full[:8:8], "Content-Range: bytes 2-4/10", "Content-Length: 3")},
		{"a range of HEAD", request("HEAD", "/", "Range", "bytes=2-4"), "200 OK", "", append(full[:8:8], "Content-Length: 10")},
		{"a range of POST", request("POST", "/", "Range", "bytes=2-4"), "200 OK", ten, append(full[:8:8], "Content-Length: 10")},
		{"a range of what it is", get("/", "Range", "bytes=2-4", "If-Range", `"v1"`), "206 Partial Content", "234", append(full[:8:8], "Content-Range: bytes 2-4/10", "Content-Length: 3")},
		{"a range of what it was", get("/", "Range", "bytes=2-4", "If-Range", `"v0"`), "200 OK", ten, append(full[:8:8], "Content-Length: 10")},
		{"a range outside", get("/", "Range", "bytes=20-"), "416 Range Not Satisfiable", "The range is not in the file.\n", append(append(bare[:3:3], "Content-Range: bytes */10"), refused[3:]...)},
		{"known by tag", get("/", "If-None-Match", `"v0", "v1"`), "304 Not Modified", "", bare},
		{"known by date", get("/", "If-Modified-Since", date), "304 Not Modified", "", bare},
		{"not what is expected", get("/", "If-Match", `"v0"`), "412 Precondition Failed", "The file is not what the request expects.\n", refused},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			closes := 0
			reader := strings.NewReader(ten)
			reader.Seek(3, io.SeekStart) // wherever it stands
			l := conformance.NewLinter(t)
			res := wsgitest.Do(t, l.Lint(serves(func() static.Content {
				return static.Content{Reader: held{reader, &closes}, Type: "text/plain", ETag: `"v1"`, Modified: modified,
					Headers: wsgi.Headers{{Name: "Vary", Value: "Cookie"}, {Name: "Content-Disposition", Value: "attachment"}}}
			})), tt.req)
			var got []string
			for _, h := range res.Headers {
				got = append(got, h.Name+": "+h.Value)
			}
			if tt.status[0] == '4' { // with the length of the text
				got = got[:len(got)-1]
			}
			if diff := cmp.Diff(tt.want, got); diff != "" || res.Status != tt.status || res.Text() != tt.body {
				t.Errorf("got %s %q, expected %s %q; headers (-want +got):\n%s", res.Status, res.Text(), tt.status, tt.body, diff)
			}
			if closes != 1 {
				t.Errorf("the reader was closed %d times", closes)
			}
		})
	}
}

func TestContentDefaults(t *testing.T) {
	for name, tt := range map[string]struct {
		content static.Content
		want    string
	}{
		"nothing":          {static.Content{}, "Content-Type: application/octet-stream|Cache-Control: private, no-cache|X-Content-Type-Options: nosniff|Accept-Ranges: bytes|Content-Length: 10"},
		"of the future":    {static.Content{Modified: time.Now().Add(time.Hour)}, "Content-Type: application/octet-stream|Cache-Control: private, no-cache|X-Content-Type-Options: nosniff|Accept-Ranges: bytes|Content-Length: 10"},
		"weak, and cached": {static.Content{ETag: `W/"1"`, CacheControl: "public"}, `Content-Type: application/octet-stream|ETag: W/"1"|Cache-Control: public|X-Content-Type-Options: nosniff|Accept-Ranges: bytes|Content-Length: 10`},
	} {
		t.Run(name, func(t *testing.T) {
			res := wsgitest.Do(t, serves(func() static.Content { tt.content.Reader = strings.NewReader(ten); return tt.content }), get("/"))
			var got []string
			for _, h := range res.Headers {
				got = append(got, h.Name+": "+h.Value)
			}
			if diff := cmp.Diff(strings.Split(tt.want, "|"), got); diff != "" || res.Text() != ten {
				t.Errorf("got %q; headers (-want +got):\n%s", res.Text(), diff)
			}
		})
	}
}

// A second that is not over may have another content in it still.
func TestContentChangedNow(t *testing.T) {
	now := time.Now()
	res := wsgitest.Do(t, serves(func() static.Content { return static.Content{Reader: strings.NewReader(ten), Modified: now} }),
		get("/", "Range", "bytes=0-1", "If-Range", now.UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT")))
	if res.Code != 200 || res.Text() != ten {
		t.Errorf("got %s %q, expected the whole", res.Status, res.Text())
	}
}

// An open file is sent as one.
func TestContentOfFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, []byte(ten), 0o600); err != nil {
		t.Fatal(err)
	}
	var file *os.File
	app := serves(func() static.Content {
		var err error
		if file, err = os.Open(name); err != nil {
			t.Fatal(err)
		}
		return static.Content{Reader: file}
	})
	for header, want := range map[string]int64{"": 10, "bytes=-4": 4} {
		res := wsgitest.Do(t, app, get("/", "Range", header))
		if res.FileBytes != want {
			t.Errorf("Range %q: %d bytes were sent as a file, expected %d", header, res.FileBytes, want)
		}
		if err := file.Close(); !errors.Is(err, os.ErrClosed) {
			t.Errorf("Range %q: the file is open still", header)
		}
	}
}

// stuck cannot be sought.
type stuck struct{ held }

func (stuck) Seek(int64, int) (int64, error) { return 0, io.ErrUnexpectedEOF }

func TestContentThatCannotBe(t *testing.T) {
	closes := 0
	good := held{strings.NewReader(ten), &closes}
	for name, content := range map[string]static.Content{
		`the ETag is "v1", expected one in quotes`:      {Reader: good, ETag: "v1"},
		`the ETag is "\"v\" x", expected one in quotes`: {Reader: good, ETag: `"v" x`},
		"unexpected EOF":    {Reader: stuck{good}},
		"the Reader is nil": {},
		"Headers has a Content-Type, expected it in Type": {Reader: good, Headers: wsgi.Headers{{Name: "content-type", Value: "text/html"}}},
	} {
		closes = 0
		req := get("/")
		req.ExpectErrors = true
		res := wsgitest.Do(t, serves(func() static.Content { return content }), req)
		want := 1
		if content.Reader == nil {
			want = 0
		}
		if res.Code != 500 || res.Fault == nil || !strings.Contains(res.Fault.Error(), "static: Content: "+name) || closes != want {
			t.Errorf("got %s, reported %v, closed %d times; expected 500 and %q", res.Status, res.Fault, closes, name)
		}
	}
}

func TestContentContract(t *testing.T) {
	conformance.TestApplication(t, serves(func() static.Content { return static.Content{Reader: strings.NewReader(ten)} }))
}
