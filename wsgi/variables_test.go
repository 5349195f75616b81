package wsgi_test

import (
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/wsgi"
)

func TestEnvironVar(t *testing.T) {
	e := wsgi.EnvironFromMap(map[string]any{
		"TEXT": "x", "EMPTY": "", "NUMBER": 42, "NIL": nil, "NAMED": namedString("x"),
	})
	tests := []struct{ name, key, want string }{
		{"ENV-07/string", "TEXT", "x"},
		{"ENV-25/empty", "EMPTY", ""},
		{"ENV-12/absent", "ABSENT", ""}, // where environ["X"].(string) would panic
		{"ENV-07/number", "NUMBER", ""},
		{"ENV-08/nil", "NIL", ""},
		{"STR-02/named string type", "NAMED", ""},
		{"STR-09/exactly string", "TEXT", "x"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := e.Var(tt.key); got != tt.want {
				t.Errorf("Var(%q) = %q, want %q", tt.key, got, tt.want)
			}
		})
	}
	t.Run("ENV-02/deleted", func(t *testing.T) {
		e := wsgi.NewEnviron(t.Context(), newSource())
		e.Delete("PATH_INFO")
		if got := e.Var("PATH_INFO"); got != "" {
			t.Errorf("Var of a deleted key = %q", got)
		}
	})
	t.Run("STR-06/every byte survives", func(t *testing.T) {
		bytes := allBytes()
		s := &source{vars: map[string]string{"PATH_INFO": bytes}}
		if got := wsgi.NewEnviron(t.Context(), s).Var("PATH_INFO"); got != bytes {
			t.Errorf("Var = %q, want all 256 bytes unchanged", got)
		}
	})
}

type namedString string

// allBytes is every byte value once.
func allBytes() string {
	var b [256]byte
	for i := range b {
		b[i] = byte(i)
	}
	return string(b[:])
}

func TestEnvironHeader(t *testing.T) {
	e := wsgi.EnvironFromMap(map[string]any{
		"CONTENT_TYPE": "text/plain", "CONTENT_LENGTH": "3",
		"HTTP_HOST": "example.org", "HTTP_X_A_B": "1", "HTTP_": "nothing",
		// A client cannot send these two as headers; were they there, they
		// would not be the request's.
		"HTTP_CONTENT_TYPE": "wrong", "HTTP_CONTENT_LENGTH": "wrong",
	})
	tests := []struct{ name, header, want string }{
		{"CGI-10/plain", "Host", "example.org"},
		{"CGI-10/any case", "hOST", "example.org"},
		{"CGI-10/hyphens", "X-a-B", "1"},
		{"CGI-10/absent", "Accept", ""},
		{"CGI-11/Content-Type", "content-TYPE", "text/plain"},
		{"CGI-11/Content-Length", "CONTENT-length", "3"},
		{"CGI-10/no name", "", "nothing"},
		{"CGI-10/longer than the key buffer", strings.Repeat("x", 200), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := e.Header(tt.header); got != tt.want {
				t.Errorf("Header(%q) = %q, want %q", tt.header, got, tt.want)
			}
		})
	}
}

func TestEnvironContentLength(t *testing.T) {
	tests := []struct {
		name, value string
		want        int64
		ok          bool
	}{
		{"zero", "0", 0, true},
		{"number", "1234", 1234, true},
		{"leading zero", "007", 7, true},
		{"largest", "9223372036854775807", 1<<63 - 1, true},
		{"too large", "9223372036854775808", 0, false},
		{"longer still", "99999999999999999999", 0, false},
		{"empty", "", 0, false},
		{"negative", "-1", 0, false},
		{"signed", "+1", 0, false},
		{"blank", " 1", 0, false},
		{"list", "1,1", 0, false},
		{"hexadecimal", "0x10", 0, false},
		{"underscore", "1_000", 0, false},
		{"letters", "abc", 0, false},
	}
	for _, tt := range tests {
		t.Run("CGI-06/"+tt.name, func(t *testing.T) {
			e := wsgi.EnvironFromMap(map[string]any{"CONTENT_LENGTH": tt.value})
			n, ok := e.ContentLength()
			if ok != tt.ok || ok && n != tt.want {
				t.Errorf("ContentLength of %q = %d, %v; want %d, %v", tt.value, n, ok, tt.want, tt.ok)
			}
		})
	}
	t.Run("CGI-06/absent", func(t *testing.T) {
		if _, ok := wsgi.EnvironFromMap(nil).ContentLength(); ok {
			t.Error("an absent CONTENT_LENGTH is a length")
		}
	})
}

// TestEnvironStreams shows that an application never has to check for a
// missing stream, nor for a value of the wrong type in its place.
func TestEnvironStreams(t *testing.T) {
	input, errs := wsgi.NewInput(strings.NewReader("body")), wsgi.NewErrors(io.Discard)
	full := wsgi.EnvironFromMap(map[string]any{"wsgi.input": input, "wsgi.errors": errs})
	t.Run("ENV-16/input", func(t *testing.T) {
		if full.Input() != input {
			t.Error("Input is not wsgi.input")
		}
	})
	t.Run("ENV-17/errors", func(t *testing.T) {
		if full.Errors() != errs {
			t.Error("Errors is not wsgi.errors")
		}
	})
	t.Run("INPUT-22/replaced by a middleware", func(t *testing.T) {
		e := full.Clone()
		e.Set("wsgi.input", wsgi.NewInput(strings.NewReader("un\npacked")))
		if lines, err := e.Input().ReadLines(0); len(lines) != 2 || err != nil {
			t.Errorf("lines %q, %v; want those of the new stream", lines, err)
		}
		if full.Input() != input {
			t.Error("the original has another stream too")
		}
	})
	for name, e := range map[string]*wsgi.Environ{
		"absent":     wsgi.EnvironFromMap(nil),
		"wrong type": wsgi.EnvironFromMap(map[string]any{"wsgi.input": 1, "wsgi.errors": "x", "wsgi.file_wrapper": true}),
		"nil":        wsgi.EnvironFromMap(map[string]any{"wsgi.input": nil, "wsgi.file_wrapper": wsgi.FileWrapper(nil)}),
	} {
		t.Run("INPUT-20/"+name, func(t *testing.T) {
			if got, err := io.ReadAll(e.Input()); len(got) != 0 || err != nil {
				t.Errorf("input = %q, %v; want an empty stream", got, err)
			}
		})
		t.Run("ENV-17/"+name, func(t *testing.T) {
			if e.Errors() == nil {
				t.Error("Errors is nil")
			}
		})
		t.Run("FILE-02/"+name, func(t *testing.T) {
			file := &closingReader{Reader: strings.NewReader("abcde")}
			body := e.FileWrapper()(file, 2)
			if diff := cmp.Diff([]string{"ab", "cd", "e"}, blocks(t, body)); diff != "" {
				t.Errorf("fallback (-want +got):\n%s", diff)
			}
			if body.Close(); file.closed != 1 {
				t.Errorf("the file was closed %d times, want once", file.closed)
			}
		})
	}
	t.Run("FILE-01/the server's own", func(t *testing.T) {
		called := false
		e := wsgi.EnvironFromMap(map[string]any{"wsgi.file_wrapper": wsgi.FileWrapper(
			func(io.Reader, int) wsgi.Iterable { called = true; return wsgi.Empty() })})
		if e.FileWrapper()(nil, 0); !called {
			t.Error("FileWrapper is not wsgi.file_wrapper")
		}
	})
}
