// Package fastcgi serves a WSGI application over FastCGI 1.0, behind nginx
// (fastcgi_pass), Apache httpd (mod_proxy_fcgi), lighttpd (mod_fastcgi) or
// Caddy:
//
//	l, err := net.Listen("tcp", "127.0.0.1:9000")
//	if err != nil {
//		log.Fatal(err)
//	}
//	log.Fatal(fastcgi.Serve(l, app))
//
// The server takes the role of a Responder; requests for others are answered
// by FCGI_UNKNOWN_ROLE. A connection carries one request at a time, which no
// web server wants otherwise: FCGI_GET_VALUES is answered by FCGI_MPXS_CONNS=0,
// and a second request by FCGI_CANT_MPX_CONN. With FCGI_KEEP_CONN it carries
// one after the other. wsgi.multithread is true, wsgi.run_once false.
//
// The request body is the FCGI_STDIN stream. One that ends before
// CONTENT_LENGTH is an error for its reader; what comes after it is discarded.
//
// FCGI_ABORT_REQUEST, or the end of the connection, ends the context of the
// request. nginx closes the connection when its client leaves; no web server
// sends the former.
//
// A response that must not look complete ends without FCGI_END_REQUEST, by a
// reset of the connection.
//
// The stock configurations of nginx and Apache send the whole path in
// SCRIPT_NAME: set [Server].ScriptName, or configure them to divide it.
//
// The other way, a [Client] is an application that lets a backend answer, over
// the same protocol:
//
//	app := &fastcgi.Client{Addr: "127.0.0.1:9000"}
//
// Who may connect chooses every variable. Listen on a Unix socket or on
// loopback, or set [Server].Peers.
package fastcgi
