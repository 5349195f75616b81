// Package python has applications of Python's frameworks, and tests that use
// them as a browser would, through gowsgi serve.
package python
