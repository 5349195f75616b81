// Package uwsgi serves a WSGI application over the protocol of that name,
// behind nginx (uwsgi_pass), Apache httpd (mod_proxy_uwsgi), lighttpd
// (mod_scgi with scgi.protocol = "uwsgi") or uWSGI's own routers:
//
//	l, err := net.Listen("tcp", "127.0.0.1:9000")
//	if err != nil {
//		log.Fatal(err)
//	}
//	log.Fatal(uwsgi.Serve(l, app))
//
// A connection carries one request, a packet with the modifier 0; all other
// packets are commands to uWSGI, and are not answered. What uWSGI does at the
// word of a variable, such as UWSGI_FILE or UWSGI_SETENV, is not done: here
// they are variables and no more.
//
// The response begins with an HTTP status line, and the end of the connection
// ends it: there is no mark for a response that was cut, but that its
// Content-Length is not reached or that the connection is reset.
// wsgi.multithread is true, wsgi.run_once false. When the web server closes
// the connection while the application works, its context ends; nginx does so
// when its client leaves.
//
// nginx's stock configuration sends the whole path in PATH_INFO.
//
// The other way, a [Client] is an application that lets a backend answer, over
// the same protocol:
//
//	app := &uwsgi.Client{Addr: "127.0.0.1:3031"}
//
// Who may connect chooses every variable. Listen on a Unix socket or on
// loopback.
package uwsgi
