package conformance

import (
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// TestHostileServers runs the suite on servers that are none. Each probe that
// needs an answer ends in a fault, and none hangs or panics.
func TestHostileServers(t *testing.T) {
	hostile := []struct {
		name  string
		serve func(c net.Conn)
	}{
		{"never answers", func(c net.Conn) { io.Copy(io.Discard, c) }},
		{"closes at once", func(net.Conn) {}},
		{"answers garbage", func(c net.Conn) {
			c.Read(make([]byte, 1024))
			io.WriteString(c, strings.Repeat("\x00garbage\xff", 1000))
		}},
		{"never ends its head", func(c net.Conn) {
			io.WriteString(c, "HTTP/1.1 200 OK\r\n")
			for err := error(nil); err == nil; {
				_, err = io.WriteString(c, "X-More: and more\r\n")
			}
		}},
		{"never ends its body", func(c net.Conn) {
			io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n")
			for err := error(nil); err == nil; {
				_, err = c.Write(make([]byte, 64<<10))
			}
		}},
		{"says 100 for ever", func(c net.Conn) {
			for err := error(nil); err == nil; {
				_, err = io.WriteString(c, "HTTP/1.1 100 Continue\r\n\r\n")
			}
		}},
	}
	for _, h := range hostile {
		t.Run(h.name, func(t *testing.T) {
			t.Parallel()
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			go func() {
				for {
					c, err := l.Accept()
					if err != nil {
						return
					}
					go func() {
						defer c.Close()
						h.serve(c)
					}()
				}
			}()
			subject := &serverSubject{dispatcher: newDispatcher(), network: l.Addr().Network(), addr: l.Addr().String(), protocol: "http"}
			faulty := 0
			for _, p := range serverGoProbes() {
				if r := p.try(t.Context(), subject, 10*time.Millisecond); len(r.faults) > 0 {
					faulty++
					for _, fault := range r.faults {
						if strings.Contains(fault, "panicked") {
							t.Errorf("%s: %s", p, fault)
						}
					}
				}
			}
			if faulty < len(serverGoProbes())*9/10 {
				t.Errorf("%d of %d probes found a fault, expected nearly all", faulty, len(serverGoProbes()))
			}
		})
	}
}
