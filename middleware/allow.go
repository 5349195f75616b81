package middleware

import (
	"fmt"
	"mime"
	"slices"
	"strings"

	"github.com/gowsgi/gowsgi/wsgi"
)

// AllowMethods returns a middleware that answers 405 to requests by any other
// method than those listed, with the list in Allow. HEAD is allowed where GET is.
// Other requests go on to the application, whose status, headers and body stay as
// they are. No method, and what is no method, panic.
//
// Security: it looks at the method that it is called with, so inside MethodOverride
// it is the one that is meant.
func AllowMethods(methods ...string) wsgi.Middleware {
	methods = slices.Clone(methods)
	for _, method := range methods {
		if !isToken(method) {
			panic(fmt.Sprintf("middleware: AllowMethods: %q, expected a method such as GET", method))
		}
	}
	if len(methods) == 0 {
		panic("middleware: AllowMethods: there is no method, expected one such as GET")
	}
	if slices.Contains(methods, "GET") && !slices.Contains(methods, "HEAD") {
		methods = append(methods, "HEAD")
	}
	refusal := &HTTPError{Code: 405, Headers: wsgi.Headers{{Name: "Allow", Value: strings.Join(methods, ", ")}}}
	return func(next wsgi.Application) wsgi.Application {
		return wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			if !slices.Contains(methods, environ.Var("REQUEST_METHOD")) {
				return refusal.Call(environ, start)
			}
			return next.Call(environ, start)
		})
	}
}

// AllowContentType returns a middleware that answers 415 to requests whose body has
// another media type than those listed, such as "application/json", or none.
// Parameters, such as a charset, are not compared. Requests without a body, and those
// with a body that is allowed, go on to the application, whose status, headers and
// body stay as they are. No type, and what is no type, panic.
//
// A body of undeclared length counts as one, but for GET, HEAD, DELETE, OPTIONS and
// TRACE without a Content-Type, which have none as a rule and declare nothing.
//
// Security: forms of other sites have one of three types, so JSON alone keeps them
// out, but CrossOrigin is what is made for that.
func AllowContentType(types ...string) wsgi.Middleware {
	allowed := make([]string, len(types))
	for i, name := range types {
		family, sub, ok := strings.Cut(name, "/")
		if !ok || !isToken(family) || !isToken(sub) {
			panic(fmt.Sprintf("middleware: AllowContentType: %q, expected a type such as application/json", name))
		}
		allowed[i] = strings.ToLower(name)
	}
	if len(allowed) == 0 {
		panic("middleware: AllowContentType: there is no type, expected one such as application/json")
	}
	refusal := &HTTPError{Code: 415, Detail: "The type of the body is not accepted.", Headers: wsgi.Headers{{Name: "Accept", Value: strings.Join(allowed, ", ")}}}
	return func(next wsgi.Application) wsgi.Application {
		return wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			if hasBody(environ) {
				kind, _, err := mime.ParseMediaType(environ.Var("CONTENT_TYPE"))
				if err != nil || !slices.Contains(allowed, kind) {
					return refusal.Call(environ, start)
				}
			}
			return next.Call(environ, start)
		})
	}
}

// hasBody reports whether a request has a body, or may have one.
func hasBody(environ *wsgi.Environ) bool {
	if n, declared := environ.ContentLength(); declared {
		return n > 0
	}
	switch environ.Var("REQUEST_METHOD") {
	case "GET", "HEAD", "DELETE", "OPTIONS", "TRACE":
		return environ.Var("CONTENT_TYPE") != ""
	}
	return true
}
