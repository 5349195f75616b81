package adaptertest

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/gowsgi/gowsgi/internal/backend"
	"github.com/gowsgi/gowsgi/internal/fcgi"
)

// Absent is the value of a variable that Refused leaves out.
const Absent = "\x00absent"

// MaxBody is the limit of a request body that Refused reckons with.
const MaxBody = 1 << 20

// Refused are requests that no protocol lets through to the application: what is
// wrong with their variables is the same in all. Variables are names and values
// in turn, in the place of those of a plain GET or besides; a name that occurs
// twice here is sent twice.
var Refused = []struct {
	Name      string
	Variables []string
	Want      string // the code of the answer
}{
	{"no method", []string{"REQUEST_METHOD", Absent}, "400"},
	{"empty method", []string{"REQUEST_METHOD", ""}, "400"},
	{"method with a blank", []string{"REQUEST_METHOD", "GET /"}, "400"},
	{"method with a control character", []string{"REQUEST_METHOD", "GET\x01"}, "400"},
	{"method twice", []string{"REQUEST_METHOD", "GET", "REQUEST_METHOD", "POST"}, "400"},
	{"protocol that is none", []string{"SERVER_PROTOCOL", "junk"}, "400"},
	{"protocol without version", []string{"SERVER_PROTOCOL", "HTTP/"}, "400"},
	{"protocol with half a version", []string{"SERVER_PROTOCOL", "HTTP/1."}, "400"},
	{"protocol with more behind", []string{"SERVER_PROTOCOL", "HTTP/1.1\r\nX: y"}, "400"},
	{"NUL in a name", []string{"A\x00B", "x"}, "400"},
	{"= in a name", []string{"A=B", "x"}, "400"},
	{"CR in a name", []string{"A\rB", "x"}, "400"},
	{"LF in a name", []string{"A\nB", "x"}, "400"},
	{"empty name", []string{"", "x"}, "400"},
	{"CR in a header", []string{"HTTP_X", "a\rb"}, "400"},
	{"LF in a header", []string{"HTTP_X", "a\nX: b"}, "400"},
	{"NUL in a header", []string{"HTTP_X", "a\x00b"}, "400"},
	{"two hosts", []string{"HTTP_HOST", "a", "HTTP_HOST", "b"}, "400"},
	{"CONTENT_LENGTH +5", []string{"CONTENT_LENGTH", "+5"}, "400"},
	{"CONTENT_LENGTH -1", []string{"CONTENT_LENGTH", "-1"}, "400"},
	{"CONTENT_LENGTH -2", []string{"CONTENT_LENGTH", "-2"}, "400"},
	{"CONTENT_LENGTH 5, 5", []string{"CONTENT_LENGTH", "5, 5"}, "400"},
	{"CONTENT_LENGTH 0x5", []string{"CONTENT_LENGTH", "0x5"}, "400"},
	{"CONTENT_LENGTH 5 and a blank", []string{"CONTENT_LENGTH", "5 "}, "400"},
	{"CONTENT_LENGTH a blank and 5", []string{"CONTENT_LENGTH", " 5"}, "400"},
	{"CONTENT_LENGTH 5x", []string{"CONTENT_LENGTH", "5x"}, "400"},
	{"CONTENT_LENGTH 1e3", []string{"CONTENT_LENGTH", "1e3"}, "400"},
	{"CONTENT_LENGTH in other digits", []string{"CONTENT_LENGTH", "\u0665"}, "400"},
	{"CONTENT_LENGTH 2^63", []string{"CONTENT_LENGTH", "9223372036854775808"}, "400"},
	{"CONTENT_LENGTH 2^64+5", []string{"CONTENT_LENGTH", "18446744073709551621"}, "400"},
	{"CONTENT_LENGTH twice", []string{"CONTENT_LENGTH", "5", "CONTENT_LENGTH", "6"}, "400"},
	{"less than the client's length", []string{"CONTENT_LENGTH", "5", "HTTP_CONTENT_LENGTH", "10"}, "400"},
	{"path without slash", []string{"PATH_INFO", "a"}, "400"},
	{"asterisk of GET", []string{"PATH_INFO", "*"}, "400"},
	{"NUL in the path", []string{"PATH_INFO", "/a\x00b"}, "400"},
	{"script without slash", []string{"SCRIPT_NAME", "app"}, "400"},
	{"body over the limit", []string{"CONTENT_LENGTH", fmt.Sprint(MaxBody + 1)}, "413"},
	{"1001 variables", Numbered(1001), "431"},
}

// Variables returns the names and values of a plain GET with those of list.
func Variables(list []string) (vars []string) {
	vars = []string{
		"CONTENT_LENGTH", "0", "SCGI", "1", "REQUEST_METHOD", "GET", "SERVER_PROTOCOL", "HTTP/1.1", "REQUEST_URI", "/a",
		"SCRIPT_NAME", "", "PATH_INFO", "/a", "SERVER_NAME", "s", "SERVER_PORT", "80",
	}
	plain := len(vars)
	for i := 0; i < len(list); i += 2 {
		at := 0
		for at < plain && vars[at] != list[i] {
			at += 2
		}
		if at == plain || slices.Contains(list[:i], list[i]) {
			vars = append(vars, list[i], list[i+1])
		} else {
			vars[at+1] = list[i+1]
		}
	}
	for i := len(vars) - 2; i >= 0; i -= 2 {
		if vars[i+1] == Absent {
			vars = slices.Delete(vars, i, i+2)
		}
	}
	return vars
}

// encode is a request with vars as they are: what a web server would never send,
// the functions that write requests would not either.
func encode(protocol string, vars []string) (b []byte) {
	var block []byte
	for i := 0; i < len(vars); i += 2 {
		switch protocol {
		case "scgi":
			block = append(block, vars[i]+"\x00"+vars[i+1]+"\x00"...)
		case "uwsgi":
			for _, s := range vars[i : i+2] {
				block = append(binary.LittleEndian.AppendUint16(block, uint16(len(s))), s...)
			}
		case "fastcgi":
			block = fcgi.AppendPair(block, vars[i], vars[i+1])
		}
	}
	switch protocol {
	case "scgi":
		return append(Netstring(string(block)), ',')
	case "uwsgi":
		return append(binary.LittleEndian.AppendUint16([]byte{0}, uint16(len(block))), append([]byte{0}, block...)...)
	}
	b = fcgi.AppendStream(fcgi.AppendBegin(nil, 1, fcgi.Responder, 0), fcgi.Params, 1, block)
	return fcgi.AppendStreamEnd(fcgi.AppendStreamEnd(b, fcgi.Params, 1), fcgi.Stdin, 1)
}

// refused sends each of Refused.
func (s Subject) refused(t *testing.T) {
	var tests []Malformed
	for _, tt := range Refused {
		if s.Protocol == "scgi" && strings.Contains(strings.ReplaceAll(strings.Join(tt.Variables, ""), Absent, ""), "\x00") {
			continue // NUL ends a name or a value there: it cannot be a part of one
		}
		if s.Protocol == "fastcgi" && tt.Name == "CONTENT_LENGTH -1" {
			continue // that is how Caddy says that it does not know
		}
		tests = append(tests, Malformed{Name: tt.Name, Raw: encode(s.Protocol, Variables(tt.Variables)), Want: tt.Want})
	}
	s.Malformed(t, backend.Options{MaxBodyBytes: MaxBody}, tests)
}
