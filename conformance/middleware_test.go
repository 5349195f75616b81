package conformance_test

import (
	"bytes"
	"sync/atomic"
	"testing"

	"github.com/gowsgi/gowsgi/conformance"
	"github.com/gowsgi/gowsgi/wsgi"
)

// TestMiddleware runs the suite on middleware that keeps the contract.
func TestMiddleware(t *testing.T) {
	for _, sample := range []struct {
		name string
		m    wsgi.Middleware
	}{
		{"identity", func(app wsgi.Application) wsgi.Application { return app }},
		{"header", setHeader},
		{"uppercase", uppercase},
		{"counting", new(counter).middleware},
	} {
		t.Run(sample.name, func(t *testing.T) { conformance.TestMiddleware(t, sample.m) })
	}
}

// setHeader adds a header to every response and does not touch the body.
func setHeader(app wsgi.Application) wsgi.Application {
	return wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		return app.Call(environ, func(status string, headers wsgi.Headers, excInfo error) (wsgi.Write, error) {
			headers = headers.Clone()
			headers.SetDefault("X-Content-Type-Options", "nosniff")
			return start(status, headers, excInfo)
		})
	})
}

// uppercase transforms the body, and what is written.
func uppercase(app wsgi.Application) wsgi.Application {
	return wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		body, err := app.Call(environ, func(status string, headers wsgi.Headers, excInfo error) (wsgi.Write, error) {
			write, err := start(status, headers, excInfo)
			if err != nil {
				return nil, err
			}
			return func(block []byte) (int, error) { return write(bytes.ToUpper(block)) }, nil
		})
		if body == nil {
			return nil, err
		}
		return &upperBody{body}, err
	})
}

type upperBody struct{ wsgi.Iterable }

func (b *upperBody) Blocks(yield func([]byte, error) bool) {
	b.Iterable.Blocks(func(block []byte, err error) bool { return yield(bytes.ToUpper(block), err) })
}

// counter counts the bytes of all bodies.
type counter struct{ bytes atomic.Int64 }

func (c *counter) middleware(app wsgi.Application) wsgi.Application {
	return wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		body, err := app.Call(environ, func(status string, headers wsgi.Headers, excInfo error) (wsgi.Write, error) {
			write, err := start(status, headers, excInfo)
			if err != nil {
				return nil, err
			}
			return func(block []byte) (int, error) {
				n, err := write(block)
				c.bytes.Add(int64(n))
				return n, err
			}, nil
		})
		if body == nil {
			return nil, err
		}
		return &countedBody{body, c}, err
	})
}

type countedBody struct {
	wsgi.Iterable
	counter *counter
}

func (b *countedBody) Blocks(yield func([]byte, error) bool) {
	b.Iterable.Blocks(func(block []byte, err error) bool {
		b.counter.bytes.Add(int64(len(block)))
		return yield(block, err)
	})
}
