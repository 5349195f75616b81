package main

import (
	"fmt"
	"net/http"

	"github.com/gorilla/mux"
)

func muxHandler(pause func()) http.Handler {
	r := mux.NewRouter()
	r.Use(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Framework", "mux")
			next.ServeHTTP(w, r)
		})
	})
	r.HandleFunc("/hello/{name}", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "Hello, %s!\n", mux.Vars(r)["name"])
	}).Methods("GET")
	r.HandleFunc("/sum", sum).Methods("POST")
	r.HandleFunc("/count/{n}", func(w http.ResponseWriter, r *http.Request) {
		count(w, mux.Vars(r)["n"], pause)
	}).Methods("GET")
	r.PathPrefix("/static/").Handler(http.StripPrefix("/static/", http.FileServerFS(files)))
	return r
}
