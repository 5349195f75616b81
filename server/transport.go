package server

import (
	"errors"
	"io"
	"maps"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/gowsgi/gowsgi/wsgi"
)

// Head passes the head to net/http, which holds it back until the first write
// or flush.
func (x *exchange) Head(code int, _ string, headers wsgi.Headers) error {
	x.announceClose()
	head := x.w.Header()
	values := x.values[:0:len(x.values)]
	if len(headers) > len(x.values) {
		values = make([]string, 0, len(headers))
	}
	hasType, hasLength := false, false
	// Where nothing was there before, what occurs once here need not be looked for
	// in the map. A long list is quicker to look for there than in itself.
	fresh := len(head) == 0 && len(headers) <= 16
	for i := range headers {
		key := fieldKey(headers, i)
		values = append(values, headers[i].Value)
		value := values[len(values)-1 : len(values) : len(values)]
		switch key {
		case "Content-Type":
			hasType = true
		case "Content-Length":
			hasLength = true
		case "Date", "Server": // the application's word counts (HDR-17)
		default:
			if fresh && !repeats(headers, i) {
				break
			}
			if before, ok := head[key]; ok {
				value = append(before, value[0])
			}
		}
		head[key] = value
	}
	if !hasType {
		if _, ok := head["Content-Type"]; !ok {
			head["Content-Type"] = nil // net/http would guess one (HDR-21)
		}
	}
	if x.handler.server.Software != "" {
		if _, ok := head["Server"]; !ok {
			head["Server"] = []string{x.handler.server.Software}
		}
	}
	x.bodiless = x.r.Method == http.MethodHead || code == http.StatusNoContent || code == http.StatusNotModified
	x.chunked = !hasLength && !x.bodiless
	x.w.WriteHeader(code)
	return nil
}

// fieldKey returns the key under which net/http shall keep headers[i]: the
// name as the application spelled it, so that it leaves as given (HDR-25).
// But net/http looks for some names itself, in their canonical spelling, and a
// name that is repeated in two spellings must stay in order (HDR-18).
func fieldKey(headers wsgi.Headers, i int) string {
	name := headers[i].Name
	switch name { // most responses have these, and the question is not cheap
	case "Content-Type", "Content-Length", "Cache-Control", "Content-Encoding", "Last-Modified", "Location", "Set-Cookie", "Vary",
		"Content-Security-Policy", "Cross-Origin-Opener-Policy", "Referrer-Policy", "Strict-Transport-Security",
		"X-Content-Type-Options", "X-Frame-Options", "X-Request-Id":
		return name
	}
	if isCanonical(name) {
		return name
	}
	canonical := http.CanonicalHeaderKey(name)
	switch canonical {
	case "Content-Type", "Content-Length", "Content-Encoding", "Date", "Server":
		return canonical
	}
	for _, before := range headers[:i] {
		if strings.EqualFold(before.Name, name) {
			return before.Name
		}
	}
	return name
}

// isCanonical reports whether name, which is a token, is what
// http.CanonicalHeaderKey would make of it.
func isCanonical(name string) bool {
	upper := true
	for i := 0; i < len(name); i++ {
		c := name[i]
		if upper && 'a' <= c && c <= 'z' || !upper && 'A' <= c && c <= 'Z' {
			return false
		}
		upper = c == '-'
	}
	return true
}

// repeats reports whether the name of headers[i] is one of those before it, in
// whatever spelling.
func repeats(headers wsgi.Headers, i int) bool {
	name := headers[i].Name
	for _, before := range headers[:i] {
		if len(before.Name) == len(name) && strings.EqualFold(before.Name, name) {
			return true
		}
	}
	return false
}

// Block writes block and flushes.
func (x *exchange) Block(block []byte) error {
	if x.paced {
		return x.pieces(block)
	}
	if len(block) > 0 {
		if _, err := x.w.Write(block); err != nil {
			return err
		}
	}
	return x.flush()
}

// pieces is Block where WriteTimeout is not the connection's affair. In HTTP/2 a
// deadline ends the stream even while nobody writes: the one set here must not
// outlast the call, or a stream could not be quiet for longer.
func (x *exchange) pieces(block []byte) error {
	for {
		x.arm()
		if len(block) == 0 {
			break
		}
		n, err := x.w.Write(block[:min(len(block), piece)])
		if err != nil {
			return err
		}
		if block = block[n:]; len(block) == 0 {
			break
		}
	}
	err := x.flush()
	x.disarm()
	return err
}

// arm sets the deadline of the next write, unless the application has.
func (x *exchange) arm() {
	if timeout := x.handler.server.writeTimeout(); timeout > 0 && !x.fixed.Load() {
		http.NewResponseController(x.w).SetWriteDeadline(time.Now().Add(timeout))
	}
}

// disarm takes the deadline of arm back.
func (x *exchange) disarm() {
	if x.handler.server.writeTimeout() > 0 && !x.fixed.Load() {
		http.NewResponseController(x.w).SetWriteDeadline(time.Time{})
	}
}

func (x *exchange) flush() error {
	x.flushed = true
	if x.bodiless && x.r.ProtoMajor == 2 {
		// The head ends the stream, and that may be noticed before the flush
		// is told of its success.
		http.NewResponseController(x.w).Flush()
		return nil
	}
	if f, ok := x.w.(interface{ FlushError() error }); ok {
		return f.FlushError()
	}
	err := http.NewResponseController(x.w).Flush()
	if errors.Is(err, http.ErrNotSupported) {
		return nil // a wrapper that buffers, such as http.TimeoutHandler's
	}
	return err
}

// End flushes a response whose end is then on the wire. The last chunk of any
// other is written by net/http when ServeHTTP has returned.
func (x *exchange) End() error {
	if x.flushed { // and so is any that is chunked, for it has blocks
		return nil
	}
	return x.Block(nil)
}

// SendFile copies by way of net/http's io.ReaderFrom, which ends in sendfile
// on a plain HTTP/1 connection when the response has a Content-Length.
func (x *exchange) SendFile(file *os.File, n int64) (int64, error) {
	if x.paced {
		return x.copyFile(file, n)
	}
	sent, err := io.CopyN(x.w, file, n)
	if err == io.EOF {
		err = nil // the file is shorter than it said
	}
	if err == nil {
		err = x.flush()
	}
	return sent, err
}

func (x *exchange) copyFile(file *os.File, n int64) (sent int64, err error) {
	block := make([]byte, piece)
	for sent < n {
		k, err := file.Read(block[:min(n-sent, piece)])
		if k > 0 {
			if err := x.Block(block[:k]); err != nil {
				return sent, err
			}
			sent += int64(k)
		}
		if err == io.EOF {
			return sent, nil
		} else if err != nil {
			return sent, err
		}
	}
	return sent, nil
}

// Hint sends an interim response. net/http sends what is in the header map and
// leaves it there, so the map is emptied around it: interim headers do not
// leak into the final ones, nor those of an outer handler into the interim
// ones (N-26).
func (x *exchange) Hint(code int, headers wsgi.Headers) error {
	if !x.r.ProtoAtLeast(1, 1) {
		return nil
	}
	head := x.w.Header()
	kept := maps.Clone(head)
	clear(head)
	for _, h := range headers {
		head.Add(h.Name, h.Value)
	}
	if x.paced {
		x.arm()
		defer x.disarm()
	}
	x.w.WriteHeader(code)
	clear(head)
	maps.Copy(head, kept)
	return nil
}
