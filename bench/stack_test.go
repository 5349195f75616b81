package bench

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	chimiddleware "github.com/go-chi/chi/v5/middleware"
	"github.com/go-chi/cors"

	"github.com/gowsgi/gowsgi/middleware"
	"github.com/gowsgi/gowsgi/server"
	"github.com/gowsgi/gowsgi/wsgi"
)

// binary is a type that nobody compresses, so that what is measured is the
// stack and not gzip: both look at what the browser accepts, and at the type.
const binary = "application/octet-stream"

const allowedOrigin = "https://app.example.org"

// secured are the headers that middleware.SecureHeaders sets by default over
// http.
var secured = [][2]string{
	{"X-Content-Type-Options", "nosniff"},
	{"X-Frame-Options", "SAMEORIGIN"},
	{"Referrer-Policy", "strict-origin-when-cross-origin"},
	{"Cross-Origin-Opener-Policy", "same-origin"},
	{"Content-Security-Policy", "base-uri 'self'; frame-ancestors 'self'; object-src 'none'"},
}

// ten are ten middlewares around an application of one block.
func ten() http.Handler {
	app := wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		_, err := start("200 OK", wsgi.Headers{{Name: "Content-Type", Value: binary}}, nil)
		return wsgi.Bytes(hello), err
	})
	return server.Handler(middleware.Chain(
		middleware.RequestID(middleware.RequestIDConfig{}),
		middleware.AccessLog(middleware.AccessLogConfig{Output: io.Discard}),
		middleware.SecureHeaders(middleware.SecureHeadersConfig{}),
		middleware.CORS(middleware.CORSConfig{Origins: []string{allowedOrigin}}),
		middleware.Recover(middleware.RecoverConfig{}),
		middleware.Health(middleware.HealthConfig{}),
		middleware.Timeout(time.Minute),
		middleware.Throttle(middleware.ThrottleConfig{}),
		middleware.BodyLimit(1<<20),
		middleware.Compress(middleware.CompressConfig{}),
	)(app))
}

// tenOfChi are the ten of chi, and of its cors, that are nearest to those, in
// the same order. chi has no set of headers, only one at a time; secure says what
// stands in its place.
func tenOfChi(secure func(http.Handler) http.Handler) http.Handler {
	r := chi.NewRouter()
	r.Use(
		chimiddleware.RequestID,
		chimiddleware.RequestLogger(&chimiddleware.DefaultLogFormatter{Logger: log.New(io.Discard, "", log.LstdFlags), NoColor: true}),
		secure,
		cors.Handler(cors.Options{AllowedOrigins: []string{allowedOrigin}}),
		chimiddleware.Recoverer,
		chimiddleware.Heartbeat("/healthz"),
		chimiddleware.Timeout(time.Minute),
		chimiddleware.ThrottleBacklog(64, 64, 10*time.Second),
		chimiddleware.RequestSize(1<<20),
		chimiddleware.Compress(5),
	)
	r.Get("/greeting", func(w http.ResponseWriter, _ *http.Request) {
		header := w.Header()
		header.Set("Content-Type", binary)
		header.Set("Content-Length", strconv.Itoa(len(hello)))
		w.Write(hello)
	})
	return r
}

// oneHeader is the cheapest that could be meant.
var oneHeader = chimiddleware.SetHeader(secured[0][0], secured[0][1])

// allHeaders gives the same answer, by one function of the site's own.
func allHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		for _, h := range secured {
			header.Set(h[0], h[1])
		}
		next.ServeHTTP(w, r)
	})
}

// BenchmarkStack lets ten middlewares and chi's nearest ten take turns, as
// BenchmarkOverhead does: one-header is chi with a single header where ours sets
// five, same-answer is chi with all of them.
func BenchmarkStack(b *testing.B) {
	for _, chi := range []contender{
		{"chi, one header", tenOfChi(oneHeader)},
		{"chi, same answer", tenOfChi(allHeaders)},
	} {
		b.Run(chi.name, func(b *testing.B) { compare(b, ten(), chi.handler) })
	}
}

// TestStackAllocations holds what does not depend on the machine: ours take no more than
// chi's ten with a single header.
func TestStackAllocations(t *testing.T) {
	if ours, theirs := allocations(ten()), allocations(tenOfChi(oneHeader)); ours > theirs {
		t.Errorf("ten middlewares take %v allocations, expected at most the %v of chi's", ours, theirs)
	}
}

// TestStack checks that both stacks answer alike.
func TestStack(t *testing.T) {
	for name, handler := range map[string]http.Handler{"ten": ten(), "chi": tenOfChi(allHeaders)} {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, browserRequest())
		if w.Code != 200 || w.Body.String() != string(hello) {
			t.Errorf("%s: %d with body %q, expected 200 with %q", name, w.Code, w.Body, hello)
		}
		for _, h := range append(slices.Clone(secured), [2]string{"Content-Type", binary}, [2]string{"Content-Length", "14"}, [2]string{"Vary", "Origin"}) {
			if got := w.Header().Get(h[0]); got != h[1] {
				t.Errorf("%s: %s is %q, expected %q", name, h[0], got, h[1])
			}
		}
	}
}
