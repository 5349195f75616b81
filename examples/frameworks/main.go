// Command frameworks serves four Go web frameworks and a plain WSGI
// application side by side, in one process and on one port:
//
//	/chi    github.com/go-chi/chi
//	/gin    github.com/gin-gonic/gin
//	/echo   github.com/labstack/echo
//	/mux    github.com/gorilla/mux
//	/wsgi   no framework at all
//
// Each answers the same requests:
//
//	curl localhost:8000/chi/hello/world
//	curl -d '{"a":1,"b":2}' localhost:8000/gin/sum
//	curl -N localhost:8000/echo/count/5
//	curl localhost:8000/mux/static/note.txt
//
// None of the frameworks knows that it runs on a WSGI server, or where it is
// mounted: nethttp.Application makes an application of its http.Handler, and
// what every application has in common is done once, by middleware around all
// of them.
package main

import (
	"context"
	"embed"
	"io/fs"
	"log"
	"time"

	"github.com/gowsgi/gowsgi/adapters/nethttp"
	"github.com/gowsgi/gowsgi/server"
	"github.com/gowsgi/gowsgi/wsgi"
)

//go:embed static
var embedded embed.FS

// files are what each application serves under /static.
var files, _ = fs.Sub(embedded, "static")

func main() {
	pause := func() { time.Sleep(time.Second / 2) }
	s := server.Server{App: application(pause), Addr: "127.0.0.1:8000"}
	if err := s.Run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

// application is all of them. pause is what a count waits for between its
// lines.
func application(pause func()) wsgi.Application {
	return poweredBy(mounts{
		"chi":  nethttp.Application(chiHandler(pause)),
		"gin":  nethttp.Application(ginHandler(pause)),
		"echo": nethttp.Application(echoHandler(pause)),
		"mux":  nethttp.Application(muxHandler(pause)),
		"wsgi": plain{pause},
	})
}
