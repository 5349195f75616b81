package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/gowsgi/gowsgi/wsgi"
)

// plain is what the others are, written to the contract itself.
type plain struct{ pause func() }

func (p plain) Call(environ *wsgi.Environ, startResponse wsgi.StartResponse) (wsgi.Iterable, error) {
	start := func(status string, headers wsgi.Headers, excInfo error) (wsgi.Write, error) {
		headers.Add("X-Framework", "wsgi")
		return startResponse(status, headers, excInfo)
	}
	return p.route(environ).Call(environ, start)
}

// route returns the application that answers the request.
func (p plain) route(environ *wsgi.Environ) wsgi.Application {
	method, name := environ.Var("REQUEST_METHOD"), environ.ShiftPathInfo()
	get := method == "GET" || method == "HEAD" // of which the server discards the body
	switch {
	case name == "hello" && get:
		if who := environ.ShiftPathInfo(); who != "" {
			return text("200 OK", "Hello, "+who+"!\n")
		}
	case name == "sum" && method == "POST":
		return wsgi.AppFunc(plainSum)
	case name == "count" && get:
		return p.count(environ.ShiftPathInfo())
	case name == "static" && get:
		return wsgi.AppFunc(plainFile)
	}
	return notFound
}

func plainSum(environ *wsgi.Environ, startResponse wsgi.StartResponse) (wsgi.Iterable, error) {
	var in numbers
	if err := json.NewDecoder(environ.Input()).Decode(&in); err != nil {
		return text("400 Bad Request", err.Error()+"\n").Call(environ, startResponse)
	}
	body, err := json.Marshal(result{in.A + in.B})
	if err != nil {
		return nil, err
	}
	headers := wsgi.Headers{{Name: "Content-Type", Value: "application/json"}}
	if _, err := startResponse("200 OK", headers, nil); err != nil {
		return nil, err
	}
	return wsgi.Bytes(append(body, '\n')), nil
}

func (p plain) count(n string) wsgi.Application {
	last, err := strconv.Atoi(n)
	if err != nil {
		return text("400 Bad Request", "not a number\n")
	}
	answer := text("200 OK", "")
	answer.Body = wsgi.Generator(func(yield func([]byte, error) bool) {
		for i := range last {
			if i > 0 {
				p.pause()
			}
			if !yield(fmt.Appendln(nil, i+1), nil) {
				return // the client has left
			}
		}
	})
	return answer
}

// plainFile leaves the file to the server, which sends and closes it.
func plainFile(environ *wsgi.Environ, startResponse wsgi.StartResponse) (wsgi.Iterable, error) {
	name := strings.TrimPrefix(environ.Var("PATH_INFO"), "/")
	if !fs.ValidPath(name) || !strings.HasSuffix(name, ".txt") {
		return notFound.Call(environ, startResponse)
	}
	file, err := files.Open(name)
	if err != nil {
		return notFound.Call(environ, startResponse)
	}
	headers := wsgi.Headers{{Name: "Content-Type", Value: "text/plain; charset=utf-8"}}
	if _, err := startResponse("200 OK", headers, nil); err != nil {
		file.Close()
		return nil, err
	}
	return environ.FileWrapper()(file, 0), nil
}
