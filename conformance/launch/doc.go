// Package launch starts servers as commands, puts the probes of package
// conformance into them, and stops them again.
package launch
