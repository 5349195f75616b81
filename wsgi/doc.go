// Package wsgi is the contract of PEP 3333 between web servers and web
// applications, in Go.
package wsgi
