package bench

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/fcgi"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gowsgi/gowsgi/adapters/fastcgi"
	"github.com/gowsgi/gowsgi/adapters/scgi"
	"github.com/gowsgi/gowsgi/adapters/uwsgi"
	"github.com/gowsgi/gowsgi/server"
	"github.com/gowsgi/gowsgi/wsgi"
)

// gatewayConfig is one nginx with a location for each contender. %[1]s is the
// folder, %[2]s where nginx listens, %[3]s its upstreams and %[4]s its locations.
const gatewayConfig = `
daemon off; master_process off;
pid %[1]s/pid; error_log %[1]s/error.log crit;
events { worker_connections 256; }
http {
  access_log off;
  client_body_temp_path %[1]s/a; proxy_temp_path %[1]s/b; fastcgi_temp_path %[1]s/c; uwsgi_temp_path %[1]s/d; scgi_temp_path %[1]s/e;
  keepalive_requests 100000000;
%[3]s  server {
    listen %[2]s;
%[4]s  }
}
`

// gateway is one way from nginx to an application: a protocol, over connections
// that nginx keeps or over one for each request.
type gateway struct {
	name     string
	protocol string // of nginx's directives: "fastcgi", "uwsgi", "scgi" or "proxy"
	kept     bool
	serve    func(net.Listener) error
}

// gateways are the contenders. The raw ones accept, read once, write what is always
// the same and close: the one in Go is what a server over package net comes to that
// does nothing, and the one in C, where there is a compiler for it, shows what of the
// cost of a protocol is nginx's and the system's.
func gateways(b *testing.B) []gateway {
	app, quiet := wsgi.AppFunc(appHello), slog.New(slog.DiscardHandler)
	theirs := func(l net.Listener) error { return fcgi.Serve(l, http.HandlerFunc(rawHello)) }
	ours := (&fastcgi.Server{App: app, Logger: quiet}).Serve
	plain := (&server.Server{App: app, Logger: quiet}).Serve
	contenders := []gateway{
		{"theirs", "fastcgi", false, theirs},
		{"ours", "fastcgi", false, ours},
		{"theirs-kept", "fastcgi", true, theirs},
		{"ours-kept", "fastcgi", true, ours},
		{"uwsgi", "uwsgi", false, (&uwsgi.Server{App: app, Logger: quiet}).Serve},
		{"raw-uwsgi", "uwsgi", false, serveRaw(rawAnswer("HTTP/1.1 "))},
		{"scgi", "scgi", false, (&scgi.Server{App: app, Logger: quiet}).Serve},
		{"raw-scgi", "scgi", false, serveRaw(rawAnswer("Status: "))},
		{"http", "proxy", false, plain},
		{"http-kept", "proxy", true, plain},
	}
	if program := buildBound(b); program != "" {
		contenders = append(contenders, gateway{"c-uwsgi", "uwsgi", false, serveBound(b, program, rawAnswer("HTTP/1.1 "))},
			gateway{"c-scgi", "scgi", false, serveBound(b, program, rawAnswer("Status: "))})
	}
	return contenders
}

// rawAnswer is the response. prefix is what stands before the status.
func rawAnswer(prefix string) []byte {
	return fmt.Appendf(nil, "%s200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s", prefix, plainText, len(hello), hello)
}

// buildBound compiles testdata/bound.c, and returns "" where that cannot be done.
func buildBound(b *testing.B) (program string) {
	program = filepath.Join(b.TempDir(), "bound")
	if out, err := exec.Command("cc", "-O2", "-o", program, filepath.Join("testdata", "bound.c")).CombinedOutput(); err != nil {
		b.Logf("without the bound in C: %v\n%s", err, out)
		return ""
	}
	return program
}

// serveBound has the program serve.
func serveBound(b *testing.B, program string, answer []byte) func(net.Listener) error {
	return func(l net.Listener) error {
		file, err := l.(interface{ File() (*os.File, error) }).File()
		if err != nil {
			return err
		}
		defer file.Close()
		// The socket is the program's alone now: this process would wake up for
		// each connection.
		if u, ok := l.(*net.UnixListener); ok {
			u.SetUnlinkOnClose(false)
		}
		l.Close()
		cmd := exec.CommandContext(b.Context(), program, string(answer))
		cmd.ExtraFiles = []*os.File{file}
		return cmd.Run()
	}
}

// serveRaw answers whatever comes, as soon as something has come.
func serveRaw(answer []byte) func(net.Listener) error {
	return func(l net.Listener) error {
		for {
			c, err := l.Accept()
			if err != nil {
				return err
			}
			go func() {
				defer c.Close()
				if n, err := c.Read(make([]byte, 4096)); n > 0 && err == nil {
					c.Write(answer)
				}
			}()
		}
	}
}

// startGateways runs every contender in this process, on sockets of the network,
// and an nginx before them, and returns where it listens and its process.
func startGateways(b *testing.B, network string, contenders []gateway) (addr string, nginx int) {
	for _, name := range []string{"nginx", "wrk"} {
		if _, err := exec.LookPath(name); err != nil {
			b.Skip(name + " is not installed here")
		}
	}
	dir, err := os.MkdirTemp("", "gw")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { os.RemoveAll(dir) })
	var upstreams, locations strings.Builder
	for _, g := range contenders {
		at := "127.0.0.1:0"
		if network == "unix" {
			at = filepath.Join(dir, g.name)
		}
		l, err := net.Listen(network, at)
		if err != nil {
			b.Fatal(err)
		}
		go g.serve(l)
		b.Cleanup(func() { l.Close() })
		if at = l.Addr().String(); network == "unix" {
			at = "unix:" + at
		}
		fmt.Fprintf(&upstreams, "  upstream %s { server %s;", g.name, at)
		fmt.Fprintf(&locations, "    location = /%s { ", g.name)
		if g.kept {
			upstreams.WriteString(" keepalive 32; keepalive_requests 100000000;")
		}
		upstreams.WriteString(" }\n")
		switch {
		case g.protocol != "proxy":
			fmt.Fprintf(&locations, "include /etc/nginx/%s_params; ", g.protocol)
			if g.kept {
				locations.WriteString("fastcgi_keep_conn on; ")
			}
			fmt.Fprintf(&locations, "%s_pass %s; }\n", g.protocol, g.name)
		case g.kept:
			locations.WriteString(`proxy_http_version 1.1; proxy_set_header Connection ""; `)
			fallthrough
		default:
			fmt.Fprintf(&locations, "proxy_set_header Host $http_host; proxy_pass http://%s; }\n", g.name)
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	addr = l.Addr().String()
	l.Close()
	config := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(config, fmt.Appendf(nil, gatewayConfig, dir, addr, &upstreams, &locations), 0o600); err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command("nginx", "-p", dir, "-c", config, "-e", filepath.Join(dir, "error.log"))
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		cmd.Wait()
	})
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if c, err := net.Dial("tcp", addr); err == nil {
			c.Close()
			return addr, cmd.Process.Pid
		} else if time.Now().After(end) {
			b.Fatal(err)
		}
	}
}

// gatewayRounds is how often every contender has its turn.
const gatewayRounds = 7

// BenchmarkGateway compares protocols behind one nginx, over Unix sockets, as they
// are deployed where both are on one machine, and over TCP: each has its turn of a
// second in every round, and the figures are medians over the rounds.
func BenchmarkGateway(b *testing.B) {
	for _, network := range []string{"unix", "tcp"} {
		b.Run(network, func(b *testing.B) { compareGateways(b, network) })
	}
}

func compareGateways(b *testing.B, network string) {
	contenders := gateways(b)
	addr, nginx := startGateways(b, network, contenders)
	loads := map[string][]loaded{}
	for _, g := range contenders {
		r, err := http.Get("http://" + addr + "/" + g.name)
		if err != nil {
			b.Fatal(err)
		}
		text, err := io.ReadAll(r.Body)
		r.Body.Close()
		if string(text) != string(hello) || err != nil {
			b.Fatalf("%s answers with %s %q, %v", g.name, r.Status, text, err)
		}
		wrk(b, "http://"+addr+"/"+g.name, nginx)
	}
	for range gatewayRounds {
		for _, g := range contenders {
			loads[g.name] = append(loads[g.name], wrk(b, "http://"+addr+"/"+g.name, nginx))
		}
	}
	middle := func(name string, of func(loaded) float64) float64 {
		var all []float64
		for _, l := range loads[name] {
			all = append(all, of(l))
		}
		slices.Sort(all)
		return all[gatewayRounds/2]
	}
	rate := func(name string) float64 { return middle(name, func(l loaded) float64 { return l.rate }) }
	for _, g := range contenders {
		b.ReportMetric(rate(g.name), g.name+"-req/s")
		b.ReportMetric(middle(g.name, func(l loaded) float64 { return l.nginx }), g.name+"-nginx-µs")
		if !strings.HasPrefix(g.name, "c-") { // that is another process
			b.ReportMetric(middle(g.name, func(l loaded) float64 { return l.cpu }), g.name+"-cpu-µs")
		}
	}
	// leastOfNginx is the least time that nginx itself has needed for a request of a
	// protocol, whichever server was behind it.
	leastOfNginx := func(protocol string) (us float64) {
		for _, g := range contenders {
			if g.protocol == protocol {
				own := middle(g.name, func(l loaded) float64 { return l.nginx })
				if us == 0 || own < us {
					us = own
				}
			}
		}
		return us
	}
	b.ReportMetric(rate("ours")/rate("theirs"), "fastcgi-ratio")
	b.ReportMetric(rate("ours-kept")/rate("theirs-kept"), "fastcgi-kept-ratio")
	for _, name := range []string{"uwsgi", "scgi"} {
		b.ReportMetric(rate(name)/rate("http-kept"), name+"-ratio")
		b.ReportMetric(1e6/leastOfNginx(name)/rate("http-kept"), name+"-most")
		b.ReportMetric(rate(name)/rate("raw-"+name), name+"-of-raw")
		if len(loads["c-"+name]) > 0 {
			b.ReportMetric(rate("c-"+name)/rate("http-kept"), "c-"+name+"-ratio")
			b.ReportMetric(rate(name)/rate("c-"+name), name+"-of-c")
		}
	}
	b.ReportMetric(0, "ns/op")
}
