//go:build !unix

package forward

// wouldBlock cannot tell here: a connection that has ended is found out by the
// request that it is used for.
func wouldBlock(uintptr) bool { return true }
