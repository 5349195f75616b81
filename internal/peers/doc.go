// Package peers starts the programs that the adapters have to get on with, for
// the time of a test: nginx, Apache httpd, lighttpd, uWSGI and gunicorn. Each is
// an unprivileged process on loopback, in a temporary folder of its own, and is
// stopped by its process id.
//
// The configurations are the files of doc/deploy. A test replaces in them the
// folder and the ports, and nothing else.
package peers
