package backend

import (
	"errors"
	"io"
	"os"
	"time"

	"github.com/gowsgi/gowsgi/server/gateway"
)

// Pace is the time that the peer has for the pieces of a request body. It runs
// only while somebody waits: the time between is the application's. The zero
// value with a Timeout is ready for use; without one there is no limit.
type Pace struct {
	Timeout time.Duration // for each Piece

	budget int           // bytes of the present piece that have not come yet
	left   time.Duration // the time that the peer has for them
}

// Begin returns how long the next wait may take.
func (p *Pace) Begin() time.Duration {
	if p.budget <= 0 {
		p.budget, p.left = Piece, p.Timeout
	}
	return p.left
}

// End counts a wait that took d and brought n bytes.
func (p *Pace) End(d time.Duration, n int) {
	p.left -= d
	p.budget -= n
}

// ErrSlow is how a body ends whose peer took too long.
var ErrSlow = &gateway.ClientError{Status: "408 Request Timeout", Err: errors.New("the web server took too long to send the body")}

// bodyError says of a failure to read with which status it is answered.
func bodyError(err error) error {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return ErrSlow
	case err == io.EOF:
		err = io.ErrUnexpectedEOF // INPUT-21
	}
	return &gateway.ClientError{Status: "400 Bad Request", Err: err}
}
