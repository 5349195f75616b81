package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
)

func chiHandler(pause func()) http.Handler {
	r := chi.NewRouter()
	r.Use(middleware.SetHeader("X-Framework", "chi"))
	r.Get("/hello/{name}", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "Hello, %s!\n", chi.URLParam(r, "name"))
	})
	r.Post("/sum", sum)
	r.Get("/count/{n}", func(w http.ResponseWriter, r *http.Request) {
		count(w, chi.URLParam(r, "n"), pause)
	})
	r.Handle("/static/*", http.StripPrefix("/static/", http.FileServerFS(files)))
	return r
}

// numbers is what is summed.
type numbers struct {
	A int `json:"a"`
	B int `json:"b"`
}

type result struct {
	Sum int `json:"sum"`
}

// sum is for the routers that take an http.HandlerFunc, which are chi and mux.
func sum(w http.ResponseWriter, r *http.Request) {
	var in numbers
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(result{in.A + in.B})
}

// count sends the numbers up to n, each when it is due.
func count(w http.ResponseWriter, n string, pause func()) {
	last, err := strconv.Atoi(n)
	if err != nil {
		http.Error(w, "not a number", http.StatusBadRequest)
		return
	}
	for i := range last {
		if i > 0 {
			pause()
		}
		fmt.Fprintln(w, i+1)
		if http.NewResponseController(w).Flush() != nil {
			return // the client has left
		}
	}
}
