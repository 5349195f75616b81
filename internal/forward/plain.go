package forward

import (
	"io"

	"github.com/gowsgi/gowsgi/internal/duplex"
)

// Plain is the Open of a protocol without framing: the body follows the head,
// and the response is what comes until the backend closes the connection.
func Plain(s Stream, _ io.Writer) Channel { return &plain{duplex.Conn{Stream: s}} }

type plain struct{ duplex.Conn }

func (*plain) CloseWrite() error { return nil }
func (*plain) Reusable() bool    { return false }
