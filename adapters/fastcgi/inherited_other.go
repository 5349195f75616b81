//go:build !unix

package fastcgi

import "os"

// isConnected cannot tell here, where no web server gives programs sockets.
func isConnected(*os.File) bool { return false }
