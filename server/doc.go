// Package server serves WSGI applications over net/http.
package server
