package bridge_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"testing"

	"github.com/gowsgi/gowsgi/conformance/bridge"
	"github.com/gowsgi/gowsgi/wsgi"
)

// python runs a script that has imported the module, and returns what it
// prints. The application of the bridge is app.
func python(t testing.TB, app wsgi.Application, script string) string {
	t.Helper()
	b := listen(t, app)
	cmd := exec.Command(somePython(t), "-c", prelude+script)
	cmd.Env = append(os.Environ(), b.Env()...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, &errs)
	}
	return string(out)
}

// prelude has a server that is one function.
const prelude = `
import gc, io, sys
from gowsgi_probe import application

class Log(io.StringIO):
    pass

def environ(**more):
    e = {"REQUEST_METHOD": "GET", "SCRIPT_NAME": "", "PATH_INFO": "/", "wsgi.version": (1, 0), "wsgi.input": io.BytesIO(b"line1\nline2"),
         "wsgi.errors": Log(), "wsgi.multithread": 1, "wsgi.multiprocess": 0, "wsgi.run_once": None, "wsgi.url_scheme": "http"}
    e.update(more)
    return e

def start_response(status, headers, *exc_info):
    print("start", status, headers, *[e[1] for e in exc_info])
    return lambda data: print("write", data)
`

func listen(t testing.TB, app wsgi.Application) *bridge.Bridge {
	t.Helper()
	b, err := bridge.Listen(app)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// body is a wsgi.Iterable of two functions.
type body struct {
	wsgi.Generator
	close func() error
}

var errPlanned = errors.New("on purpose")

type closer struct {
	io.Reader
	closed chan bool
}
