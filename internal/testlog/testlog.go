// Package testlog has the log of a server under test: one goroutine writes it while
// others read.
package testlog

import (
	"bytes"
	"sync"
)

// Log keeps what is written to it. The zero value is empty and ready for use, by
// several goroutines at once.
type Log struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write adds p.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// Bytes returns a copy of all that was written up to now.
func (l *Log) Bytes() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Clone(l.b.Bytes())
}

// String returns all that was written up to now.
func (l *Log) String() string { return string(l.Bytes()) }
