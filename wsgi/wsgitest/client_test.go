package wsgitest_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/server/gateway"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

// redirects answers /CODE/TARGET with a redirect of that code to TARGET, and
// everything else with what it was sent.
func redirects(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
	code, to, _ := strings.Cut(strings.TrimPrefix(environ.Var("PATH_INFO"), "/"), "/")
	if !strings.HasPrefix(code, "30") {
		return show("REQUEST_METHOD", "wsgi.url_scheme", "HTTP_HOST", "REQUEST_URI", "CONTENT_TYPE", "HTTP_X_A")(environ, start)
	}
	return wsgi.Response{Status: code + " Moved", Headers: wsgi.Headers{{Name: "Location", Value: to}}}.Call(environ, start)
}

func TestClientRedirects(t *testing.T) {
	post := func(target string) *wsgitest.Request {
		return wsgitest.NewRequest("POST", target).Content("text/plain", "hello").With("X-A", "1")
	}
	const got = "GET\nhttp\n127.0.0.1\n/end\n-\n1\n"
	const posted = "POST\nhttp\n127.0.0.1\n/end\ntext/plain\n1\nhello"
	tests := []struct {
		name    string
		request *wsgitest.Request
		code    int
		body    string
		hops    int
	}{
		{"none", post("/end"), 200, posted, 0},
		{"301", post("/301//end"), 200, got, 1},
		{"302", post("/302//end"), 200, got, 1},
		{"303", post("/303//end"), 200, got, 1},
		{"307", post("/307//end"), 200, posted, 1},
		{"308", post("/308//end"), 200, posted, 1},
		{"HEAD", wsgitest.NewRequest("HEAD", "/303//end"), 200, "", 1},
		{"300 is no redirect", post("/300//end"), 300, "", 0},
		{"relative", post("/302/..%2Fend%23fragment"), 200, "GET\nhttp\n127.0.0.1\n/end\n-\n1\n", 1},
		{"chain", post("/302//302//302//end"), 200, got, 3},
		{"another port", post("/302/http:%2F%2F127.0.0.1:8080%2Fend"), 200, "GET\nhttp\n127.0.0.1:8080\n/end\n-\n1\n", 1},
		{"to https", post("/302/https:%2F%2F127.0.0.1%2Fend"), 200, "GET\nhttps\n127.0.0.1\n/end\n-\n1\n", 1},
		{"another host", post("/302/http:%2F%2Fother.example%2F"), 302, "", 0},
		{"not a URL", post("/302/%25zz"), 302, "", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			res := wsgitest.NewClient(t, wsgi.AppFunc(redirects)).Do(tt.request)
			if res.Code != tt.code || res.Text() != tt.body || len(res.History) != tt.hops {
				t.Errorf("got %d %q after %d redirects; expected %d %q after %d",
					res.Code, res.Text(), len(res.History), tt.code, tt.body, tt.hops)
			}
		})
	}
	t.Run("without", func(t *testing.T) {
		client := wsgitest.NewClient(t, wsgi.AppFunc(redirects))
		client.MaxRedirects = -1
		if res := client.Get("/302//end"); res.Code != 302 || res.Err != nil {
			t.Errorf("got %d, error %v; expected 302", res.Code, res.Err)
		}
	})
	t.Run("out of the mount point", func(t *testing.T) {
		client := wsgitest.NewClient(t, wsgi.AppFunc(redirects))
		client.Base = "http://h.example/app"
		if res := client.Get("/app/302//end"); res.Code != 302 {
			t.Errorf("got %d, expected 302", res.Code)
		}
		if res := client.Get("/app/302//app"); res.Code != 200 {
			t.Errorf("got %d, expected 200 from the mount point", res.Code)
		}
		if res := client.Get("/app/302//app/end"); res.Code != 200 || !strings.Contains(res.Text(), "/app/end") {
			t.Errorf("got %d %q, expected 200 from /app/end", res.Code, res.Text())
		}
	})
}

// A redirect that was cut was not understood.
func TestClientRedirectCut(t *testing.T) {
	client := wsgitest.NewClient(nil, wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		return wsgi.Response{
			Status: "302 Moved", Headers: wsgi.Headers{{Name: "Location", Value: "/end"}, {Name: "Content-Length", Value: "9"}}, Body: wsgi.Strings("x"),
		}.Call(environ, start)
	}))
	if res := client.Get("/"); res.Code != 302 || !errors.Is(res.Err, gateway.ErrCut) || len(res.History) > 0 {
		t.Errorf("got %d, %v after %d redirects, expected a 302 that was cut", res.Code, res.Err, len(res.History))
	}
}

// What the jar has is added to each request on the way, and once.
func TestClientRedirectCookies(t *testing.T) {
	client := wsgitest.NewClient(t, wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		if environ.Var("PATH_INFO") == "/end" {
			return show("HTTP_COOKIE")(environ, start)
		}
		headers := wsgi.Headers{{Name: "Set-Cookie", Value: "a=1; Path=/"}, {Name: "Location", Value: "/end"}}
		return wsgi.Response{Status: "302 Moved", Headers: headers}.Call(environ, start)
	}))
	for range 2 {
		if got := client.Get("/").Text(); got != "a=1\n" {
			t.Errorf("Cookie is %q, expected a=1", got)
		}
	}
}

func TestClientRedirectErrors(t *testing.T) {
	loop := wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		to := "/a"
		if environ.Var("PATH_INFO") == to {
			to = "/b"
		}
		return wsgi.Response{Status: "307 Moved", Headers: wsgi.Headers{{Name: "Location", Value: to}}}.Call(environ, start)
	})
	outcome := new(fakeT)
	client := wsgitest.NewClient(outcome, loop)
	client.MaxRedirects = 3
	res := client.Get("/a")
	want := "3 redirects did not end: /a -> /b -> /a -> /b -> /a"
	if !errors.Is(res.Err, wsgitest.ErrRedirects) || !strings.Contains(res.Err.Error(), want) || len(res.History) != 3 {
		t.Errorf("error %v after %d redirects, expected %q after 3", res.Err, len(res.History), want)
	}
	if len(outcome.failures) != 1 {
		t.Errorf("the test's failures are %q, expected one", outcome.failures)
	}
	res = client.Do(&wsgitest.Request{Method: "POST", Target: "/a", Stream: strings.NewReader("x"), ExpectErrors: true})
	if !errors.Is(res.Err, wsgitest.ErrRedirects) || len(outcome.failures) != 1 {
		t.Errorf("error %v, failures %q; expected ErrRedirects and no further one", res.Err, outcome.failures)
	}
}

// counter counts visits in a cookie.
func counter(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
	n := 0
	fmt.Sscanf(environ.Var("HTTP_COOKIE"), "n=%d", &n)
	cookie := fmt.Sprintf("n=%d; Path=/", n+1)
	return wsgi.Response{
		Status:  "200 OK",
		Headers: wsgi.Headers{{Name: "Set-Cookie", Value: cookie}, {Name: "Set-Cookie", Value: "s=1; Secure; Path=/only"}},
		Body:    wsgi.Strings(environ.Var("HTTP_COOKIE")),
	}.Call(environ, start)
}

func TestClientCookies(t *testing.T) {
	client := wsgitest.NewClient(t, wsgi.AppFunc(counter))
	var got []string
	for _, target := range []string{"/", "/", "https://h.example/only", "https://h.example/only", "http://h.example/only"} {
		got = append(got, client.Get(target).Text())
	}
	if diff := cmp.Diff([]string{"", "n=1", "", "s=1; n=1", "n=1"}, got); diff != "" {
		t.Errorf("Cookie headers (-want +got):\n%s", diff)
	}
	res := client.Do(get().Cookie("own", "x"))
	if !strings.HasPrefix(res.Text(), "own=x; n=") {
		t.Errorf("Cookie is %q, expected the request's own and the jar's", res.Text())
	}
	if res := (&wsgitest.Client{App: wsgi.AppFunc(counter)}).Get("/"); res.Text() != "" {
		t.Errorf("Cookie is %q without a jar", res.Text())
	}
}

func TestClientDefaults(t *testing.T) {
	app := show("wsgi.url_scheme", "HTTP_HOST", "SCRIPT_NAME", "PATH_INFO", "HTTP_X_A", "HTTP_X_B", "REMOTE_USER")
	client := wsgitest.NewClient(t, app)
	client.Base = "https://shop.example/app/"
	client.Headers = wsgi.Headers{{Name: "X-A", Value: "1"}, {Name: "X-A", Value: "2"}, {Name: "X-B", Value: "3"}}
	client.Prepare = func(r *wsgitest.Request) { r.Extra = map[string]any{"REMOTE_USER": "ada"} }
	req := wsgitest.NewRequest("GET", "/app/cart").With("X-B", "4")
	if got, want := client.Do(req).Text(), "https\nshop.example\n/app\n/cart\n1, 2\n4\nada\n"; got != want {
		t.Errorf("got %q, expected %q", got, want)
	}
	if req.Extra != nil || len(req.Headers) != 1 {
		t.Error("the request was changed, expected a copy to be")
	}
	client.Headers.Add("Host", "www.example")
	if got, want := client.Do(req).Text(), "https\nwww.example\n/app\n/cart\n1, 2\n4\nada\n"; got != want {
		t.Errorf("with a Host of the client's: got %q, expected %q", got, want)
	}
	if got, want := client.Do(wsgitest.NewRequest("OPTIONS", "http://h.example/app")).Text(), "http\nh.example\n/app\n\n1, 2\n3\nada\n"; got != want {
		t.Errorf("got %q, expected %q", got, want)
	}
}

func TestClientMethods(t *testing.T) {
	client := wsgitest.NewClient(t, show("REQUEST_METHOD", "CONTENT_TYPE"))
	values := url.Values{"a": {"1"}}
	for want, res := range map[string]*wsgitest.Response{
		"GET\n-\n":                client.Get("/"),
		"":                        client.Head("/"),
		"POST\ntext/plain\nhello": client.Post("/", "text/plain", "hello"),
		"POST\napplication/x-www-form-urlencoded\na=1":               client.PostForm("/", values),
		"POST\napplication/json\n[1]":                                client.PostJSON("/", []int{1}),
		"POST\nmultipart/form-data; boundary=wsgitest-boundary-0\n-": client.PostMultipart("/", values),
	} {
		if got := res.Text(); got != want && !(strings.HasSuffix(want, "-") && strings.HasPrefix(got, want)) {
			t.Errorf("got %q, expected %q", got, want)
		}
	}
}

func TestClientConcurrent(t *testing.T) {
	client := wsgitest.NewClient(t, wsgi.AppFunc(redirects))
	client.Headers = wsgi.Headers{{Name: "X-A", Value: "1"}}
	req := wsgitest.NewRequest("POST", "/307//end").Content("text/plain", "hello")
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			if res := client.Do(req); !strings.HasSuffix(res.Text(), "1\nhello") {
				t.Errorf("got %q", res.Text())
			}
		})
	}
	group.Wait()
}

// The same client runs over a network.
func TestClientLive(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, err := r.Cookie("seen"); err == nil {
			fmt.Fprint(w, c.Value)
			return
		}
		http.SetCookie(w, &http.Cookie{Name: "seen", Value: "yes"})
		http.Redirect(w, r, "/", http.StatusSeeOther)
	}))
	defer server.Close()
	client := wsgitest.NewClient(t, nil)
	client.Send = wsgitest.Live("tcp", server.Listener.Addr().String())
	if res := client.PostForm("/", nil); res.Text() != "yes" || len(res.History) != 1 {
		t.Errorf("got %q after %d redirects, expected yes after 1", res.Text(), len(res.History))
	}
}
