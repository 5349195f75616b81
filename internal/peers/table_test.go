package peers

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gowsgi/gowsgi/adapters/cgi"
	"github.com/gowsgi/gowsgi/adapters/fastcgi"
	"github.com/gowsgi/gowsgi/adapters/scgi"
	"github.com/gowsgi/gowsgi/adapters/uwsgi"
	"github.com/gowsgi/gowsgi/internal/adaptertest"
	"github.com/gowsgi/gowsgi/server"
	"github.com/gowsgi/gowsgi/wsgi"
)

// TestMain makes the test binary the program that web servers start, for one
// request or for many.
func TestMain(m *testing.M) {
	if cgi.Invoked() {
		if cgi.Serve(wsgi.AppFunc(witness)) != nil {
			os.Exit(1)
		}
		return
	}
	if l, err := fastcgi.Inherited(); err == nil {
		if self, err := os.Executable(); err == nil {
			if port, err := os.ReadFile(self + relayed); err == nil {
				relay(l, "127.0.0.1:"+string(port))
				return
			}
		}
		(&fastcgi.Server{App: wsgi.AppFunc(witness), ScriptName: "/app"}).Serve(l)
		return
	}
	os.Exit(m.Run())
}

// relay passes the connections of l on to addr: to a server in the process of the
// test, which has the application that the test is about.
func relay(l net.Listener, addr string) {
	for {
		near, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer near.Close()
			far, err := net.Dial("tcp", addr)
			if err != nil {
				return
			}
			defer far.Close()
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				io.Copy(far, near)
				far.(*net.TCPConn).CloseWrite()
			}()
			if _, err := io.Copy(near, far); err == nil {
				near.(*net.UnixConn).CloseWrite()
				<-ended // what is closed before all is read of it is reset
			}
		}()
	}
}

// result is what came of a request, in words that can be compared.
type result map[string]string

// request is one of the list that every front end gets.
type request struct {
	name string
	ask  func(t *testing.T, addr string) result
}

// raw sends bytes and reads the response to a request of the given method.
func raw(method, head string, body io.Reader) func(t *testing.T, addr string) result {
	return func(t *testing.T, addr string) result {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		c.SetDeadline(time.Now().Add(2 * Patience))
		sent := make(chan struct{})
		go func() {
			defer close(sent)
			io.WriteString(c, head)
			if body != nil {
				io.Copy(c, body)
			}
		}()
		r := receive(method, c)
		c.Close()
		<-sent
		return r
	}
}

func receive(method string, c io.Reader) result {
	response, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: method})
	if err != nil {
		return result{"response": "none"}
	}
	defer response.Body.Close()
	return describe(response)
}

// describe puts a response into words.
func describe(response *http.Response) result {
	r := result{"status": strconv.Itoa(response.StatusCode)}
	text, err := io.ReadAll(response.Body)
	if err != nil {
		r["body"] = "broken off"
		return r
	}
	if response.StatusCode >= 400 && response.Header.Get("X-App") == "" {
		return r // whose words those are is all the same
	}
	var w testimony
	if json.Unmarshal(text, &w) != nil {
		r["body"] = fmt.Sprintf("%d bytes %.20q", len(text), text)
		if location := response.Header.Get("Location"); location != "" {
			r["Location"] = location
		}
		return r
	}
	for name, value := range w.Vars {
		r[name] = value
	}
	r["body"] = fmt.Sprintf("%d bytes of %.16s %s", w.Length, w.Sum, w.Err)
	for _, name := range []string{"Content-Type", "Set-Cookie", "X-Value"} {
		r[name] = fmt.Sprintf("%q", response.Header.Values(name))
	}
	return r
}

const common = "Host: front.example:8080\r\nConnection: close\r\n"

// get is a request without a body.
func get(name, method, target, headers string) request {
	return request{name, raw(method, method+" "+target+" HTTP/1.1\r\n"+common+headers+"\r\n", nil)}
}

// zeros gives n bytes.
func zeros(n int64) io.Reader { return io.LimitReader(zeroReader{}, n) }

type zeroReader struct{}

func (zeroReader) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// chunked gives n bytes in chunks.
func chunked(n int64) io.Reader {
	r, w := io.Pipe()
	go func() {
		block := make([]byte, 10000)
		for n > 0 {
			part := block[:min(n, int64(len(block)))]
			n -= int64(len(part))
			if _, err := fmt.Fprintf(w, "%x\r\n%s\r\n", len(part), part); err != nil {
				return
			}
		}
		io.WriteString(w, "0\r\n\r\n")
		w.Close()
	}()
	return r
}

func requests() []request {
	post := "POST /app/post HTTP/1.1\r\n" + common + "Content-Type: text/x\r\n"
	big := strings.Builder{}
	for i := range 1024 {
		fmt.Fprintf(&big, "X-Big-%d: %s\r\n", i, strings.Repeat("v", 1010))
	}
	return []request{
		get("GET", "GET", "/app/a?q=1", ""),
		get("HEAD", "HEAD", "/app/a", ""),
		get("DELETE", "DELETE", "/app/a", ""),
		get("OPTIONS", "OPTIONS", "/app/a", ""),
		get("unknown method", "BREW", "/app/a", ""),
		{"HTTP/1.0", raw("GET", "GET /app/a HTTP/1.0\r\nHost: front.example:8080\r\n\r\n", nil)},
		{"POST", raw("POST", post+"Content-Length: 5\r\n\r\n", strings.NewReader("hello"))},
		{"POST of nothing", raw("POST", post+"Content-Length: 0\r\n\r\n", nil)},
		{"POST of 64 MiB", raw("POST", post+"Content-Length: 67108864\r\n\r\n", zeros(64<<20))},
		{"POST in chunks", raw("POST", post+"Transfer-Encoding: chunked\r\n\r\n", strings.NewReader("5\r\nhello\r\n0\r\n\r\n"))},
		{"POST of 1 MiB in chunks", raw("POST", post+"Transfer-Encoding: chunked\r\n\r\n", chunked(1<<20))},
		{"expects 100", raw100(post + "Content-Length: 5\r\nExpect: 100-continue\r\n\r\n")},
		get("1 MiB of headers", "GET", "/app/a", big.String()),
		get("duplicate headers", "GET", "/app/a", "X-Dup: one\r\nX-Dup: two\r\nCookie: a=1\r\nCookie: b=2\r\n"),
		get("underscores", "GET", "/app/a", "X_Under: sore\r\nX-Under: hyphen\r\n"),
		get("underscore length", "GET", "/app/a", "Content_Length: 99\r\n"),
		get("proxy header", "GET", "/app/a", "Proxy: http://evil.example/\r\n"),
		get("authorization", "GET", "/app/a", "Authorization: Basic dTpw\r\n"),
		get("empty and odd headers", "GET", "/app/a", "X-Empty:\r\nX.Dot: d\r\n"),
		get("bytes in a header", "GET", "/app/a", "X-Latin: caf\xe9 \xe2\x82\xac\r\n"),
		get("percent-encoded", "GET", "/app/a%20b%3Bc/%C3%A9?x=%20", ""),
		get("encoded slash", "GET", "/app/a%2Fb", ""),
		get("encoded percent", "GET", "/app/100%25", ""),
		get("not UTF-8", "GET", "/app/caf%E9", ""),
		get("raw bytes", "GET", "/app/caf\xe9", ""),
		get("semicolon", "GET", "/app/a;x=1/b", ""),
		get("mount", "GET", "/app", ""),
		get("mount with a slash", "GET", "/app/", ""),
		get("beside the mount", "GET", "/application", ""),
		get("dots and slashes", "GET", "/app/x//y/../z/./", ""),
		get("empty query", "GET", "/app/a?", ""),
		get("absolute form", "GET", "http://front.example:8080/app/a?q", ""),
		get("redirect", "GET", "/app/redirect", ""),
		get("no content", "GET", "/app/none", ""),
		{"early answer", raw("POST", strings.Replace(post, "/post", "/early", 1)+"Content-Length: 67108864\r\n\r\n", zeros(64<<20))},
		{"slow reader", slowReader},
		{"streamed response", streamed},
		{"cut response", cut},
		{"client abort", abort},
	}
}

// raw100 waits for the word before it sends the body.
func raw100(head string) func(t *testing.T, addr string) result {
	return func(t *testing.T, addr string) result {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		c.SetDeadline(time.Now().Add(Patience))
		io.WriteString(c, head)
		in := bufio.NewReader(c)
		interim, err := http.ReadResponse(in, nil)
		if err != nil || interim.StatusCode != 100 {
			return result{"interim response": "none"}
		}
		io.WriteString(c, "hello")
		return receive("POST", in)
	}
}

// slowReader lets the response wait, and then reads it.
func slowReader(t *testing.T, addr string) result {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(2 * Patience))
	io.WriteString(c, "GET /app/large HTTP/1.1\r\n"+common+"\r\n")
	in := bufio.NewReader(c)
	response, err := http.ReadResponse(in, nil)
	if err != nil {
		return result{"response": "none"}
	}
	defer response.Body.Close()
	n := int64(0)
	for range 20 {
		part, _ := io.CopyN(io.Discard, response.Body, 20000)
		n += part
		time.Sleep(10 * time.Millisecond) // slow is what it is
	}
	rest, err := io.Copy(io.Discard, response.Body)
	return result{"status": strconv.Itoa(response.StatusCode), "body": fmt.Sprintf("%d bytes, %v", n+rest, err)}
}

// open asks for a path with a file for signals, and returns the response.
func open(t *testing.T, addr, path string) (response *http.Response, file string, leave func()) {
	file = filepath.Join(Folder(t), "signal")
	ctx, cancel := context.WithTimeout(t.Context(), 2*Patience)
	q, err := http.NewRequestWithContext(ctx, "GET", "http://"+addr+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	q.Header.Set("X-File", file)
	response, err = (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(q)
	if err != nil {
		cancel()
		return nil, file, func() {}
	}
	return response, file, func() {
		cancel()
		response.Body.Close()
	}
}

// streamed wants the first block before the second is made.
func streamed(t *testing.T, addr string) result {
	response, file, leave := open(t, addr, "/app/stream")
	defer leave()
	if response == nil {
		return result{"response": "none"}
	}
	first := make([]byte, 6)
	if _, err := io.ReadFull(response.Body, first); err != nil {
		return result{"body": err.Error()}
	}
	signal(t, file)
	rest, err := io.ReadAll(response.Body)
	return result{"body": fmt.Sprintf("%s%s %v", first, rest, err)}
}

func signal(t *testing.T, file string) {
	t.Helper()
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
}

// cut wants to see that a response is not whole.
func cut(t *testing.T, addr string) result {
	response, file, leave := open(t, addr, "/app/cut")
	defer leave()
	if response == nil {
		return result{"response": "none"}
	}
	io.ReadFull(response.Body, make([]byte, 6))
	signal(t, file)
	if _, err := io.ReadAll(response.Body); err != nil {
		return result{"body": "broken off"}
	}
	return result{"body": "looks whole"}
}

// abort leaves within a response, and wants the body to be closed.
func abort(t *testing.T, addr string) result {
	response, file, leave := open(t, addr, "/app/endless")
	if response == nil {
		return result{"response": "none"}
	}
	io.ReadFull(response.Body, make([]byte, 16<<10))
	leave()
	if await(file) {
		return result{"body": "closed"}
	}
	return result{"body": "not closed"}
}

// overHTTP2 asks with HTTP/2, without TLS.
func overHTTP2(method, path string, body io.Reader) func(t *testing.T, addr string) result {
	return func(t *testing.T, addr string) result {
		transport := &http.Transport{Protocols: new(http.Protocols), DisableCompression: true}
		transport.Protocols.SetUnencryptedHTTP2(true)
		defer transport.CloseIdleConnections()
		q, err := http.NewRequestWithContext(t.Context(), method, "http://"+addr+path, body)
		if err != nil {
			t.Fatal(err)
		}
		q.Host = "front.example:8080"
		q.Header.Set("User-Agent", "")
		q.Header["Cookie"] = []string{"a=1", "b=2"}
		response, err := (&http.Client{Transport: transport, Timeout: Patience}).Do(q)
		if err != nil {
			return result{"response": "none"}
		}
		defer response.Body.Close()
		return describe(response)
	}
}

func http2Requests() []request {
	return []request{
		{"HTTP/2 GET", overHTTP2("GET", "/app/a%20b?q", nil)},
		{"HTTP/2 POST", overHTTP2("POST", "/app/post", strings.NewReader("hello"))},
		{"HTTP/2 POST without length", overHTTP2("POST", "/app/post", io.MultiReader(strings.NewReader("hello")))},
	}
}

// behind serves app over a protocol, mounted at script.
func behind(t *testing.T, protocol string, app wsgi.Application, script string) (port int) {
	var s adaptertest.Server
	switch protocol {
	case "fastcgi":
		s = &fastcgi.Server{App: app, ScriptName: script, Logger: adaptertest.Silent}
	case "scgi":
		s = &scgi.Server{App: app, ScriptName: script, Logger: adaptertest.Silent}
	case "uwsgi":
		s = &uwsgi.Server{App: app, ScriptName: script, Logger: adaptertest.Silent}
	case "http":
		s = &server.Server{App: app, ScriptName: script, Logger: adaptertest.Silent}
	default:
		return 0
	}
	_, text, _ := net.SplitHostPort(adaptertest.Serve(t, s, "tcp"))
	port, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// direct is what the list gets without a front end.
func direct(t *testing.T) map[string]result {
	addr := fmt.Sprintf("127.0.0.1:%d", behind(t, "http", wsgi.AppFunc(witness), "/app"))
	answers := make(map[string]result)
	for _, q := range requests() {
		answers[q.name] = q.ask(t, addr)
	}
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h2 := &http.Server{Handler: http.StripPrefix("/app", server.Handler(wsgi.AppFunc(witness))), Protocols: protocols}
	go h2.Serve(l)
	t.Cleanup(func() { h2.Close() })
	for _, q := range http2Requests() {
		answers[q.name] = q.ask(t, l.Addr().String())
	}
	return answers
}

// TestEveryFrontEnd compares what the application sees, and what the client
// gets, behind each web server over each protocol with what they are over
// net/http. Each difference stands in doc/deploy/differences.md, with its
// reason.
func TestEveryFrontEnd(t *testing.T) {
	if testing.Short() {
		t.Skip("not with -short: starts every web server; CI runs it without")
	}
	known := readDifferences(t)
	want := direct(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	started := 0
	for _, f := range Fronts {
		t.Run(f.String(), func(t *testing.T) {
			program := ""
			if f.Runs() {
				program = self
			}
			addr, http2 := f.Start(t, behind(t, f.Protocol, wsgi.AppFunc(witness), "/app"), program)
			started++
			for _, q := range requests() {
				known.compare(t, f, q.name, want[q.name], q.ask(t, addr))
			}
			for _, q := range http2Requests() {
				known.compare(t, f, q.name, want[q.name], q.ask(t, http2))
			}
		})
	}
	if started == len(Fronts) {
		known.unused(t)
	}
}
