package adaptertest

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gowsgi/gowsgi/internal/installed"
)

// nginxConfig has a location that is buffered, as by default, one that is not,
// and one that keeps its connections. %[1]s is the folder, %[2]s where nginx
// listens, %[3]s the protocol, %[4]s the adapter's address.
const nginxConfig = `
daemon off; master_process off;
pid %[1]s/pid; error_log %[1]s/error.log info;
events { worker_connections 64; }
http {
  access_log off; client_max_body_size 64m;
  client_body_temp_path %[1]s/body; proxy_temp_path %[1]s/proxy; fastcgi_temp_path %[1]s/fastcgi;
  uwsgi_temp_path %[1]s/uwsgi; scgi_temp_path %[1]s/scgi;
  upstream kept { server %[4]s; keepalive 4; }
  %[3]s_param REQUEST_METHOD $request_method; %[3]s_param QUERY_STRING $query_string; %[3]s_param CONTENT_TYPE $content_type;
  %[6]s %[3]s_param REQUEST_URI $request_uri; %[3]s_param PATH_INFO $document_uri;
  %[3]s_param SCRIPT_NAME ""; %[3]s_param SERVER_PROTOCOL $server_protocol; %[3]s_param REQUEST_SCHEME $scheme;
  %[3]s_param REMOTE_ADDR $remote_addr; %[3]s_param REMOTE_PORT $remote_port; %[3]s_param SERVER_PORT $server_port; %[3]s_param SERVER_NAME $server_name;
  server {
    listen %[2]s; server_name front.test;
    location / { %[3]s_pass %[4]s; }
    location /unbuffered/ { %[3]s_buffering off; %[3]s_request_buffering off; %[3]s_pass %[4]s; }
    %[5]s
  }
}
`

// startNginx runs nginx before the adapter at addr, as this user and in a
// folder of its own, and returns where it listens.
func (s Subject) startNginx(t *testing.T, addr string) string {
	path := installed.Find(t, "nginx")
	dir := t.TempDir()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	front := l.Addr().String()
	l.Close()
	more, length := "", s.Protocol+"_param CONTENT_LENGTH $content_length;"
	if s.Protocol == "fastcgi" {
		more = "location /kept/ { fastcgi_keep_conn on; fastcgi_pass kept; }"
	}
	if s.Protocol == "scgi" {
		length = "scgi_param SCGI 1;" // and nginx sends CONTENT_LENGTH itself
	}
	if strings.HasPrefix(addr, "/") {
		addr = "unix:" + addr
	}
	config := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(config, fmt.Appendf(nil, nginxConfig, dir, front, s.Protocol, addr, more, length), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	p := exec.Command(path, "-p", dir, "-c", config, "-e", filepath.Join(dir, "error.log"))
	p.Stdout, p.Stderr = &out, &out
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- p.Wait() }()
	t.Cleanup(func() {
		p.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(Patience):
			p.Process.Kill()
			<-ended
		}
		if t.Failed() {
			log, _ := os.ReadFile(filepath.Join(dir, "error.log"))
			t.Logf("nginx: %s\n%s", &out, log)
		}
	})
	for end := time.Now().Add(Patience); ; time.Sleep(5 * time.Millisecond) {
		if c, err := net.Dial("tcp", front); err == nil {
			c.Close()
			return front
		}
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("nginx ended: %v\n%s", err, &out)
		default:
		}
		if time.Now().After(end) {
			t.Fatal("nginx does not listen")
		}
	}
}
