package conformance

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gowsgi/gowsgi/wsgi"
)

// hostilePatience makes the tests short. That no patience makes a run long is
// TestLost's affair.
const hostilePatience = 60 * time.Millisecond

// hostileLimit is how long a run may take with it on a busy machine, of a suite
// of 220 probes that each wait in vain.
const hostileLimit = 40 * time.Second

// settled waits until no more goroutines run than before.
func settled(t *testing.T, before int) {
	t.Helper()
	var after int
	for range 200 {
		if after = runtime.NumGoroutine(); after <= before {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	stacks := make([]byte, 1<<20)
	t.Errorf("%d goroutines run, there were %d before:\n%s", after, before, stacks[:runtime.Stack(stacks, true)])
}

// ends expects that check ends in time, and with findings of which none is a
// panic of the suite's own.
func ends(t *testing.T, check func(ctx context.Context) (Report, error)) Report {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), hostileLimit)
	defer cancel()
	report, err := check(ctx)
	if err != nil {
		t.Fatalf("expected the check to end within %v, got %v", hostileLimit, err)
	}
	for _, r := range report.Results {
		if strings.Contains(r.Evidence, "probe to end, it panicked") {
			t.Errorf("%s: %s", r.ID, r.Evidence)
		}
		if len(r.Evidence) > 64<<10 {
			t.Errorf("%s: %d bytes of evidence", r.ID, len(r.Evidence))
		}
	}
	return report
}

// TestHostileServers runs the suite on servers that are none.
func TestHostileServers(t *testing.T) {
	before := runtime.NumGoroutine()
	repeat := func(text string) func(c net.Conn) {
		return func(c net.Conn) {
			for err := error(nil); err == nil; {
				_, err = io.WriteString(c, text)
			}
		}
	}
	one, _ := certificate()
	over := make(chan struct{})
	hostile := []struct {
		name  string
		serve func(c net.Conn) // nil: nobody accepts
	}{
		{"never answers", func(c net.Conn) { io.Copy(io.Discard, c) }},
		{"never reads", func(net.Conn) { <-over }},
		{"never accepts", nil},
		{"closes at once", func(net.Conn) {}},
		{"resets", func(c net.Conn) { c.(*net.TCPConn).SetLinger(0) }},
		{"answers garbage", func(c net.Conn) {
			c.Read(make([]byte, 1024))
			io.WriteString(c, strings.Repeat("\x00garbage\xff", 1000))
		}},
		{"never ends its head", func(c net.Conn) {
			io.WriteString(c, "HTTP/1.1 200 OK\r\n")
			repeat("X-More: and more\r\n")(c)
		}},
		{"never ends a line", repeat("HTTP/1.1 200 OK and more ")},
		{"never ends its body", func(c net.Conn) {
			io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n")
			repeat(strings.Repeat("\x00", 64<<10))(c)
		}},
		{"never ends its chunks", func(c net.Conn) {
			io.WriteString(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
			repeat("1\r\nx\r\n")(c)
		}},
		{"claims a chunk of half the memory", func(c net.Conn) {
			io.WriteString(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7fffffff\r\nx")
			<-over
		}},
		{"claims an endless body", func(c net.Conn) {
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nx")
			<-over
		}},
		{"says 100 for ever", repeat("HTTP/1.1 100 Continue\r\n\r\n")},
		{"trickles", func(c net.Conn) {
			for _, b := range []byte(strings.Repeat("HTTP/1.1 200 OK\r\n\r\n", 1000)) {
				if _, err := c.Write([]byte{b}); err != nil {
					return
				}
				time.Sleep(5 * time.Millisecond)
			}
		}},
		{"speaks TLS", func(c net.Conn) {
			s := tls.Server(c, &tls.Config{Certificates: []tls.Certificate{one}})
			s.Handshake()
		}},
		{"speaks HTTP/2", func(c net.Conn) {
			io.WriteString(c, "\x00\x00\x00\x04\x00\x00\x00\x00\x00") // SETTINGS
			c.Read(make([]byte, 1024))
			io.WriteString(c, "\x00\x00\x08\x07\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01") // GOAWAY
		}},
		{"speaks SMTP", func(c net.Conn) {
			io.WriteString(c, "220 mail.example.com ESMTP\r\n")
			for p := make([]byte, 1024); ; {
				if _, err := c.Read(p); err != nil {
					return
				}
				io.WriteString(c, "500 5.5.2 Error: bad syntax\r\n")
			}
		}},
		{"is another web server", func(c net.Conn) {
			for p := make([]byte, 64<<10); ; {
				if _, err := c.Read(p); err != nil {
					return
				}
				io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nIt works")
			}
		}},
	}
	t.Run("all", func(t *testing.T) {
		for _, h := range hostile {
			t.Run(h.name, func(t *testing.T) {
				t.Parallel()
				l, err := net.Listen("tcp", "127.0.0.1:0")
				if err != nil {
					t.Fatal(err)
				}
				defer l.Close()
				if h.serve != nil {
					go acceptAll(l, h.serve)
				}
				began := time.Now()
				report := ends(t, func(ctx context.Context) (Report, error) {
					return Suite{Patience: hostilePatience}.CheckServer(ctx, func(wsgi.Application) (string, string, error) {
						return l.Addr().Network(), l.Addr().String(), nil
					})
				})
				t.Logf("%v, %d failed, %d passed", time.Since(began), report.Count(Fail), report.Count(Pass))
				if failed, passed := report.Count(Fail), report.Count(Pass); failed < 8*passed || failed < 100 {
					t.Errorf("%d rules failed and %d passed, expected nearly all to fail", failed, passed)
				}
			})
		}
	})
	close(over)
	settled(t, before)
}

func acceptAll(l net.Listener, serve func(c net.Conn)) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			serve(c)
		}()
	}
}
