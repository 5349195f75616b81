package adaptertest

import (
	"errors"
	"os"
	"testing"

	"github.com/gowsgi/gowsgi/internal/backend"
	"github.com/gowsgi/gowsgi/wsgi"
)

// Malformed is a request that is no good.
type Malformed struct {
	Name string
	Raw  []byte
	Want string // the code of the answer, "" for none
}

// Malformed sends each of the requests: the server must answer as it should,
// or close without a word, and never call the application.
func (s Subject) Malformed(t *testing.T, o backend.Options, tests []Malformed) {
	Leaks(t)
	addr := s.start(t, o, func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		t.Errorf("the application was called with %v", environ.Map())
		return wsgi.Response{Status: "200 OK"}.Call(environ, start)
	})
	for _, tt := range tests {
		t.Run(tt.Name, func(t *testing.T) {
			c := Dial(t, addr)
			c.Write(tt.Raw)
			r := Receive(s.Protocol, c)
			got := ""
			if r.Code > 0 {
				got = r.Status[:3]
			}
			if got != tt.Want || got != "" && (!r.Ended || r.Body != r.Status+"\n" || r.Err != nil) || errors.Is(r.Err, os.ErrDeadlineExceeded) {
				t.Errorf("answered by %v, expected %q", r, tt.Want)
			}
		})
	}
}
