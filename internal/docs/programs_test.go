package docs

import (
	"context"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// The Go blocks of the documents follow one convention, which CONTRIBUTING.md
// describes. A block that begins with a package clause is a whole file. Any
// other is a fragment, declarations or statements, that may use the packages
// and the variables below without saying so; statements may return what an
// application returns.

var packages = map[string]string{
	"bufio":       "bufio",
	"bytes":       "bytes",
	"context":     "context",
	"conformance": module + "/conformance",
	"errors":      "errors",
	"fmt":         "fmt",
	"gateway":     module + "/server/gateway",
	"gzip":        "compress/gzip",
	"http":        "net/http",
	"httptest":    "net/http/httptest",
	"httputil":    "net/http/httputil",
	"io":          "io",
	"json":        "encoding/json",
	"launch":      module + "/conformance/launch",
	"log":         "log",
	"middleware":  module + "/middleware",
	"static":      module + "/middleware/static",
	"session":     module + "/middleware/session",
	"nethttp":     module + "/adapters/nethttp",
	"fastcgi":     module + "/adapters/fastcgi",
	"scgi":        module + "/adapters/scgi",
	"uwsgi":       module + "/adapters/uwsgi",
	"cgi":         module + "/adapters/cgi",
	"frontend":    module + "/conformance/frontend",
	"os":          "os",
	"python":      module + "/adapters/python",
	"server":      module + "/server",
	"signal":      "os/signal",
	"slog":        "log/slog",
	"strconv":     "strconv",
	"strings":     "strings",
	"syscall":     "syscall",
	"testing":     "testing",
	"time":        "time",
	"tls":         "crypto/tls",
	"url":         "net/url",
	"wsgi":        module + "/wsgi",
	"wsgitest":    module + "/wsgi/wsgitest",
	"mime":        "mime",
	"multipart":   "mime/multipart",
}

var variables = map[string]string{
	"app":           "wsgi.Application",
	"ctx":           "context.Context",
	"environ":       "*wsgi.Environ",
	"startResponse": "wsgi.StartResponse",
}

// source makes a Go file of b. Compilers report faults at the place in the
// document.
func (b block) source() (string, error) {
	at := fmt.Sprintf("//line %s:%d\n", b.document, b.line)
	if strings.HasPrefix(b.text, "package ") {
		return at + b.text, nil
	}
	body := at + b.text
	file, err := parser.ParseFile(token.NewFileSet(), "", "package fragment\n"+body, 0)
	if err != nil {
		body = "func _() (wsgi.Iterable, error) {\n" + at + b.text
		file, err = parser.ParseFile(token.NewFileSet(), "", "package fragment\n"+body+"}\n", 0)
		if err != nil {
			return "", err
		}
		if !returns(file) {
			body += "return nil, nil\n"
		}
		body += "}\n"
	}
	var head strings.Builder
	head.WriteString("package fragment\n")
	declared := ""
	used := map[string]bool{}
	for _, name := range file.Unresolved {
		used[name.Name] = true
	}
	for name, typ := range variables {
		if used[name] {
			declared += "var " + name + " " + typ + "\n"
			pkg, _, _ := strings.Cut(strings.TrimPrefix(typ, "*"), ".")
			used[pkg] = true
		}
	}
	for name, path := range packages {
		if used[name] {
			fmt.Fprintf(&head, "import %s %q\n", name, path)
		}
	}
	return head.String() + declared + body, nil
}

// returns reports whether the last statement of the first function in file is
// a return.
func returns(file *ast.File) bool {
	for _, d := range file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && len(f.Body.List) > 0 {
			_, ok := f.Body.List[len(f.Body.List)-1].(*ast.ReturnStmt)
			return ok
		}
	}
	return false
}

// command returns the go command, run in dir as somebody would who has a
// released version of this module and no network.
func command(t *testing.T, dir string, args ...string) *exec.Cmd {
	t.Helper()
	c := exec.Command("go", args...)
	c.Dir = dir
	c.Env = append(os.Environ(), "PWD="+dir, "GOFLAGS=-mod=mod", "GOWORK=off", "GOPROXY=off", "GO111MODULE=on", "CGO_ENABLED=0")
	return c
}

// outside makes a module of its own that requires this one, and writes each
// block to a package of that module. It returns the module's directory.
func outside(t *testing.T, blocks []block) string {
	t.Helper()
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	goMod := fmt.Sprintf("module example.com/documents\n\ngo 1.26\n\nrequire %s v0.0.0\n\nreplace %[1]s => %q\n", module, root(t))
	write("go.mod", goMod)
	if sum, err := os.ReadFile(filepath.Join(root(t), "go.sum")); err == nil {
		write("go.sum", string(sum))
	}
	for i, b := range blocks {
		text, err := b.source()
		if err != nil {
			t.Errorf("%s:%d: neither declarations nor statements: %v", b.document, b.line, err)
			continue
		}
		write(b.file(i), text)
	}
	return dir
}

// The files of the tutorial are one program.
const tutorial = "doc/tutorial.md"

// file is where the block with the number i is written.
func (b block) file(i int) string {
	if b.document != tutorial || !strings.HasPrefix(b.text, "package ") {
		return fmt.Sprintf("block%d/block.go", i)
	}
	if strings.Contains(b.text, "\t\"testing\"\n") {
		return fmt.Sprintf("tutorial/file%d_test.go", i)
	}
	return fmt.Sprintf("tutorial/file%d.go", i)
}

// Every Go block of every document compiles, and vet has nothing to say.
func TestProgramsCompile(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the go command")
	}
	var all []block
	for _, d := range documents(t) {
		_, blocks := d.split(t)
		for _, b := range blocks {
			if b.language != "go" {
				continue
			}
			if formatted, err := format.Source([]byte(b.text)); err == nil && string(formatted) != b.text {
				t.Errorf("%s:%d: not as gofmt formats it, which is\n%s", b.document, b.line, formatted)
			}
			all = append(all, b)
		}
	}
	if len(all) == 0 {
		t.Fatal("no document has a Go block")
	}
	dir := outside(t, all)
	if out, err := command(t, dir, "vet", "./...").CombinedOutput(); err != nil {
		t.Errorf("go vet: %v\n%s", err, out)
	}
	out, err := command(t, dir, "test", "-v", "./tutorial").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: TestSign") {
		t.Errorf("the tests of %s: %v\n%s", tutorial, err, out)
	}
}

// The first program of the README serves what the README says, on another
// port.
func TestHelloAnswers(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the go command")
	}
	const said = "127.0.0.1:8000"
	readme := document{"README.md", strings.Split(read(t, "README.md"), "\n")}
	_, blocks := readme.split(t)
	i := slices.IndexFunc(blocks, func(b block) bool { return strings.HasPrefix(b.text, "package main") })
	if i < 0 {
		t.Fatal("README.md has no program")
	}
	hello := blocks[i]
	if n := strings.Count(hello.text, said); n != 1 {
		t.Fatalf("README.md:%d: the program names %s %d times, expected once", hello.line, said, n)
	}
	addr := freeAddress(t)
	hello.text = strings.Replace(hello.text, said, addr, 1)

	dir := outside(t, []block{hello})
	binary := filepath.Join(dir, "hello")
	if runtime.GOOS == "windows" {
		binary += ".exe"
	}
	if out, err := command(t, dir, "build", "-o", binary, "./block0").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	process := exec.CommandContext(ctx, binary)
	process.Stderr = os.Stderr
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	defer process.Wait()
	defer cancel()

	body, err := get(ctx, "http://"+addr+"/")
	if err != nil {
		t.Fatal(err)
	}
	if body != "Hello, world!\n" {
		t.Errorf("the program answers %q, expected %q", body, "Hello, world!\n")
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// get gets url, again and again until somebody listens or ctx ends.
func get(ctx context.Context, url string) (string, error) {
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return "", err
		}
		res, err := http.DefaultClient.Do(req)
		if err == nil {
			defer res.Body.Close()
			body, err := io.ReadAll(res.Body)
			return string(body), err
		}
		select {
		case <-ctx.Done():
			return "", err
		case <-time.After(20 * time.Millisecond):
		}
	}
}
