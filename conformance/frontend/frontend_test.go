package frontend_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/gowsgi/gowsgi/conformance/frontend"
	"github.com/gowsgi/gowsgi/internal/adaptertest"
	"github.com/gowsgi/gowsgi/internal/fcgi"
)

const (
	get   = "GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
	get10 = "GET /a HTTP/1.0\r\n\r\n"
	head  = "HEAD /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
	okay  = "HTTP/1.1 200 OK\r\n"
	shut  = "Connection: close\r\n\r\n"
	chunk = "Transfer-Encoding: chunked\r\n" + shut
)

// TestResponses is about what a front end makes of what the server sends, and
// above all that it makes nothing good of what is not.
func TestResponses(t *testing.T) {
	stdout := func(text string) string { return string(fcgi.AppendStream(nil, fcgi.Stdout, 1, []byte(text))) }
	outEnd := string(fcgi.AppendStreamEnd(nil, fcgi.Stdout, 1))
	end := outEnd + string(fcgi.AppendEnd(nil, 1, 0, 0))
	stderr := string(fcgi.AppendStream(nil, fcgi.Stderr, 1, []byte("to the log")))
	errEnd := string(fcgi.AppendStreamEnd(nil, fcgi.Stderr, 1))
	const h = "Status: 200 OK\r\n"
	tests := []struct {
		name, protocol, request string
		answer                  string
		want                    string // with 502 for any answer of that kind
	}{
		{"plain", "scgi", get, h + "\r\nbody", okay + chunk + "4\r\nbody\r\n0\r\n\r\n"},
		{"plain", "uwsgi", get, "HTTP/1.0 200 OK\r\n\r\nbody", okay + chunk + "4\r\nbody\r\n0\r\n\r\n"},
		{"plain", "fastcgi", get, stdout(h+"\r\nbody") + end, okay + chunk + "4\r\nbody\r\n0\r\n\r\n"},
		{"two records", "fastcgi", get, stdout(h) + stdout("\r\n") + stdout("Content-Length: 9\r\n\r\n") + end,
			okay + chunk + "15\r\nContent-Length: 9\r\n\r\n\r\n0\r\n\r\n"},
		{"names as they are", "scgi", get, h + "x-lower: \xe9\r\nX-Empty:\r\n\r\n", okay + "x-lower: \xe9\r\nX-Empty: \r\n" + chunk + "0\r\n\r\n"},
		{"length", "scgi", get, h + "Content-Length: 4\r\n\r\nbody", okay + "Content-Length: 4\r\n" + shut + "body"},
		{"length too long", "scgi", get, h + "Content-Length: 5\r\n\r\nbody", okay + "Content-Length: 5\r\n" + shut + "body"},
		{"length too short", "scgi", get, h + "Content-Length: 3\r\n\r\nbody", okay + "Content-Length: 3\r\n" + shut + "body"},
		{"to an old client", "scgi", get10, h + "\r\nbody", okay + shut + "body"},
		{"HEAD", "scgi", head, h + "Content-Length: 4\r\n\r\nbody", okay + "Content-Length: 4\r\n" + shut},
		{"HEAD", "fastcgi", head, stdout(h+"\r\nbody") + end, okay + shut},
		{"204", "scgi", get, "Status: 204 No Content\r\n\r\nbody", "HTTP/1.1 204 No Content\r\n" + shut},
		{"304", "uwsgi", get, "HTTP/1.1 304 Not Modified\r\n\r\nbody", "HTTP/1.1 304 Not Modified\r\n" + shut},
		{"STDERR", "fastcgi", get, stderr + stdout(h+"\r\nbody") + errEnd + end, okay + chunk + "4\r\nbody\r\n0\r\n\r\n"},

		{"nothing", "scgi", get, "", ""},
		{"nothing", "fastcgi", get, "", ""},
		{"end of nothing", "fastcgi", get, end, ""},
		{"cut head", "scgi", get, h + "X: y\r\n", "502"},
		{"cut head", "fastcgi", get, stdout(h) + end, "502"},
		{"head without END_REQUEST", "fastcgi", get, stdout(h), ""},
		{"no END_REQUEST", "fastcgi", get, stdout(h+"\r\nbody") + outEnd, okay + chunk + "4\r\nbody\r\n"},
		{"no END_REQUEST, old client", "fastcgi", get10, stdout(h+"\r\nbody") + outEnd, okay + shut + "body<peer>"},
		{"truncated record", "fastcgi", get, stdout(h + "\r\nbody!!!")[:30], okay + chunk + "4\r\nbody\r\n"},
		{"no end of STDOUT", "fastcgi", get, stdout(h+"\r\nbody") + end[8:], okay + chunk + "4\r\nbody\r\n"},
		{"no end of STDERR", "fastcgi", get, stderr + stdout(h+"\r\nbody") + end, okay + chunk + "4\r\nbody\r\n"},
		{"STDOUT after its end", "fastcgi", get, stdout(h+"\r\nbody") + outEnd + stdout("more") + end, okay + chunk + "4\r\nbody\r\n"},
		{"another id", "fastcgi", get, string(fcgi.AppendStream(nil, fcgi.Stdout, 2, []byte(h+"\r\n"))) + end, "502"},
		{"another version", "fastcgi", get, "\x02" + stdout(h + "\r\n")[1:] + end, "502"},
		{"another type", "fastcgi", get, string(fcgi.AppendUnknown(nil, 9)) + end, "502"},
		{"overloaded", "fastcgi", get, string(fcgi.AppendEnd(nil, 1, 0, fcgi.Overloaded)), "502"},
		{"garbage", "scgi", get, "garbage\r\n\r\n", "502"},
		{"garbage without end", "scgi", get, "garbage", "502"},
		{"status line over SCGI", "scgi", get, "HTTP/1.1 200 OK\r\n\r\n", "502"},
		{"Status over uwsgi", "uwsgi", get, h + "\r\n", "502"},
		{"chunks", "uwsgi", get, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "502"},
		{"interim", "uwsgi", get, "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", "502"},
		{"too long a head", "scgi", get, h + "X: " + strings.Repeat("x", 70<<10) + "\r\n\r\n", "502"},
	}
	for _, tt := range tests {
		t.Run(tt.protocol+"/"+tt.name, func(t *testing.T) {
			adaptertest.Leaks(t)
			addr := backend(t, func(c net.Conn) {
				in := bufio.NewReader(c)
				readRequest(t, tt.protocol, in)
				io.WriteString(c, tt.answer)
				c.(*net.TCPConn).CloseWrite()
				io.Copy(io.Discard, in)
			})
			c := listen(t, frontend.Config{Protocol: tt.protocol, Addr: addr})
			io.WriteString(c, tt.request)
			got := outcome(c)
			if tt.want == "502" && strings.HasPrefix(got, "HTTP/1.1 502 ") {
				return
			}
			if got != tt.want {
				t.Errorf("the client sees\n%q, expected\n%q", got, tt.want)
			}
		})
	}
}

// TestVariables has what a request becomes.
func TestVariables(t *testing.T) {
	raw := "POST /x%2Fy/../z//%E3%81%82?q=%20 HTTP/1.1\r\nHost: h:8\r\nContent-Type: a/b\r\nX-Dup: one\r\nX-Dup: two\r\n" +
		"Cookie: a=1\r\nCookie: b=2\r\nX_Under: u\r\nProxy: p\r\nX-Empty:\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n" +
		"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nX-T: 1\r\n\r\n"
	for _, protocol := range []string{"fastcgi", "scgi", "uwsgi"} {
		t.Run(protocol, func(t *testing.T) {
			vars := make(chan []string, 1)
			body := make(chan string, 1)
			addr := backend(t, func(c net.Conn) {
				in := bufio.NewReader(c)
				vars <- readRequest(t, protocol, in)
				var text []byte
				if protocol == "fastcgi" {
					for {
						h, content := readRecord(t, in)
						if h.Type != fcgi.Stdin || h.Length == 0 {
							break
						}
						text = append(text, content...)
					}
				} else {
					text = make([]byte, 5)
					io.ReadFull(in, text)
				}
				body <- string(text)
			})
			c := listen(t, frontend.Config{Protocol: protocol, Addr: addr})
			io.WriteString(c, raw)
			list := <-vars
			if list[0] != "CONTENT_LENGTH" || list[1] != "5" {
				t.Errorf("the first variable is %s %q, expected CONTENT_LENGTH 5", list[0], list[1])
			}
			got := map[string]string{}
			for i := 0; i < len(list); i += 2 {
				if _, ok := got[list[i]]; ok {
					t.Errorf("%s occurs twice", list[i])
				}
				got[list[i]] = list[i+1]
			}
			for name, want := range map[string]string{
				"REQUEST_METHOD": "POST", "REQUEST_URI": "/x%2Fy/../z//%E3%81%82?q=%20", "SCRIPT_NAME": "", "PATH_INFO": "/x/y/../z//\xe3\x81\x82",
				"QUERY_STRING": "q=%20", "SERVER_PROTOCOL": "HTTP/1.1", "SERVER_NAME": "127.0.0.1", "REMOTE_ADDR": "127.0.0.1",
				"CONTENT_TYPE": "a/b", "HTTP_HOST": "h:8", "HTTP_X_DUP": "one, two", "HTTP_COOKIE": "a=1; b=2",
				"HTTP_PROXY": "p", "HTTP_X_EMPTY": "", "HTTP_TRANSFER_ENCODING": "chunked", "REQUEST_SCHEME": "http", "GATEWAY_INTERFACE": "CGI/1.1",
			} {
				if value, ok := got[name]; !ok || value != want {
					t.Errorf("%s is %q, %t, expected %q", name, value, ok, want)
				}
			}
			for _, name := range []string{"HTTP_X_UNDER", "HTTP_CONTENT_TYPE", "HTTP_CONTENT_LENGTH"} {
				if value, ok := got[name]; ok {
					t.Errorf("%s is %q, expected none", name, value)
				}
			}
			if text := <-body; text != "abcde" {
				t.Errorf("the body is %q, expected abcde", text)
			}
		})
	}
}

// TestKeepConn: the requests of one client come on one connection.
func TestKeepConn(t *testing.T) {
	adaptertest.Leaks(t)
	addr := backend(t, func(c net.Conn) {
		in := bufio.NewReader(c)
		for i := 1; ; i++ {
			if readRequest(t, "fastcgi", in) == nil {
				return
			}
			readRecord(t, in) // the end of STDIN
			b := fcgi.AppendStream(nil, fcgi.Stdout, 1, fmt.Appendf(nil, "Status: 200 OK\r\nContent-Length: 1\r\n\r\n%d", i))
			c.Write(fcgi.AppendEnd(fcgi.AppendStreamEnd(b, fcgi.Stdout, 1), 1, 0, 0))
			if i == 3 {
				return
			}
		}
	})
	c := listen(t, frontend.Config{Protocol: "fastcgi", Addr: addr, KeepConn: true})
	for range 3 {
		io.WriteString(c, strings.Replace(get, "close", "keep-alive", 1))
	}
	b := make([]byte, 0, 1024)
	for strings.Count(string(b), okay) < 3 || !strings.HasSuffix(string(b), "\r\n\r\n3") {
		n, err := c.Read(b[len(b):cap(b)])
		if b = b[:len(b)+n]; err != nil {
			t.Fatalf("got %q, %v, expected three responses of one connection", b, err)
		}
	}
}

// TestRequests is about requests that the front end answers itself.
func TestRequests(t *testing.T) {
	c := frontend.Config{Protocol: "scgi", Addr: "127.0.0.1:1"}
	for request, want := range map[string]string{
		"garbage\r\n\r\n":                                                                        "400",
		"GET /%zz HTTP/1.1\r\nHost: h\r\n\r\n":                                                   "400",
		"GET /a%00 HTTP/1.1\r\nHost: h\r\n\r\n":                                                  "400",
		"GET a HTTP/1.1\r\nHost: h\r\n\r\n":                                                      "400",
		"GET /a HTTP/1.1\r\n\r\n":                                                                "400",
		"GET /a HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n":                                          "400",
		"GET /a HTTP/2.0\r\nHost: h\r\n\r\n":                                                     "400",
		"GET /a HTTP/1.1\r\nHost: h\r\nX: a\r\n b\r\n\r\n":                                       "400",
		"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: +1\r\n\r\n":                              "400",
		"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n":          "400",
		"POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n": "400",
		"POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n":               "400",
		"CONNECT h:80 HTTP/1.1\r\nHost: h\r\n\r\n":                                               "501",
		"GET /a HTTP/1.1\r\nHost: h\r\nX: " + strings.Repeat("x", 70<<10) + "\r\n\r\n":           "431",
		get: "502", // there is no server
	} {
		client := listen(t, c)
		io.WriteString(client, request)
		if got := outcome(client); !strings.HasPrefix(got, "HTTP/1.1 "+want+" ") {
			t.Errorf("%.60q is answered by %.200q, expected %s", request, got, want)
		}
	}
}

func TestConfig(t *testing.T) {
	for _, c := range []frontend.Config{
		{}, {Protocol: "http", Network: "tcp"}, {Protocol: "cgi", Network: "tcp"}, {Protocol: "scgi", Network: "exec"},
	} {
		if f, err := c.Listen(); err == nil {
			f.Close()
			t.Errorf("%+v listens, expected an error", c)
		}
	}
}

// TestProgramFails: a program that ends badly has not answered.
func TestProgramFails(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the program is a shell script, which Windows does not run; CI runs it on Linux")
	}
	for name, tt := range map[string]struct{ script, want string }{
		"ends well":  {`printf 'Status: 200 OK\r\n\r\nbody'`, okay + chunk + "4\r\nbody\r\n0\r\n\r\n"},
		"ends badly": {`printf 'Status: 200 OK\r\n\r\nbody'; exit 3`, okay + chunk + "4\r\nbody\r\n"},
		"is killed":  {`printf 'Status: 200 OK\r\n\r\nbody'; kill -9 $$`, okay + chunk + "4\r\nbody\r\n"},
		"is silent":  {`exit 1`, ""},
		"variables":  {`printf 'Status: 200 OK\r\nContent-Length: 5\r\n\r\n%s' "$PATH_INFO${CONTENT_TYPE-no}"`, okay + "Content-Length: 5\r\n" + shut + "/a" + "no"},
	} {
		t.Run(name, func(t *testing.T) {
			adaptertest.Leaks(t)
			path := filepath.Join(t.TempDir(), "program")
			if err := os.WriteFile(path, []byte("#!/bin/sh\n"+tt.script+"\n"), 0o700); err != nil {
				t.Fatal(err)
			}
			c := listen(t, frontend.Config{Protocol: "cgi", Network: "exec", Addr: path})
			io.WriteString(c, get)
			if got := outcome(c); got != tt.want {
				t.Errorf("the client sees %q, expected %q", got, tt.want)
			}
		})
	}
}
