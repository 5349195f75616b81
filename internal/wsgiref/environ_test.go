package wsgiref_test

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/server"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

// faults tells what a strict reader of PEP 3333 finds wrong with environ.
func faults(environ *wsgi.Environ) (faults []string) {
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	for _, key := range []string{"REQUEST_METHOD", "SERVER_NAME", "SERVER_PORT", "SERVER_PROTOCOL"} {
		if environ.Var(key) == "" {
			fault("%s is absent or empty", key)
		}
	}
	for key, ok := range map[string]func(any) bool{
		"wsgi.version":      func(v any) bool { return v == [2]int{1, 0} },
		"wsgi.url_scheme":   func(v any) bool { return v == "http" || v == "https" },
		"wsgi.input":        is[wsgi.InputStream],
		"wsgi.errors":       is[wsgi.ErrorStream],
		"wsgi.multithread":  is[bool],
		"wsgi.multiprocess": is[bool],
		"wsgi.run_once":     is[bool],
	} {
		if value := environ.Get(key); !ok(value) {
			fault("%s is %v, a %[2]T", key, value)
		}
	}
	for _, key := range []string{"HTTP_CONTENT_TYPE", "HTTP_CONTENT_LENGTH"} {
		if value, ok := environ.Lookup(key); ok {
			fault("%s is %v, expected it under its CGI name", key, value)
		}
	}
	for key, value := range environ.All() {
		if _, ok := value.(string); !ok && !strings.Contains(key, ".") {
			fault("%s is a %T", key, value)
		}
	}
	for _, key := range []string{"SCRIPT_NAME", "PATH_INFO", "QUERY_STRING"} { // AMB-24
		if _, ok := environ.Lookup(key); !ok {
			fault("%s is absent", key)
		}
	}
	script, path := environ.Var("SCRIPT_NAME"), environ.Var("PATH_INFO")
	if script == "/" || script != "" && script[0] != '/' {
		fault("SCRIPT_NAME is %q", script)
	}
	if path != "" && path[0] != '/' && path != "*" || path == "" && script == "" {
		fault("PATH_INFO is %q below %q", path, script)
	}
	if length, ok := environ.Lookup("CONTENT_LENGTH"); ok && length != "" {
		if _, err := strconv.ParseUint(fmt.Sprint(length), 10, 63); err != nil {
			fault("CONTENT_LENGTH is %q", length)
		}
	}
	return faults
}

func is[T any](v any) bool { _, ok := v.(T); return ok }

// TestFaults breaks environs in every way that faults must notice.
func TestFaults(t *testing.T) {
	if got := len(faults(wsgi.EnvironFromMap(nil))); got < 15 {
		t.Errorf("an empty environ has %d faults, expected more", got)
	}
	if got := faults((&wsgitest.Request{}).Environ()); got != nil {
		t.Errorf("the environ of an ordinary request has faults: %q", got)
	}
	for key, value := range map[string]any{
		"REQUEST_METHOD": "", "SERVER_PORT": 80, "wsgi.version": "1.0", "wsgi.url_scheme": "gopher", "wsgi.input": 7,
		"wsgi.errors": nil, "wsgi.multithread": "yes", "HTTP_CONTENT_TYPE": "a/b", "HTTP_X": 1, "QUERY_STRING": nil,
		"SCRIPT_NAME": "/", "PATH_INFO": "x", "CONTENT_LENGTH": "+4",
	} {
		req := &wsgitest.Request{Extra: map[string]any{key: value}}
		if faults(req.Environ()) == nil {
			t.Errorf("%s: %v is no fault", key, value)
		}
	}
}

var requests = []*wsgitest.Request{
	{},
	{Proto: "HTTP/1.0"},
	{Method: "HEAD", Target: "/a%2Fb//c/../%FF?q=%20"},
	{Method: "PURGE", Target: "/?"},
	{Method: "post", Target: "/", Body: []byte{}},
	(&wsgitest.Request{Method: "PUT", Target: "/x"}).Content("text/plain", "four"),
	{Method: "POST", Target: "/", Stream: strings.NewReader("of unknown length")},
	{Target: "http://other.example:99"},
}

// TestEnvirons has the checks of the validator look at the environs of the
// recorder and of a server.
func TestEnvirons(t *testing.T) {
	check := wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		return answer("200 OK", fields("X-Faults", fmt.Sprintf("%q", faults(environ))), wsgi.Empty())(environ, start)
	})
	l := serve(t, &server.Server{App: check})
	mounted := serve(t, &server.Server{App: check, ScriptName: "/shop"})
	look := func(t *testing.T, req *wsgitest.Request, res *wsgitest.Response) {
		if got := res.Headers.Get("X-Faults"); got != "[]" {
			t.Errorf("%s %s: response is %q, %v, the environ's faults are %s", req.Method, req.Target, res.Status, res.Err, got)
		}
	}
	below := []*wsgitest.Request{{Target: "/shop", ScriptName: "/shop"}, {Target: "/shop/", ScriptName: "/shop"}}
	t.Run("ENV-03/environs-recorded", func(t *testing.T) {
		for _, req := range append(requests, below...) {
			look(t, req, wsgitest.Do(t, check, req))
		}
	})
	t.Run("ENV-03/environs-live", func(t *testing.T) {
		for _, req := range requests {
			if req.Stream != nil {
				req = &wsgitest.Request{Method: req.Method, Target: req.Target, Stream: strings.NewReader("once more")}
			}
			look(t, req, l.send(req))
		}
		for _, req := range below {
			look(t, req, mounted.send(req))
		}
	})
	t.Run("ENV-16/streams-and-scheme", func(t *testing.T) {
		environ := (&wsgitest.Request{Scheme: "https"}).Environ()
		if environ.Input() == nil || environ.Errors() == nil || environ.Var("wsgi.url_scheme") != "https" {
			t.Errorf("wsgi.input, wsgi.errors and wsgi.url_scheme are %v, %v and %q",
				environ.Input(), environ.Errors(), environ.Var("wsgi.url_scheme"))
		}
	})
	t.Run("ENV-20/flags-of-the-server", func(t *testing.T) {
		flags := wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			text := fmt.Sprint(environ.Get("wsgi.multithread"), environ.Get("wsgi.multiprocess"), environ.Get("wsgi.run_once"))
			return answer("200 OK", nil, wsgi.Strings(text))(environ, start)
		})
		for want, s := range map[string]*server.Server{
			"true false false": {App: flags},
			"true true false":  {App: flags, Multiprocess: true},
			"false true false": {App: flags, Multiprocess: true, SingleThread: true},
		} {
			if got := serve(t, s).send(&wsgitest.Request{}).Text(); got != want {
				t.Errorf("multithread, multiprocess and run_once are %s, expected %s", got, want)
			}
		}
	})
	t.Run("CFG-04/who-wins", func(t *testing.T) {
		t.Setenv("GOWSGI_OF_THE_PROCESS", "1") // ENV-06: not asked for, not there
		keys := []string{"REQUEST_METHOD", "SCRIPT_NAME", "SERVER_NAME", "SHOP_DB", "GOWSGI_OF_THE_PROCESS"}
		l := serve(t, &server.Server{App: show(keys...), Environ: map[string]string{
			"REQUEST_METHOD": "FORGED", "SCRIPT_NAME": "/forged", "SERVER_NAME": "forged.example", "SHOP_DB": "orders",
		}})
		want := []string{"GET", "", "127.0.0.1", "orders", ""}
		if diff := cmp.Diff(want, strings.Split(l.send(&wsgitest.Request{}).Text(), "\n")); diff != "" {
			t.Errorf("%q (-want +got):\n%s", keys, diff)
		}
	})
}

// TestDefaults is about environs for calling an application by hand.
func TestDefaults(t *testing.T) {
	pick := func(req *wsgitest.Request, keys ...string) (values []any) {
		environ := req.Environ()
		for _, key := range keys {
			values = append(values, environ.Get(key))
		}
		return values
	}
	t.Run("ENV-03/request-made-of-nothing", func(t *testing.T) {
		want := []any{"127.0.0.1", "80", "HTTP/1.1", "127.0.0.1", "GET", "", "/", [2]int{1, 0}, false, true, false, "http"}
		got := pick(&wsgitest.Request{}, "SERVER_NAME", "SERVER_PORT", "SERVER_PROTOCOL", "HTTP_HOST", "REQUEST_METHOD",
			"SCRIPT_NAME", "PATH_INFO", "wsgi.version", "wsgi.run_once", "wsgi.multithread", "wsgi.multiprocess", "wsgi.url_scheme")
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("defaults (-want +got):\n%s", diff)
		}
		if rest, err := io.ReadAll((&wsgitest.Request{}).Environ().Input()); len(rest) != 0 || err != nil {
			t.Errorf("wsgi.input has %q, %v, expected nothing", rest, err)
		}
	})
	t.Run("ENV-03/given-variables-stay", func(t *testing.T) {
		environ := (&wsgitest.Request{}).Environ().Map()
		for key := range environ {
			given := "of the test's own"
			if got := pick(&wsgitest.Request{Extra: map[string]any{key: given}}, key)[0]; got != given {
				t.Errorf("%s is %v, expected what was given", key, got)
			}
		}
	})
	t.Run("ENV-15/port-by-scheme", func(t *testing.T) {
		for scheme, want := range map[string][]any{
			"": {"http", "80", nil}, "http": {"http", "80", nil}, "https": {"https", "443", "on"},
		} {
			got := pick(&wsgitest.Request{Scheme: scheme}, "wsgi.url_scheme", "SERVER_PORT", "HTTPS")
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("Scheme %q (-want +got):\n%s", scheme, diff)
			}
		}
	})
	t.Run("AMB-23/CGI-10/host-is-not-derived", func(t *testing.T) {
		want := []any{"shop.example", "127.0.0.1"}
		got := pick(&wsgitest.Request{ServerName: "shop.example"}, "SERVER_NAME", "HTTP_HOST")
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("SERVER_NAME and HTTP_HOST (-want +got):\n%s", diff)
		}
	})
}

// TestStreams is about what an application may do with its two streams.
func TestStreams(t *testing.T) {
	// read has f read the same body from the recorder and from a server, whose
	// connection does not end with the body.
	read := func(t *testing.T, f func(in wsgi.InputStream) string, want string) {
		app := wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			return answer("200 OK", nil, wsgi.Strings(f(environ.Input())))(environ, start)
		})
		req := (&wsgitest.Request{Method: "POST", Target: "/"}).Content("text/plain", "one\ntwo\nthree\nfour")
		l := serve(t, &server.Server{App: app})
		for name, res := range map[string]*wsgitest.Response{"recorder": wsgitest.Do(t, app, req), "server": l.send(req)} {
			if res.Text() != want {
				t.Errorf("%s: response is %q %q, expected %q", name, res.Status, res.Text(), want)
			}
		}
	}
	t.Run("INPUT-09/read-to-the-end", func(t *testing.T) {
		read(t, func(in wsgi.InputStream) string {
			all, err := io.ReadAll(in)
			rest, again := io.ReadAll(in) // and it stays there
			return fmt.Sprintln(string(all), err, len(rest), again)
		}, "one\ntwo\nthree\nfour <nil> 0 <nil>\n")
	})
	t.Run("INPUT-05/ways-of-reading", func(t *testing.T) {
		read(t, func(in wsgi.InputStream) string {
			some := make([]byte, 2)
			io.ReadFull(in, some)
			line, _ := in.ReadLine(-1)
			lines, _ := in.ReadLines(1)
			got := fmt.Sprintf("%q %q %q", some, line, lines)
			for line, err := range in.Lines() {
				got += fmt.Sprintf(" %q %v", line, err)
			}
			line, err := in.ReadLine(-1)
			return got + fmt.Sprintf(" %q %v", line, err)
		}, `"on" "e\n" ["two\n"] "three\n" <nil> "four" <nil> "" EOF`)
	})
	t.Run("INPUT-15/streams-cannot-be-closed", func(t *testing.T) {
		wsgitest.Do(t, wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			for _, stream := range []any{environ.Input(), environ.Errors()} {
				if _, ok := stream.(io.Closer); ok {
					t.Errorf("%T has a Close", stream) // LOG-10
				}
			}
			return answer("200 OK", nil, wsgi.Empty())(environ, start)
		}), &wsgitest.Request{})
	})
	t.Run("LOG-01/ways-of-complaining", func(t *testing.T) {
		req := &wsgitest.Request{ExpectErrors: true}
		res := wsgitest.Do(t, wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			e := environ.Errors()
			e.WriteString("no ")
			fmt.Fprintln(e, "paper")
			if err := e.WriteLines("no ink\n", "no hope\n"); err != nil {
				return nil, err
			}
			return answer("200 OK", nil, wsgi.Empty())(environ, start)
		}), req)
		if want := "no paper\nno ink\nno hope\n"; res.Errors != want {
			t.Errorf("wsgi.errors is %q, expected %q", res.Errors, want)
		}
	})
}
