// Package forward is what the clients of FastCGI, SCGI, uwsgi, CGI and HTTP
// have in common: they are applications that let a backend answer. It chooses
// the backend and bounds how many connections it gets, makes the variables that
// go over the wire out of an environ, streams both ways with a time limit for
// each phase, and makes of a failure the response of a gateway: 502, 503 or 504
// with a line in the log.
//
// A request is sent to another backend only when nothing of it was sent: when
// connecting failed, or, for a method that is safe, when a connection that had
// been kept broke before it took the first byte.
package forward
