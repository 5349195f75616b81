// Command notes is a small site made of nothing but gowsgi's parts: accounts, a
// session for each visitor, which outlives the process, notes with attached files, and
// pages without scripts. It shows where things go in an application of some size: the
// site in site.go, what it keeps in store.go and sessions.go, and a page for each
// handler.
//
//	go run . -db notes.db
package main

import (
	"context"
	"flag"
	"log"

	"github.com/gowsgi/gowsgi/server"
)

func main() {
	addr := flag.String("listen", "localhost:8000", "where to listen")
	file := flag.String("db", "notes.db", "the database, made when it is not there")
	debug := flag.Bool("debug", false, "show what has failed to a browser on this machine")
	flag.Parse()
	db, err := OpenStore(*file)
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	s := &server.Server{Addr: *addr, App: NewSite(db, Options{Debug: *debug})}
	log.Printf("http://%s/", *addr)
	if err := s.Run(context.Background()); err != nil {
		log.Print(err)
	}
}
