package server

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// paced is a connection, as far as a request body is concerned, whose client sends
// size bytes each time that pace has passed.
type paced struct {
	*httptest.ResponseRecorder
	pace     time.Duration
	size     int
	left     int // bytes to come
	deadline time.Time
}

func (p *paced) EnableFullDuplex() error           { return nil }
func (p *paced) SetReadDeadline(t time.Time) error { p.deadline = t; return nil }
func (p *paced) Close() error                      { return nil }
func (p *paced) wait(d time.Duration) (inTime bool) {
	if until := time.Until(p.deadline); !p.deadline.IsZero() && until < d {
		time.Sleep(until)
		return false
	}
	time.Sleep(d)
	return true
}

func (p *paced) Read(b []byte) (int, error) {
	if p.left == 0 {
		return 0, io.EOF
	}
	if !p.wait(p.pace) {
		return 0, os.ErrDeadlineExceeded
	}
	n := min(len(b), p.size, p.left)
	p.left -= n
	return n, nil
}

// TestReadTimeout is about what the time is for: each 64 KiB, while somebody reads.
func TestReadTimeout(t *testing.T) {
	const timeout = 30 * time.Second
	tests := []struct {
		name  string
		pace  time.Duration // of the client
		size  int
		total int
		pause time.Duration // of the application, between two reads
		fails bool
	}{
		{"a piece in time", 29 * time.Second, piece, piece, 0, false},
		{"a piece too late", 31 * time.Second, piece, piece, 0, true},
		{"each piece in time, and all of them in minutes", 29 * time.Second, piece, 10 * piece, 0, false},
		{"half a piece too late", 20 * time.Second, piece / 2, piece, 0, true},
		{"half a piece in time", 14 * time.Second, piece / 2, 10 * piece, 0, false},
		{"now and then a byte", time.Second, 1, piece, 0, true},
		{"an application that takes its time", 29 * time.Second, piece, 2 * piece, time.Hour, false},
		{"and within a piece", 10 * time.Second, piece / 2, piece, time.Hour, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client := &paced{ResponseRecorder: httptest.NewRecorder(), pace: tt.pace, size: tt.size, left: tt.total}
				r := httptest.NewRequest("POST", "/", client)
				h := &handler{server: &Server{ReadTimeout: timeout}, timed: true}
				x := &exchange{handler: h, w: client, r: r}
				x.openBody()
				b := make([]byte, piece)
				var err error
				for err == nil {
					_, err = x.Read(b)
					time.Sleep(tt.pause)
				}
				if failed := errors.Is(err, os.ErrDeadlineExceeded); failed != tt.fails || !failed && err != io.EOF {
					t.Errorf("reading ended in %v after %d bytes", err, tt.total-client.left)
				}
			})
		})
	}
}

// hurried is a client during whose pause the application sets a deadline.
type hurried struct {
	paced
	during func()
}

func (h *hurried) Read(b []byte) (int, error) {
	h.during()
	return h.paced.Read(b)
}

// TestReadDeadlineDuringARead: the application's own deadline is in force until the
// application takes it back, also when it was set while somebody read.
func TestReadDeadlineDuringARead(t *testing.T) {
	for _, major := range []int{1, 2} {
		synctest.Test(t, func(t *testing.T) {
			client := &hurried{paced: paced{ResponseRecorder: httptest.NewRecorder(), pace: time.Second, size: 1, left: piece}}
			r := httptest.NewRequest("POST", "/", client)
			r.ProtoMajor = major
			x := &exchange{handler: &handler{server: &Server{ReadTimeout: time.Minute}, timed: true}, w: client, r: r}
			want := time.Now().Add(10 * time.Second)
			client.during = sync.OnceFunc(func() { (*extension)(x).SetReadDeadline(want) })
			x.openBody()
			_, err := io.ReadAll(struct{ io.Reader }{x})
			if !errors.Is(err, os.ErrDeadlineExceeded) || !time.Now().Equal(want) {
				t.Errorf("HTTP/%d: reading ended in %v at %v, expected %v", major, err, time.Now(), want)
			}
		})
	}
}

var _ http.ResponseWriter = (*paced)(nil)
