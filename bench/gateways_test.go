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
	"regexp"
	"slices"
	"strconv"
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
// folder, %[2]s where nginx listens, and then come the sockets of net/http/fcgi
// and of our FastCGI, uwsgi, SCGI and HTTP servers. FastCGI and HTTP are also
// there with connections that are kept.
const gatewayConfig = `
daemon off; master_process off;
pid %[1]s/pid; error_log %[1]s/error.log crit;
events { worker_connections 256; }
http {
  access_log off;
  client_body_temp_path %[1]s/a; proxy_temp_path %[1]s/b; fastcgi_temp_path %[1]s/c; uwsgi_temp_path %[1]s/d; scgi_temp_path %[1]s/e;
  keepalive_requests 100000000;
  upstream theirs { server %[3]s; keepalive 32; keepalive_requests 100000000; }
  upstream ours { server %[4]s; keepalive 32; keepalive_requests 100000000; }
  upstream plain { server %[7]s; keepalive 32; keepalive_requests 100000000; }
  server {
    listen %[2]s;
    location /theirs { include /etc/nginx/fastcgi_params; fastcgi_pass %[3]s; }
    location /theirs-kept { include /etc/nginx/fastcgi_params; fastcgi_keep_conn on; fastcgi_pass theirs; }
    location /ours { include /etc/nginx/fastcgi_params; fastcgi_pass %[4]s; }
    location /ours-kept { include /etc/nginx/fastcgi_params; fastcgi_keep_conn on; fastcgi_pass ours; }
    location /uwsgi { include /etc/nginx/uwsgi_params; uwsgi_pass %[5]s; }
    location /scgi { include /etc/nginx/scgi_params; scgi_pass %[6]s; }
    location /http-kept { proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $http_host; proxy_pass http://plain; }
  }
}
`

// startGateways runs every contender in this process and an nginx before them,
// and returns where it listens.
func startGateways(b *testing.B) (addr string) {
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
	app, quiet := wsgi.AppFunc(appHello), slog.New(slog.DiscardHandler)
	args := []any{dir}
	listen := func(network, at string, serve func(net.Listener) error) string {
		l, err := net.Listen(network, at)
		if err != nil {
			b.Fatal(err)
		}
		go serve(l)
		b.Cleanup(func() { l.Close() })
		if network == "unix" {
			return "unix:" + at
		}
		return l.Addr().String()
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	addr = l.Addr().String()
	l.Close()
	args = append(args, addr)
	for name, serve := range []func(net.Listener) error{
		func(l net.Listener) error { return fcgi.Serve(l, http.HandlerFunc(rawHello)) },
		(&fastcgi.Server{App: app, Logger: quiet}).Serve,
		(&uwsgi.Server{App: app, Logger: quiet}).Serve,
		(&scgi.Server{App: app, Logger: quiet}).Serve,
		(&server.Server{App: app, Logger: quiet}).Serve,
	} {
		args = append(args, listen("unix", filepath.Join(dir, "s"+strconv.Itoa(name)), serve))
	}
	config := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(config, fmt.Appendf(nil, gatewayConfig, args...), 0o600); err != nil {
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
			return addr
		} else if time.Now().After(end) {
			b.Fatal(err)
		}
	}
}

var requestsPerSecond = regexp.MustCompile(`Requests/sec:\s+([0-9.]+)`)
var failures = regexp.MustCompile(`Non-2xx|Socket errors`)

// wrk loads a location for a second, over 32 connections.
func wrk(b *testing.B, url string) float64 {
	out, err := exec.Command("wrk", "-t1", "-c32", "-d1s", url).CombinedOutput()
	if err != nil || failures.Match(out) {
		b.Fatalf("wrk: %v\n%s", err, out)
	}
	found := requestsPerSecond.FindSubmatch(out)
	if found == nil {
		b.Fatalf("wrk said %s", out)
	}
	rate, err := strconv.ParseFloat(string(found[1]), 64)
	if err != nil {
		b.Fatal(err)
	}
	return rate
}

// gatewayRounds is how often every contender has its turn.
const gatewayRounds = 7

// BenchmarkGateway compares protocols behind one nginx: each has its turn of a
// second in every round, and the figures are medians over the rounds.
func BenchmarkGateway(b *testing.B) {
	addr := startGateways(b)
	rates := map[string][]float64{}
	names := []string{"theirs", "ours", "theirs-kept", "ours-kept", "uwsgi", "scgi", "http-kept"}
	for _, name := range names {
		r, err := http.Get("http://" + addr + "/" + name)
		if err != nil {
			b.Fatal(err)
		}
		text, err := io.ReadAll(r.Body)
		r.Body.Close()
		if string(text) != string(hello) || err != nil {
			b.Fatalf("%s answers with %s %q, %v", name, r.Status, text, err)
		}
		wrk(b, "http://"+addr+"/"+name)
	}
	for range gatewayRounds {
		for _, name := range names {
			rates[name] = append(rates[name], wrk(b, "http://"+addr+"/"+name))
		}
	}
	middle := func(name string) float64 {
		slices.Sort(rates[name])
		return rates[name][gatewayRounds/2]
	}
	for _, name := range names {
		b.ReportMetric(middle(name), name+"-req/s")
	}
	b.ReportMetric(middle("ours")/middle("theirs"), "fastcgi-ratio")
	b.ReportMetric(middle("ours-kept")/middle("theirs-kept"), "fastcgi-kept-ratio")
	b.ReportMetric(middle("uwsgi")/middle("http-kept"), "uwsgi-ratio")
	b.ReportMetric(middle("scgi")/middle("http-kept"), "scgi-ratio")
	b.ReportMetric(0, "ns/op")
}
