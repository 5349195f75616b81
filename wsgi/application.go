package wsgi

// Application is the application object of PEP 3333: something that a server
// calls once for each request.
//
// Call receives the request as a dictionary and a callable that begins the
// response. It returns the body, which the server then iterates and closes.
// startResponse must have been called before the body yields its first
// non-empty block: inside Call, or as late as inside the body (START-04,
// START-05).
//
// Returning a non-nil error is Python's raising: the server answers 500 if
// nothing was sent, and cuts the response otherwise. When both results are
// non-nil the error wins, and the body is closed without being iterated
// (AMB-36). A nil body with a nil error breaks the contract (BODY-01).
//
// An Application is called any number of times, and from many goroutines at
// once unless wsgi.multithread is false. What belongs to one request lives in
// the call or in the returned body, never in the Application (APP-05).
//
// The environ and what Call does to it belong to the application from the
// moment of the call (ENV-02). Neither callable may be used once the server
// has closed the body: they return errors from then on (SRV-10).
//
// Source: PEP 3333, "The Application/Framework Side".
type Application interface {
	Call(environ *Environ, startResponse StartResponse) (Iterable, error)
}

// AppFunc is a function, or a bound method, as an Application.
type AppFunc func(environ *Environ, startResponse StartResponse) (Iterable, error)

// Call calls f.
func (f AppFunc) Call(environ *Environ, startResponse StartResponse) (Iterable, error) {
	return f(environ, startResponse)
}

// AppClass is a class as an Application: a constructor that is called once for
// each request and whose result is the body. Such an application usually keeps
// both arguments and calls startResponse when its iteration begins (APP-04).
type AppClass[T Iterable] func(environ *Environ, startResponse StartResponse) T

// Call constructs the instance that is the body of this response.
func (c AppClass[T]) Call(environ *Environ, startResponse StartResponse) (Iterable, error) {
	return c(environ, startResponse), nil
}

// Middleware makes an application out of an application: to the server it is
// one, and to the inner application it is a server, with the duties of both
// (MW-01).
//
// Source: PEP 3333, "Middleware: Components that Play Both Sides".
type Middleware func(Application) Application

// StartResponse begins the response. It stores the status and the headers; they
// are sent with the first non-empty block of the body, at the first call of
// the returned Write, or when the body ends (START-07 to START-09).
//
// status is a code of three digits, one space, and a reason phrase, such as
// "200 OK" (HDR-01); a server may be unable to send the phrase (HTTP/2 has
// none). headers are given away: the caller changes neither the slice nor its
// elements afterwards (START-27), and no hop-by-hop header is among them
// (HDR-13).
//
// excInfo is nil, except from an error handler that replaces a response it had
// begun (START-12). With it, and before anything was sent, status and headers
// replace the stored ones; after that the call returns an error that wraps
// excInfo and the response is cut (START-13 to START-15). Without it a second
// call is an error (START-19).
//
// A returned error must be returned in turn, not trapped (START-16). A server
// does not depend on it: a refused call fails the request unless a later call
// with excInfo repairs it (ERR-16).
//
// Source: PEP 3333, "The start_response() Callable".
type StartResponse func(status string, headers Headers, excInfo error) (Write, error)

// Write sends one block as if the body had yielded it, before any block that
// the body will yield. The first call, even an empty one, sends the headers
// (WRITE-10, AMB-02). It returns only after the block is handed to the
// transport; the caller may then reuse the block.
//
// Write exists for code that can only push its output. New applications yield
// blocks instead, and nothing may call Write from inside the body (WRITE-02,
// WRITE-08).
//
// Errors: the client has gone, the block exceeds the declared Content-Length
// (as much as fits was sent), or the request is over.
//
// Source: PEP 3333, "The write() Callable".
type Write func(block []byte) (int, error)

// Write calls w, which makes every Write an io.Writer.
func (w Write) Write(block []byte) (int, error) { return w(block) }
