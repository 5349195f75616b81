package bench

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"

	"github.com/gowsgi/gowsgi/server"
	"github.com/gowsgi/gowsgi/wsgi"
)

var hello = []byte("Hello, world!\n")

const plainText = "text/plain; charset=utf-8"

// contender is one way to give the same answer.
type contender struct {
	name    string
	handler http.Handler
}

// contenders answer with the same head and the same one block. The first is
// what the others are measured against. All state the length: a WSGI server
// does so for a body of one block, and net/http would for a raw handler too,
// only later. A Generator has no length that could be known, so its
// application states it.
var contenders = []contender{
	{"Raw", http.HandlerFunc(rawHello)},
	{"AppFunc", server.Handler(wsgi.AppFunc(appHello))},
	{"Generator", server.Handler(wsgi.AppFunc(generatorHello))},
	{"Chi", chiHello()},
}

func rawHello(w http.ResponseWriter, _ *http.Request) {
	header := w.Header()
	header.Set("Content-Type", plainText)
	header.Set("Content-Length", strconv.Itoa(len(hello)))
	w.Write(hello)
}

func appHello(_ *wsgi.Environ, startResponse wsgi.StartResponse) (wsgi.Iterable, error) {
	_, err := startResponse("200 OK", wsgi.Headers{{Name: "Content-Type", Value: plainText}}, nil)
	return wsgi.Bytes(hello), err
}

func generatorHello(_ *wsgi.Environ, startResponse wsgi.StartResponse) (wsgi.Iterable, error) {
	_, err := startResponse("200 OK", wsgi.Headers{
		{Name: "Content-Type", Value: plainText},
		{Name: "Content-Length", Value: strconv.Itoa(len(hello))},
	}, nil)
	return wsgi.Generator(func(yield func([]byte, error) bool) { yield(hello, nil) }), err
}

func chiHello() http.Handler {
	r := chi.NewRouter()
	r.Get("/greeting", rawHello)
	return r
}

func contenderNamed(t testing.TB, name string) http.Handler {
	for _, c := range contenders {
		if c.name == name {
			return c.handler
		}
	}
	t.Fatalf("there is no contender %q", name)
	return nil
}

// browserRequest is a request with ten header fields, as a browser sends them
// when a link is followed. net/http keeps Host apart from the fields.
func browserRequest() *http.Request {
	r := httptest.NewRequest("GET", "/greeting?language=en", nil)
	r.Host = "www.example.org"
	r.RemoteAddr = "127.0.0.1:50000"
	r.Body = http.NoBody
	for line := range strings.Lines(browserFields) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		r.Header.Set(name, value)
	}
	return r
}

const browserFields = `Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8
Accept-Encoding: gzip, deflate, br, zstd
Accept-Language: en-GB,en;q=0.9,de;q=0.8
Cookie: session=31d4d96e407aad42; theme=dark
Referer: http://www.example.org/
Sec-Fetch-Dest: document
Sec-Fetch-Mode: navigate
Sec-Fetch-Site: same-origin
Upgrade-Insecure-Requests: 1
User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0
`

// discard is a ResponseWriter that throws the response away. It has the method
// for flushing that net/http's has, and it has a fresh header map for each
// request as that has, by reset and without the allocation that would be the
// same for everybody.
type discard struct {
	header http.Header
	code   int
	bytes  int
}

func newDiscard() *discard { return &discard{header: make(http.Header, 4)} }

func (d *discard) reset()              { clear(d.header); d.code, d.bytes = 0, 0 }
func (d *discard) Header() http.Header { return d.header }
func (d *discard) WriteHeader(code int) {
	if d.code == 0 {
		d.code = code
	}
}

func (d *discard) Write(p []byte) (int, error) {
	d.WriteHeader(http.StatusOK)
	d.bytes += len(p)
	return len(p), nil
}

func (d *discard) Flush()            { d.FlushError() }
func (d *discard) FlushError() error { d.WriteHeader(http.StatusOK); return nil }

// TestContenders checks that what is compared is the same answer.
func TestContenders(t *testing.T) {
	if n := len(browserRequest().Header); n != 10 {
		t.Fatalf("the browser's request has %d header fields, expected 10", n)
	}
	for _, c := range contenders {
		t.Run(c.name, func(t *testing.T) {
			w := httptest.NewRecorder()
			c.handler.ServeHTTP(w, browserRequest())
			if w.Code != 200 || w.Body.String() != string(hello) {
				t.Errorf("answer is %d with body %q, expected 200 with %q", w.Code, w.Body, hello)
			}
			for name, want := range map[string]string{"Content-Type": plainText, "Content-Length": strconv.Itoa(len(hello))} {
				if got := w.Header()[name]; !slices.Equal(got, []string{want}) {
					t.Errorf("%s is %q, expected %q", name, got, want)
				}
			}
			if n := len(w.Header()); n != 2 {
				t.Errorf("the head has %d fields, expected 2: %v", n, w.Header())
			}
		})
	}
}
