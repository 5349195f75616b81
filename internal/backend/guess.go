package backend

import (
	"fmt"
	"regexp"
)

// The beginnings of what is sent to the wrong port, most often by a web server whose
// directive is of another protocol.
var beginnings = []struct {
	name    string
	pattern *regexp.Regexp
}{
	{"the PROXY protocol", regexp.MustCompile(`^(PROXY |\r\n\r\n\x00\r\n)`)},
	{"HTTP", regexp.MustCompile(`^[A-Z]+ [/*hH]`)},
	{"TLS", regexp.MustCompile(`^\x16\x03`)},
	{"SCGI", regexp.MustCompile(`^[1-9][0-9]{0,6}:`)},
	{"FastCGI", regexp.MustCompile(`^\x01[\x01\x09]\x00`)},
	{"uwsgi", regexp.MustCompile(`(?s)^\x00..\x00`)},
}

// Explain adds to an error about the beginning of a connection which other protocol
// it looks like: b is what came, or the first bytes of it.
func Explain(err error, b []byte) error {
	b = b[:min(len(b), 16)]
	for _, known := range beginnings {
		if known.pattern.Match(b) {
			return fmt.Errorf("%w; it looks like %s", err, known.name)
		}
	}
	return err
}
