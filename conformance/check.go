package conformance

import (
	"context"

	"github.com/gowsgi/gowsgi/internal/requirements"
	"github.com/gowsgi/gowsgi/wsgi"
)

// CheckServer is TestServer for programs: it looks at a server and reports
// what it found, rule by rule.
//
// start runs the server with the given application at the root of its paths,
// and returns where it listens, as for net.Dial. It is called once. The server
// keeps running when CheckServer returns; whoever started it stops it. The
// error is that of start, or ctx's when it ended before the suite did; the
// report then has what was found by then.
func (s Suite) CheckServer(ctx context.Context, start func(app wsgi.Application) (network, addr string, err error)) (Report, error) {
	d := newDispatcher()
	network, addr, err := start(d)
	if err != nil {
		return Report{}, err
	}
	subject, closeFront, err := s.reach(d, network, addr)
	if err != nil {
		return Report{}, err
	}
	defer closeFront()
	return checkProbes(ctx, s, subject, serverProbes(), "server")
}

// CheckApplication is TestApplication for programs. Its error is ctx's.
func (s Suite) CheckApplication(ctx context.Context, app wsgi.Application) (Report, error) {
	return checkProbes(ctx, s, app, applicationProbes, "app")
}

// CheckMiddleware is TestMiddleware for programs. Its error is ctx's.
func (s Suite) CheckMiddleware(ctx context.Context, m wsgi.Middleware) (Report, error) {
	return checkProbes(ctx, s, m, middlewareProbes, "mw")
}

// checkProbes runs every probe on subject, which is of the given party.
func checkProbes[S any](ctx context.Context, s Suite, subject S, probes []probe[S], party string) (Report, error) {
	hasty := newHaste(s.patience())
	found := newCollected()
	for _, p := range probes {
		if ctx.Err() != nil {
			break
		}
		r := hasty.note(p.try(subject, hasty.patience))
		row, _ := requirements.ByID(p.rule)
		found.add(p.rule, p.name, r, s.status(row, r))
	}
	return Report{Results: found.results(party)}, ctx.Err()
}
