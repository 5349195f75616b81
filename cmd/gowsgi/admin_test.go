//go:build unix

package main

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// admin waits for the address of --admin.
func (c *child) admin() (url string) {
	c.t.Helper()
	return c.wait(`INFO  answering /healthz, /readyz and /metrics address=(\S+)$`)[1]
}

// answers compares what the address of --admin says.
func answers(t *testing.T, url string, status int, text string) {
	t.Helper()
	if got, body := get(t, http.DefaultClient, url); got != status || body != text {
		t.Errorf("%s: got %d %q, want %d %q", url, got, body, status, text)
	}
}

// counts waits until the metrics have all of the lines: a request is counted when
// it is over, which its client may know first.
func counts(t *testing.T, url string, lines ...string) {
	t.Helper()
	page := ""
	for late := time.Now().Add(patience); time.Now().Before(late); time.Sleep(5 * time.Millisecond) {
		_, page = get(t, http.DefaultClient, url+"metrics")
		missing := ""
		for _, line := range lines {
			if !strings.Contains("\n"+page, "\n"+line+"\n") {
				missing = line
			}
		}
		if missing == "" {
			return
		}
	}
	t.Errorf("the metrics are\n%swant\n%s", page, strings.Join(lines, "\n"))
}

// TestAdmin follows a server from outside, until it has stopped.
func TestAdmin(t *testing.T) {
	t.Parallel()
	c := start(t, nil, "--listen", "127.0.0.1:0", "--listen", "fcgi://127.0.0.1:0", "--admin", "127.0.0.1:0")
	admin, base := c.admin(), c.url()
	c.wait(`listening address=fcgi:`) // with which it is ready
	answers(t, admin+"healthz", 200, "ok\n")
	answers(t, admin+"readyz", 200, "ready\n")
	answers(t, admin, 404, "expected /healthz, /readyz or /metrics\n")
	for _, method := range []string{"HEAD", "POST"} {
		request, err := http.NewRequest(method, admin+"healthz", nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if want := map[string]int{"HEAD": 200, "POST": 405}[method]; response.StatusCode != want {
			t.Errorf("%s: status %d, want %d", method, response.StatusCode, want)
		}
	}
	if status, _ := get(t, http.DefaultClient, base+"metrics"); status != 404 {
		t.Errorf("the public gets %d, want 404", status)
	}
	get(t, http.DefaultClient, base+"hello")
	get(t, http.DefaultClient, base+"panic")
	counts(t, admin, "gowsgi_ready 1",
		`gowsgi_requests_total{protocol="http",code="2xx"} 1`,
		`gowsgi_requests_total{protocol="http",code="4xx"} 1`,
		`gowsgi_requests_total{protocol="http",code="5xx"} 1`,
		`gowsgi_requests_total{protocol="fcgi",code="2xx"} 0`,
		`gowsgi_request_duration_seconds_bucket{protocol="http",le="+Inf"} 3`,
		`gowsgi_request_duration_seconds_count{protocol="http"} 3`,
		`gowsgi_requests_in_flight{protocol="http"} 0`,
		`gowsgi_connections{protocol="fcgi"} 0`,
	)
	if _, page := get(t, http.DefaultClient, admin+"metrics"); strings.Contains(page, "gowsgi_worker") {
		t.Errorf("there are metrics of workers, and no workers:\n%s", page)
	}
	body := stream(t, base)
	counts(t, admin, `gowsgi_requests_in_flight{protocol="http"} 1`)
	c.signal(syscall.SIGTERM)
	c.wait(`INFO  stopping reason=terminated$`)
	answers(t, admin+"healthz", 200, "ok\n")
	answers(t, admin+"readyz", 503, "stopping: terminated\n")
	if rest, err := io.ReadAll(body); err != nil || !strings.HasSuffix(string(rest), "</html>\n") {
		t.Errorf("the response ends with %v, want the whole page", err)
	}
	if status, lines := c.exit(); status != exitOK {
		t.Errorf("status %d after %q, want 0", status, lines)
	}
}

// TestMetricsFormat reads each line of the page as Prometheus does.
func TestMetricsFormat(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("", "gw") // the folder of a test may be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket := filepath.Join(dir, "s")
	c := start(t, nil, "--listen", "127.0.0.1:0", "--admin", "unix:"+socket)
	c.url()
	c.wait(`listening address=`)
	response, err := unixClient(t, socket).Get("http://admin/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if kind := response.Header.Get("Content-Type"); kind != "text/plain; version=0.0.4; charset=utf-8" {
		t.Errorf("the type is %q", kind)
	}
	page, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	help := regexp.MustCompile(`^# HELP ([a-z_]+) [A-Z].*\.$`)
	kind := regexp.MustCompile(`^# TYPE ([a-z_]+) (counter|gauge|histogram)$`)
	sample := regexp.MustCompile(`^([a-z_]+)((?:\{(?:[a-z]+="[^"\\]*",?)+\})?) [0-9.e+-]+$`)
	family, families, seen := "", map[string]bool{}, map[string]bool{}
	for line := range bytes.Lines(page) {
		line := strings.TrimSuffix(string(line), "\n")
		switch {
		case help.MatchString(line):
			family = help.FindStringSubmatch(line)[1]
			if families[family] {
				t.Errorf("there are two families %s", family)
			}
			families[family] = true
		case kind.MatchString(line):
			groups := kind.FindStringSubmatch(line)
			if groups[1] != family || strings.HasSuffix(family, "_total") != (groups[2] == "counter") {
				t.Errorf("%s is in the family %s", line, family)
			}
		case sample.MatchString(line):
			groups := sample.FindStringSubmatch(line)
			if !strings.HasPrefix(groups[1], family) || seen[groups[1]+groups[2]] {
				t.Errorf("%s is in the family %s, or there twice", line, family)
			}
			seen[groups[1]+groups[2]] = true
		default:
			t.Errorf("%q is no line of the format", line)
		}
	}
	if len(families) < 7 {
		t.Errorf("there are the families %v, want more", families)
	}
	c.stop()
	if _, err := os.Lstat(socket); err == nil {
		t.Error("the socket of --admin is left behind")
	}
}

// TestShutdownDelay: for that time requests are still answered, and a load balancer
// is told not to send any. Another signal ends it.
func TestShutdownDelay(t *testing.T) {
	t.Parallel()
	c := start(t, nil, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--shutdown-delay", "1h")
	admin, base := c.admin(), c.url()
	c.wait(`listening address=`)
	c.signal(syscall.SIGTERM)
	c.wait(`INFO  stopping reason=terminated$`)
	answers(t, admin+"readyz", 503, "stopping: terminated\n")
	nc, err := net.Dial("tcp", strings.TrimSuffix(strings.TrimPrefix(base, "http://"), "/"))
	if err != nil {
		t.Fatalf("it does not listen any more: %v", err)
	}
	nc.Close()
	if status, _ := get(t, http.DefaultClient, base+"hello"); status != 200 {
		t.Errorf("status %d, want 200", status)
	}
	c.signal(syscall.SIGTERM)
	// The connections may count as cut: the server need not have seen their end.
	if _, lines := c.exit(); len(lines) > 1 {
		t.Errorf("after the second signal it said %q", lines)
	}
}

// TestAdminInUse names an address that is taken.
func TestAdminInUse(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	status, lines := start(t, nil, "--listen", "127.0.0.1:0", "--admin", l.Addr().String()).exit()
	if want := "gowsgi: --admin: listen tcp " + l.Addr().String() + ": address already in use"; status != exitFailure || !strings.HasPrefix(lines[len(lines)-1], want) {
		t.Errorf("status %d after %q, want 1 and %q", status, lines, want)
	}
}
