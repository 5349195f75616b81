// Package cgi is what CGI, FastCGI, SCGI and uwsgi have in common, without I/O
// of its own: the variables of a request, from which an environ is made, and
// the head of a response.
//
// A web server speaks for its clients, and some of what it says is what a
// client made it say. Package cgi decides which of it reaches an application:
// what cannot be understood in one way only is refused.
//
// Source: RFC 3875, sections 4 and 6.
package cgi
