package python

import (
	"bufio"
	"errors"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"
)

// relay passes on what a worker prints, line by line.
func (p *Pool) relay(pid int, r *os.File, exited <-chan struct{}) {
	defer r.Close()
	ended := make(chan struct{})
	defer close(ended)
	go func() {
		select {
		case <-exited: // what it has started may hold the pipe for ever
			r.SetReadDeadline(time.Now().Add(time.Second))
		case <-ended:
		}
	}()
	lines := bufio.NewReaderSize(r, 64<<10)
	for {
		line, err := lines.ReadSlice('\n')
		if len(line) > 0 {
			p.say(pid, string(line))
		}
		if err != nil && err != bufio.ErrBufferFull {
			if err != io.EOF && !errors.Is(err, os.ErrDeadlineExceeded) {
				p.log(slog.LevelWarn, "reading what a worker prints", "pid", pid, "error", err.Error())
			}
			return
		}
	}
}

// say passes on what a worker has printed.
func (p *Pool) say(pid int, text string) {
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if p.config.Output != nil {
			p.config.Output(pid, line)
		} else {
			p.log(slog.LevelInfo, line, "worker", pid)
		}
	}
}
