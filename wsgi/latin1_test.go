package wsgi_test

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/gowsgi/gowsgi/wsgi"
)

func TestEncodeLatin1(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"STR-04/empty", "", ""},
		{"STR-04/ASCII", "plain\x00\x7f", "plain\x00\x7f"},
		{"STR-04/one byte a character", "café", "caf\xe9"},
		{"STR-10/first beyond ASCII", "\u0080", "\x80"},
		{"STR-10/last", "\u00ff", "\xff"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := wsgi.EncodeLatin1(tt.text)
			if got != tt.want || err != nil {
				t.Errorf("EncodeLatin1(%q) = %q, %v; want %q", tt.text, got, err, tt.want)
			}
		})
	}
	refused := []struct{ name, text, detail string }{
		{"STR-05/first beyond", "a\u0100", "U+0100 at byte 1"},
		{"STR-05/euro", "\u20ac", "U+20AC at byte 0"},
		{"STR-05/emoji", "é\U0001F600", "U+1F600 at byte 2"},
		{"STR-05/replacement character", "\ufffd", "U+FFFD at byte 0"}, // text, if unlucky text
		{"STR-05/no text", "ab\xff", "not valid UTF-8 at byte 2"},
		{"STR-05/cut text", "é\xc3", "not valid UTF-8 at byte 2"},
		{"STR-05/surrogate", "\xed\xa0\x80", "not valid UTF-8 at byte 0"},
	}
	for _, tt := range refused {
		t.Run(tt.name, func(t *testing.T) {
			got, err := wsgi.EncodeLatin1(tt.text)
			if got != "" || !errors.Is(err, &wsgi.ContractError{Rule: "STR-05"}) {
				t.Fatalf("EncodeLatin1(%q) = %q, %v; want a ContractError of STR-05", tt.text, got, err)
			}
			if !strings.Contains(err.Error(), tt.detail) {
				t.Errorf("error %q does not say %q", err, tt.detail)
			}
		})
	}
}

func TestDecodeLatin1(t *testing.T) {
	tests := []struct{ name, native, want string }{
		{"STR-04/empty", "", ""},
		{"STR-04/ASCII", "plain", "plain"},
		{"STR-04/one character a byte", "caf\xe9", "café"},
		{"STR-04/UTF-8 is not guessed", "caf\xc3\xa9", "cafÃ©"}, // STR-08: the interface knows no Unicode
		{"STR-10/all but ASCII", "\x80\xff", "\u0080\u00ff"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := wsgi.DecodeLatin1(tt.native); got != tt.want {
				t.Errorf("DecodeLatin1(%q) = %q, want %q", tt.native, got, tt.want)
			}
		})
	}
	t.Run("STR-04/every byte there and back", func(t *testing.T) {
		all := allBytes()
		text := wsgi.DecodeLatin1(all)
		if n := utf8.RuneCountInString(text); n != 256 {
			t.Errorf("%d characters, want 256", n)
		}
		if got, err := wsgi.EncodeLatin1(text); got != all || err != nil {
			t.Errorf("back: %q, %v", got, err)
		}
	})
}

func FuzzLatin1(f *testing.F) {
	for _, s := range []string{"", "plain", "caf\xe9", "café", "\u20ac", "\xff\x00", "\ufffd"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		// As a native string, anything goes there and back.
		text := wsgi.DecodeLatin1(s)
		if !utf8.ValidString(text) || utf8.RuneCountInString(text) != len(s) {
			t.Errorf("DecodeLatin1(%q) = %q", s, text)
		}
		if back, err := wsgi.EncodeLatin1(text); back != s || err != nil {
			t.Errorf("%q came back as %q, %v", s, back, err)
		}
		// As text, what is accepted comes back, and what is refused could not.
		fits := utf8.ValidString(s) && strings.IndexFunc(s, func(r rune) bool { return r > 0xff }) < 0
		native, err := wsgi.EncodeLatin1(s)
		if (err == nil) != fits {
			t.Fatalf("EncodeLatin1(%q) = %q, %v", s, native, err)
		}
		if fits && wsgi.DecodeLatin1(native) != s {
			t.Errorf("%q came back as %q", s, wsgi.DecodeLatin1(native))
		}
	})
}
