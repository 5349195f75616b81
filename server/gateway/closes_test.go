package gateway_test

import (
	"testing"

	"github.com/gowsgi/gowsgi/server/gateway"
	"github.com/gowsgi/gowsgi/wsgi"
)

// closesTransport asks at the end of a response.
type closesTransport struct {
	x      *gateway.Exchange
	closes []bool
}

func (*closesTransport) Head(int, string, wsgi.Headers) error { return nil }

func (*closesTransport) Block([]byte) error { return nil }

func (t *closesTransport) End() error {
	t.closes = append(t.closes, t.x.Closes())
	return nil
}

// A body whose Close does something is not held to be closed when the response
// ends, whatever it is made of.
func TestCloses(t *testing.T) {
	block := wsgi.Bytes([]byte("x"))
	for name, tt := range map[string]struct {
		body wsgi.Iterable
		want bool
	}{
		"one block":   {block, false},
		"generator":   {wsgi.Generator(func(yield func([]byte, error) bool) { yield([]byte("x"), nil) }), true},
		"wrapped":     {struct{ wsgi.Iterable }{block}, true},
		"two strings": {wsgi.Strings("x", "y"), true},
	} {
		t.Run(name, func(t *testing.T) {
			x := &gateway.Exchange{Source: variables{}, Method: "GET", Scheme: "http"}
			transport := &closesTransport{x: x}
			x.Transport = transport
			err := new(gateway.Gateway).Serve(t.Context(), wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
				_, err := start("200 OK", nil, nil)
				return tt.body, err
			}), x)
			if err != nil || len(transport.closes) != 1 || transport.closes[0] != tt.want {
				t.Errorf("Serve returned %v, and Closes %v, expected %t once", err, transport.closes, tt.want)
			}
		})
	}
}
