package adaptertest

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/internal/forward"
	"github.com/gowsgi/gowsgi/server"
	"github.com/gowsgi/gowsgi/wsgi"
)

// Client is the Client of an adapter, and a backend for it.
type Client struct {
	Protocol string // "fastcgi", "scgi", "uwsgi" or "http"

	// New returns the client: a *Client of the adapter, see SetClient.
	New func(o forward.Options) wsgi.Application

	// Serve runs a backend that keeps to the protocol for the time of the test,
	// and returns where.
	Serve func(t testing.TB, app wsgi.Application, network string) (addr string)
}

// SetClient sets the fields of an adapter's Client that o has too.
func SetClient[C any](client *C, o forward.Options) *C {
	to, from := reflect.ValueOf(client).Elem(), reflect.ValueOf(o)
	for field, value := range from.Fields() {
		if f := to.FieldByName(field.Name); f.IsValid() {
			f.Set(value)
		}
	}
	if len(o.Addrs) > 0 {
		to.FieldByName("Addr").SetString(o.Addrs[0])
		to.FieldByName("Addrs").Set(reflect.ValueOf(o.Addrs[1:]))
	}
	return client
}

// front serves app over HTTP, and returns its URL.
func front(t testing.TB, app wsgi.Application) string {
	t.Helper()
	return Front(t, &server.Server{App: app, Logger: Silent})
}

// Front serves a client over HTTP for the time of the test, and returns the
// URL. The connections to backends are closed last: until the last request has
// ended, one may become idle.
func Front(t testing.TB, s *server.Server) (url string) {
	t.Helper()
	if idle, ok := s.App.(interface{ CloseIdleConnections() }); ok {
		t.Cleanup(idle.CloseIdleConnections)
	}
	addr := Serve(t, s, "tcp")
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), Patience)
		defer cancel()
		if err := s.Shutdown(ctx); err != nil {
			t.Errorf("requests do not end: %v", err)
		}
	})
	return "http://" + addr
}

// behind serves app as a backend, and the client before it.
func (c Client) behind(t testing.TB, o forward.Options, app wsgi.AppFunc) (url string) {
	t.Helper()
	if o.Network == "" {
		o.Network = "tcp"
	}
	if o.Logger == nil {
		o.Logger = Silent
	}
	o.Addrs = append([]string{c.Serve(t, app, o.Network)}, o.Addrs...)
	return front(t, c.New(o))
}

// answer is what a client of HTTP got.
type answer struct {
	Code   int
	Header http.Header
	Body   string
	Err    error // of reading the body
}

func ask(t testing.TB, method, url string, body io.Reader, headers ...string) answer {
	t.Helper()
	q, err := http.NewRequest(method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		q.Header.Add(headers[i], headers[i+1])
	}
	r, err := client().Do(q)
	if err != nil {
		t.Errorf("%s %s: %v", method, url, err)
		return answer{}
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	return answer{r.StatusCode, r.Header, string(text), err}
}

func (a answer) expect(t testing.TB, what string, code int, body string) {
	t.Helper()
	if a.Code != code || a.Body != body || a.Err != nil {
		t.Errorf("%s is answered by %d %.100q, %v, expected %d %.100q", what, a.Code, a.Body, a.Err, code, body)
	}
}

// Test tests what is the same of all clients.
func (c Client) Test(t *testing.T) {
	for name, test := range map[string]func(*testing.T){
		"round trips": c.roundTrips,
		"unix":        c.overUnix,
		"variables":   c.forwards,
		"streams":     c.streams,
		"uploads":     c.uploads,
		"early":       c.early,
		"client left": c.left,
		"cut":         c.cut,
		"cut upload":  c.cutUpload,
		"short body":  c.shortBody,
		"failures":    c.failures,
		"busy":        c.busy,
		"balance":     c.balance,
		"health":      c.health,
		"innocent":    c.innocent,
		"no address":  c.noAddress,
	} {
		t.Run(name, func(t *testing.T) {
			Leaks(t)
			test(t)
		})
	}
}

// repeat answers with the request body.
func repeat(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
	b, err := io.ReadAll(environ.Input())
	if err != nil {
		return nil, err
	}
	headers := wsgi.Headers{{Name: "Content-Type", Value: "text/x"}, {Name: "Set-Cookie", Value: "a=1"}, {Name: "Set-Cookie", Value: "b=2"},
		{Name: "X-Length", Value: environ.Var("CONTENT_LENGTH")}, {Name: "X-Method", Value: environ.Var("REQUEST_METHOD")}}
	return wsgi.Response{Status: "201 Made", Headers: headers, Body: wsgi.Bytes(b)}.Call(environ, start)
}

func (c Client) roundTrips(t *testing.T) {
	url := c.behind(t, forward.Options{}, repeat)
	large := strings.Repeat("0123456789abcdef", 64<<10)
	for _, method := range []string{"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH"} {
		a := ask(t, method, url+"/x", nil)
		a.expect(t, method, 201, "")
		if diff := cmp.Diff([]string{"a=1", "b=2"}, a.Header["Set-Cookie"]); diff != "" || a.Header.Get("X-Method") != method {
			t.Errorf("%s: headers are %v", method, a.Header)
		}
	}
	ask(t, "POST", url, strings.NewReader("small")).expect(t, "a small body", 201, "small")
	ask(t, "POST", url, strings.NewReader(large)).expect(t, "a large body", 201, large)
	ask(t, "POST", url, io.MultiReader(strings.NewReader("chunked "), strings.NewReader("body"))).expect(t, "a body in chunks", 201, "chunked body")
	ask(t, "POST", url, io.MultiReader(strings.NewReader(large))).expect(t, "a large body in chunks", 201, large)
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			text := strings.Repeat(fmt.Sprint(i), 10000)
			ask(t, "POST", url, strings.NewReader(text)).expect(t, "one of many at once", 201, text)
		})
	}
	all.Wait()
}

func (c Client) overUnix(t *testing.T) {
	url := c.behind(t, forward.Options{Network: "unix"}, repeat)
	ask(t, "POST", url, strings.NewReader("text")).expect(t, "a request", 201, "text")
}

// forwards: what the application behind the client is told of the request.
func (c Client) forwards(t *testing.T) {
	url := c.behind(t, forward.Options{Environ: map[string]string{"DEPLOYED": "yes"}}, func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		text := ""
		for _, name := range []string{"REQUEST_METHOD", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "CONTENT_TYPE", "REMOTE_ADDR",
			"HTTP_X_TWICE", "HTTP_COOKIE", "HTTP_HOST", "HTTP_PROXY", "HTTP_X_HOP", "HTTP_UPGRADE", "HTTP_EXPECT", "HTTP_TE", "DEPLOYED"} {
			if value, ok := environ.Lookup(name); ok {
				text += fmt.Sprintf("%s=%s\n", name, value)
			}
		}
		return respond(text)(environ, start)
	})
	a := ask(t, "POST", url+"/a%20b%2Fc//d?q=%20&r", strings.NewReader("x"), "Content-Type", "text/y", "X-Twice", "1", "X-Twice", "2",
		"Cookie", "a=1", "Cookie", "b=2", "Proxy", "evil", "Connection", "X-Hop, close", "X-Hop", "hidden", "Te", "trailers")
	want := "REQUEST_METHOD=POST\nSCRIPT_NAME=\nPATH_INFO=/a b/c//d\nQUERY_STRING=q=%20&r\nCONTENT_TYPE=text/y\nREMOTE_ADDR=127.0.0.1\n" +
		"HTTP_X_TWICE=1, 2\nHTTP_COOKIE=a=1; b=2\nHTTP_HOST=" + strings.TrimPrefix(url, "http://") + "\nDEPLOYED=yes\n"
	if c.Protocol == "http" { // which has no variables of the deployer's, and whose Te: trailers is the proxy's own
		want = strings.Replace(strings.Replace(want, "DEPLOYED=yes\n", "", 1), "REMOTE_ADDR=127.0.0.1\n", "REMOTE_ADDR=127.0.0.1\n", 1)
		a.Body = strings.Replace(a.Body, "HTTP_TE=trailers\n", "", 1)
	}
	if diff := cmp.Diff(want, a.Body); diff != "" {
		t.Errorf("variables (-want +got):\n%s", diff)
	}
}

// streams: a block is at the client before the next is asked for.
func (c Client) streams(t *testing.T) {
	step := make(chan bool)
	url := c.behind(t, forward.Options{}, func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		start("200 OK", wsgi.Headers{{Name: "Content-Type", Value: "text/plain"}}, nil)
		return wsgi.Generator(func(yield func([]byte, error) bool) {
			for range 3 {
				if !yield([]byte("block\n"), nil) {
					return
				}
				<-step
			}
		}), nil
	})
	r, err := client().Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	b := make([]byte, 6)
	for range 3 {
		if _, err := io.ReadFull(r.Body, b); err != nil || string(b) != "block\n" {
			t.Fatalf("a block came as %q, %v", b, err)
		}
		step <- true
	}
	if rest, err := io.ReadAll(r.Body); len(rest) > 0 || err != nil {
		t.Errorf("after the stream: %q, %v", rest, err)
	}
}

// noAddress: what makes no sense is said.
func (c Client) noAddress(t *testing.T) {
	if _, err := c.New(forward.Options{}).Call(wsgi.EnvironFromMap(nil), nil); err == nil || !strings.Contains(err.Error(), "address") {
		t.Errorf("a client without an address says %v", err)
	}
}
