package wsgitest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/gowsgi/gowsgi/server/gateway"
	"github.com/gowsgi/gowsgi/wsgi"
)

// Do sends req to app and records the response, as Record does. The test fails
// when something was written to wsgi.errors, when the gateway has reported a
// fault, or when the response was cut while the client was there to see it,
// unless req.ExpectErrors is set. It goes on in any case.
func Do(t testing.TB, app wsgi.Application, req *Request) *Response {
	t.Helper()
	res := Record(app, req)
	complain(t, res)
	return res
}

// complain fails the test when res is not what one wants to see unasked.
func complain(t testing.TB, res *Response) {
	t.Helper()
	req := res.Request
	left := errors.Is(res.Err, errLeft) || req.context().Err() != nil
	if req.ExpectErrors || res.Errors == "" && res.Fault == nil && (res.Err == nil || left) {
		return
	}
	var b strings.Builder
	fmt.Fprintf(&b, "wsgitest: %s %s: errors that the request does not expect", req.method(), req.Target)
	switch {
	case res.Err != nil:
		fmt.Fprintf(&b, "\nresponse %q: %v", res.Status, res.Err)
	case res.Status != "":
		fmt.Fprintf(&b, "\nresponse %q", res.Status)
	}
	if res.Fault != nil {
		fmt.Fprintf(&b, "\nreported: %v", res.Fault)
	}
	if panicked := res.Panic(); panicked != nil {
		fmt.Fprintf(&b, "\n%s", panicked.Stack)
	}
	if res.Errors != "" {
		fmt.Fprintf(&b, "\nwsgi.errors: %s", res.Errors)
	}
	t.Error(strings.TrimRight(b.String(), "\n"))
}

// Record sends req to app through a gateway.Gateway whose fields are zero, and
// records the response in memory. It returns when the application is done with
// the request and the body is closed.
//
// The application runs on the calling goroutine, so it may use the test that
// it is part of, even t.Fatal. A panic does not leave Record: it becomes what
// a server makes of it.
func Record(app wsgi.Application, req *Request) *Response {
	if app == nil {
		panic("wsgitest: the application is nil")
	}
	t := req.parse()
	input, _ := req.input()
	ctx, leave := context.WithCancelCause(req.context())
	defer leave(nil) // the context ends with the request
	wire := &wire{ctx: ctx, leave: leave, leaveAfter: req.LeaveAfter, hints: req.proto() != "HTTP/1.0"}
	watch := &watch{app: app, request: req}
	log := new(operator)
	g := gateway.Gateway{Logger: slog.New(log)}
	err := g.Serve(ctx, watch, &gateway.Exchange{
		Source:    req.source(t),
		Transport: wire,
		Method:    req.method(),
		Scheme:    t.scheme,
		Input:     input,
	})
	res := &wire.response
	res.Request, res.Err = req, err
	watch.tell(res)
	log.tell(res)
	return res
}
