package python_test

import (
	"context"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gowsgi/gowsgi/adapters/nethttp"
	"github.com/gowsgi/gowsgi/adapters/python"
	"github.com/gowsgi/gowsgi/middleware"
	"github.com/gowsgi/gowsgi/server"
)

// Django today, and one route of Go before it.
func ExampleStart() {
	pool, err := python.Start(context.Background(), python.Config{App: "mysite.wsgi:application", Processes: 4})
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()
	api := http.NewServeMux()
	api.HandleFunc("GET /status", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "fine\n") })
	site := middleware.Mount("/api", nethttp.Application(api))(pool)
	log.Print(server.ListenAndServe("127.0.0.1:8000", site))
}

// TestStrangler has Go answer below a path, and Python elsewhere.
func TestStrangler(t *testing.T) {
	s := open(t, config(t))
	api := http.NewServeMux()
	api.HandleFunc("GET /status", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "fine\n") })
	s.serve(middleware.Mount("/api", nethttp.Application(api))(s.pool))
	s.want("/api/status", 200, "fine\n")
	s.want("/hello", 200, "Hello, world!\n")
}

// TestOneRoute has Go answer for one method of one path, and ask Python, which answers
// for all others, who the visitor is.
func TestOneRoute(t *testing.T) {
	s := open(t, config(t))
	rest := server.Handler(s.pool)
	routes := http.NewServeMux()
	routes.HandleFunc("GET /echo", func(w http.ResponseWriter, r *http.Request) {
		ask := httptest.NewRequestWithContext(r.Context(), "GET", "/visitor", nil)
		ask.Header["Cookie"] = r.Header["Cookie"]
		answer := httptest.NewRecorder()
		rest.ServeHTTP(answer, ask)
		io.WriteString(w, "Go for "+answer.Body.String())
	})
	routes.Handle("/", rest)
	s.serve(nethttp.Application(routes))
	req, err := http.NewRequestWithContext(t.Context(), "GET", s.url+"/echo", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.AddCookie(&http.Cookie{Name: "session", Value: "ada"})
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if body, err := io.ReadAll(res.Body); string(body) != "Go for session=ada None" || err != nil {
		t.Errorf("got %q, %v, want what Python said of the cookie", body, err)
	}
	if a := s.do("POST", "/echo", strings.NewReader("a body")); a.status != 200 || a.body != "a body" {
		t.Errorf("got %d, %q, want that of Python", a.status, a.body)
	}
}

// TestRemoteUser: who was let in by a middleware of Go's is REMOTE_USER in Python, and
// no header of the client is.
func TestRemoteUser(t *testing.T) {
	s := open(t, config(t))
	s.serve(middleware.BasicAuth(middleware.BasicAuthConfig{Users: map[string]string{"ada": "secret"}})(s.pool))
	for name, test := range map[string]struct {
		password string
		status   int
		body     string
	}{"right": {"secret", 200, "None ada"}, "wrong": {"guess", 401, "Unauthorized\n"}} {
		t.Run(name, func(t *testing.T) {
			req, err := http.NewRequestWithContext(t.Context(), "GET", s.url+"/visitor", nil)
			if err != nil {
				t.Fatal(err)
			}
			req.SetBasicAuth("ada", test.password)
			req.Header["Remote_User"] = []string{"root"}
			req.Header.Set("Remote-User", "root")
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			if body, err := io.ReadAll(res.Body); res.StatusCode != test.status || string(body) != test.body || err != nil {
				t.Errorf("got %d, %q, %v, want %d, %q", res.StatusCode, body, err, test.status, test.body)
			}
		})
	}
}
