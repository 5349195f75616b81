// Package frontend puts HTTP/1.x before a server that speaks a gateway
// protocol, for the suites of package conformance: what a web server does
// between a browser and an application server, and nothing that would hide a
// fault of the latter.
package frontend
