// Package python hosts Python applications: it runs WSGI applications in
// processes of CPython, and is an application of Go to everybody else.
package python
