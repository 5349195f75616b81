package middleware

import (
	"bytes"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"

	"github.com/gowsgi/gowsgi/wsgi"
)

// MethodOverrideConfig holds the choices of MethodOverride.
type MethodOverrideConfig struct {
	// Header has the method that is meant; "" means X-HTTP-Method-Override, "-"
	// that no header is looked at.
	Header string

	// Field of a form has the method that is meant; "" means _method, "-" that
	// no body is looked at.
	Field string

	// Methods are those that a POST may become; none means PUT, PATCH and DELETE.
	Methods []string
}

// MethodOverride returns a middleware that lets forms of HTML, which know GET and
// POST, and clients behind old proxies, use other methods: a POST becomes the
// method that its header, or a field of its form, names. No other request is
// changed, and no method comes of it but those in Methods.
//
// The application gets a copy of the environ with the new REQUEST_METHOD. A form
// is read when it is url-encoded and has at most 64 KiB; the application gets
// its bytes again, and errors where they were. Status, headers and body of the
// response stay as they are. GET, HEAD, OPTIONS, TRACE and CONNECT in Methods
// panic.
//
// Security: a POST that became a GET would pass a check of POST further in, and
// its cache, so that is not possible. Checks of the method, such as CrossOrigin,
// go outside.
func MethodOverride(c MethodOverrideConfig) wsgi.Middleware {
	if c.Header == "" {
		c.Header = "X-HTTP-Method-Override"
	}
	if c.Field == "" {
		c.Field = "_method"
	}
	if c.Methods = slices.Clone(c.Methods); len(c.Methods) == 0 {
		c.Methods = []string{"PUT", "PATCH", "DELETE"}
	}
	for _, method := range c.Methods {
		if safe := []string{"GET", "HEAD", "OPTIONS", "TRACE", "CONNECT"}; !isToken(method) || slices.Contains(safe, strings.ToUpper(method)) {
			panic(fmt.Sprintf("middleware: MethodOverride: Methods has %q, expected a method that changes something", method))
		}
	}
	if c.Header != "-" && !isToken(c.Header) {
		panic(fmt.Sprintf("middleware: MethodOverride: the Header is %q, expected the name of a header", c.Header))
	}
	variable := headerVariable(c.Header)
	return func(next wsgi.Application) wsgi.Application {
		return wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			if environ.Var("REQUEST_METHOD") != "POST" {
				return next.Call(environ, start)
			}
			method := ""
			if c.Header != "-" {
				method = environ.Var(variable)
			}
			inner := environ.Clone()
			if method == "" && c.Field != "-" && isForm(environ) {
				method = formField(inner, c.Field)
			}
			if method = strings.ToUpper(method); slices.Contains(c.Methods, method) {
				inner.Set("REQUEST_METHOD", method)
			}
			return next.Call(inner, start)
		})
	}
}

// mostForm is how many bytes of a form are looked at.
const mostForm = 64 << 10

func isForm(environ *wsgi.Environ) bool {
	kind, _, _ := strings.Cut(environ.Var("CONTENT_TYPE"), ";")
	n, declared := environ.ContentLength()
	return strings.EqualFold(strings.TrimSpace(kind), "application/x-www-form-urlencoded") && !(declared && n > mostForm)
}

// formField returns the value of a field of the form, and leaves environ with an
// input that has the whole form.
func formField(environ *wsgi.Environ, name string) string {
	input := environ.Input()
	form, err := io.ReadAll(io.LimitReader(input, mostForm+1))
	environ.Set("wsgi.input", wsgi.NewInput(io.MultiReader(bytes.NewReader(form), input))) // where an error lasts
	if err != nil || len(form) > mostForm {
		return ""
	}
	for pair := range strings.SplitSeq(string(form), "&") {
		key, value, _ := strings.Cut(pair, "=")
		if key, err := url.QueryUnescape(key); err != nil || key != name {
			continue
		}
		value, _ = url.QueryUnescape(value)
		return value
	}
	return ""
}
