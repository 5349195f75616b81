package bridge_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/exec"

	"github.com/gowsgi/gowsgi/conformance"
	"github.com/gowsgi/gowsgi/conformance/bridge"
	"github.com/gowsgi/gowsgi/wsgi"
)

// A server is started with the application of the module, and checked. Package
// launch does this for the well-known ones.
func ExampleListen() {
	const addr = "127.0.0.1:8000"
	report, err := conformance.Suite{Python: true}.CheckServer(context.Background(), func(app wsgi.Application) (network, _ string, err error) {
		b, err := bridge.Listen(app)
		if err != nil {
			return "", "", err
		}
		cmd := exec.Command("gunicorn", "--bind", addr, bridge.Module+":"+bridge.Callable)
		cmd.Env = append(os.Environ(), b.Env()...)
		return "tcp", addr, cmd.Start() // and wait until it listens, and stop it in the end
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, r := range report.Results {
		fmt.Println(r.ID, r.Status)
	}
}

// A Python application is checked, with what it does wrong in Python alone.
func ExampleRun() {
	ctx := context.Background()
	app, err := bridge.Run(ctx, bridge.Program{Target: "shop.wsgi:application", Stderr: os.Stderr})
	if err != nil {
		log.Fatal(err)
	}
	defer app.Close()
	report, err := conformance.Suite{}.CheckApplication(ctx, app)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(report.Count(conformance.Fail), "rules broken")
}
