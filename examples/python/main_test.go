//go:build linux

package python

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

var gowsgi string // the command

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "gowsgi-")
	if err != nil {
		panic(err)
	}
	gowsgi = filepath.Join(dir, "gowsgi")
	build := exec.Command("go", "build", "-o", gowsgi, "./cmd/gowsgi")
	build.Dir = "../.."
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
		os.Exit(1)
	}
	status := m.Run()
	os.RemoveAll(dir)
	os.Exit(status)
}

// interpreter returns a Python that has the framework.
func interpreter(t *testing.T, framework string) string {
	t.Helper()
	for _, name := range []string{os.Getenv("GOWSGI_PYTHON"), "/usr/bin/python3", "python3"} {
		if name != "" && exec.Command(name, "-c", "import "+framework).Run() == nil {
			return name
		}
	}
	if os.Getenv("GOWSGI_PEERS") == "require" {
		t.Fatalf("no Python has %s, and GOWSGI_PEERS=require", framework)
	}
	t.Skipf("no Python has %s", framework)
	return ""
}

// browser keeps cookies, as one of people's does.
type browser struct {
	t      *testing.T
	base   string
	client *http.Client
}

// serve starts gowsgi serve until the end of the test.
func serve(t *testing.T, args ...string) *browser {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	cmd := exec.CommandContext(ctx, gowsgi, append([]string{"serve", "--listen", "127.0.0.1:0", "--workers", "2"}, args...)...)
	cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1")
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines, base := bufio.NewScanner(stderr), ""
	said := ""
	for base == "" && lines.Scan() {
		said += lines.Text() + "\n"
		if found := regexp.MustCompile(`open (http://\S+)/ `).FindStringSubmatch(lines.Text()); found != nil {
			base = found[1]
		}
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		io.Copy(io.Discard, stderr)
	}()
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		<-read
		if err := cmd.Wait(); err != nil {
			t.Errorf("gowsgi serve ended with %v", err)
		}
		cancel()
	})
	if base == "" {
		t.Fatalf("gowsgi serve said\n%s", said)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	b := &browser{t: t, base: base, client: &http.Client{Jar: jar}}
	t.Cleanup(b.client.CloseIdleConnections)
	return b
}

// do sends a request and wants a status and a text in the page.
func (b *browser) do(method, path, contentType string, body io.Reader, status int, want string) string {
	b.t.Helper()
	r, err := http.NewRequest(method, b.base+path, body)
	if err != nil {
		b.t.Fatal(err)
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	r.Header.Set("Referer", b.base+path)
	response, err := b.client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != status || !strings.Contains(string(text), want) {
		b.t.Errorf("%s %s: got %s, %v and\n%.500s\nwant %d and %q", method, path, response.Status, err, text, status, want)
	}
	return string(text)
}

func (b *browser) get(path string, status int, want string) string {
	b.t.Helper()
	return b.do("GET", path, "", nil, status, want)
}

// post sends a form.
func (b *browser) post(path string, status int, want string, fields ...string) string {
	b.t.Helper()
	form := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	return b.do("POST", path, "application/x-www-form-urlencoded", strings.NewReader(form.Encode()), status, want)
}

// upload sends a file by a form.
func (b *browser) upload(path string, size, status int, want string) {
	b.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	file, err := form.CreateFormFile("file", "café.bin")
	if err != nil {
		b.t.Fatal(err)
	}
	file.Write(make([]byte, size))
	form.Close()
	b.do("POST", path, form.FormDataContentType(), &body, status, want)
}

func TestFlask(t *testing.T) {
	b := serve(t, "--python", interpreter(t, "flask"), "flask_app:app")
	b.get("/", 200, "Hello, stranger!")
	b.post("/name", 200, "Thank you.", "name", "Zoë")
	b.get("/", 200, "Hello, Zoë!")
	b.upload("/upload", 1<<20, 200, `"bytes":1048576`)
	b.upload("/upload", 9<<20, 413, "Too Large") // its own limit
	b.get("/stream", 200, "line 0\nline 1\nline 2\n")
	b.get("/fails", 500, "Internal Server Error")
	b.get("/missing", 404, "Not Found")
}

func TestDjango(t *testing.T) {
	python := interpreter(t, "django")
	database := filepath.Join(t.TempDir(), "site.sqlite3")
	for _, args := range [][]string{{"migrate"}, {"createsuperuser", "--noinput"}} {
		cmd := exec.Command(python, append([]string{"django_site.py"}, args...)...)
		cmd.Env = append(os.Environ(), "DATABASE="+database, "PYTHONDONTWRITEBYTECODE=1",
			"DJANGO_SUPERUSER_USERNAME=ann", "DJANGO_SUPERUSER_PASSWORD=open sesame", "DJANGO_SUPERUSER_EMAIL=ann@example.org")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%q: %v\n%s", args, err, out)
		}
	}
	for _, how := range []string{"--threads=2", "--preload"} {
		t.Run(how, func(t *testing.T) {
			b := serve(t, "--python", python, "--env", "DATABASE="+database, "django_site:application", how)
			b.get("/", 200, "Hello, stranger!")
			b.get("/static/admin/css/base.css", 200, "body")
			b.get("/static/admin/css/none.css", 404, "")
			b.get("/stream", 200, "line 0\nline 1\nline 2\n")
			b.upload("/upload", 3<<20, 200, `"bytes": 3145728`) // more than Django keeps in memory

			page := b.get("/private", 200, "Log in") // to where it redirects
			token := regexp.MustCompile(`name="csrfmiddlewaretoken" value="([^"]+)"`).FindStringSubmatch(page)
			if token == nil {
				t.Fatal("the page has no token")
			}
			b.post("/admin/login/?next=/private", 403, "CSRF", "username", "ann", "password", "open sesame")
			b.post("/admin/login/?next=/private", 200, "Please enter the correct", "csrfmiddlewaretoken", token[1], "username", "ann", "password", "wrong")
			b.post("/admin/login/?next=/private", 200, "Only for ann.", "csrfmiddlewaretoken", token[1], "username", "ann", "password", "open sesame")
			b.get("/", 200, "Hello, ann!")
			b.get("/admin/auth/user/", 200, "ann@example.org")
		})
	}
}

func TestBottle(t *testing.T) {
	b := serve(t, "--python", interpreter(t, "bottle"), "bottle_app:app")
	b.get("/", 200, "Hello, stranger!")
	b.post("/name", 200, "Hello, ann!", "name", "ann")
	b.upload("/upload", 100_000, 200, `"bytes": 100000`)
	b.get("/stream", 200, "line 0\nline 1\nline 2\n")
	b.get("/missing", 404, "Not found")
}

func TestFalcon(t *testing.T) {
	b := serve(t, "--python", interpreter(t, "falcon"), "--workers", "1", "falcon_app:app")
	b.get("/notes", 200, "[]")
	b.do("POST", "/notes", "application/json", strings.NewReader(`{"text": "café"}`), 201, "")
	b.get("/notes", 200, `[{"text": "café"}]`)
	b.do("PUT", "/count", "", strings.NewReader(strings.Repeat("x", 1<<20)), 200, `{"bytes": 1048576}`)
	b.do("PUT", "/count", "", io.MultiReader(strings.NewReader("of no stated length")), 200, `"bytes":`)
	b.get("/stream", 200, "line 0\nline 1\nline 2\n")
}

// TestStrangler: Django today, one route of Go tomorrow.
func TestStrangler(t *testing.T) {
	b := serve(t, "--python", interpreter(t, "flask"), "--mount", "/demo=demo", "flask_app:app")
	b.get("/", 200, "Hello, stranger!")
	b.get("/demo/hello?name=Go", 200, "Hello, Go!")
}
