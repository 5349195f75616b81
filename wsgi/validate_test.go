package wsgi_test

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/wsgi"
)

// checkRule reports when err is not a ContractError of rule; "" means no error.
func checkRule(t *testing.T, err error, rule string) {
	t.Helper()
	if rule == "" {
		if err != nil {
			t.Errorf("refused: %v", err)
		}
		return
	}
	var broken *wsgi.ContractError
	if !errors.As(err, &broken) {
		t.Errorf("error %v, want a ContractError of %s", err, rule)
	} else if broken.Rule != rule || broken.Detail == "" {
		t.Errorf("error %v, want one of %s that says what came", err, rule)
	}
}

func TestParseStatus(t *testing.T) {
	accepted := []struct {
		name, status string
		code         int
		reason       string
	}{
		{"HDR-01/usual", "200 OK", 200, "OK"},
		{"HDR-01/phrase with blanks", "404 Not Found", 404, "Not Found"},
		{"HDR-01/own phrase", "299 As You  Wish!", 299, "As You  Wish!"},
		{"HDR-01/empty phrase", "200 ", 200, ""}, // AMB-13: allowed by RFC 9112
		{"HDR-01/phrase of one character", "200 x", 200, "x"},
		{"HDR-01/phrase of digits", "200 200", 200, "200"},
		{"HDR-05/lowest", "100 Continue", 100, "Continue"}, // HDR-23 is start_response's to check
		{"HDR-05/highest", "999 High", 999, "High"},
		{"STR-07/Latin-1", "200 caf\xe9 \x80\xff", 200, "caf\xe9 \x80\xff"},
	}
	for _, tt := range accepted {
		t.Run(tt.name, func(t *testing.T) {
			code, reason, err := wsgi.ParseStatus(tt.status)
			if code != tt.code || reason != tt.reason || err != nil {
				t.Errorf("ParseStatus(%q) = %d, %q, %v; want %d, %q", tt.status, code, reason, err, tt.code, tt.reason)
			}
		})
	}

	refused := []struct{ name, status, rule string }{
		{"HDR-01/empty", "", "HDR-01"},
		{"HDR-01/no phrase and no space", "200", "HDR-01"},
		{"HDR-01/no space", "200OK", "HDR-01"},
		{"HDR-01/two spaces", "200  Two", "HDR-01"},
		{"HDR-01/two spaces and no phrase", "200  ", "HDR-01"},
		{"HDR-01/tab for the space", "200\tOK", "HDR-01"},
		{"HDR-01/four digits", "2000 X", "HDR-01"},
		{"HDR-01/two digits", "20 OK", "HDR-01"},
		{"HDR-01/letters", "abc Nope", "HDR-01"},
		{"HDR-01/letter in the code", "2x0 OK", "HDR-01"},
		{"HDR-01/signed", "+20 OK", "HDR-01"},
		{"HDR-01/negative", "-20 OK", "HDR-01"},
		{"HDR-01/other digits", "\xd9\xa2 OK", "HDR-01"},
		{"HDR-01/protocol first", "HTTP/1.1 200 OK", "HDR-01"},
		{"HDR-01/blank first", " 200 OK", "HDR-01"},
		{"HDR-02/blank last", "200 OK ", "HDR-02"},
		{"HDR-03/tab", "200 O\tK", "HDR-03"},
		{"HDR-03/NUL", "200 O\x00K", "HDR-03"},
		{"HDR-03/SOH", "200 \x01", "HDR-03"},
		{"HDR-03/escape", "200 OK\x1b[31m", "HDR-03"},
		{"HDR-03/DEL", "200 OK\x7f", "HDR-03"},
		{"HDR-04/CRLF last", "200 OK\r\n", "HDR-04"},
		{"HDR-04/LF last", "200 OK\n", "HDR-04"},
		{"HDR-04/CR last", "200 OK\r", "HDR-04"},
		{"HDR-04/header injection", "200 OK\r\nX-Injected: 1", "HDR-04"},
		{"HDR-05/below 100", "099 Low", "HDR-05"},
		{"HDR-05/zero", "000 OK", "HDR-05"},
	}
	for _, tt := range refused {
		t.Run(tt.name, func(t *testing.T) {
			code, reason, err := wsgi.ParseStatus(tt.status)
			checkRule(t, err, tt.rule)
			if code != 0 || reason != "" {
				t.Errorf("ParseStatus(%q) = %d, %q with its error", tt.status, code, reason)
			}
		})
	}
	t.Run("HDR-03/every control character", func(t *testing.T) {
		for c := range 256 {
			_, _, err := wsgi.ParseStatus("200 a" + string([]byte{byte(c)}) + "b")
			if control := c < 0x20 || c == 0x7f; (err != nil) != control {
				t.Errorf("byte 0x%02X: %v", c, err)
			}
		}
	})
	t.Run("STR-02/native string", func(t *testing.T) {
		header := reflect.TypeFor[wsgi.Header]()
		for field := range header.Fields() {
			if field.Type != reflect.TypeFor[string]() {
				t.Errorf("Header.%s is a %v, want exactly string", field.Name, field.Type)
			}
		}
	})
}

// FuzzParseStatus: what is accepted can be put together again, byte for byte,
// and cannot end the status line.
func FuzzParseStatus(f *testing.F) {
	for _, status := range []string{"200 OK", "404 ", "200", "099 x", "200 OK\r\n", "200  x", "999 \xff"} {
		f.Add(status)
	}
	f.Fuzz(func(t *testing.T, status string) {
		code, reason, err := wsgi.ParseStatus(status)
		if err != nil {
			return
		}
		if again := fmt.Sprintf("%d %s", code, reason); again != status || code < 100 || code > 999 {
			t.Errorf("%q became %q", status, again)
		}
		if strings.ContainsAny(status, "\r\n\x00") || strings.Trim(reason, " ") != reason {
			t.Errorf("%q was accepted", status)
		}
	})
}

func TestHeaders(t *testing.T) {
	tests := []struct {
		name    string
		headers wsgi.Headers
		rule    string
	}{
		{"HDR-06/none", nil, ""},
		{"HDR-08/usual", wsgi.Headers{{"Content-Type", "text/html; charset=utf-8"}, {"X-A", ""}}, ""},
		{"HDR-09/any token", wsgi.Headers{{"0aZ!#$%&'*+-.^_`|~", "v"}}, ""},
		{"HDR-09/one character", wsgi.Headers{{"x", "v"}}, ""},
		{"HDR-09/empty", wsgi.Headers{{"", "v"}}, "HDR-09"},
		{"HDR-09/blank", wsgi.Headers{{"X Y", "v"}}, "HDR-09"},
		{"HDR-09/blank first", wsgi.Headers{{" X", "v"}}, "HDR-09"},
		{"HDR-09/colon within", wsgi.Headers{{"X:Y", "v"}}, "HDR-09"},
		{"HDR-09/quote", wsgi.Headers{{`"X"`, "v"}}, "HDR-09"},
		{"HDR-09/not ASCII", wsgi.Headers{{"X-\xe9", "v"}}, "HDR-09"},
		{"HDR-09/UTF-8", wsgi.Headers{{"X-é", "v"}}, "HDR-09"},
		{"HDR-09/line end", wsgi.Headers{{"X\r\nY", "v"}}, "HDR-09"},
		{"HDR-09/the second field", wsgi.Headers{{"A", "v"}, {"B(", "v"}}, "HDR-09"},
		{"HDR-10/colon last", wsgi.Headers{{"X-Bad:", "v"}}, "HDR-10"},
		{"HDR-10/only a colon", wsgi.Headers{{":", "v"}}, "HDR-10"},
		{"HDR-11/LF", wsgi.Headers{{"X", "a\nb"}}, "HDR-11"},
		{"HDR-11/CRLF last", wsgi.Headers{{"X", "a\r\n"}}, "HDR-11"},
		{"HDR-11/injection", wsgi.Headers{{"X", "a\r\nSet-Cookie: b"}}, "HDR-11"},
		{"HDR-11/folded", wsgi.Headers{{"X", "a\r\n b"}}, "HDR-11"},
		{"HDR-11/NUL", wsgi.Headers{{"X", "\x00"}}, "HDR-11"},
		{"HDR-11/TAB", wsgi.Headers{{"X", "a\tb"}}, "HDR-11"}, // AMB-07: the strict reading
		{"HDR-11/DEL", wsgi.Headers{{"X", "\x7f"}}, "HDR-11"},
		{"HDR-11/C1 is not ASCII", wsgi.Headers{{"X", "\x80\x85\x9f"}}, ""},
		{"STR-07/Latin-1", wsgi.Headers{{"X", "caf\xe9"}}, ""},
		{"HDR-11/blanks are none", wsgi.Headers{{"X", "  a b  "}}, ""},
		{"HDR-18/repeated", wsgi.Headers{{"Set-Cookie", "a"}, {"Set-Cookie", "b"}}, ""},
		{"LEN-10/number", wsgi.Headers{{"content-LENGTH", "9223372036854775807"}}, ""},
		{"LEN-10/zero", wsgi.Headers{{"Content-Length", "0"}}, ""},
		{"LEN-10/empty", wsgi.Headers{{"Content-Length", ""}}, "LEN-10"},
		{"LEN-10/letters", wsgi.Headers{{"Content-Length", "abc"}}, "LEN-10"},
		{"LEN-10/negative", wsgi.Headers{{"Content-Length", "-1"}}, "LEN-10"},
		{"LEN-10/signed", wsgi.Headers{{"Content-Length", "+1"}}, "LEN-10"},
		{"LEN-10/list", wsgi.Headers{{"Content-Length", "1,1"}}, "LEN-10"},
		{"LEN-10/blank", wsgi.Headers{{"Content-Length", " 1"}}, "LEN-10"},
		{"LEN-10/hexadecimal", wsgi.Headers{{"Content-Length", "0x1"}}, "LEN-10"},
		{"LEN-10/too large", wsgi.Headers{{"Content-Length", "9223372036854775808"}}, "LEN-10"},
		{"LEN-10/other case", wsgi.Headers{{"CONTENT-length", "x"}}, "LEN-10"},
		{"LEN-11/twice", wsgi.Headers{{"Content-Length", "1"}, {"content-length", "1"}}, "LEN-11"},
		{"LEN-11/apart", wsgi.Headers{{"Content-Length", "1"}, {"X", ""}, {"Content-Length", "2"}}, "LEN-11"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before := tt.headers.Clone()
			checkRule(t, tt.headers.Validate(), tt.rule)
			if diff := cmp.Diff(before, tt.headers); diff != "" {
				t.Errorf("Validate changed the headers (-before +after):\n%s", diff)
			}
		})
	}
	t.Run("HDR-09/every byte", func(t *testing.T) {
		const token = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		for c := range 256 {
			name := "X" + string([]byte{byte(c)}) + "Y"
			err := wsgi.Headers{{name, ""}}.Validate()
			if legal := strings.IndexByte(token, byte(c)) >= 0; (err == nil) != legal {
				t.Errorf("byte 0x%02X: %v", c, err)
			}
		}
	})
	t.Run("HDR-11/every byte", func(t *testing.T) {
		for c := range 256 {
			err := wsgi.Headers{{"X", string([]byte{byte(c)})}}.Validate()
			if control := c < 0x20 || c == 0x7f; (err != nil) != control {
				t.Errorf("byte 0x%02X: %v", c, err)
			}
		}
	})

	hopByHop := []string{
		"Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "TE", "Trailer",
		"Trailers", // RFC 2616's own slip, which Python's wsgiref has
		"Transfer-Encoding", "Upgrade",
	}
	for _, name := range append(hopByHop, "Proxy-Connection") {
		rule := "HDR-13"
		if name == "Keep-Alive" || name == "Proxy-Connection" {
			rule = "HDR-14" // HTTP/1.0's own
		}
		t.Run(rule+"/"+name, func(t *testing.T) {
			for _, spelled := range []string{name, strings.ToLower(name), strings.ToUpper(name)} {
				if !wsgi.IsHopByHop(spelled) {
					t.Errorf("IsHopByHop(%q) = false", spelled)
				}
				checkRule(t, wsgi.Headers{{"X", ""}, {spelled, "v"}}.Validate(), "HDR-13")
			}
		})
	}
	t.Run("HDR-13/end-to-end", func(t *testing.T) {
		for _, name := range []string{
			"", "T", "Te-", "Content-Length", "Date", "Server", "Via", "X-Connection", "Connections", "Upgraded",
			"Trailing", "Keep_Alive", "Proxy-Authorizatio", "Set-Cookie", "WWW-Authenticate", "Retry-After",
			"Location", "Connectio\u212a",
		} {
			if wsgi.IsHopByHop(name) {
				t.Errorf("IsHopByHop(%q) = true", name)
			}
		}
	})
}

func BenchmarkParseStatus(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		wsgi.ParseStatus("404 Not Found")
	}
}

func BenchmarkHeadersValidate(b *testing.B) {
	h := wsgi.Headers{
		{"Content-Type", "text/html; charset=utf-8"}, {"Content-Length", "12345"},
		{"Cache-Control", "no-cache"}, {"Set-Cookie", "session=0123456789abcdef; Path=/; HttpOnly"},
	}
	b.ReportAllocs()
	for b.Loop() {
		h.Validate()
	}
}

// TestControlCharacters has each byte at each place of a value: eight of them are
// looked at together, and the rest one by one.
func TestControlCharacters(t *testing.T) {
	for _, fill := range []byte{'a', ' ', '~', 0x80, 0xFF} {
		for place := range 19 {
			value := bytes.Repeat([]byte{fill}, 19)
			for c := range 256 {
				value[place] = byte(c)
				err := wsgi.Headers{{Name: "X", Value: string(value)}}.Validate()
				if refused, control := err != nil, c < 0x20 || c == 0x7F; refused != control {
					t.Errorf("HDR-11: 0x%02X at %d among 0x%02X: the error is %v, expected one: %v", c, place, fill, err, control)
				}
			}
		}
	}
}
