package demo

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/gowsgi/gowsgi/wsgi"
)

// section is a part of the environ, as the first page shows it.
type section struct {
	Title     string
	Variables []variable
}

// variable is one line of it.
type variable struct {
	Key, Type string
	Value     string
	Note      string // in the place of a value that cannot be shown, or is not
}

// describe lists the whole environ, in an order that a person can use.
func describe(environ *wsgi.Environ) []section {
	sections := []section{{Title: "The request"}, {Title: "Its headers"}, {Title: "wsgi.*"}, {Title: "Extensions"}}
	for key, value := range environ.All() {
		s := &sections[sectionOf(key)]
		s.Variables = append(s.Variables, describeVariable(key, value))
	}
	for _, s := range sections {
		slices.SortFunc(s.Variables, func(a, b variable) int { return cmp.Compare(a.Key, b.Key) })
	}
	return slices.DeleteFunc(sections, func(s section) bool { return len(s.Variables) == 0 })
}

func sectionOf(key string) int {
	switch {
	case strings.HasPrefix(key, "wsgi."):
		return 2
	case strings.Contains(key, "."):
		return 3 // a name with a dot is a server's or a middleware's
	case strings.HasPrefix(key, "HTTP_"), key == "CONTENT_TYPE", key == "CONTENT_LENGTH":
		return 1
	}
	return 0
}

func describeVariable(key string, value any) variable {
	if value == nil {
		return variable{Key: readable(key), Type: "nil", Note: "nothing"}
	}
	v := variable{Key: readable(key), Type: reflect.TypeOf(value).String()}
	switch value := value.(type) {
	case string:
		switch {
		case secret(key):
			v.Note = "not shown"
		case value == "":
			v.Note = "empty"
		default:
			v.Value = readable(value)
		}
		return v
	case wsgi.InputStream:
		v.Type, v.Note = "wsgi.InputStream", "the request body, a stream"
		return v
	case wsgi.ErrorStream:
		v.Type, v.Note = "wsgi.ErrorStream", "where messages to the operator go"
		return v
	case wsgi.FileWrapper:
		v.Note = "makes a body of a file"
		return v
	case [2]int:
		v.Value = fmt.Sprintf("(%d, %d)", value[0], value[1])
		return v
	}
	switch kind := reflect.TypeOf(value).Kind(); {
	case kind == reflect.Func:
		v.Note = "a function"
	case reflect.Bool <= kind && kind <= reflect.Complex128, kind == reflect.String:
		v.Value = fmt.Sprint(value)
	default:
		v.Note = "an object of the server"
	}
	return v
}

// secret reports whether a value is nobody's business, even though the browser
// has sent it: what is on a screen is easily photographed. Deployers, too, put
// such things into the environ.
func secret(key string) bool {
	for _, word := range []string{"COOKIE", "AUTHORIZATION", "PASSW", "SECRET", "TOKEN", "API_KEY", "SSL_CLIENT_CERT"} {
		if strings.Contains(strings.ToUpper(key), word) {
			return true
		}
	}
	return false
}
