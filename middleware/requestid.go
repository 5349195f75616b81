package middleware

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/gowsgi/gowsgi/wsgi"
)

// RequestIDConfig holds the choices of RequestID.
type RequestIDConfig struct {
	// Header is the field that carries the id, in the request and in the
	// response; "" means X-Request-ID.
	Header string

	// Ignore gives every request a new id, whatever it came with.
	Ignore bool

	// New makes an id; nil means 26 random letters and digits, 128 bits of them,
	// which is enough to be unique and is no secret.
	New func() string
}

// requestIDKey is the variable with the id.
const requestIDKey = "gowsgi.request_id"

type requestIDContext struct{}

// RequestID returns a middleware that gives each request an id: the one that it
// came with, when that is from 1 to 128 letters, digits and -._~+/=: in ASCII, or
// a new one. The application finds it by RequestIDOf in its context, in the
// variable gowsgi.request_id, and in that of the header, from which anything else
// is gone. The response carries it as well.
//
// It sets one header, in the place of one of the same name that the application
// gives, and leaves status and body as they are. A Header that is no name of a
// field panics.
//
// Security: an id that the client chose is unique only if the client wants it to
// be. Where that matters, set Ignore, or have the proxy in front set the header.
// What is accepted can be written to a log as it is.
func RequestID(c RequestIDConfig) wsgi.Middleware {
	if c.Header == "" {
		c.Header = "X-Request-Id" // as net/http would spell it, which spares it the work
	}
	if err := (wsgi.Headers{{Name: c.Header}}).Validate(); err != nil {
		panic(fmt.Sprintf("middleware: RequestID: the Header is %q: %v", c.Header, err))
	}
	if c.New == nil {
		c.New = newRequestID
	}
	variable := headerVariable(c.Header)
	return func(next wsgi.Application) wsgi.Application {
		return wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			id := environ.Var(variable)
			if c.Ignore || !isRequestID(id) {
				id = c.New()
			}
			r := &identified{Context: environ.Context(), id: id, header: c.Header, start: start}
			environ.CloneInto(&r.inner, r)
			r.inner.Set(requestIDKey, r.id)
			r.inner.Set(variable, r.id)
			return next.Call(&r.inner, r.startResponse)
		})
	}
}

// identified is a request that has an id. It is its own context, which is a
// context.WithValue, in one piece with what the response needs.
type identified struct {
	context.Context
	id     any // a string, boxed once for all who ask
	header string
	start  wsgi.StartResponse
	inner  wsgi.Environ
}

func (r *identified) Value(key any) any {
	if key == (requestIDContext{}) {
		return r.id
	}
	return r.Context.Value(key)
}

func (r *identified) startResponse(status string, headers wsgi.Headers, excInfo error) (wsgi.Write, error) {
	id, _ := r.id.(string)
	all := append(make(wsgi.Headers, 0, len(headers)+1), headers...)
	all.Set(r.header, id)
	return r.start(status, all, excInfo)
}

// RequestIDOf returns the id that RequestID has given to the request of ctx, ""
// for none.
func RequestIDOf(ctx context.Context) string {
	id, _ := ctx.Value(requestIDContext{}).(string)
	return id
}

func isRequestID(s string) bool {
	if s == "" || len(s) > 128 {
		return false
	}
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case c == '-', c == '.', c == '_', c == '~', c == '+', c == '/', c == '=', c == ':':
		default:
			return false
		}
	}
	return true
}

// newRequestID makes an id of the random numbers of the runtime, which are as good
// as those of package crypto/rand here and take a tenth of the time.
func newRequestID() string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
	var id [26]byte
	high, low := rand.Uint64(), rand.Uint64()
	for i := range id[:13] {
		id[i], id[13+i] = letters[high%32], letters[low%32]
		high, low = high/32, low/32
	}
	return string(id[:])
}
