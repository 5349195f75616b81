//go:build !unix

package bridge

import (
	"errors"
	"net"
	"os"
)

const filesTravel = false

func writeFile(*net.UnixConn, *os.File) error { return errors.ErrUnsupported }
