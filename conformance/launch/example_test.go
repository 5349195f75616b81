package launch_test

import (
	"context"
	"log"
	"os"

	"github.com/gowsgi/gowsgi/conformance"
	"github.com/gowsgi/gowsgi/conformance/launch"
	"github.com/gowsgi/gowsgi/conformance/report"
	"github.com/gowsgi/gowsgi/wsgi"
)

// A check of a server command, as gowsgi check makes it.
func ExampleCheckCommand() {
	args := []string{"gunicorn", "-b", "{addr}", "{module}:{app}"}
	suite := conformance.Suite{Lenient: true, Only: []string{"START", "BODY"}}
	found, err := launch.CheckCommand(context.Background(), suite, args, launch.Options{})
	if err != nil {
		log.Fatal(err)
	}
	report.Text(os.Stdout, found, report.TextOptions{})
}

// A Python server with an application of Go in it.
func ExampleStart() {
	hello := wsgi.Response{Status: "200 OK", Body: wsgi.Strings("Hello from Go!\n")}
	s, err := launch.Start(context.Background(), launch.Command{
		Args: []string{"gunicorn", "-b", "{addr}", "{module}:{app}"},
	}, hello)
	if err != nil {
		log.Fatal(err) // with the end of what the command has printed
	}
	defer s.Stop()
	log.Print("open http://", s.Addr, "/")
}
