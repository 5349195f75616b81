package conformance

import (
	"io"
	"strings"

	"github.com/gowsgi/gowsgi/wsgi"
)

// middlewareRequestProbes look at the request that the application gets, at its
// blocks, and at requests beside each other.
var middlewareRequestProbes = []probe[wsgi.Middleware]{
	onMiddleware("ENV-24", "a whole environ", func(s *sandwich) {
		s.run(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			for _, key := range requiredKeys {
				if environ.Get(key) == nil {
					s.faultf("expected the application to get an environ with %s, it is missing", key)
				}
			}
			return s.text("hello")(environ, start)
		})
	}),
	onMiddleware("CGI-20", "the path stays whole", func(s *sandwich) {
		s.run(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			for _, key := range []string{"SCRIPT_NAME", "PATH_INFO"} {
				if value := environ.Var(key); value != "" && value[0] != '/' || key == "SCRIPT_NAME" && value == "/" {
					s.faultf("expected %s to be empty or to begin with a slash, and SCRIPT_NAME not to be one, got %q", key, value)
				}
			}
			return s.text("hello")(environ, start)
		})
	}),
	onMiddleware("CGI-32", "what is put into SCRIPT_NAME", func(s *sandwich) {
		s.run(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			const whole = "/probe/path"
			script, path := environ.Var("SCRIPT_NAME"), environ.Var("PATH_INFO")
			if len(script) > 1 && strings.HasPrefix(whole, script) && script+path != whole {
				s.faultf("expected what the middleware puts into SCRIPT_NAME to be taken from PATH_INFO, %q is now %q and %q", whole, script, path)
			}
			return s.text("hello")(environ, start)
		})
	}),
	onMiddleware("INPUT-22", "all ways to read the input", func(s *sandwich) {
		s.method = "POST"
		want := s.readInput("Read", func(in wsgi.InputStream) ([]byte, error) { return io.ReadAll(in) })
		for _, way := range inputWays {
			if got := s.readInput(way.name, way.read); s.reached() && got != want {
				s.faultf("expected the application to read by %s what it reads by Read, %q, got %q", way.name, want, got)
			}
		}
	}),
	onMiddleware("COM-04", "wsgi.input_terminated is true", func(s *sandwich) {
		s.method = "POST"
		s.vars = map[string]any{"wsgi.input_terminated": true}
		s.run(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			if environ.Get("wsgi.input_terminated") == true {
				in := environ.Input()
				io.CopyN(io.Discard, in, int64(len(probeInput)))
				if _, err := io.Copy(io.Discard, in); err != nil {
					s.faultf("expected the end of the input where wsgi.input_terminated is true, got the error %q", err)
				}
			}
			return s.text("hello")(environ, start)
		})
	}),
	onMiddleware("MW-21", "the method outside", func(s *sandwich) {
		for _, s.method = range []string{"HEAD", "POST"} {
			if o := s.run(s.text("hello")); s.reached() && o.environ.Var("REQUEST_METHOD") != s.method {
				s.faultf("expected REQUEST_METHOD to be %s again for the layers outside when the request is over, it is %q", s.method, o.environ.Var("REQUEST_METHOD"))
			}
		}
	}),
	onMiddleware("COM-09", "errors pass where the caller wants them", func(s *sandwich) {
		s.vars = map[string]any{"x-wsgiorg.throw_errors": true}
		for _, a := range []app{
			func(*wsgi.Environ, wsgi.StartResponse) (wsgi.Iterable, error) { return nil, errProbe },
			s.inner("200 OK", plainText(), failing(errProbe)),
		} {
			if o := s.run(a); s.reached() && o.err == nil && o.failed() { // or MW-19 is broken
				s.faultf("expected the application's error to reach the server where x-wsgiorg.throw_errors is true, got %v", o)
			}
		}
	}),
	onMiddleware("INPUT-23", "the input is still there", func(s *sandwich) {
		s.method = "POST"
		s.run(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			all, err := io.ReadAll(environ.Input())
			if n, ok := environ.ContentLength(); err != nil || len(all) == 0 || ok && int64(len(all)) != n {
				s.faultf("expected the application to read the body of the request, and CONTENT_LENGTH to be right, got %q, %s, length %d", all, ending(err), n)
			}
			return s.text("hello")(environ, start)
		})
	}),
	onMiddleware("BODY-22", "blocks are lent", func(s *sandwich) {
		want := s.run(s.text("one.", "two.", "end."))
		s.sameBody("blocks in one buffer", s.run(s.inner("200 OK", plainText(), s.lent("middleware"))), want)
	}),
	onMiddleware("APP-05", "requests at the same time", func(s *sandwich) {
		want := s.run(s.text("request ", "of its own")).data()
		meet := newMeeting(4)
		wrapped := s.wrap(wsgi.AppFunc(s.inner("200 OK", plainText(), func(yield func([]byte, error) bool) {
			if yield([]byte("request "), nil) {
				meet.wait()
				yield([]byte("of its own"), nil)
			}
		})))
		s.together(4, func(int) {
			one := &sandwich{probing: s.probing, wrapped: wrapped, method: "GET"}
			if got := one.run(nil); got.data() != want || got.err != nil {
				s.faultf("expected %q for each of several requests at the same time, got %v", want, got)
			}
		})
	}),
}
