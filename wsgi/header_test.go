package wsgi_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/wsgi"
)

// cookies has one name in three spellings.
var cookies = wsgi.Headers{
	{"Set-Cookie", "a"}, {"X-B", "1"}, {"set-cookie", "b"}, {"Content-Type", "text/html"}, {"SET-COOKIE", "c"},
}

// The expected values are those of Python's wsgiref.headers.Headers, run on the
// same fields; None and a missing value are "" here.
func TestHeadersLookup(t *testing.T) {
	tests := []struct {
		name, field string
		get         string
		values      []string
	}{
		{"HDR-12/other case", "SET-cookie", "a", []string{"a", "b", "c"}},
		{"HDR-12/same case", "X-B", "1", []string{"1"}},
		{"HDR-18/in order", "set-cookie", "a", []string{"a", "b", "c"}},
		{"HDR-12/absent", "X-None", "", nil},
		{"HDR-12/prefix", "Set-Cook", "", nil},
		{"HDR-12/longer", "Set-Cookie2", "", nil},
		{"HDR-12/empty", "", "", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := cookies.Get(tt.field); got != tt.get {
				t.Errorf("Get(%q) = %q, want %q", tt.field, got, tt.get)
			}
			if diff := cmp.Diff(tt.values, cookies.Values(tt.field)); diff != "" {
				t.Errorf("Values(%q) (-want +got):\n%s", tt.field, diff)
			}
			if got := cookies.Has(tt.field); got != (tt.values != nil) {
				t.Errorf("Has(%q) = %v", tt.field, got)
			}
		})
	}
	t.Run("HDR-12/an empty value is present", func(t *testing.T) {
		h := wsgi.Headers{{"E", ""}}
		if !h.Has("e") || len(h.Values("e")) != 1 {
			t.Error("a field with an empty value is absent")
		}
	})
	t.Run("HDR-12/only ASCII has case", func(t *testing.T) {
		// Python folds by Unicode and finds all of these. None is a legal
		// field name, and bytes that are not text have no case.
		for name, asked := range map[string]string{"Key": "\u212aey", "X-\xc9": "x-\xe9", "x@": "x`", "x[": "x{"} {
			if (wsgi.Headers{{name, "1"}}).Has(asked) {
				t.Errorf("%q was found as %q", name, asked)
			}
		}
	})
}

func TestHeadersChange(t *testing.T) {
	tests := []struct {
		name string
		do   func(h *wsgi.Headers)
		want wsgi.Headers
	}{
		{"Set one", func(h *wsgi.Headers) { h.Set("X-B", "2") }, wsgi.Headers{
			{"Set-Cookie", "a"}, {"set-cookie", "b"}, {"Content-Type", "text/html"}, {"SET-COOKIE", "c"}, {"X-B", "2"}}},
		{"Set many", func(h *wsgi.Headers) { h.Set("set-cookie", "z") }, wsgi.Headers{
			{"X-B", "1"}, {"Content-Type", "text/html"}, {"set-cookie", "z"}}},
		{"Set a new one", func(h *wsgi.Headers) { h.Set("New", "n") }, append(cookies.Clone(), wsgi.Header{"New", "n"})},
		{"Add", func(h *wsgi.Headers) { h.Add("X-B", "2") }, append(cookies.Clone(), wsgi.Header{"X-B", "2"})},
		{"Del one", func(h *wsgi.Headers) { h.Del("x-b") }, wsgi.Headers{
			{"Set-Cookie", "a"}, {"set-cookie", "b"}, {"Content-Type", "text/html"}, {"SET-COOKIE", "c"}}},
		{"Del many", func(h *wsgi.Headers) { h.Del("set-cookie") }, wsgi.Headers{{"X-B", "1"}, {"Content-Type", "text/html"}}},
		{"Del none", func(h *wsgi.Headers) { h.Del("nope") }, cookies},
		{"SetDefault of a new one", func(h *wsgi.Headers) { h.SetDefault("New", "q") }, append(cookies.Clone(), wsgi.Header{"New", "q"})},
		{"SetDefault of one that is there", func(h *wsgi.Headers) { h.SetDefault("set-COOKIE", "q") }, cookies},
	}
	for _, tt := range tests {
		t.Run("HDR-18/"+tt.name, func(t *testing.T) {
			h := cookies.Clone()
			given := slices.Clip(h)
			tt.do(&h)
			if diff := cmp.Diff(tt.want, h); diff != "" {
				t.Errorf("headers (-want +got):\n%s", diff)
			}
			// Somebody may have been given the old slice (START-27).
			if diff := cmp.Diff(cookies, given); diff != "" {
				t.Errorf("the slice given away before was changed (-want +got):\n%s", diff)
			}
		})
		t.Run("HDR-07/"+tt.name+" on no headers", func(t *testing.T) {
			var h wsgi.Headers
			tt.do(&h) // must not panic, nor invent anything but the new field
			if len(h) > 1 {
				t.Errorf("headers %v", h)
			}
		})
	}
	t.Run("HDR-18/SetDefault returns", func(t *testing.T) {
		h := wsgi.Headers{{"E", ""}, {"A", "1"}, {"a", "2"}}
		for _, tt := range []struct{ field, want string }{{"e", ""}, {"a", "1"}, {"New", "q"}} {
			if got := h.SetDefault(tt.field, "q"); got != tt.want {
				t.Errorf("SetDefault(%q) = %q, want %q", tt.field, got, tt.want)
			}
		}
	})
	t.Run("HDR-07/Clone shares nothing", func(t *testing.T) {
		h := wsgi.Headers{{"A", "1"}}
		c := h.Clone()
		c[0].Value = "2"
		c.Add("B", "3")
		if h[0].Value != "1" || len(h) != 1 {
			t.Errorf("the original became %v", h)
		}
		if wsgi.Headers(nil).Clone() != nil {
			t.Error("a Clone of nothing is something")
		}
	})
}

func TestHeadersAddParams(t *testing.T) {
	tests := []struct {
		name   string
		value  string
		params []wsgi.Header
		want   string
	}{
		{"none", "v", nil, `v`},
		{"one", "attachment", []wsgi.Header{{"filename", "bud.gif"}}, `attachment; filename="bud.gif"`},
		{"quotes and backslashes", "attachment", []wsgi.Header{{"filename", `a"b\c.gif`}}, `attachment; filename="a\"b\\c.gif"`},
		{"underscores of the name only", "v", []wsgi.Header{{"a_b_c", "1_2"}}, `v; a-b-c="1_2"`},
		{"flag", "v", []wsgi.Header{{"flag", ""}}, `v; flag`},
		{"flag and value in order", "v", []wsgi.Header{{"flag", ""}, {"n", "1"}}, `v; flag; n="1"`},
		{"separators within a value", "v", []wsgi.Header{{"a", "x; y=1"}}, `v; a="x; y=1"`},
		{"Latin-1", "v", []wsgi.Header{{"a", "caf\xe9"}}, "v; a=\"caf\xe9\""},
		{"no value", "", []wsgi.Header{{"a", "1"}, {"b", "2"}}, `a="1"; b="2"`}, // as Python's None, not its ''
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := wsgi.Headers{{"X", "before"}}
			h.AddParams("X", tt.value, tt.params...)
			if diff := cmp.Diff(wsgi.Headers{{"X", "before"}, {"X", tt.want}}, h); diff != "" {
				t.Errorf("headers (-want +got):\n%s", diff)
			}
		})
	}
}

func TestHeadersString(t *testing.T) {
	tests := []struct {
		name    string
		headers wsgi.Headers
		want    string
	}{
		{"HDR-25/as given", cookies, "Set-Cookie: a\r\nX-B: 1\r\nset-cookie: b\r\nContent-Type: text/html\r\nSET-COOKIE: c\r\n\r\n"},
		{"HDR-25/none", nil, "\r\n"},
		{"STR-07/bytes", wsgi.Headers{{"X", "caf\xe9"}}, "X: caf\xe9\r\n\r\n"},
		{"HDR-25/empty value", wsgi.Headers{{"X", ""}}, "X: \r\n\r\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.headers.String(); got != tt.want {
				t.Errorf("String() = %q, want %q", got, tt.want)
			}
		})
	}
}

// FuzzHeaders checks the laws of a list of fields for any names and values.
func FuzzHeaders(f *testing.F) {
	f.Add("Set-Cookie", "set-cookie", "1")
	f.Add("A", "B", "")
	f.Add("", "\xff", "\r\n")
	f.Add("K", "\u212a", "x")
	f.Fuzz(func(t *testing.T, a, b, value string) {
		original := wsgi.Headers{{a, "1"}, {b, "2"}, {a, "3"}, {"Other", "4"}}
		h := original.Clone()
		h = h[:len(h):len(h)]
		given := h

		h.Add(b, value)
		if got := h.Values(b); got[len(got)-1] != value {
			t.Errorf("Add(%q) did not come last: %q", b, got)
		}
		if got := h[:4]; !slices.Equal(got, original) {
			t.Errorf("Add changed what was there: %q", got)
		}
		others := len(h) - len(h.Values(a))
		h.Set(a, value)
		if h.Get(a) != value || len(h.Values(a)) != 1 || len(h) != others+1 {
			t.Errorf("after Set(%q, %q): %q", a, value, h)
		}
		if last := h[len(h)-1]; last != (wsgi.Header{a, value}) {
			t.Errorf("Set did not add at the end: %q", h)
		}
		h.Del(a)
		if h.Has(a) || h.Get(a) != "" || h.Values(a) != nil || len(h) != others {
			t.Errorf("after Del(%q): %q", a, h)
		}
		if got := h.SetDefault(a, value); got != value {
			t.Errorf("SetDefault of an absent field = %q", got)
		}
		if !slices.Equal(given, original) {
			t.Errorf("the slice given away became %q", given)
		}
		// Names that differ in ASCII case only are one name.
		if got, want := (wsgi.Headers{{a, ""}}).Has(b), asciiLower(a) == asciiLower(b); got != want {
			t.Errorf("%q is found as %q: %v, want %v", a, b, got, want)
		}
	})
}

func asciiLower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}
