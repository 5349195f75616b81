package adaptertest

import (
	"errors"
	"log/slog"
	"os"
	"strings"
	"testing"

	"github.com/gowsgi/gowsgi/internal/backend"
	"github.com/gowsgi/gowsgi/internal/testlog"
	"github.com/gowsgi/gowsgi/wsgi"
)

// Malformed is a request that is no good.
type Malformed struct {
	Name string
	Raw  []byte
	Want string // the code of the answer, "" for none
	Says string // is in the log
}

// Malformed sends each of the requests: the server must answer as it should,
// or close without a word, say why in its log, and never call the application.
func (s Subject) Malformed(t *testing.T, o backend.Options, tests []Malformed) {
	Leaks(t)
	var log testlog.Log
	o.Logger = slog.New(slog.NewTextHandler(&log, nil))
	addr := s.start(t, o, func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		t.Errorf("the application was called with %v", environ.Map())
		return wsgi.Response{Status: "200 OK"}.Call(environ, start)
	})
	for _, tt := range tests {
		t.Run(tt.Name, func(t *testing.T) {
			before := len(log.Bytes())
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
			if lines := string(log.Bytes()[before:]); strings.Count(lines, "level=WARN") != 1 || !strings.Contains(lines, "reason=") || !strings.Contains(lines, tt.Says) {
				t.Errorf("logged %q, expected one warning with the reason, and in it %q", lines, tt.Says)
			}
		})
	}
}
