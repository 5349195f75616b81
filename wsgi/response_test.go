package wsgi_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/wsgi"
)

func TestResponse(t *testing.T) {
	tests := []struct {
		name string
		app  wsgi.Response
		want answer
	}{
		{
			"complete",
			wsgi.Response{Status: "404 Not Found", Headers: wsgi.Headers{{"A", "1"}}, Body: wsgi.Strings("gone", ".")},
			answer{Status: "404 Not Found", Headers: wsgi.Headers{{"A", "1"}}, Blocks: []string{"gone", "."}, Starts: 1},
		},
		{
			"no body",
			wsgi.Response{Status: "204 No Content"},
			answer{Status: "204 No Content", Starts: 1},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for range 2 { // a Response whose body can be iterated again can be called again
				if diff := cmp.Diff(tt.want, serve(tt.app, request("/"))); diff != "" {
					t.Errorf("answer (-want +got):\n%s", diff)
				}
			}
		})
	}

	t.Run("BODY-01/no body is an empty one", func(t *testing.T) {
		body, err := wsgi.Response{Status: "200 OK"}.Call(request("/"), accept)
		if body == nil || err != nil {
			t.Fatalf("Call = %v, %v; want an empty body", body, err)
		}
		if sized, ok := body.(wsgi.Sized); !ok || sized.Len() != 0 {
			t.Error("the empty body is not Sized with Len 0")
		}
	})

	t.Run("HDR-07/a server may change its list", func(t *testing.T) {
		app := wsgi.Response{Status: "200 OK", Headers: wsgi.Headers{{"A", "1"}, {"B", "2"}}}
		for range 2 {
			got := serve(app, request("/"))
			if diff := cmp.Diff(wsgi.Headers{{"A", "1"}, {"B", "2"}}, got.Headers); diff != "" {
				t.Fatalf("headers (-want +got):\n%s", diff)
			}
			got.Headers[0] = wsgi.Header{"Z", "overwritten"}
			got.Headers.Add("C", "3")
		}
	})

	t.Run("BODY-13/refused start closes the body", func(t *testing.T) {
		body := &closeCounter{Iterable: wsgi.Strings("never")}
		refused := errors.New("refused")
		got, err := wsgi.Response{Status: "200 OK", Body: body}.Call(request("/"),
			func(string, wsgi.Headers, error) (wsgi.Write, error) { return nil, refused })
		if err != refused || got != nil {
			t.Errorf("Call = %v, %v; want nil and the error of start_response (START-16)", got, err)
		}
		if body.closed != 1 {
			t.Errorf("closed %d times, want once", body.closed)
		}
	})

	t.Run("BODY-11/the server closes the body", func(t *testing.T) {
		body := &closeCounter{Iterable: wsgi.Strings("x")}
		serve(wsgi.Response{Status: "200 OK", Body: body}, request("/"))
		if body.closed != 1 {
			t.Errorf("closed %d times, want once, and by the server only", body.closed)
		}
	})
}

// accept is a startResponse that takes everything.
func accept(string, wsgi.Headers, error) (wsgi.Write, error) {
	return func(block []byte) (int, error) { return len(block), nil }, nil
}

// closeCounter counts Close; by embedding it loses Len like any middleware's
// body does.
type closeCounter struct {
	wsgi.Iterable
	closed int
}

func (c *closeCounter) Close() error {
	c.closed++
	return c.Iterable.Close()
}
