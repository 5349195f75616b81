package peers

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

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
