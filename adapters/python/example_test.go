package python_test

import (
	"context"
	"io"
	"log"
	"net/http"
	"testing"

	"github.com/gowsgi/gowsgi/adapters/nethttp"
	"github.com/gowsgi/gowsgi/adapters/python"
	"github.com/gowsgi/gowsgi/middleware"
	"github.com/gowsgi/gowsgi/server"
)

// Django today, and one route of Go before it.
func ExampleStart() {
	pool, err := python.Start(context.Background(), python.Config{App: "mysite.wsgi:application", Processes: 4})
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()
	api := http.NewServeMux()
	api.HandleFunc("GET /status", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "fine\n") })
	site := middleware.Mount("/api", nethttp.Application(api))(pool)
	log.Print(server.ListenAndServe("127.0.0.1:8000", site))
}

// TestStrangler has Go answer below a path, and Python elsewhere.
func TestStrangler(t *testing.T) {
	s := open(t, config(t))
	api := http.NewServeMux()
	api.HandleFunc("GET /status", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "fine\n") })
	s.serve(middleware.Mount("/api", nethttp.Application(api))(s.pool))
	s.want("/api/status", 200, "fine\n")
	s.want("/hello", 200, "Hello, world!\n")
}
