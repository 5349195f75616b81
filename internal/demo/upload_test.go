package demo

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"testing"

	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

func TestUpload(t *testing.T) {
	files := []wsgitest.File{
		{Field: "file", Name: "a <b>.txt", Type: "text/plain", Content: []byte("hello")},
		{Field: "file", Name: "empty"},
		{Field: "file", Name: "größe.bin", Content: []byte(strings.Repeat("x", 300_000))},
	}
	req := wsgitest.NewRequest("POST", "/upload").Multipart(url.Values{"remark": {"none"}}, files...)
	res := wsgitest.Do(t, opened(t), req)
	if res.Code != 200 {
		t.Fatalf("got %s %q, want 200", res.Status, res.Text())
	}
	for _, file := range files {
		sum := sha256.Sum256(file.Content)
		row := fmt.Sprintf(`<td class="size">%d bytes</td><td><code class="hash">%s</code></td>`, len(file.Content), hex.EncodeToString(sum[:]))
		if !strings.Contains(res.Text(), row) {
			t.Errorf("there is no row %s for %s", row, file.Name)
		}
	}
	for _, name := range []string{"a &lt;b&gt;.txt <small>text/plain", "größe.bin <small>application/octet-stream"} {
		if !strings.Contains(res.Text(), name) {
			t.Errorf("the page has no %s", name)
		}
	}
	if strings.Contains(res.Text(), "remark") {
		t.Error("a field that is no file is listed")
	}
}

func TestUploadRejected(t *testing.T) {
	const form = "multipart/form-data; boundary=b"
	part := "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\nx\r\n"
	d := opened(t)
	for _, test := range []struct {
		name, contentType, body string
		code                    int
	}{
		{"no type", "", "x", 415},
		{"another type", "application/x-www-form-urlencoded", "a=b", 415},
		{"no boundary", "multipart/form-data", part + "--b--\r\n", 415},
		{"no file", form, "--b--\r\n", 400},
		{"no file was chosen", form, strings.Replace(part, `filename="f"`, `filename=""`, 1) + "--b--\r\n", 400},
		{"no end", form, part, 400},
		{"too many", form, strings.Repeat(part, maxFiles+1) + "--b--\r\n", 413},
		{"as many as may be", form, strings.Repeat(part, maxFiles) + "--b--\r\n", 200},
	} {
		t.Run(test.name, func(t *testing.T) {
			req := wsgitest.NewRequest("POST", "/upload")
			req.Body = []byte(test.body)
			if test.contentType != "" {
				req.With("Content-Type", test.contentType)
			}
			if res := wsgitest.Do(t, d, req); res.Code != test.code {
				t.Errorf("got %s %q, want %d", res.Status, res.Text(), test.code)
			}
		})
	}
}

// endless is a body that never ends, and counts what is read of it.
type endless struct{ read int64 }

func (e *endless) Read(p []byte) (int, error) {
	clear(p)
	e.read += int64(len(p))
	return len(p), nil
}

func TestUploadTooLarge(t *testing.T) {
	d := opened(t)
	body := new(endless)
	req := wsgitest.NewRequest("POST", "/upload").With("Content-Type", "multipart/form-data; boundary=b")
	req.Stream = io.MultiReader(strings.NewReader("--b\r\nContent-Disposition: form-data; name=f; filename=f\r\n\r\n"), body)
	if res := wsgitest.Do(t, d, req); res.Code != 413 {
		t.Errorf("without a length: got %s, want 413", res.Status)
	}
	if body.read > maxUpload {
		t.Errorf("%d bytes were read, want no more than %d", body.read, maxUpload)
	}
	unread := new(endless)
	req = wsgitest.NewRequest("POST", "/upload").With("Content-Type", "multipart/form-data; boundary=b")
	req.Stream = unread
	req.Extra = map[string]any{"CONTENT_LENGTH": fmt.Sprint(maxUpload + 1)}
	if res := wsgitest.Do(t, d, req); res.Code != 413 || unread.read > 0 {
		t.Errorf("with a length: got %s after %d bytes, want 413 without reading", res.Status, unread.read)
	}
}

// TestUploadCut leaves it to the server to answer when the body is cut short.
func TestUploadCut(t *testing.T) {
	req := wsgitest.NewRequest("POST", "/upload").
		Content("multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=f; filename=f\r\n\r\nx").
		With("Content-Length", "1000")
	req.ExpectErrors = true
	res := wsgitest.Do(t, opened(t), req)
	if res.Code != 400 || !errors.Is(res.Fault, io.ErrUnexpectedEOF) || !strings.HasPrefix(res.Text(), "400 ") {
		t.Errorf("got %s %q after %v, want the server's own 400", res.Status, res.Text(), res.Fault)
	}
}

// TestFailedStart makes every page return the error of startResponse.
func TestFailedStart(t *testing.T) {
	d := opened(t)
	refused := errors.New("refused")
	for _, r := range d.routes {
		if r.path == "/panic" {
			continue
		}
		environ := wsgitest.NewRequest("GET", r.path).Environ()
		body, err := d.Call(environ, func(string, wsgi.Headers, error) (wsgi.Write, error) { return nil, refused })
		if body != nil || !errors.Is(err, refused) {
			t.Errorf("%s returned %v and %v, want the error of start_response", r.path, body, err)
		}
	}
}
