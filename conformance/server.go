package conformance

import (
	"slices"
	"testing"

	"github.com/gowsgi/gowsgi/wsgi"
)

// TestServer tests a server: whether it keeps what PEP 3333 asks of servers
// and gateways, as far as a client and an application can tell.
//
// start runs the server with the given application, at the root of its paths,
// and returns where it listens, as for net.Dial: for HTTP/1.x in clear, or for
// what [Suite].Protocol says. It is called once; t.Cleanup is the way to stop the
// server at the end. Each rule is a subtest, named after its id in the catalogue,
// such as TestServer/START-13/replaces_the_head, so that -run selects rules. All
// rules count, SHOULD as well as MUST; [Suite] has the choice.
//
// A server that hangs, answers garbage or never stops fails the test and does
// not hang it.
func TestServer(t *testing.T, start func(t testing.TB, app wsgi.Application) (network, addr string)) {
	t.Helper()
	Suite{}.TestServer(t, start)
}

// TestServer is the function of that name, with the choices of s.
func (s Suite) TestServer(t *testing.T, start func(t testing.TB, app wsgi.Application) (network, addr string)) {
	t.Helper()
	d := newDispatcher()
	network, addr := start(t, d)
	subject, closeFront, err := s.reach(d, network, addr)
	if err != nil {
		t.Fatal(err)
	}
	defer closeFront()
	runProbes(t, s, subject, serverProbes())
}

// serverProbes returns the suite for servers, in the order of the catalogue's
// topics.
func serverProbes() []probe[*serverSubject] {
	return slices.Concat(serverGoProbes(), serverPythonProbes)
}

// serverGoProbes are those that a server for Go can fail.
func serverGoProbes() []probe[*serverSubject] {
	return slices.Concat(
		serverCallProbes,
		serverStartProbes,
		serverHeaderProbes,
		serverLengthProbes,
		serverBodyProbes,
		serverCloseProbes,
		serverTimeProbes,
		serverErrorProbes,
		serverEnvironProbes,
		serverTargetProbes,
		serverInputProbes,
		serverLineProbes,
		serverLogProbes,
		serverLoggedProbes,
		serverExpectProbes,
		serverFileProbes,
		serverThreadProbes,
		serverModeProbes,
		serverCommunityProbes,
	)
}
