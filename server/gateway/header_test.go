package gateway_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/server/gateway"
	"github.com/gowsgi/gowsgi/wsgi"
)

// TestGatewayRefusals gives start_response one bad status or header each. All
// are refused inside the call (START-22), and an application that looks away
// gets a 500 (ERR-16).
//
// Covers: START-22, HDR-12
func TestGatewayRefusals(t *testing.T) {
	const ok = "200 OK"
	tests := []struct {
		name    string
		status  string
		headers wsgi.Headers
		rule    string
	}{
		{"HDR-01/one", "200", nil, "HDR-01"},
		{"HDR-01/nospace", "200OK", nil, "HDR-01"},
		{"HDR-01/empty", "", nil, "HDR-01"},
		{"HDR-01/short", "20 OK", nil, "HDR-01"},
		{"HDR-01/four", "2000 X", nil, "HDR-01"},
		{"HDR-01/alpha", "abc Nope", nil, "HDR-01"},
		{"HDR-01/lead", " 200 OK", nil, "HDR-01"},
		{"HDR-01/sign", "+20 OK", nil, "HDR-01"},
		{"HDR-01/two-spaces", "200  Two", nil, "HDR-01"},
		{"HDR-02/trail", "200 OK ", nil, "HDR-02"},
		{"HDR-03/ctl", "200 O\x01K", nil, "HDR-03"},
		{"HDR-03/tab", "200 O\tK", nil, "HDR-03"},
		{"HDR-03/nul", "200 O\x00K", nil, "HDR-03"},
		{"HDR-03/del", "200 O\x7fK", nil, "HDR-03"},
		{"HDR-04/crlf", "200 OK\r\nX-Inj: 1", nil, "HDR-04"},
		{"HDR-04/lf", "200 OK\n", nil, "HDR-04"},
		{"HDR-04/cr", "200 OK\r", nil, "HDR-04"},
		{"HDR-05/low", "099 Low", nil, "HDR-05"},
		{"HDR-23/100", "100 Continue", nil, "HDR-23"},
		{"HDR-23/101", "101 Switching Protocols", nil, "HDR-23"},
		{"HDR-23/103", "103 Early Hints", nil, "HDR-23"},

		{"HDR-09/space", ok, fields("Bad Name", "1"), "HDR-09"},
		{"HDR-09/empty", ok, fields("", "1"), "HDR-09"},
		{"HDR-09/latin", ok, fields("Caf\xe9", "1"), "HDR-09"},
		{"HDR-09/quote", ok, fields(`X"Y`, "1"), "HDR-09"},
		{"HDR-09/lf", ok, fields("X\n", "1"), "HDR-09"},
		{"HDR-09/second", ok, fields("X-Good", "1", "a:b", "1"), "HDR-09"},
		{"HDR-10/colon", ok, fields("X-Bad:", "1"), "HDR-10"},
		{"HDR-11/lf", ok, fields("X", "a\nb"), "HDR-11"},
		{"HDR-11/crlf", ok, fields("X", "a\r\nY: b"), "HDR-11"},
		{"HDR-11/cr", ok, fields("X", "a\r"), "HDR-11"},
		{"HDR-11/nul", ok, fields("X", "\x00"), "HDR-11"},
		{"HDR-11/del", ok, fields("X", "\x7f"), "HDR-11"},
		{"HDR-11/tab", ok, fields("X", "a\tb"), "HDR-11"}, // AMB-07

		// AMB-08, HDR-14
		{"HDR-15/connection", ok, fields("Connection", "close"), "HDR-13"},
		{"HDR-15/keep-alive", ok, fields("keep-alive", "timeout=5"), "HDR-13"},
		{"HDR-15/proxy-authenticate", ok, fields("Proxy-Authenticate", "Basic"), "HDR-13"},
		{"HDR-15/proxy-authorization", ok, fields("Proxy-Authorization", "x"), "HDR-13"},
		{"HDR-15/proxy-connection", ok, fields("Proxy-Connection", "close"), "HDR-13"},
		{"HDR-15/te", ok, fields("TE", "trailers"), "HDR-13"},
		{"HDR-15/trailer", ok, fields("Trailer", "X"), "HDR-13"},
		{"HDR-15/trailers", ok, fields("Trailers", "X"), "HDR-13"},
		{"HDR-15/transfer-encoding", ok, fields("TRANSFER-ENCODING", "chunked"), "HDR-13"},
		{"HDR-15/upgrade", ok, fields("Upgrade", "websocket"), "HDR-13"},

		{"LEN-10/alpha", ok, fields("Content-Length", "abc"), "LEN-10"},
		{"LEN-10/negative", ok, fields("Content-Length", "-1"), "LEN-10"},
		{"LEN-10/plus", ok, fields("Content-Length", "+1"), "LEN-10"},
		{"LEN-10/list", ok, fields("Content-Length", "1,1"), "LEN-10"},
		{"LEN-10/empty", ok, fields("content-LENGTH", ""), "LEN-10"},
		{"LEN-10/too-large", ok, fields("Content-Length", "9223372036854775808"), "LEN-10"},
		{"LEN-11/two", ok, fields("Content-Length", "1", "content-length", "1"), "LEN-11"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := request{}.serve(t, func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				write, err := start(tt.status, tt.headers, nil)
				p.rule("start", err)
				if write != nil {
					t.Error("a refused start_response returned a write")
				}
				return p.body("swallowed"), nil
			})
			if diff := cmp.Diff(join([]string{"start: " + tt.rule}, failed, []string{"close"}), got.events); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]string{"ERROR application failed (" + tt.rule + ")"}, got.reports); diff != "" {
				t.Errorf("reports (-want +got):\n%s", diff)
			}
		})
	}
}

// TestGatewayHeaders is about what is accepted, and how it leaves.
func TestGatewayHeaders(t *testing.T) {
	allBytes := func(from, to int) string {
		var b []byte
		for c := from; c <= to; c++ {
			b = append(b, byte(c))
		}
		return string(b)
	}
	start := func(status string, headers wsgi.Headers) call {
		return func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
			_, err := start(status, headers, nil)
			return p.body("a"), err
		}
	}
	runExchanges(t, []exchange{
		{
			// AMB-13
			name: "HDR-01/empty-phrase",
			call: start("200 ", nil),
			want: []string{"head 200 ", "block a", "end", "close"},
		}, {
			name: "HDR-05/999",
			call: start("999 Odd", nil),
			want: []string{"head 999 Odd", "block a", "end", "close"},
		}, {
			name: "HDR-22/own-phrase",
			call: start("200 Splendid, caf\xe9", nil),
			want: []string{"head 200 Splendid, caf\xe9", "block a", "end", "close"},
		}, {
			// Covers: STR-04, STR-07, STR-10, HTTP-02
			name: "HDR-25/bytes",
			call: start("200 OK", fields(
				"x-lOWER", "  inner  and outer  ", "X-Empty", "", "X-High", allBytes(0x80, 0xff), "X-ASCII", allBytes(0x20, 0x7e))),
			want: []string{
				"head 200 OK; x-lOWER:   inner  and outer  ; X-Empty: ; X-High: " +
					allBytes(0x80, 0xff) + "; X-ASCII: " + allBytes(0x20, 0x7e),
				"block a", "end", "close",
			},
		}, {
			name: "HDR-09/every-token-character",
			call: start("200 OK", fields("!#$%&'*+-.^_`|~09azAZ", "1")),
			want: []string{"head 200 OK; !#$%&'*+-.^_`|~09azAZ: 1", "block a", "end", "close"},
		}, {
			// AMB-40: the application's Date and Server are its own.
			name: "HDR-17/own-date-and-server",
			call: start("200 OK", fields("Date", "today", "Server", "me")),
			want: []string{"head 200 OK; Date: today; Server: me", "block a", "end", "close"},
		}, {
			name: "HDR-18/repeated",
			call: start("200 OK", fields("Set-Cookie", "b=1", "X", "1", "Set-Cookie", "a=2")),
			want: []string{"head 200 OK; Set-Cookie: b=1; X: 1; Set-Cookie: a=2", "block a", "end", "close"},
		}, {
			name: "HDR-18/more-than-a-few",
			call: start("200 OK", fields("A", "1", "B", "2", "C", "3", "D", "4", "E", "5", "F", "6", "G", "7", "H", "8")),
			want: []string{
				"head 200 OK; A: 1; B: 2; C: 3; D: 4; E: 5; F: 6; G: 7; H: 8",
				"block a", "end", "close",
			},
		}, {
			// Nothing is invented: HTTP-01 has the same test for a body that
			// looks like HTML.
			name: "HDR-21/no-content-type",
			call: answer(nil, "<html>"),
			want: []string{"head 200 OK", "block <html>", "end", "close"},
		}, {
			name: "HDR-12/content-length",
			call: answer(fields("content-LENGTH", "2"), "abc"),
			want: []string{"head 200 OK; content-LENGTH: 2", "block ab", "end", "close"},
			reports: []string{
				"WARN response is longer than its Content-Length (LEN-01)",
			},
		}, {
			// AMB-07
			name:    "HDR-11/tab-allowed",
			request: request{gateway: &gateway.Gateway{AllowTab: true}},
			call:    start("200 OK", fields("X", "a\tb")),
			want:    []string{"head 200 OK; X: a\tb", "block a", "end", "close"},
		}, {
			name:    "HDR-11/only-tab-allowed",
			request: request{gateway: &gateway.Gateway{AllowTab: true}},
			call:    start("200 OK", fields("X", "a\t\n")),
			want:    join(failed, []string{"close"}),
			reports: []string{"ERROR application failed (HDR-11)"},
		}, {
			name:    "HDR-03/tab-in-status",
			request: request{gateway: &gateway.Gateway{AllowTab: true}},
			call:    start("200 O\tK", nil),
			want:    join(failed, []string{"close"}),
			reports: []string{"ERROR application failed (HDR-03)"},
		}, {
			// AMB-08
			name:    "HDR-13/proxy-authenticate-allowed",
			request: request{gateway: &gateway.Gateway{AllowProxyAuthenticate: true}},
			call:    start("407 Who", fields("proxy-authenticate", "Basic")),
			want:    []string{"head 407 Who; proxy-authenticate: Basic", "block a", "end", "close"},
		}, {
			name:    "HDR-13/only-proxy-authenticate-allowed",
			request: request{gateway: &gateway.Gateway{AllowProxyAuthenticate: true}},
			call:    start("407 Who", fields("Proxy-Authorization", "x")),
			want:    join(failed, []string{"close"}),
			reports: []string{"ERROR application failed (HDR-13)"},
		},
	})
}
