package frontend_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"testing"

	"github.com/gowsgi/gowsgi/conformance/frontend"
	"github.com/gowsgi/gowsgi/internal/adaptertest"
	"github.com/gowsgi/gowsgi/internal/fcgi"
)

// TestTime: bytes go both ways as they come.
func TestTime(t *testing.T) {
	for _, protocol := range []string{"fastcgi", "scgi", "uwsgi"} {
		t.Run(protocol, func(t *testing.T) {
			adaptertest.Leaks(t)
			parts := make(chan string)
			answer := make(chan string)
			addr := backend(t, func(c net.Conn) {
				in := bufio.NewReader(c)
				readRequest(t, protocol, in)
				for range 2 {
					if protocol == "fastcgi" {
						_, content := readRecord(t, in)
						parts <- string(content)
					} else {
						b := make([]byte, 5)
						io.ReadFull(in, b)
						parts <- string(b)
					}
				}
				for text := range answer {
					if protocol == "fastcgi" {
						text = string(fcgi.AppendStream(nil, fcgi.Stdout, 1, []byte(text)))
					}
					io.WriteString(c, text)
				}
			})
			c := listen(t, frontend.Config{Protocol: protocol, Addr: addr})
			io.WriteString(c, "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n")
			for _, part := range []string{"first", "later"} {
				io.WriteString(c, part)
				if got := <-parts; got != part {
					t.Fatalf("the server got %q, expected %q before the client sends more", got, part)
				}
			}
			status := "Status: 200 OK\r\n"
			if protocol == "uwsgi" {
				status = "HTTP/1.1 200 OK\r\n"
			}
			in := bufio.NewReader(c)
			for _, step := range []struct{ send, want string }{
				{status + "\r\n", "\r\n\r\n"}, {"x", "1\r\nx\r\n"}, {"yz", "2\r\nyz\r\n"},
			} {
				answer <- step.send
				var got []byte
				for !bytes.HasSuffix(got, []byte(step.want)) {
					b, err := in.ReadByte()
					if err != nil {
						t.Fatalf("after %q the client got %q, %v, expected %q", step.send, got, err, step.want)
					}
					got = append(got, b)
				}
			}
			close(answer)
		})
	}
}

// TestClientLeaves: the server learns of it, in its protocol.
func TestClientLeaves(t *testing.T) {
	for _, protocol := range []string{"fastcgi", "scgi", "uwsgi"} {
		for name, leave := range map[string]func(c *net.TCPConn){
			"resets": func(c *net.TCPConn) { c.SetLinger(0); c.Close() },
			"closes": func(c *net.TCPConn) { c.Close() },
		} {
			t.Run(protocol+"/"+name, func(t *testing.T) {
				adaptertest.Leaks(t)
				ready, ended := make(chan bool), make(chan string)
				addr := backend(t, func(c net.Conn) {
					in := bufio.NewReader(c)
					readRequest(t, protocol, in)
					ready <- true
					b, _ := io.ReadAll(in)
					ended <- string(b)
				})
				c := listen(t, frontend.Config{Protocol: protocol, Addr: addr})
				io.WriteString(c, get)
				<-ready
				leave(c.(*net.TCPConn))
				want := ""
				if protocol == "fastcgi" {
					want = string(fcgi.AppendAbort(fcgi.AppendStreamEnd(nil, fcgi.Stdin, 1), 1))
				}
				if got := <-ended; got != want {
					t.Errorf("the server got %q, expected %q and the end of the connection", got, want)
				}
			})
		}
	}
}

// TestCutBody: a request body that is not whole does not look so.
func TestCutBody(t *testing.T) {
	for _, protocol := range []string{"fastcgi", "scgi", "uwsgi"} {
		t.Run(protocol, func(t *testing.T) {
			got := make(chan string)
			addr := backend(t, func(c net.Conn) {
				in := bufio.NewReader(c)
				readRequest(t, protocol, in)
				if protocol == "fastcgi" {
					text := ""
					for range 2 {
						h, content := readRecord(t, in)
						text += fmt.Sprintf("%d %q;", h.Type, content)
					}
					got <- text
					return
				}
				b, _ := io.ReadAll(in)
				got <- string(b)
			})
			c := listen(t, frontend.Config{Protocol: protocol, Addr: addr})
			io.WriteString(c, "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhalf")
			c.(*net.TCPConn).CloseWrite()
			want := "half"
			if protocol == "fastcgi" {
				want = `5 "half";2 "";`
			}
			if text := <-got; text != want {
				t.Errorf("the server got %s, expected %s and the end", text, want)
			}
		})
	}
}

// TestCutUpload cuts a response while the request is being sent: the sender may
// be the one who learns of the reset.
func TestCutUpload(t *testing.T) {
	for protocol, head := range map[string]string{"scgi": "Status: 200 OK\r\n\r\n", "uwsgi": "HTTP/1.1 200 OK\r\n\r\n"} {
		t.Run(protocol, func(t *testing.T) {
			adaptertest.Leaks(t)
			seen := make(chan bool)
			addr := backend(t, func(c net.Conn) {
				io.CopyN(io.Discard, c, 256<<10)
				io.WriteString(c, head+"begun")
				<-seen
				io.CopyN(io.Discard, c, 64<<10) // to have the sender at work
				c.(*net.TCPConn).SetLinger(0)
			})
			for range 20 {
				c := listen(t, frontend.Config{Protocol: protocol, Addr: addr})
				sent := make(chan bool)
				go func() {
					defer close(sent)
					io.WriteString(c, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000000\r\n\r\n")
					for block := make([]byte, 64<<10); ; {
						if _, err := c.Write(block); err != nil {
							return
						}
					}
				}()
				in := bufio.NewReader(c)
				for line := ""; line != "begun\r\n"; {
					var err error
					if line, err = in.ReadString('\n'); err != nil {
						t.Fatal(err)
					}
				}
				seen <- true
				rest, _ := io.ReadAll(in)
				c.Close()
				<-sent
				if len(rest) > 0 {
					t.Fatalf("behind the begun response the client sees %q, expected that it is not whole", rest)
				}
			}
		})
	}
}
