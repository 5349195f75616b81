// Package wsgiref holds tests and nothing else: the behaviours that Python's
// wsgiref is tested for, and the checks of its validator, asked of the servers
// of this module.
package wsgiref
