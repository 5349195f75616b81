package gateway_test

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/server/gateway"
	"github.com/gowsgi/gowsgi/wsgi"
)

// environOf returns the dictionary that an application gets.
func environOf(t *testing.T, r request) map[string]any {
	var environ map[string]any
	got := r.serve(t, func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
		environ = p.environ.Map()
		for key, value := range environ {
			got, ok := p.environ.Lookup(key)
			if _, ok := value.(string); ok && value != got {
				t.Errorf("%s is %q to All, and %q to Lookup", key, value, got)
			}
			if want, got := fmt.Sprintf("%T", value), fmt.Sprintf("%T", got); !ok || want != got {
				t.Errorf("%s is a %s to All, and a %s to Lookup", key, want, got)
			}
			environ[key] = got
		}
		n := 0
		for range p.environ.All() {
			n++
		}
		if n != len(environ) {
			t.Errorf("All yields %d keys, %d of them different", n, len(environ))
		}
		for enough := range n { // after a break, range panics at what goes on
			for range p.environ.All() {
				if enough--; enough < 0 {
					break
				}
			}
		}
		start("200 OK", nil, nil)
		return p.body(), nil
	})
	if len(got.reports) > 0 {
		t.Errorf("reported %q", got.reports)
	}
	return environ
}

// valueSource is a Source with an extension of the server's.
type valueSource struct{ variables }

func (valueSource) Value(key string) (any, bool) {
	if key == "server.extension" {
		return 42, true
	}
	return nil, false
}

func (valueSource) Values(yield func(string, any) bool) { yield("server.extension", 42) }

// TestGatewayEnviron is about the dictionary.
func TestGatewayEnviron(t *testing.T) {
	cgi := variables{
		"REQUEST_METHOD": "GET", "SCRIPT_NAME": "", "PATH_INFO": "/caf\xe9\xff", "QUERY_STRING": "",
		"SERVER_NAME": "h", "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1", "HTTP_X": "given",
	}
	environ := environOf(t, request{source: cgi, gateway: &gateway.Gateway{
		Environ: map[string]string{
			"DEPLOYED": "yes", "HTTP_X": "deployed", "wsgi.version": "forged", "wsgi.url_scheme": "forged",
		},
	}})

	t.Run("ENV-03/required", func(t *testing.T) {
		for _, key := range []string{
			"REQUEST_METHOD", "SERVER_NAME", "SERVER_PORT", "SERVER_PROTOCOL", "wsgi.version", "wsgi.url_scheme",
			"wsgi.input", "wsgi.errors", "wsgi.multithread", "wsgi.multiprocess", "wsgi.run_once",
		} {
			if environ[key] == nil {
				t.Errorf("%s is absent", key)
			}
		}
	})
	// Covers: ENV-04
	t.Run("ENV-05/names", func(t *testing.T) {
		form := regexp.MustCompile(`^[a-z0-9_]+(\.[a-z0-9_]+)+$|^[A-Z0-9_]+$`)
		for key := range environ {
			if !form.MatchString(key) {
				t.Errorf("the key %q is neither CGI's nor an extension's", key)
			}
		}
	})
	// Covers: STR-02, STR-09, ENV-08
	t.Run("ENV-07/native-strings", func(t *testing.T) {
		for key, value := range environ {
			if _, ok := value.(string); !ok && !strings.Contains(key, ".") {
				t.Errorf("%s is a %T, expected a string", key, value)
			}
			if value == nil {
				t.Errorf("%s is nil, expected no such key", key)
			}
		}
	})
	// Covers: STR-04
	t.Run("STR-06/bytes", func(t *testing.T) {
		if got := environ["PATH_INFO"]; got != "/caf\xe9\xff" {
			t.Errorf("PATH_INFO is %q", got)
		}
	})
	t.Run("CFG-04/deployer", func(t *testing.T) {
		got := []any{environ["DEPLOYED"], environ["HTTP_X"], environ["wsgi.version"], environ["wsgi.url_scheme"]}
		if diff := cmp.Diff([]any{"yes", "given", [2]int{1, 0}, "http"}, got); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("ENV-14/version", func(t *testing.T) {
		if got := environ["wsgi.version"]; got != [2]int{1, 0} {
			t.Errorf("wsgi.version is %v", got)
		}
	})
	t.Run("ENV-15/scheme", func(t *testing.T) {
		for _, scheme := range []string{"http", "https"} {
			r := request{scheme: scheme, source: variables{"HTTPS": "on", "HTTP_X_FORWARDED_PROTO": "gopher"}}
			if got := environOf(t, r)["wsgi.url_scheme"]; got != scheme {
				t.Errorf("wsgi.url_scheme is %v, expected %s", got, scheme)
			}
		}
	})
	t.Run("ENV-16/input", func(t *testing.T) {
		if _, ok := environ["wsgi.input"].(wsgi.InputStream); !ok {
			t.Errorf("wsgi.input is a %T", environ["wsgi.input"])
		}
	})
	t.Run("ENV-17/errors", func(t *testing.T) {
		if _, ok := environ["wsgi.errors"].(wsgi.ErrorStream); !ok {
			t.Errorf("wsgi.errors is a %T", environ["wsgi.errors"])
		}
	})
	// Covers: ENV-19
	t.Run("ENV-20/flags", func(t *testing.T) {
		flags := func(environ map[string]any) [3]any {
			return [3]any{environ["wsgi.multithread"], environ["wsgi.multiprocess"], environ["wsgi.run_once"]}
		}
		if diff := cmp.Diff([3]any{true, false, false}, flags(environ)); diff != "" {
			t.Error(diff)
		}
		cgi := &gateway.Gateway{SingleThread: true, Multiprocess: true, RunOnce: true}
		if diff := cmp.Diff([3]any{false, true, true}, flags(environOf(t, request{gateway: cgi}))); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("COM-02/input_terminated", func(t *testing.T) {
		if got := environ["wsgi.input_terminated"]; got != true {
			t.Errorf("wsgi.input_terminated is %v", got)
		}
	})
	// Covers: COM-11
	t.Run("FILE-03/file_wrapper", func(t *testing.T) {
		if _, ok := environ["wsgi.file_wrapper"].(wsgi.FileWrapper); !ok {
			t.Errorf("wsgi.file_wrapper is a %T", environ["wsgi.file_wrapper"])
		}
	})
	// Covers: EXT-08
	t.Run("ENV-04/server's-own", func(t *testing.T) {
		if got := environOf(t, request{source: valueSource{cgi}})["server.extension"]; got != 42 {
			t.Errorf("the server's extension is %v", got)
		}
	})
	t.Run("COM-12/not-offered", func(t *testing.T) {
		if _, ok := environ["wsgi.early_hints"]; ok {
			t.Error("wsgi.early_hints is offered over a transport that has none")
		}
	})

	// Covers: EXT-04
	t.Run("EXT-03/changes-are-noticed", func(t *testing.T) {
		request{source: cgi}.serve(t, func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
			p.environ.Set("my.note", 1)
			if p.environ.Altered() {
				t.Error("a note altered the request")
			}
			p.environ.Set("HTTP_X", "rewritten")
			if !p.environ.Altered() {
				t.Error("a rewritten header did not alter the request")
			}
			return answer(nil)(p, start)
		})
	})

	// env-wreck. Covers: ENV-02
	t.Run("SRV-12/wrecked", func(t *testing.T) {
		source := variables{"SCRIPT_NAME": "", "PATH_INFO": "/", "REQUEST_METHOD": "GET", "SERVER_PROTOCOL": "HTTP/1.1"}
		kept := maps.Clone(source)
		got := request{source: source}.serve(t, func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
			for key := range p.environ.Map() {
				p.environ.Delete(key)
			}
			p.environ.Set("REQUEST_METHOD", "HEAD")
			if n := len(p.environ.Map()); n != 1 {
				t.Errorf("%d keys are left, expected one", n)
			}
			start("200 OK", nil, nil)
			return p.body("a"), nil
		})
		if diff := cmp.Diff([]string{"head 200 OK", "block a", "end", "close"}, got.events); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(kept, source); diff != "" {
			t.Errorf("the application reached the server's variables:\n%s", diff)
		}
	})

	// AMB-11: whoever shares the dictionary sees a change of it, and a Clone
	// makes one's own.
	t.Run("ENV-02/shared", func(t *testing.T) {
		request{source: cgi}.serve(t, func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
			inner := func(environ *wsgi.Environ) { environ.Set("REMOTE_USER", "ada") }
			copied := p.environ.Clone()
			inner(copied)
			if got := p.environ.Get("REMOTE_USER"); got != nil {
				t.Errorf("a change of a copy is visible: %v", got)
			}
			inner(p.environ)
			if got := p.environ.Get("REMOTE_USER"); got != "ada" {
				t.Errorf("a change by an inner application is not visible: %v", got)
			}
			return answer(nil)(p, start)
		})
	})

	// Covers: ENV-01, SRV-01
	t.Run("SRV-02/own-environ", func(t *testing.T) {
		g := &gateway.Gateway{Environ: map[string]string{"DEPLOYED": "yes"}}
		calls := 0
		for range 3 {
			request{gateway: g, source: cgi}.serve(t, func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				calls++
				if p.environ.Get("my.note") != nil || p.environ.Get("wsgi.version") == nil || p.environ.Var("DEPLOYED") != "yes" {
					t.Error("the changes of an earlier request are visible")
				}
				p.environ.Set("my.note", 1)
				p.environ.Set("DEPLOYED", "no")
				p.environ.Delete("wsgi.version")
				return nil, errBoom // a failed request is not tried again
			})
		}
		if calls != 3 {
			t.Errorf("the application was called %d times for 3 requests", calls)
		}
	})

	t.Run("COM-18/context", func(t *testing.T) {
		type key struct{}
		ctx := context.WithValue(context.Background(), key{}, "value")
		request{ctx: ctx}.serve(t, func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
			if p.environ.Context().Value(key{}) != "value" {
				t.Error("the context is not the request's")
			}
			return answer(nil)(p, start)
		})
	})
}
