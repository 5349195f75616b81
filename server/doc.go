// Package server serves WSGI applications over net/http.
//
// The short form listens and serves:
//
//	log.Fatal(server.ListenAndServe("127.0.0.1:8000", app))
//
// A program for production makes a [Server] and runs it. Run stops at SIGINT or
// SIGTERM and lets running responses finish; it also serves the sockets that
// systemd has passed to the process:
//
//	s := &server.Server{App: app, Addr: "unix:/run/shop.sock", ScriptName: "/shop"}
//	if err := s.Run(context.Background()); err != nil {
//		log.Fatal(err)
//	}
//
// A program that has an http.Server already takes the application as an
// [http.Handler], with defaults by [Handler] or with the fields of a Server by
// [Server.Handler]:
//
//	mux.Handle("/shop/", http.StripPrefix("/shop", server.Handler(app)))
//
// This package holds no rule of PEP 3333. It makes an environ of a request of
// net/http and puts responses on its wire; what happens in between is
// [github.com/gowsgi/gowsgi/server/gateway]. The guide in doc/guide.md has the
// narrative.
//
// # Variables
//
// Every request's environ has these; doc/environ.md says more of each:
//
//	REQUEST_METHOD, REQUEST_URI, RAW_URI     as they were sent
//	SCRIPT_NAME, PATH_INFO                   the path, percent-decoded once, not cleaned
//	QUERY_STRING                             not decoded, always present
//	CONTENT_TYPE, CONTENT_LENGTH             when the client sent the header
//	HTTP_*                                   the other request headers
//	SERVER_NAME, SERVER_PORT                 Server.Name, or the connection's local address
//	SERVER_PROTOCOL, SERVER_SOFTWARE, GATEWAY_INTERFACE
//	REMOTE_ADDR, REMOTE_PORT                 the peer, absent on a Unix socket
//	HTTPS, SSL_*                             on a connection with TLS
//	wsgi.*                                   among them wsgi.input_terminated, wsgi.early_hints
//	gowsgi.http                              see below
//	Server.Environ                           the deployer's own
//
// A header with an underscore in its name and the header Proxy have no
// variable, since a client could pose as somebody else with them. No header
// changes REMOTE_ADDR, SCRIPT_NAME or wsgi.url_scheme.
//
// # Limits
//
// The zero value of each limit is a default, a negative value means none.
//
//	ReadHeaderTimeout   10 s     the time for a request head; then 408
//	ReadTimeout         30 s     for each 64 KiB of a request body that is being read; then 408
//	WriteTimeout        30 s     for each 64 KiB of a response; up to twice as long may pass
//	IdleTimeout         75 s     between two requests of a connection
//	ShutdownTimeout     30 s     for running responses when Run stops
//	MaxHeaderBytes      64 KiB   a request head; then 431
//	MaxBodyBytes        1 GiB    a request body; then 413
//
// No limit bounds a response as a whole. The limits on time and on the size of
// heads are those of a Server; a [Handler] in a server of somebody else's has
// those of that server, and MaxBodyBytes.
//
// # Protocols
//
// Without Server.TLSConfig a Server speaks HTTP/1.0, HTTP/1.1, and HTTP/2 with
// clients that begin with it; with it, TLS and over that HTTP/1 and HTTP/2.
// In HTTP/1, with TLS or without, it refuses request heads on which two servers
// could disagree about the end of the request, with a 400.
//
// # Logging
//
// Server.Logger receives records of what the server has to say, slog.Default
// when it is nil. The text of wsgi.errors and the reports of failed requests go
// there too, as records, or to Server.Errors as lines where that is set. The
// access log is a middleware: AccessLog of package middleware.
//
// # The extension gowsgi.http
//
// The value of this key has methods for what the contract has no words for. It
// is asserted to an interface with those that are needed:
//
//	type extension interface {
//		// The request of net/http; false when environ was altered so that the
//		// two disagree. environ is what the application was called with. The
//		// request is not to be changed, nor its Body read.
//		HTTPRequest(environ *wsgi.Environ) (*http.Request, bool)
//		// In the place of ReadTimeout and WriteTimeout, for the rest of the
//		// request or until the zero time is set.
//		SetReadDeadline(t time.Time) error
//		SetWriteDeadline(t time.Time) error
//	}
//
// The methods may be called by any goroutine until the body is closed; then the
// connection may serve another request.
//
// # What net/http does by itself
//
// It adds Date where the application has not set it, sorts response headers by
// name, replaces reason phrases by its own, and writes the last chunk of a
// chunked response when the body has been closed. It answers malformed requests
// and "OPTIONS *" itself. The package undoes what would change a response: no
// Content-Type is guessed, each block is flushed, and a request body can be read
// while the response is sent. Of a body that the application left unread up to
// 256 KiB are thrown away; where there is more, the connection is closed after
// the response. doc/differences.md has the whole list.
package server
