package cgi

import (
	"context"
	"io"
	"os"
	"time"
)

const (
	mostUnread = 16 << 20        // bytes of a body that are read for nobody
	lingering  = 5 * time.Second // and for how long
)

// drain reads what was left of the request body, which comes from standard input:
// as much as mostUnread, and for as long as linger says, 0 for not at all.
//
// Under Apache's mod_cgid standard input and output are one Unix socket. Its other
// end gets ECONNRESET in the place of the end when this one is closed before
// everything was read, and then Apache gives up a response whose head it has not
// read, or leaves out the end of a body and writes the next response of the
// connection into it. What comes beyond the limits is not waited for: a socket that
// is shut for reading gets nothing more, and what it has got is read to its end.
func drain(ctx context.Context, body, in io.Reader, linger time.Duration) {
	if linger == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, linger)
	defer cancel()
	await(ctx, func() { io.CopyN(io.Discard, body, mostUnread) })
	if in, ok := in.(*os.File); ok && shutRead(in) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), linger)
		defer cancel()
		await(ctx, func() { io.Copy(io.Discard, in) })
	}
}

// await waits until f returns or ctx ends. f may go on then: the process ends next.
func await(ctx context.Context, f func()) {
	returned := make(chan struct{})
	go func() {
		defer close(returned)
		f()
	}()
	select {
	case <-returned:
	case <-ctx.Done():
	}
}
