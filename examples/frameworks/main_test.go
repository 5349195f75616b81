package main

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/server"
	"github.com/gowsgi/gowsgi/wsgi"
)

// start serves app and returns its URL.
func start(t *testing.T, app wsgi.Application) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server.Server{App: app, Errors: io.Discard}
	stopped := make(chan error, 1)
	go func() { stopped <- s.Serve(l) }()
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		if err := s.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		if err := <-stopped; err != http.ErrServerClosed {
			t.Errorf("Serve returned %v", err)
		}
	})
	return "http://" + l.Addr().String()
}

type answer struct {
	Status    int
	Type      string
	Framework string
	PoweredBy string
	Body      string
}

func take(t *testing.T, resp *http.Response, err error) answer {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	mediaType, _, _ := strings.Cut(resp.Header.Get("Content-Type"), ";")
	return answer{resp.StatusCode, mediaType, resp.Header.Get("X-Framework"), resp.Header.Get("X-Powered-By"), string(body)}
}

var frameworks = []string{"chi", "gin", "echo", "mux", "wsgi"}

// TestSideBySide: all of them answer alike.
func TestSideBySide(t *testing.T) {
	url := start(t, application(func() {}))
	for _, name := range frameworks {
		t.Run(name, func(t *testing.T) {
			base := url + "/" + name
			for _, test := range []struct {
				path, body string // a body makes it a POST
				want       answer
			}{
				{"/hello/world", "", answer{200, "text/plain", name, "gowsgi", "Hello, world!\n"}},
				{"/hello/J%C3%BCrgen", "", answer{200, "text/plain", name, "gowsgi", "Hello, Jürgen!\n"}},
				{"/sum", `{"a": 40, "b": 2}`, answer{200, "application/json", name, "gowsgi", `{"sum":42}`}},
				{"/count/3", "", answer{200, "text/plain", name, "gowsgi", "1\n2\n3\n"}},
				{"/count/x", "", answer{400, "text/plain", name, "gowsgi", "not a number\n"}},
				{"/static/note.txt", "", answer{200, "text/plain", name, "gowsgi", "The same file, whoever serves it.\n"}},
			} {
				var got answer
				if test.body == "" {
					resp, err := http.Get(base + test.path)
					got = take(t, resp, err)
				} else {
					resp, err := http.Post(base+test.path, "application/json", strings.NewReader(test.body))
					got = take(t, resp, err)
				}
				if got.Type == "application/json" {
					got.Body = strings.TrimSpace(got.Body)
				}
				if diff := cmp.Diff(test.want, got); diff != "" {
					t.Errorf("%s (-want +got):\n%s", test.path, diff)
				}
			}
			resp, err := http.Post(base+"/sum", "application/json", strings.NewReader("{"))
			if got := take(t, resp, err); got.Status != 400 {
				t.Errorf("broken JSON is answered %d", got.Status)
			}
			for _, path := range []string{"", "/", "/none", "/hello", "/static/none.txt"} {
				resp, err := http.Get(base + path)
				if got := take(t, resp, err); got.Status != 404 || got.PoweredBy != "gowsgi" {
					t.Errorf("%s is answered %+v, want a 404", path, got)
				}
			}
		})
	}
}

func TestNobody(t *testing.T) {
	url := start(t, application(func() {}))
	for _, path := range []string{"", "/", "/none", "/chiX", "//chi"} {
		resp, err := http.Get(url + path)
		want := answer{404, "text/plain", "", "gowsgi", "There is nothing here.\n"}
		if diff := cmp.Diff(want, take(t, resp, err)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
}

// TestStreaming: a line is with the client before the next one is made.
func TestStreaming(t *testing.T) {
	seen := make(chan struct{})
	url := start(t, application(func() { <-seen }))
	for _, name := range frameworks {
		t.Run(name, func(t *testing.T) {
			resp, err := http.Get(url + "/" + name + "/count/3")
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			var got []string
			for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
				if got = append(got, lines.Text()); len(got) < 3 {
					seen <- struct{}{}
				}
			}
			if diff := cmp.Diff([]string{"1", "2", "3"}, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
