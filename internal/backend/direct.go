package backend

// direct reads and writes what can be read and written without waiting. Most
// requests have come by the time that their connection is accepted, and most
// responses fit into the buffers of the system: a deadline, which is a timer,
// and a trip to the poller are for the others.
//
// read may be called by one goroutine at a time, and so may write.
type direct interface {
	// read reads what is there. It returns 0 and nil where that is nothing yet,
	// and io.EOF at the end.
	read(p []byte) (int, error)

	// write writes as much of p as there is room for. An error is left to the
	// next write, which says it better.
	write(p []byte) int
}

// tryRead reads what is there, if that can be done without waiting.
func (c *Conn) tryRead(p []byte) (int, error) {
	if c.direct == nil {
		return 0, nil
	}
	return c.direct.read(p)
}
