package backend

import (
	"errors"
	"strings"
	"testing"
)

func TestExplain(t *testing.T) {
	wrong := errors.New("wrong")
	for _, tt := range []struct{ name, came, want string }{
		{"HTTP", "GET / HTTP/1.1\r\n", "HTTP"},
		{"HTTP in eight bytes", "DELETE /", "HTTP"},
		{"HTTP, the whole URI", "GET http://a/ HTTP/1.1", "HTTP"},
		{"PROXY", "PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n", "the PROXY protocol"},
		{"PROXY, binary", "\r\n\r\n\x00\r\nQUIT\n\x21", "the PROXY protocol"},
		{"TLS", "\x16\x03\x01\x02\x00\x01\x00\x01", "TLS"},
		{"SCGI", "317:CONTENT_LENGTH\x000\x00", "SCGI"},
		{"FastCGI", "\x01\x01\x00\x01\x00\x08\x00\x00", "FastCGI"},
		{"FastCGI, GET_VALUES", "\x01\x09\x00\x00\x00\x08\x00\x00", "FastCGI"},
		{"uwsgi", "\x00\x01\x02\x00\x0e\x00REQUEST_METHOD", "uwsgi"},
		{"uwsgi, a size that is no UTF-8", "\x00\xff\x80\x00\x0e\x00REQUEST_METHOD", "uwsgi"},
		{"words", "hello, world", ""},
		{"one letter", "G", ""},
		{"nothing", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := Explain(wrong, []byte(tt.came))
			_, got, _ := strings.Cut(err.Error(), "; it looks like ")
			if got != tt.want || !errors.Is(err, wrong) {
				t.Errorf("error %q, expected it to say %q", err, tt.want)
			}
		})
	}
}
