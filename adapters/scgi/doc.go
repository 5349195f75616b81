// Package scgi serves a WSGI application over SCGI, behind nginx (scgi_pass),
// Apache httpd (mod_proxy_scgi) or lighttpd (mod_scgi):
//
//	l, err := net.Listen("tcp", "127.0.0.1:9000")
//	if err != nil {
//		log.Fatal(err)
//	}
//	log.Fatal(scgi.Serve(l, app))
//
// A connection carries one request. Its body has the length that
// CONTENT_LENGTH says, and the end of the connection ends the response: there
// is no mark for a response that was cut, but that its Content-Length is not
// reached or that the connection is reset. wsgi.multithread is true,
// wsgi.run_once false. When the web server closes the connection while the
// application works, its context ends; nginx does so when its client leaves.
//
// In front of nginx, leave scgi_request_buffering on: without it nginx before
// 1.29.6 announces as much of a body as it happens to have, and such a request
// is refused. nginx's stock configuration sends neither SCRIPT_NAME nor
// PATH_INFO; the path is then all PATH_INFO.
//
// The other way, a [Client] is an application that lets a backend answer, over
// the same protocol:
//
//	app := &scgi.Client{Addr: "127.0.0.1:4000"}
//
// Who may connect chooses every variable. Listen on a Unix socket or on
// loopback.
package scgi
