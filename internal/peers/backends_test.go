package peers

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/adapters/fastcgi"
	"github.com/gowsgi/gowsgi/adapters/nethttp"
	"github.com/gowsgi/gowsgi/adapters/uwsgi"
	"github.com/gowsgi/gowsgi/internal/adaptertest"
	"github.com/gowsgi/gowsgi/internal/installed"
	"github.com/gowsgi/gowsgi/server"
	"github.com/gowsgi/gowsgi/wsgi"
)

// install copies files of testdata into dir.
func install(t *testing.T, dir string, names ...string) {
	t.Helper()
	for _, name := range names {
		copyProgram(t, filepath.Join("testdata", name), filepath.Join(dir, name))
	}
}

// sumOf is how the applications, but for the one in C, put a body into words.
func sumOf(body string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(body)))[:16] }

func sumOfBytes(body string) string {
	sum := 0
	for i := range len(body) {
		sum += int(body[i])
	}
	return fmt.Sprint(sum)
}

// backend is a program that our clients let answer.
type backend struct {
	name  string
	sum   func(body string) string
	start func(t *testing.T, dir, addr string) wsgi.Application
}

func uWSGI(module string) func(t *testing.T, dir, addr string) wsgi.Application {
	return func(t *testing.T, dir, addr string) wsgi.Application {
		path := installed.Find(t, "uwsgi")
		install(t, dir, module+".py")
		Start(t, dir, "tcp", addr, exec.Command(path, "--plugins", "python3", "--master", "--threads", "2", "--need-app", "--die-on-term",
			"--buffer-size", "65535", "--uwsgi-socket", addr, "--module", module, "--callable", "app"))
		return &uwsgi.Client{Addr: addr}
	}
}

func gunicorn(module string) func(t *testing.T, dir, addr string) wsgi.Application {
	return func(t *testing.T, dir, addr string) wsgi.Application {
		path := installed.Find(t, "gunicorn")
		install(t, dir, module+".py")
		Start(t, dir, "tcp", addr, exec.Command(path, "--threads", "2", "--bind", addr, module+":app"))
		return &nethttp.Client{Addr: addr}
	}
}

func php(t *testing.T, dir, addr string) wsgi.Application {
	path := installed.Find(t, "php-cgi")
	install(t, dir, "index.php")
	Start(t, dir, "tcp", addr, exec.Command(path, "-b", addr))
	return &fastcgi.Client{Addr: addr, MaxConns: 1, Environ: map[string]string{"SCRIPT_FILENAME": filepath.Join(dir, "index.php")}}
}

func program(t *testing.T, dir, addr string) wsgi.Application {
	cc := installed.Find(t, "gcc")
	if _, err := os.Stat("/usr/include/fcgiapp.h"); err != nil {
		if os.Getenv("GOWSGI_PEERS") == "require" {
			t.Fatal("libfcgi-dev is missing, and GOWSGI_PEERS=require")
		}
		t.Skip("libfcgi-dev is not installed here")
	}
	path := filepath.Join(dir, "program")
	if out, err := exec.Command(cc, "-o", path, "testdata/program.c", "-lfcgi").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	_, port, _ := strings.Cut(addr, ":")
	Start(t, dir, "tcp", addr, exec.Command(path, ":"+port)) // it knows no other form
	return &fastcgi.Client{Addr: addr, MaxConns: 1}          // it serves one connection to its end
}

// TestBackends lets real programs answer through our clients: Flask and Django
// under uWSGI and gunicorn, PHP, and a FastCGI program in C.
func TestBackends(t *testing.T) {
	if testing.Short() {
		t.Skip("starts every backend")
	}
	for _, b := range []backend{
		{"Flask under uWSGI", sumOf, uWSGI("flask_app")},
		{"Django under uWSGI", sumOf, uWSGI("django_app")},
		{"Flask under gunicorn", sumOf, gunicorn("flask_app")},
		{"Django under gunicorn", sumOf, gunicorn("django_app")},
		{"PHP over FastCGI", sumOf, php},
		{"C over FastCGI", sumOfBytes, program},
	} {
		t.Run(b.name, func(t *testing.T) {
			adaptertest.Leaks(t)
			app := b.start(t, Folder(t), fmt.Sprintf("127.0.0.1:%d", Port(t)))
			var log output
			front := adaptertest.Front(t, &server.Server{App: app, Errors: &log, Logger: slog.New(slog.NewTextHandler(&log, nil))})
			b.answers(t, front)
			if log.String() != "" {
				t.Errorf("the log is %s, expected nothing", log.String())
			}
			for range 50 { // on a kept connection, and without reading the input
				if got := exchange(t, "GET", front+"/fails", nil); got.status != 500 {
					t.Fatalf("an application that fails is answered by %v", got)
				}
			}
		})
	}
}

// answered is what a client gets.
type answered struct {
	status  int
	cookies int
	body    string
	err     error
}

func exchange(t *testing.T, method, url string, body io.Reader) answered {
	t.Helper()
	q, err := http.NewRequest(method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	c := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: Patience}
	r, err := c.Do(q)
	if err != nil {
		return answered{err: err}
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	return answered{r.StatusCode, len(r.Header["Set-Cookie"]), string(text), err}
}

func (b backend) answers(t *testing.T, front string) {
	large := strings.Repeat("0123456789abcdef", 256<<10) // 4 MiB
	for _, tt := range []struct {
		name, method, path, body string
		chunked                  bool
	}{
		{"GET", "GET", "a?q=1", "", false},
		{"GET of an encoded path", "GET", "a%20b/c?x=%20", "", false},
		{"HEAD", "HEAD", "a?q", "", false},
		{"POST", "POST", "a?q", "hello", false},
		{"PUT of 4 MiB", "PUT", "a?q", large, false},
		{"POST in chunks", "POST", "a?q", "hello", true},
		{"POST of 4 MiB in chunks", "POST", "a?q", large, true},
	} {
		var body io.Reader
		if tt.body != "" {
			body = strings.NewReader(tt.body)
		}
		if tt.chunked {
			body = io.MultiReader(body)
		}
		path, query, _ := strings.Cut(tt.path, "?")
		want := answered{status: 201, cookies: 2, body: fmt.Sprintf("%s %s %s %d %s", tt.method, strings.ReplaceAll(path, "%20", " "), query, len(tt.body), b.sum(tt.body))}
		if tt.method == "HEAD" {
			want.body = ""
		}
		if diff := cmp.Diff(want, exchange(t, tt.method, front+"/see/"+tt.path, body), cmp.AllowUnexported(answered{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
	var stream bytes.Buffer
	for i := range 1000 {
		fmt.Fprintf(&stream, "block %d\n", i)
	}
	if diff := cmp.Diff(answered{status: 200, body: stream.String()}, exchange(t, "GET", front+"/stream", nil), cmp.AllowUnexported(answered{})); diff != "" {
		t.Errorf("a stream (-want +got):\n%s", diff)
	}
}
