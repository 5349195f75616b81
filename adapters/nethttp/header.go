package nethttp

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/gowsgi/gowsgi/wsgi"
)

// keepHeader takes the headers as the handler has them now. Only what depends
// on the body is decided later, in start.
func (w *response) keepHeader() {
	h := w.handlerHeader
	w.headers = w.fields(2) // room for Content-Type and Content-Length
	_, hasType := h["Content-Type"]
	_, hasLength := h["Content-Length"]
	encoded := len(h["Transfer-Encoding"]) > 0 && h["Transfer-Encoding"][0] != ""
	w.sniff = !hasType && !encoded && h.Get("Content-Encoding") == "" && bodyAllowed(w.status)
	w.noLength = w.noLength || hasLength || encoded || !bodyAllowed(w.status)
	w.events = strings.HasPrefix(h.Get("Content-Type"), "text/event-stream")
	if declared := h.Get("Content-Length"); declared != "" {
		n, err := strconv.ParseInt(declared, 10, 64)
		if err == nil && n >= 0 {
			w.length = n
			w.headers.Add("Content-Length", strconv.FormatInt(n, 10))
		} else {
			w.logf("http: invalid Content-Length of %q", declared)
		}
	}
	if len(h["Trailer"]) > 0 {
		w.refuse(&wsgi.ContractError{Rule: "HTTP-05",
			Detail: "the handler declared the trailers " + strings.Join(h["Trailer"], ", ") +
				", expected none: an application cannot send trailers"})
	}
}

// fields returns the handler's header map as a list that start_response takes,
// without Content-Length, and with room for more fields.
func (w *response) fields(room int) wsgi.Headers {
	n := room
	for _, values := range w.handlerHeader {
		n += len(values)
	}
	fields := make(wsgi.Headers, 0, n)
	for name, values := range w.handlerHeader {
		if strings.HasPrefix(name, http.TrailerPrefix) {
			w.noLength = true // as in net/http; finish reports it
			continue
		}
		if !isToken(name) || wsgi.IsHopByHop(name) || strings.EqualFold(name, "Content-Length") {
			continue
		}
		for _, value := range values {
			fields = append(fields, wsgi.Header{Name: name, Value: clean(value)})
		}
	}
	// A map has no order; equal requests should have equal answers.
	slices.SortStableFunc(fields, func(a, b wsgi.Header) int { return strings.Compare(a.Name, b.Name) })
	return fields
}

// earlyHints sends the header map as it is now in an interim response.
func (w *response) earlyHints() {
	hint, ok := w.environ.Get("wsgi.early_hints").(func(wsgi.Headers) error)
	if !ok || w.err != nil {
		return
	}
	if err := hint(w.fields(0)); err != nil {
		w.logf("http: early hints: %v", err)
	}
}

// start calls start_response; block is the beginning of the body, empty when
// there is none yet.
func (w *response) start(block []byte) error {
	w.started = true
	if w.sniff && len(block) > 0 {
		w.headers.Add("Content-Type", http.DetectContentType(block))
	}
	if _, err := w.startResponse(statusLine(w.status), w.headers, nil); err != nil {
		w.refuse(err)
	}
	return w.err
}

// statusLine is what net/http sends: it has words for codes it does not know.
func statusLine(code int) string {
	if code == http.StatusOK {
		return "200 OK"
	}
	number := strconv.Itoa(code)
	if text := http.StatusText(code); text != "" {
		return number + " " + text
	}
	return number + " status code " + number
}

// clean makes a value of a header field fit for the contract: what net/http
// does to line ends is done to all control characters.
func clean(value string) string {
	for i := 0; i < len(value); i++ {
		if isControl(value[i]) {
			bytes := []byte(value)
			for i, c := range bytes {
				if isControl(c) {
					bytes[i] = ' '
				}
			}
			value = string(bytes)
			break
		}
	}
	return strings.Trim(value, " ")
}

func isControl(c byte) bool { return c < 0x20 || c == 0x7F }

// isToken reports whether name is a token of RFC 9110, section 5.6.2.
func isToken(name string) bool {
	for i := 0; i < len(name); i++ {
		c := name[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
			strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0) {
			return false
		}
	}
	return name != ""
}
