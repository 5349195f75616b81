// Package cgi serves a WSGI application as a CGI program, RFC 3875: the web
// server starts this process for one request.
//
//	func main() {
//		if err := cgi.Serve(app); err != nil {
//			log.Fatal(err)
//		}
//	}
//
// wsgi.run_once and wsgi.multiprocess are true, wsgi.multithread is false, and
// wsgi.errors is the standard error of the process, which web servers put into
// their error log. The environ has the variables of the process environment,
// other than those whose name has a dot.
//
// A program that is more than a CGI program can tell by [Invoked] whether it is
// run as one. It must do so before it looks at its arguments: Apache passes on
// a query such as "?-v" as one.
//
// Nothing must be printed to standard output, which is the response.
//
// The other way, a [Client] is an application that runs a CGI program for each
// request.
package cgi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/gowsgi/gowsgi/internal/backend"
	"github.com/gowsgi/gowsgi/internal/cgi"
	"github.com/gowsgi/gowsgi/server/gateway"
	"github.com/gowsgi/gowsgi/wsgi"
)

// Invoked reports whether a web server has started this process as a CGI
// program: whether GATEWAY_INTERFACE says so.
func Invoked() bool { return strings.HasPrefix(os.Getenv("GATEWAY_INTERFACE"), "CGI/") }

// Serve runs app for the request that this process was started for. The
// process should end then: with a status other than 0 when there is an error,
// which means that the response is not complete, or that this is no CGI
// program. What failed has been reported on standard error.
func Serve(app wsgi.Application) error {
	if !Invoked() {
		return errors.New("cgi: GATEWAY_INTERFACE is not set, expected to be started by a web server")
	}
	// The web server closes the pipe when its client leaves. The signal would
	// end the process before the body is closed.
	signal.Ignore(syscall.SIGPIPE)
	// Apache and lighttpd also send SIGTERM then, and Apache SIGKILL some
	// seconds later: the time between is enough to close the body.
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	return serve(ctx, app, os.Environ(), os.Stdin, os.Stdout, os.Stderr, lingering)
}

// exchange is the one request.
type exchange struct {
	gateway.Exchange
	vars     cgi.Vars
	response backend.Response
}

func serve(ctx context.Context, app wsgi.Application, environ []string, in io.Reader, out io.WriteCloser, errs io.Writer, linger time.Duration) error {
	if app == nil {
		return errors.New("cgi: the application is nil")
	}
	x := new(exchange)
	if err := x.settle(environ); err != nil {
		if err := refuse(out, x.vars.Method(), err); err != nil {
			return fmt.Errorf("cgi: %w", err)
		}
		fmt.Fprintln(errs, "gowsgi: request refused:", err)
		if x.vars.Announced() {
			drain(ctx, in, in, linger)
		}
		return nil
	}
	if x.vars.Method() == "" {
		refuse(out, "", &cgi.Refusal{Status: "500 Internal Server Error"})
		return errors.New("cgi: REQUEST_METHOD is not set, expected the web server to name a method")
	}
	x.Source, x.Transport = &x.vars, &x.response
	x.Method, x.Scheme = x.vars.Method(), x.vars.Scheme()
	x.Input = x.input(in)
	// The response ends where standard output does, and not only with the
	// process, which has still to close the body.
	x.response = backend.Response{W: out, Form: cgi.Status, Done: out.Close}
	g := gateway.Gateway{SingleThread: true, Multiprocess: true, RunOnce: true, Errors: errs}
	err := g.Serve(ctx, app, &x.Exchange)
	if x.Input != nil { // after a response that was cut too
		drain(ctx, x.Input, in, linger)
	}
	if err != nil {
		return fmt.Errorf("cgi: %w", err)
	}
	return nil
}

// settle takes the variables of the process environment. A name that no CGI
// variable has, such as those of drives on Windows, is none.
func (x *exchange) settle(environ []string) error {
	hasMethod := false
	for _, variable := range environ {
		name, value, ok := strings.Cut(variable, "=")
		if !ok || name == "" {
			continue
		}
		if err := x.vars.Add(name, value); err != nil {
			return err
		}
		hasMethod = hasMethod || name == "REQUEST_METHOD"
	}
	if !hasMethod {
		return nil
	}
	return x.vars.Settle(cgi.Terms{})
}

// input returns the request body. Standard input is read only as far as it is
// said to have one: it may be anything that the web server had at hand, and
// need not end (RFC 3875, 4.2).
func (x *exchange) input(in io.Reader) io.Reader {
	switch n := x.vars.Length(); {
	case n > 0:
		return &body{in: in, left: n}
	case n < 0 && x.vars.Decoded():
		return in // Apache decodes a chunked body and closes the pipe at its end
	}
	return nil
}

// body reads the declared number of bytes, and no more.
type body struct {
	in   io.Reader
	left int64
}

func (b *body) Read(p []byte) (int, error) {
	if b.left == 0 {
		return 0, io.EOF
	}
	n, err := b.in.Read(p[:min(int64(len(p)), b.left)])
	if b.left -= int64(n); b.left > 0 && err == io.EOF {
		err = io.ErrUnexpectedEOF // INPUT-21
	}
	return n, err
}

// refuse answers a request that does not reach the application.
func refuse(out io.WriteCloser, method string, err error) error {
	if _, err := out.Write(cgi.AppendRefusal(nil, cgi.Status, method, err)); err != nil {
		return err
	}
	return out.Close()
}
