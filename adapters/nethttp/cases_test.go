package nethttp_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/http/pprof"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gowsgi/gowsgi/adapters/nethttp"
	"github.com/gowsgi/gowsgi/server"
)

// differential is a handler and what it is asked.
type differential struct {
	name    string
	handler http.Handler
	calls   []request
	but
}

// but is what is not to be compared.
type but struct {
	framing bool                // how net/http frames this depends on its connection, or see "Limits"
	http1   bool                // HTTP/2 has a different bug
	abort   bool                // the handler wants the response cut
	same    func(string) string // makes bodies comparable
}

// cases are the handlers of TestDifferential.
func cases(t *testing.T) []differential {
	dir := t.TempDir()
	modified := time.Date(2020, 2, 29, 12, 0, 0, 0, time.UTC)
	for name, size := range map[string]int{"empty.txt": 0, "small.txt": 100, "page.html": 3000, "big.bin": 200 << 10, "sub/index.html": 50} {
		path := filepath.Join(dir, name)
		os.MkdirAll(filepath.Dir(path), 0o755)
		if err := os.WriteFile(path, bytes.Repeat([]byte("<p>0123456789abcdef\n"), size/20+1)[:size], 0o644); err != nil {
			t.Fatal(err)
		}
		os.Chtimes(path, modified, modified)
	}
	one := []request{{}}
	files := []request{
		{target: "/"}, {target: "/sub"}, {target: "/sub/"}, {target: "/sub/index.html"}, {target: "/empty.txt"},
		{target: "/small.txt"}, {target: "/page.html"}, {target: "/big.bin"}, {target: "/none"}, {target: "/a%20b%2Fc"},
		{target: "/big.bin", header: "Range: bytes=10-99999\r\n"},
		{target: "/big.bin", header: "Range: bytes=-10\r\n"},
		{target: "/big.bin", header: "Range: bytes=0-9,100-109,50000-90000\r\n"},
		{target: "/big.bin", header: "Range: bytes=999999-\r\n"},
		{target: "/big.bin", header: "If-Modified-Since: Sat, 29 Feb 2020 12:00:00 GMT\r\n"},
		{target: "/small.txt", header: "If-Range: Sat, 29 Feb 2020 12:00:00 GMT\r\nRange: bytes=1-2\r\n"},
		{method: "POST", target: "/small.txt", body: "x"},
	}
	f := func(h http.HandlerFunc) http.Handler { return h }
	// The boundaries of several ranges are random.
	boundary := regexp.MustCompile(`[0-9a-f]{60}`)
	unbound := func(text string) string {
		if !strings.HasPrefix(text, "--") && !strings.HasPrefix(text, "multipart/") {
			return text
		}
		return boundary.ReplaceAllString(text, "BOUNDARY")
	}
	page := template.Must(template.New("").Parse(`<!doctype html>{{range .}}<li>{{.}}{{end}}`))
	echo := f(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s %s %s %d %v %q\n", r.Method, r.URL, r.RequestURI, r.Host, r.ContentLength, err, r.Header["X-A"])
		w.Write(body)
	})
	backend := httptest.NewServer(f(backend))
	t.Cleanup(backend.Close)
	target, _ := url.Parse(backend.URL)
	proxy := func(interval time.Duration) http.Handler {
		p := httputil.NewSingleHostReverseProxy(target)
		p.FlushInterval = interval
		return p
	}
	proxied := []request{
		{target: "/plain"}, {target: "/length"}, {target: "/stream"}, {target: "/events"}, {target: "/hints"}, {target: "/404"},
		{method: "POST", target: "/echo", body: strings.Repeat("abc", 5000)},
		{method: "POST", target: "/echo", body: "abc", chunked: true},
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /item/{id}", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.PathValue("id"), " ", r.Pattern)
	})
	mux.Handle("/static/", http.StripPrefix("/static/", http.FileServer(http.Dir(dir))))
	protection := http.NewCrossOriginProtection()

	return []differential{
		{"nothing", f(func(w http.ResponseWriter, r *http.Request) {}), one, but{}},
		{"Error", f(func(w http.ResponseWriter, r *http.Request) { http.Error(w, "no", 403) }), one, but{}},
		{"NotFound", http.NotFoundHandler(), one, but{}},
		{"Redirect", http.RedirectHandler("/there?a=b", 302), one, but{}},
		{"Redirect POST", http.RedirectHandler("there", 303), []request{{method: "POST", target: "/a/b", body: "x"}}, but{}},
		{"FileServer", http.FileServer(http.Dir(dir)), files, but{same: unbound}},
		{"FileServerFS", http.FileServerFS(os.DirFS(dir)), files[:7], but{}},
		{"ServeFile", f(func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, filepath.Join(dir, "big.bin")) }), one, but{}},
		{"ServeContent", f(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("ETag", `"v1"`)
			http.ServeContent(w, r, "x", time.Time{}, strings.NewReader(strings.Repeat("0123456789", 100)))
		}), []request{{}, {header: "If-None-Match: \"v1\"\r\n"}, {header: "If-Match: \"v2\"\r\n"}, {header: "Range: bytes=5-6\r\n"}, {header: "Range: lines=1\r\n"}}, but{}},
		{"StripPrefix", http.StripPrefix("/a/b", echo), []request{{target: "/a/b/c%2Fd?q=1"}, {target: "/x"}, {target: "/a/b"}}, but{}},
		{"ServeMux", mux, []request{{target: "/item/4%2F2"}, {target: "/item/"}, {method: "POST", target: "/item/1"}, {target: "//item/../item/1"}, {target: "/static/small.txt"}, {target: "/static"}}, but{}},
		{"TimeoutHandler in time", http.TimeoutHandler(echo, time.Minute, "late"), one, but{}},
		{"TimeoutHandler too late", http.TimeoutHandler(f(func(w http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
		}), time.Millisecond, "<h1>late</h1>"), one, but{}},
		{"MaxBytesHandler", http.MaxBytesHandler(f(func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				http.Error(w, err.Error(), 413)
				return
			}
			w.Write(body)
		}), 10), []request{{method: "POST", body: "0123456789"}, {method: "POST", body: "0123456789a"}, {method: "POST", body: strings.Repeat("x", 100), chunked: true}}, but{}},
		{"AllowQuerySemicolons", http.AllowQuerySemicolons(f(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.FormValue("b")) })), []request{{target: "/?a=1;b=2"}}, but{}},
		{"CrossOriginProtection", protection.Handler(echo), []request{
			{method: "POST", body: "x", header: "Sec-Fetch-Site: cross-site\r\n"},
			{method: "POST", body: "x", header: "Sec-Fetch-Site: same-origin\r\n"},
			{method: "POST", body: "x", header: "Origin: https://evil.example\r\n"},
			{method: "POST", body: "x", header: "Origin: https://example.com\r\n"},
		}, but{}},
		{"ReverseProxy", proxy(0), proxied, but{framing: true}},
		{"ReverseProxy that flushes at once", proxy(-1), proxied, but{framing: true}},
		{"ReverseProxy with a flush timer", proxy(time.Microsecond), proxied, but{framing: true}},
		{"ReverseProxy to nowhere", &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.Out.URL.Host = "" }}, one, but{}},
		{"pprof.Cmdline", f(pprof.Cmdline), one, but{}},
		{"pprof.Symbol", f(pprof.Symbol), []request{{target: "/?0x1"}, {method: "POST", body: "0x1"}}, but{}},
		{"pprof.Index", f(pprof.Index), []request{{target: "/debug/pprof/"}, {target: "/debug/pprof/none"}}, but{same: func(body string) string { return regexp.MustCompile(`\d+`).ReplaceAllString(body, "N") }}},
		{"echo", echo, []request{
			{target: "/a%20b/%ff?x=%20&y", header: "X-A: 1\r\n"}, {method: "POST", target: "/p", body: "hello"}, {method: "PUT", body: strings.Repeat("x", 100<<10), chunked: true},
			{method: "DELETE"}, {method: "OPTIONS", target: "/o"}, {method: "PATCH", body: "p"}, {method: "BREW"},
		}, but{}},
		{"form", f(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.FormValue("a"), r.PostForm, r.Form) }), []request{
			{method: "POST", target: "/?a=1&b=2", header: "Content-Type: application/x-www-form-urlencoded\r\n", body: "a=3&c=%2B"}}, but{}},
		{"upload", f(receive), []request{{method: "POST", header: "Content-Type: multipart/form-data; boundary=xyz\r\n", body: upload}}, but{}},
		{"request trailers", f(func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			fmt.Fprint(w, r.Trailer)
		}), []request{{method: "POST", body: "x", chunked: true}, {method: "POST", body: "x", chunked: true, header: "Trailer: X-Sum\r\n"}}, but{}},
		{"JSON", f(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(201)
			json.NewEncoder(w).Encode(map[string]any{"a": []int{1, 2}})
		}), one, but{}},
		{"template", f(func(w http.ResponseWriter, r *http.Request) { page.Execute(w, make([]int, 1000)) }), one, but{}},
		{"sniffing", f(func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, map[string]string{"/png": "\x89PNG\x0D\x0A\x1A\x0A", "/html": "<html>", "/xml": "<?xml ", "/bin": "\x00\x01", "/text": "a"}[r.URL.Path])
		}), []request{{target: "/png"}, {target: "/html"}, {target: "/xml"}, {target: "/bin"}, {target: "/text"}, {target: "/none"}}, but{}},
		{"sniffing in pieces", f(func(w http.ResponseWriter, r *http.Request) {
			for _, c := range []byte("<html><p>in pieces") {
				w.Write([]byte{c})
			}
		}), one, but{}},
		{"sniffing in pieces with a length", f(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "18")
			for _, c := range []byte("<html><p>in pieces") {
				w.Write([]byte{c})
			}
		}), one, but{}},
		{"sniffing at a Flush", f(func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "<ht")
			w.(http.Flusher).Flush()
			io.WriteString(w, "ml>")
		}), one, but{}},
		{"Content-Type nil", f(func(w http.ResponseWriter, r *http.Request) {
			w.Header()["Content-Type"] = nil
			io.WriteString(w, "<html>")
		}), one, but{}},
		{"Content-Type empty", f(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "")
			io.WriteString(w, "<html>")
		}), one, but{}},
		{"Content-Encoding", f(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			io.WriteString(z, strings.Repeat("<html>", 10000))
			z.Close()
		}), one, but{}},
		{"limits of the automatic length", f(func(w http.ResponseWriter, r *http.Request) {
			n := 0
			fmt.Sscan(r.URL.Path[1:], &n)
			for range n {
				io.WriteString(w, "x")
			}
		}), []request{{target: "/2047"}, {target: "/2048"}, {target: "/2049"}, {target: "/4096"}, {target: "/4097"}, {target: "/9000"}}, but{}},
		{"the same by one Write", f(func(w http.ResponseWriter, r *http.Request) {
			n := 0
			fmt.Sscan(r.URL.Path[1:], &n)
			w.Write(make([]byte, n))
		}), []request{{target: "/2048"}, {target: "/2049"}, {target: "/4096"}, {target: "/4097"}, {target: "/1000000"}}, but{}},
		{"10 MiB", f(func(w http.ResponseWriter, r *http.Request) {
			block := bytes.Repeat([]byte("0123456789abcdef"), 3<<10)
			for i := 0; i < 10<<20; i += len(block) {
				w.Write(block)
			}
		}), one, but{}},
		{"ReadFrom", f(func(w http.ResponseWriter, r *http.Request) { io.Copy(w, io.LimitReader(zeros{}, 1000)) }), one, but{framing: true}},
		{"ReadFrom much", f(func(w http.ResponseWriter, r *http.Request) { io.Copy(w, io.LimitReader(zeros{}, 1<<20)) }), one, but{}},
		{"ReadFrom a file without a type", f(func(w http.ResponseWriter, r *http.Request) {
			file, _ := os.Open(filepath.Join(dir, "big.bin"))
			defer file.Close()
			io.WriteString(w, "<!doctype html>")
			file.Seek(7, 0)
			io.Copy(w, file)
		}), one, but{}},
		{"ReadFrom a file with a length", f(func(w http.ResponseWriter, r *http.Request) {
			file, _ := os.Open(filepath.Join(dir, "big.bin"))
			defer file.Close()
			w.Header().Set("Content-Length", "100005")
			io.WriteString(w, "12345")
			io.CopyN(w, file, 100000)
		}), one, but{}},
		{"204", f(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "a/b")
			w.WriteHeader(204)
			_, err := io.WriteString(w, "x")
			w.Header().Set("X-Late", fmt.Sprint(err))
		}), one, but{}},
		{"304", f(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("ETag", `"v"`)
			w.WriteHeader(304)
		}), one, but{}},
		{"odd codes", f(func(w http.ResponseWriter, r *http.Request) {
			n := 0
			fmt.Sscan(r.URL.Path[1:], &n)
			w.WriteHeader(n)
		}), []request{{target: "/200"}, {target: "/299"}, {target: "/418"}, {target: "/599"}, {target: "/999"}}, but{}},
		{"headers", f(func(w http.ResponseWriter, r *http.Request) {
			h := w.Header()
			h["X-Many"] = []string{"b", "a", ""}
			h["x-lower"] = []string{"x"}
			h["bad name"] = []string{"x"}
			h.Set("Date", "Sat, 29 Feb 2020 12:00:00 GMT")
			h.Set("Server", "me")
			http.SetCookie(w, &http.Cookie{Name: "a", Value: "1"})
			http.SetCookie(w, &http.Cookie{Name: "b", Value: "2", HttpOnly: true})
			h.Set("Connection", "close")
			io.WriteString(w, "x")
			h.Set("X-Late", "1")
		}), one, but{}},
		{"dirty headers", f(func(w http.ResponseWriter, r *http.Request) {
			w.Header()["X-Padded"] = []string{" padded\t"}
			w.Header()["X-Lines"] = []string{"a\r\nX-Injected: 1"}
		}), one, but{http1: true}},
		{"too little for the length", f(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "10")
			io.WriteString(w, "12345")
		}), one, but{}},
		{"too much for the length", f(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "5")
			io.WriteString(w, "12345")
			if _, err := io.WriteString(w, "6"); err == nil {
				panic("accepted")
			}
		}), one, but{http1: true}},
		{"length of HEAD", f(func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Content-Length", "5") }),
			[]request{{method: "HEAD"}}, but{}},
		{"superfluous WriteHeader", f(func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(202)
			w.WriteHeader(500)
			io.WriteString(w, "x")
		}), one, but{}},
		{"Flush only", f(func(w http.ResponseWriter, r *http.Request) { w.(http.Flusher).Flush() }), one, but{framing: true}},
		{"Flush first", f(func(w http.ResponseWriter, r *http.Request) {
			w.(http.Flusher).Flush()
			w.Header().Set("X-Late", "1")
			io.WriteString(w, "<html>")
		}), one, but{}},
		{"server-sent events", f(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			for i := range 20 {
				fmt.Fprintf(w, "id: %d\ndata: x\n\n", i)
				http.NewResponseController(w).Flush()
			}
		}), one, but{}},
		{"ErrAbortHandler", f(func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) }), one, but{abort: true}},
		{"ErrAbortHandler after a Flush", f(func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "<html>")
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}), one, but{abort: true}},
		{"panic after a Flush", f(func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "<html>")
			w.(http.Flusher).Flush()
			panic("oh")
		}), one, but{abort: true}},
		{"exec.Cmd", f(func(w http.ResponseWriter, r *http.Request) {
			cmd := exec.Command("sh", "-c", "printf '<html>'; printf later")
			cmd.Stdout = w
			if err := cmd.Run(); err != nil {
				panic(err)
			}
			io.WriteString(w, " end")
		}), one, but{framing: true}},
		{"other goroutines", f(func(w http.ResponseWriter, r *http.Request) {
			for i := range 10 {
				elsewhere(func() { w.Write(bytes.Repeat([]byte{byte(i)}, 1000)) })
			}
		}), one, but{}},
		{"nested", nested(f(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-A", "1")
			io.WriteString(w, strings.Repeat("<p>", 10000))
		})), one, but{}},
	}
}

// backend is behind the reverse proxies.
func backend(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/plain":
		io.WriteString(w, "<html>plain")
	case "/length":
		w.Header().Set("Content-Length", "30")
		for range 3 {
			io.WriteString(w, "0123456789")
			w.(http.Flusher).Flush()
		}
	case "/stream":
		for i := range 50 {
			fmt.Fprintln(w, strings.Repeat("x", 100*i))
			w.(http.Flusher).Flush()
		}
	case "/events":
		w.Header().Set("Content-Type", "text/event-stream")
		for range 3 {
			io.WriteString(w, "data: x\n\n")
			w.(http.Flusher).Flush()
		}
	case "/hints":
		w.Header().Set("Link", "</a.css>; rel=preload")
		w.WriteHeader(103)
		io.WriteString(w, "<html>")
	case "/echo":
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Length", fmt.Sprint(r.ContentLength))
		w.Write(body)
	default:
		http.NotFound(w, r)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// elsewhere runs f on another goroutine and waits for it.
func elsewhere(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	<-done
}

// nested is h with the contract in the middle, twice.
func nested(h http.Handler) http.Handler {
	for range 2 {
		h = server.Handler(nethttp.Application(h))
	}
	return h
}

const upload = "--xyz\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a.txt\"\r\n\r\nhello\r\n--xyz--\r\n"

func receive(w http.ResponseWriter, r *http.Request) {
	file, header, err := r.FormFile("f")
	if err != nil {
		http.Error(w, err.Error(), 400)
		return
	}
	defer file.Close()
	fmt.Fprintln(w, header.Filename, header.Size)
	io.Copy(w, file)
}
