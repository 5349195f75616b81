package cgi

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/wsgi"
)

func TestAppendHead(t *testing.T) {
	headers := wsgi.Headers{{Name: "Content-Type", Value: "text/plain"}, {Name: "X", Value: ""}}
	for form, want := range map[Form]string{
		Status: "Status: 200 OK\r\nContent-Type: text/plain\r\nX: \r\n\r\n",
		HTTP:   "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX: \r\n\r\n",
	} {
		got := AppendHead(nil, form, "200 OK", headers)
		if string(got) != want {
			t.Errorf("head is %q, expected %q", got, want)
		}
		h, err := ParseHead(got, form)
		if diff := cmp.Diff(Head{Status: "200 OK", Code: 200, Headers: headers, Length: -1}, h); diff != "" || err != nil {
			t.Errorf("parsed: %v (-want +got):\n%s", err, diff)
		}
	}
}

// TestAppendLocation: HAProxy makes a 302 of every response in which a Location comes
// after the Status.
func TestAppendLocation(t *testing.T) {
	headers := wsgi.Headers{{Name: "X", Value: "1"}, {Name: "location", Value: "/a"}, {Name: "Y", Value: "2"}}
	for form, want := range map[Form]string{
		Status: "location: /a\r\nStatus: 308 Permanent Redirect\r\nX: 1\r\nY: 2\r\n\r\n",
		HTTP:   "HTTP/1.1 308 Permanent Redirect\r\nX: 1\r\nlocation: /a\r\nY: 2\r\n\r\n",
	} {
		if got := AppendHead(nil, form, "308 Permanent Redirect", headers); string(got) != want {
			t.Errorf("head is %q, expected %q", got, want)
		}
	}
}

func TestParseHead(t *testing.T) {
	field := func(list ...string) (h wsgi.Headers) {
		for i := 0; i < len(list); i += 2 {
			h = append(h, wsgi.Header{Name: list[i], Value: list[i+1]})
		}
		return h
	}
	tests := []struct {
		name, in string
		form     Form
		want     Head // zero for an error
	}{
		{"document", "Content-Type: a/b\r\n\r\n", Status, Head{Status: "200 OK", Code: 200, Headers: field("Content-Type", "a/b"), Length: -1}},
		{"line feeds", "Status: 404 Not Found\nX:y\n\n", Status, Head{Status: "404 Not Found", Code: 404, Headers: field("X", "y"), Length: -1}},
		{"status without phrase", "Status: 201\r\n\r\n", Status, Head{Status: "201 ", Code: 201, Length: -1}},
		{"length", "Status: 200 OK\r\ncontent-length: 12\r\n\r\n", Status, Head{Status: "200 OK", Code: 200, Headers: field("content-length", "12"), Length: 12}},
		{"client redirect", "Location: http://h/x\r\n\r\n", Status, Head{Status: "302 Found", Code: 302, Headers: field("Location", "http://h/x"), Length: -1}},
		{"local redirect", "Location: /x?q\r\n\r\n", Status, Head{Status: "302 Found", Code: 302, Headers: field(), Length: -1, Local: "/x?q"}},
		{"redirect with a document", "Status: 303 See Other\r\nLocation: /x\r\n\r\n", Status, Head{Status: "303 See Other", Code: 303, Headers: field("Location", "/x"), Length: -1}},
		{"status line", "HTTP/1.0 200 OK\r\nStatus: 500 x\r\n\r\n", HTTP, Head{Status: "200 OK", Code: 200, Headers: field("Status", "500 x"), Length: -1}},
		{"blanks around a value", "X: \t a b \t\r\n\r\n", Status, Head{Status: "200 OK", Code: 200, Headers: field("X", "a b"), Length: -1}},
		{"repeated", "Set-Cookie: a\r\nSet-Cookie: b\r\n\r\n", Status, Head{Status: "200 OK", Code: 200, Headers: field("Set-Cookie", "a", "Set-Cookie", "b"), Length: -1}},
		{"status line for CGI", "HTTP/1.1 200 OK\r\n\r\n", Status, Head{}},
		{"Status for uwsgi", "Status: 200 OK\r\n\r\n", HTTP, Head{}},
		{"two Status", "Status: 200 OK\r\nStatus: 200 OK\r\n\r\n", Status, Head{}},
		{"Status abc", "Status: abc\r\n\r\n", Status, Head{}},
		{"Status 099", "Status: 099 x\r\n\r\n", Status, Head{}},
		{"Status 1000", "Status: 1000 x\r\n\r\n", Status, Head{}},
		{"interim", "Status: 103 Early Hints\r\n\r\n", Status, Head{}},
		{"control character in the status", "Status: 200 O\x01K\r\n\r\n", Status, Head{}},
		{"Transfer-Encoding", "Transfer-Encoding: chunked\r\n\r\n", Status, Head{}},
		{"two Content-Length", "Content-Length: 1\r\nContent-Length: 1\r\n\r\n", Status, Head{}},
		{"Content-Length +1", "Content-Length: +1\r\n\r\n", Status, Head{}},
		{"two Location", "Location: /a\r\nLocation: /b\r\n\r\n", Status, Head{}},
		{"bad name", "Bad Name: x\r\n\r\n", Status, Head{}},
		{"no name", ": x\r\n\r\n", Status, Head{}},
		{"no colon", "garbage\r\n\r\n", Status, Head{}},
		{"folded", "X: a\r\n b\r\n\r\n", Status, Head{}},
		{"control character", "X: a\x01b\r\n\r\n", Status, Head{}},
		{"carriage return", "X: a\rb\r\n\r\n", Status, Head{}},
		{"not ended", "X: a\r\n", Status, Head{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ParseHead([]byte(tt.in), tt.form)
			if (err != nil) != (tt.want.Code == 0) {
				t.Fatalf("error %v, expected one: %t", err, tt.want.Code == 0)
			}
			if len(got.Headers) == 0 {
				got.Headers = nil
			}
			if len(tt.want.Headers) == 0 {
				tt.want.Headers = nil
			}
			if err == nil {
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			}
		})
	}
}

func TestHeadLen(t *testing.T) {
	for in, want := range map[string]int{
		"": 0, "X: y": 0, "X: y\r\n": 0, "X: y\r\n\r": 0, "X: y\r\n\r\nbody": 8, "X: y\n\nbody": 6, "X: y\r\n\nbody": 7,
		"\r\nbody": 2, "\nbody": 1, "X: y\n\r\nbody": 7, "X: y\n\rz\n\n": 9,
	} {
		if got := HeadLen([]byte(in), 0); got != want {
			t.Errorf("HeadLen(%q) is %d, expected %d", in, got, want)
		}
	}
}

func FuzzParseHead(f *testing.F) {
	f.Add("Status: 200 OK\r\nContent-Type: a/b\r\n\r\nbody", false)
	f.Add("HTTP/1.1 404 Not Found\nX: y\n\nbody", true)
	f.Add("Location: /x\r\n\r\n", false)
	f.Fuzz(func(t *testing.T, in string, http bool) {
		form := Status
		if http {
			form = HTTP
		}
		n := HeadLen([]byte(in), 0)
		// The same place when it comes byte by byte.
		looked := 0
		for i := 1; i <= len(in) && i <= n+2; i++ {
			if got := HeadLen([]byte(in[:i]), looked); got > 0 {
				if got != n {
					t.Fatalf("HeadLen of %q by bytes is %d, at once %d", in, got, n)
				}
				break
			}
			looked = i
		}
		if n == 0 {
			return
		}
		h, err := ParseHead([]byte(in[:n]), form)
		if err != nil || h.Local != "" {
			return
		}
		if strings.ContainsAny(h.Status, "\r\n\x00") || h.Code < 200 || h.Code > 999 {
			t.Fatalf("status is %q, %d", h.Status, h.Code)
		}
		again, err := ParseHead(AppendHead(nil, form, h.Status, h.Headers), form)
		if err != nil || !cmp.Equal(again, h) && len(h.Headers) > 0 {
			t.Fatalf("%+v became %+v, %v", h, again, err)
		}
	})
}

func BenchmarkParseHead(b *testing.B) {
	head := []byte("Status: 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 12\r\nX-One: 1\r\n\r\n")
	b.SetBytes(int64(len(head)))
	b.ReportAllocs()
	for b.Loop() {
		ParseHead(head, Status)
	}
}

// FuzzParseResponse looks at what a client passes on of a backend's head: only
// what an application may pass to start_response.
func FuzzParseResponse(f *testing.F) {
	f.Add("Status: 200 OK\r\nContent-Type: a/b\r\nConnection: x-a, close\r\nX-A: b\r\n\r\nbody", false)
	f.Add("HTTP/1.1 404\r\nX: y\tz\r\nTransfer-Encoding: chunked\r\n\r\n", true)
	f.Add("Status: 201\r\nContent-Length: 18\r\n\r\n", true)
	f.Add("Location: /x?y\r\n\r\n", false)
	f.Fuzz(func(t *testing.T, in string, http bool) {
		form := Status
		if http {
			form = HTTP
		}
		n := HeadLen([]byte(in), 0)
		if n == 0 {
			return
		}
		h, err := ParseResponse([]byte(in[:n]), form)
		if err != nil {
			return
		}
		if code, _, err := wsgi.ParseStatus(h.Status); err != nil || code != h.Code || code < 200 {
			t.Fatalf("status is %q, %d: %v", h.Status, h.Code, err)
		}
		if err := h.Headers.Validate(); err != nil {
			t.Fatalf("headers are %q: %v", h.Headers, err)
		}
		if h.Local != "" || h.Chunked && (form != HTTP || h.Length >= 0) {
			t.Fatalf("head is %+v", h)
		}
	})
}
