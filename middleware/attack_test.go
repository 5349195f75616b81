package middleware_test

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gowsgi/gowsgi/internal/testlog"
	"github.com/gowsgi/gowsgi/middleware"
	"github.com/gowsgi/gowsgi/middleware/session"
	"github.com/gowsgi/gowsgi/middleware/static"
	"github.com/gowsgi/gowsgi/server"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

// TestAttacks sends what attackers send, byte for byte, to a server with the whole
// stack: each is refused with a status of its kind or does nothing, is in a log, and
// leaks nothing.
func TestAttacks(t *testing.T) {
	var log testlog.Log
	config := everyChoice(&log)
	config.Hosts = []string{"site.example"}
	config.Proxy = &middleware.ProxyFixConfig{For: 1, Host: 1, Proto: 1, Trusted: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}
	config.CanonicalHost = "site.example"
	config.Debug = false
	config.BodyLimit = 1 << 20
	files := t.TempDir()
	if err := os.WriteFile(filepath.Join(files, "style.css"), []byte("body{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	links := os.Symlink("/etc/passwd", filepath.Join(files, "link")) == nil && os.Symlink("/etc", filepath.Join(files, "folder")) == nil
	if !links && runtime.GOOS != "windows" {
		t.Fatal("no symbolic links can be made")
	}
	root, err := os.OpenRoot(files)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	config.Static = static.New(static.Config{Files: root.FS(), Index: []string{}, Prefix: "/static"})
	config.AccessLog = middleware.AccessLogConfig{Output: &log, Format: `%h %V "%r" %s`}
	const password = "a long password"
	private := middleware.Mount("/private", middleware.BasicAuth(middleware.BasicAuthConfig{Users: map[string]string{"ada": password}})(text("private")))
	stored := middleware.Mount("/stored", session.New(session.Config{Store: new(session.Memory)})(wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		s, err := session.From(environ)
		if err == nil {
			err = s.Set("user", "eve") // as at a login, but without the Renew that is owed
		}
		if err != nil {
			return nil, err
		}
		return text("in").Call(environ, start)
	})))
	app := middleware.Chain(middleware.Recommended(config), private, stored)(
		wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			switch environ.Var("PATH_INFO") {
			case "/session":
				s, err := session.From(environ)
				if err != nil {
					return nil, err
				}
				return text("user="+s.Get("user")).Call(environ, start)
			case "/reads":
				return reads().Call(environ, start)
			case "/peer":
				return vars("REMOTE_ADDR", "HTTP_HOST", "wsgi.url_scheme").Call(environ, start)
			case "/header": // an application that copies what it gets
				_, err := start("200 OK", headers("X-Copy", environ.Var("QUERY_STRING"), "X-Bad", strings.ReplaceAll(environ.Var("QUERY_STRING"), "~", "\r\n")), nil)
				return wsgi.Empty(), err
			}
			return nil, &middleware.HTTPError{Code: 404}
		}))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server.Server{App: app, Errors: &log, Logger: slog.New(slog.NewTextHandler(&log, nil)), ReadTimeout: 2 * time.Second, ReadHeaderTimeout: 2 * time.Second}
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	defer func() { s.Close(); <-done }()

	request := func(head, body string) string {
		return head + "\r\nHost: site.example\r\nConnection: close\r\n\r\n" + body
	}
	bomb := gzipped(strings.Repeat("\x00", 32<<20))
	form := func(coding, body string) string {
		return fmt.Sprintf("POST /reads HTTP/1.1\r\nHost: site.example\r\nConnection: close\r\nContent-Encoding: %s\r\nContent-Length: %d\r\n\r\n%s", coding, len(body), body)
	}
	sealed := base64.RawURLEncoding.EncodeToString(bytes.Repeat([]byte{7}, 80))
	chosen := base64.RawURLEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32)) // of the form of an id
	basic := func(user, password string) string {
		return request("GET /private/ HTTP/1.1\r\nAuthorization: Basic "+base64.StdEncoding.EncodeToString([]byte(user+":"+password)), "")
	}
	tests := []struct {
		name, send string
		codes      string // that are expected; 200 where the attack has no effect
		has        string // of the response
		hasNot     string
		logged     string // besides the status, which always is
	}{
		{"traversal, plain", request("GET /static/../../etc/passwd HTTP/1.1", ""), "400 404 301", "", "root:", "/static/../../etc/passwd"},
		{"traversal, quoted dots", request("GET /static/%2e%2e/%2e%2e/etc/passwd HTTP/1.1", ""), "400 404", "", "root:", "%2e%2e"},
		{"traversal, quoted slashes", request("GET /static/..%2f..%2fetc%2fpasswd HTTP/1.1", ""), "400 404", "", "root:", "..%2f"},
		{"traversal, backslashes", request("GET /static/..%5c..%5cetc%5cpasswd HTTP/1.1", ""), "400 404", "", "root:", "%5c"},
		{"traversal, quoted twice", request("GET /static/%252e%252e/etc/passwd HTTP/1.1", ""), "400 404", "", "root:", "%252e"},
		{"traversal, overlong UTF-8", request("GET /static/%c0%ae%c0%ae/etc/passwd HTTP/1.1", ""), "400 404", "", "root:", "%c0%ae"},
		{"traversal, a NUL", request("GET /static/style.css%00.html HTTP/1.1", ""), "400 404", "", "body{}", "%00"},
		{"traversal, an absolute path", request("GET /static//etc/passwd HTTP/1.1", ""), "400 404 301", "", "root:", "/static//etc/passwd"},
		{"a link out of the root", request("GET /static/link HTTP/1.1", ""), "404", "", "root:", `static: "link" is not served: path escapes from parent`},
		{"a folder out of the root", request("GET /static/folder/passwd HTTP/1.1", ""), "404", "", "root:", `static: "folder/passwd" is not served: path escapes from parent`},
		{"header injection, redirect", "GET /%0d%0aSet-Cookie:%20a=b?x%0d%0aSet-Cookie:y HTTP/1.1\r\nHost: site.example:81\r\nConnection: close\r\n\r\n", "301", "%0D%0ASet-Cookie", "\nSet-Cookie: a", "Set-Cookie"},
		{"header injection, an application", request("GET /header?a~Set-Cookie:x=y HTTP/1.1", ""), "500", "", "\nSet-Cookie:x", "HDR-11"},
		{"header injection, id", "GET /missing HTTP/1.1\r\nHost: site.example\r\nX-Request-Id: a b<script>\r\nConnection: close\r\n\r\n", "404", "", "<script>", "/missing"},
		{"bomb", form("gzip", bomb), "413", "", "", "/reads"},
		{"bomb in a bomb", form("gzip, gzip", gzipped(bomb)), "415", "", "", "/reads"},
		{"too large", form("identity", strings.Repeat("x", 2<<20)), "413", "", "", "/reads"},
		{"slow body", "POST /reads HTTP/1.1\r\nHost: site.example\r\nConnection: close\r\nContent-Length: 100\r\n\r\nslow", "408", "", "", "/reads"},
		{"huge cookie", request("GET /session HTTP/1.1\r\nCookie: __Host-session="+strings.Repeat("A", 2<<20), ""), "431", "", "user=a", ""},
		{"large cookie", request("GET /session HTTP/1.1\r\nCookie: __Host-session="+strings.Repeat("A", 20<<10), ""), "200", "user=", "user=a", "the cookie __Host-session is refused: it has 20480 bytes"},
		{"many cookies", request("GET /session HTTP/1.1\r\nCookie: "+strings.Repeat("a=b; ", 4000)+"__Host-session="+sealed, ""), "200", "user=", "user=a", "the cookie __Host-session is refused: it was changed"},
		{"tampered cookie", request("GET /session HTTP/1.1\r\nCookie: __Host-session="+sealed+"; session="+sealed, ""), "200", "user=", "user=a", "the cookie __Host-session is refused: it was changed"},
		{"a cookie twice", request("GET /session HTTP/1.1\r\nCookie: __Host-session="+sealed+"; __Host-session="+sealed+"A", ""), "200", "user=", "user=a", "the cookie __Host-session is refused: it occurs more than once"},
		{"fixation", request("GET /stored/ HTTP/1.1\r\nCookie: __Host-session="+chosen, ""), "200", "Set-Cookie: __Host-session=", chosen, "the cookie __Host-session is refused: it names no session"},
		{"wrong password", basic("ada", "a long passwort"), "401", "Www-Authenticate: Basic", "private\n", "/private/"},
		{"unknown user", basic("eve", password), "401", "Www-Authenticate: Basic", "private\n", "/private/"},
		{"forged user", request("GET /private/ HTTP/1.1\r\nRemote-User: ada\r\nX-Remote-User: ada", ""), "401", "Www-Authenticate: Basic", "private\n", "/private/"},
		{"forged Forwarded", request("GET /peer HTTP/1.1\r\nForwarded: for=10.9.9.9;host=evil.example;proto=https\r\nX-Forwarded-For: 10.9.9.9\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: evil.example\r\nX-Real-Ip: 10.9.9.9", ""), "200", "REMOTE_ADDR=127.0.0.1", "10.9.9.9", "127.0.0.1 site.example"},
		{"forged scheme", request("GET /peer HTTP/1.1\r\nX-Forwarded-Proto: https", ""), "200", "url_scheme=http", "url_scheme=https", "/peer"},
		{"another host", "GET /peer HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n", "400", "", "evil", "evil.example"},
		{"another host, by user", "GET /peer HTTP/1.1\r\nHost: site.example@evil.example\r\nConnection: close\r\n\r\n", "400", "", "evil", ""},
		{"another host, that begins alike", "GET /peer HTTP/1.1\r\nHost: site.example.evil.example\r\nConnection: close\r\n\r\n", "400", "", "evil", "evil.example"},
		{"another host, in the target", "GET http://evil.example/peer HTTP/1.1\r\nHost: site.example\r\nConnection: close\r\n\r\n", "400", "", "evil.example\n", "evil.example"},
		{"two hosts", "GET /peer HTTP/1.1\r\nHost: site.example\r\nHost: evil.example\r\nConnection: close\r\n\r\n", "400", "", "evil", ""},
		{"another site's form", request("POST /reads HTTP/1.1\r\nOrigin: https://evil.example\r\nContent-Length: 0", ""), "403", "", "", "/reads"},
		{"another site's form, made a PUT", request("POST /reads HTTP/1.1\r\nSec-Fetch-Site: cross-site\r\nX-HTTP-Method-Override: PUT\r\nContent-Length: 0", ""), "403", "", "", "/reads"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if strings.Contains(tt.name, "out of the root") && !links {
				t.Skip("no symbolic links without privileges on Windows; on every other system that is a failure, above")
			}
			before := len(log.String())
			conn, err := net.Dial("tcp", l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			conn.SetDeadline(time.Now().Add(time.Minute))
			go io.WriteString(conn, tt.send)
			res, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(res.Body)
			var head bytes.Buffer
			res.Header.Write(&head)
			all := head.String() + "\n" + string(body)
			if !strings.Contains(tt.codes, fmt.Sprint(res.StatusCode)) || !strings.Contains(all, tt.has) || tt.hasNot != "" && strings.Contains(all, tt.hasNot) {
				t.Errorf("got %s, expected %s\n%s", res.Status, tt.codes, all)
			}
			// The line is written when the request is over, which may be a moment later. What
			// does not reach the stack is in the log of the server.
			status := regexp.MustCompile(fmt.Sprintf(`" %d\n|status="?%d`, res.StatusCode, res.StatusCode))
			said := func() string { return log.String()[before:] }
			for end := time.Now().Add(30 * time.Second); !strings.Contains(said(), tt.logged) || !status.MatchString(said()); time.Sleep(time.Millisecond) {
				if time.Now().After(end) {
					t.Fatalf("the log has nothing with %q and %q: %s", tt.logged, status, said())
				}
			}
			for _, secret := range []string{sealed, chosen, password, "long passwort", "QSBsb25n", "YSBsb25n", "root:"} {
				if strings.Contains(said(), secret) {
					t.Errorf("the log has %q: %s", secret, said())
				}
			}
			for _, secret := range []string{"goroutine ", "/middleware/", ".go:"} {
				if strings.Contains(all, secret) {
					t.Errorf("the response has %q:\n%s", secret, all)
				}
			}
		})
	}
}

// TestBasicAuthWork: the work for a wrong password is the same whether the user
// exists or not, and however much of it is right. Allocations are counted, since
// time on a machine with others is no measure.
func TestBasicAuthWork(t *testing.T) {
	app := middleware.BasicAuth(middleware.BasicAuthConfig{Users: map[string]string{"ada": "a long password", "bob": "another"}})(text("in"))
	work := func(user, password string) float64 {
		environ := wsgitest.NewRequest("GET", "/").BasicAuth(user, password).Environ()
		return testing.AllocsPerRun(100, func() {
			body, err := app.Call(environ, func(status string, _ wsgi.Headers, _ error) (wsgi.Write, error) {
				if status != "401 Unauthorized" {
					t.Errorf("%s: %s", user, status)
				}
				return nil, nil
			})
			if err == nil {
				body.Close()
			}
		})
	}
	want := work("ada", "a long passwort")
	for _, guess := range [][2]string{{"eve", "a long password"}, {"bob", "b long password"}, {"ada", "x long password"}, {"a\u0064a\u0020", "a long password"}} {
		if got := work(guess[0], guess[1]); got != want {
			t.Errorf("%q takes %v allocations, a known user with a password that is nearly right %v", guess, got, want)
		}
	}
}
