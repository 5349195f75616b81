package backend

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/gowsgi/gowsgi/internal/testlog"
	"github.com/gowsgi/gowsgi/wsgi"
)

// TestMalformed: the operator hears of what is not of the protocol, and of silence and
// of those who leave only who wants to.
func TestMalformed(t *testing.T) {
	for _, tt := range []struct {
		name string
		err  error
		want string // the level, "" for no record
	}{
		{"not of the protocol", errors.New("the head begins with G"), "WARN"},
		{"silence", &incompleteError{os.ErrDeadlineExceeded}, "WARN"},
		{"silence from the first", os.ErrDeadlineExceeded, "DEBUG"},
		{"silence in a record", fmt.Errorf("a record is not complete: %w", os.ErrDeadlineExceeded), "DEBUG"},
		{"a reset", &net.OpError{Op: "read", Err: os.NewSyscallError("read", syscall.ECONNRESET)}, "DEBUG"},
		{"the end", io.EOF, ""},
		{"our own end", fmt.Errorf("reading: %w", net.ErrClosed), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var log testlog.Log
			s, err := New(Options{App: wsgi.Response{}, Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))}, func(*Conn) {})
			if err != nil {
				t.Fatal(err)
			}
			near, far := net.Pipe()
			defer near.Close()
			defer far.Close()
			(&Conn{Conn: near, Server: s}).Malformed(tt.err)
			level, _, _ := strings.Cut(log.String(), " msg=")
			if _, level, _ = strings.Cut(level, "level="); level != tt.want {
				t.Errorf("the log has %q, expected a record of the level %q", log.String(), tt.want)
			}
		})
	}
}
