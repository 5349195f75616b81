package wsgitest_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

// seen is what an http.Handler can see of a request.
type seen struct {
	Method, Proto, Host, Path, RawQuery, RequestURI, Body string
	Length                                                int64
	TransferEncoding                                      []string
	Header                                                http.Header
}

func see(r *http.Request) seen {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		body = append(body, err.Error()...)
	}
	return seen{r.Method, r.Proto, r.Host, r.URL.Path, r.URL.RawQuery, r.RequestURI, string(body),
		r.ContentLength, r.TransferEncoding, r.Header}
}

func httpRequests() map[string]*wsgitest.Request {
	return map[string]*wsgitest.Request{
		"zero":   {},
		"form":   wsgitest.NewRequest("POST", "http://h.example/a%2Fb?q=%20").Content("text/plain", "hello"),
		"stream": {Method: "PUT", Stream: strings.NewReader("hello")},
		"empty":  {Method: "PUT", Body: []byte{}},
		"cut":    (&wsgitest.Request{Body: []byte("hello")}).With("Content-Length", "9"),
		"fields": get().With("x-a", "1").With("X-A", " 2").With("Cookie", "a=1").With("Cookie", "b=2"),
		"old":    {Proto: "HTTP/1.0"},
	}
}

// Request.HTTP makes what net/http's server makes of the same request.
func TestRequestHTTP(t *testing.T) {
	var live seen
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { live = see(r) }))
	defer server.Close()
	send := wsgitest.Live("tcp", server.Listener.Addr().String())
	again := httpRequests()
	for name, req := range httpRequests() {
		t.Run(name, func(t *testing.T) {
			if res := send(req); res.Err != nil {
				t.Fatal(res.Err)
			}
			if diff := cmp.Diff(live, see(again[name].HTTP())); diff != "" {
				t.Errorf("(-live +HTTP):\n%s", diff)
			}
		})
	}
}

// From HTTP and back nothing is lost that HTTP has.
func TestFromHTTP(t *testing.T) {
	again := httpRequests()
	for name, req := range httpRequests() {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(see(req.HTTP()), see(wsgitest.FromHTTP(again[name].HTTP()).HTTP())); diff != "" {
				t.Errorf("(-before +after):\n%s", diff)
			}
		})
	}
}

func TestFromHTTPClient(t *testing.T) {
	r, err := http.NewRequest("POST", "https://h.example:99/a%2Fb?q", strings.NewReader("hello"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-A", "1")
	app := show("REQUEST_METHOD", "wsgi.url_scheme", "HTTP_HOST", "REQUEST_URI", "CONTENT_LENGTH", "HTTP_X_A")
	res := wsgitest.Do(t, app, wsgitest.FromHTTP(r))
	if want := "POST\nhttps\nh.example:99\n/a%2Fb?q\n5\n1\nhello"; res.Text() != want {
		t.Errorf("got %q, expected %q", res.Text(), want)
	}
}

func TestResponseHTTP(t *testing.T) {
	headers := append(length("9"), wsgi.Header{Name: "Set-Cookie", Value: "a=1"}, wsgi.Header{Name: "Set-Cookie", Value: "b=2"})
	h := wsgitest.Record(answer("200 Fine", headers, generate("hello")), get()).HTTP()
	body, err := io.ReadAll(h.Body)
	if h.Status != "200 Fine" || h.StatusCode != 200 || h.ContentLength != 9 || len(h.Cookies()) != 2 ||
		string(body) != "hello" || err != io.ErrUnexpectedEOF {
		t.Errorf("got %s %d, length %d, %d cookies, body %q, error %v",
			h.Status, h.StatusCode, h.ContentLength, len(h.Cookies()), body, err)
	}
	h = wsgitest.Do(t, answer("200 OK", text, generate("hello")), get()).HTTP()
	if body, err := io.ReadAll(h.Body); string(body) != "hello" || err != nil || h.ContentLength != -1 {
		t.Errorf("got body %q, error %v, length %d", body, err, h.ContentLength)
	}
}
