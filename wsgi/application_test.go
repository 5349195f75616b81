package wsgi_test

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/wsgi"
)

// answer is what a server sees of one call, in the order of events.
type answer struct {
	Status  string
	Headers wsgi.Headers
	Blocks  []string // of the body, and of Write with a "write:" before them
	Starts  int      // calls of startResponse
	Err     string   // of Call or of the body
}

// serve is the smallest server: it calls app once, iterates and closes.
func serve(app wsgi.Application, environ *wsgi.Environ) (a answer) {
	body, err := app.Call(environ, func(status string, headers wsgi.Headers, _ error) (wsgi.Write, error) {
		a.Status, a.Headers = status, headers
		a.Starts++
		return func(block []byte) (int, error) {
			a.Blocks = append(a.Blocks, "write:"+string(block))
			return len(block), nil
		}, nil
	})
	if body != nil {
		defer body.Close()
	}
	if err != nil {
		a.Err = err.Error()
		return a
	}
	for block, err := range body.Blocks {
		if err != nil {
			a.Err = err.Error()
			return a
		}
		a.Blocks = append(a.Blocks, string(block))
	}
	return a
}

func request(path string) *wsgi.Environ {
	return wsgi.EnvironFromMap(map[string]any{"REQUEST_METHOD": "GET", "PATH_INFO": path})
}

// The same logic as each kind of callable: it greets PATH_INFO in two blocks.

var greetHeaders = wsgi.Headers{{"Content-Type", "text/plain"}, {"X-Kind", "any"}}

func greetFunc(environ *wsgi.Environ, startResponse wsgi.StartResponse) (wsgi.Iterable, error) {
	if _, err := startResponse("200 OK", greetHeaders.Clone(), nil); err != nil {
		return nil, err
	}
	return wsgi.Strings("hello ", environ.Var("PATH_INFO")), nil
}

type greeter struct{ greeting string }

func (g greeter) greet(environ *wsgi.Environ, startResponse wsgi.StartResponse) (wsgi.Iterable, error) {
	if _, err := startResponse("200 OK", greetHeaders.Clone(), nil); err != nil {
		return nil, err
	}
	return wsgi.Strings(g.greeting, environ.Var("PATH_INFO")), nil
}

type greetingApp struct{ greeter }

func (g *greetingApp) Call(environ *wsgi.Environ, startResponse wsgi.StartResponse) (wsgi.Iterable, error) {
	return g.greet(environ, startResponse)
}

// greeting is the class: its instances are the bodies.
type greeting struct {
	environ       *wsgi.Environ
	startResponse wsgi.StartResponse
	closed        int
}

func newGreeting(environ *wsgi.Environ, startResponse wsgi.StartResponse) *greeting {
	return &greeting{environ: environ, startResponse: startResponse}
}

func (g *greeting) Blocks(yield func([]byte, error) bool) {
	if _, err := g.startResponse("200 OK", greetHeaders.Clone(), nil); err != nil {
		yield(nil, err)
		return
	}
	_ = yield([]byte("hello "), nil) && yield([]byte(g.environ.Var("PATH_INFO")), nil)
}

func (g *greeting) Close() error {
	g.closed++
	return nil
}

// Compile-time: each kind is an Application, and a Write is an io.Writer.
var (
	_ wsgi.Application = wsgi.AppFunc(nil)
	_ wsgi.Application = wsgi.AppClass[*greeting](nil)
	_ wsgi.Application = wsgi.AppClass[wsgi.Iterable](nil)
	_ wsgi.Application = (*greetingApp)(nil)
	_ wsgi.Application = wsgi.Response{}
	_ wsgi.Application = (*wsgi.Response)(nil)
	_ io.Writer        = wsgi.Write(nil)
)

var kinds = []struct {
	name string
	app  wsgi.Application
}{
	{"function", wsgi.AppFunc(greetFunc)},
	{"method value", wsgi.AppFunc(greeter{"hello "}.greet)},
	{"class", wsgi.AppClass[*greeting](newGreeting)},
	{"class by its interface", wsgi.AppClass[wsgi.Iterable](
		func(e *wsgi.Environ, s wsgi.StartResponse) wsgi.Iterable { return newGreeting(e, s) })},
	{"type with Call", &greetingApp{greeter{"hello "}}},
}

func TestApplication(t *testing.T) {
	want := answer{
		Status:  "200 OK",
		Headers: greetHeaders,
		Blocks:  []string{"hello ", "/x"},
		Starts:  1,
	}
	for _, kind := range kinds {
		// One kind cannot be told from another by its answer (CALL-01); all
		// are allowed (CALL-03, APP-03).
		t.Run("CALL-01/"+kind.name, func(t *testing.T) {
			if diff := cmp.Diff(want, serve(kind.app, request("/x"))); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
		})
		t.Run("APP-02/"+kind.name, func(t *testing.T) {
			for i := range 3 {
				if diff := cmp.Diff(want, serve(kind.app, request("/x"))); diff != "" {
					t.Errorf("call %d (-want +got):\n%s", i, diff)
				}
			}
		})
		// Under -race this also shows that no kind keeps state of a request.
		t.Run("APP-05/"+kind.name, func(t *testing.T) {
			var wg sync.WaitGroup
			for i := range 8 {
				wg.Go(func() {
					path := fmt.Sprint("/", i)
					got := serve(kind.app, request(path))
					if diff := cmp.Diff([]string{"hello ", path}, got.Blocks); diff != "" {
						t.Errorf("blocks of %s (-want +got):\n%s", path, diff)
					}
				})
			}
			wg.Wait()
		})
	}

	t.Run("APP-04/each call constructs the body", func(t *testing.T) {
		var made []*greeting
		app := wsgi.AppClass[*greeting](func(e *wsgi.Environ, s wsgi.StartResponse) *greeting {
			made = append(made, newGreeting(e, s))
			return made[len(made)-1]
		})
		for i := range 2 {
			body, err := app.Call(request("/"), nil)
			if err != nil {
				t.Fatal(err)
			}
			if len(made) != i+1 || body != wsgi.Iterable(made[i]) {
				t.Errorf("call %d: the body is not the instance just constructed", i)
			}
		}
	})
	t.Run("APP-04/start at the first iteration", func(t *testing.T) {
		starts := 0
		body, err := wsgi.AppClass[*greeting](newGreeting).Call(request("/"),
			func(string, wsgi.Headers, error) (wsgi.Write, error) { starts++; return nil, nil })
		if err != nil || starts != 0 {
			t.Fatalf("Call: %v, %d starts; want none before the iteration", err, starts)
		}
		for range body.Blocks {
			break
		}
		if starts != 1 {
			t.Errorf("%d starts after the first block, want 1", starts)
		}
	})
	t.Run("CALL-03/results pass through", func(t *testing.T) {
		body, failure := wsgi.Empty(), errors.New("failed")
		app := wsgi.AppFunc(func(*wsgi.Environ, wsgi.StartResponse) (wsgi.Iterable, error) { return body, failure })
		gotBody, gotErr := app.Call(nil, nil)
		if gotErr != failure {
			t.Errorf("error %v, want the very one returned", gotErr)
		}
		if !reflect.DeepEqual(gotBody, body) {
			t.Error("the body was dropped: a server has to close it (AMB-36)")
		}
	})
}

// TestCallable shows what the types alone guarantee about every callable: its
// arguments are positional, their number is fixed, and there is nothing to
// introspect.
func TestCallable(t *testing.T) {
	call, _ := reflect.TypeFor[wsgi.Application]().MethodByName("Call")
	tests := []struct {
		name     string
		callable reflect.Type
		in       []reflect.Type
	}{
		{"CALL-04/application", call.Type, []reflect.Type{
			reflect.TypeFor[*wsgi.Environ](), reflect.TypeFor[wsgi.StartResponse]()}},
		{"APP-01/function", reflect.TypeFor[wsgi.AppFunc](), []reflect.Type{
			reflect.TypeFor[*wsgi.Environ](), reflect.TypeFor[wsgi.StartResponse]()}},
		{"CALL-05/start_response", reflect.TypeFor[wsgi.StartResponse](), []reflect.Type{
			reflect.TypeFor[string](), reflect.TypeFor[wsgi.Headers](), reflect.TypeFor[error]()}},
		{"CALL-06/write", reflect.TypeFor[wsgi.Write](), []reflect.Type{reflect.TypeFor[[]byte]()}},
		{"CALL-06/file_wrapper", reflect.TypeFor[wsgi.FileWrapper](), []reflect.Type{
			reflect.TypeFor[io.Reader](), reflect.TypeFor[int]()}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var in []reflect.Type
			for arg := range tt.callable.Ins() {
				in = append(in, arg)
			}
			if !reflect.DeepEqual(in, tt.in) || tt.callable.IsVariadic() {
				t.Errorf("%v takes %v, want %v", tt.callable, in, tt.in)
			}
		})
	}
	for _, callable := range []reflect.Type{
		reflect.TypeFor[wsgi.StartResponse](), reflect.TypeFor[wsgi.Write](), reflect.TypeFor[wsgi.FileWrapper](),
	} {
		t.Run("CALL-02/"+callable.Name(), func(t *testing.T) {
			if callable.Kind() != reflect.Func {
				t.Errorf("%v is a %v, want a function: it can only be called", callable, callable.Kind())
			}
		})
	}
}

func TestWrite(t *testing.T) {
	failure := errors.New("client gone")
	var got []string
	write := wsgi.Write(func(block []byte) (int, error) {
		got = append(got, string(block))
		if len(got) == 3 {
			return 1, failure
		}
		return len(block), nil
	})
	fmt.Fprintf(write, "%d apples", 3)
	io.Copy(write, strings.NewReader(" and pears"))
	n, err := write.Write([]byte("!!"))
	if n != 1 || err != failure {
		t.Errorf("Write = %d, %v; want what the function returned: 1, %v", n, err, failure)
	}
	if diff := cmp.Diff([]string{"3 apples", " and pears", "!!"}, got); diff != "" {
		t.Errorf("blocks (-want +got):\n%s", diff)
	}
}

func TestMiddleware(t *testing.T) {
	mark := func(name string) wsgi.Middleware {
		return func(inner wsgi.Application) wsgi.Application {
			return wsgi.AppFunc(func(e *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
				return inner.Call(e, func(status string, headers wsgi.Headers, excInfo error) (wsgi.Write, error) {
					headers.Add("X-Layer", name)
					return start(status, headers, excInfo)
				})
			})
		}
	}
	// The server cannot tell a wrapped application from a bare one (MW-01),
	// and the inner one sees the response first.
	got := serve(mark("outer")(mark("inner")(wsgi.AppFunc(greetFunc))), request("/x"))
	if diff := cmp.Diff([]string{"inner", "outer"}, got.Headers.Values("X-Layer")); diff != "" {
		t.Errorf("layers (-want +got):\n%s", diff)
	}
	if len(greetHeaders) != 2 {
		t.Error("the application's own headers were changed")
	}
}
