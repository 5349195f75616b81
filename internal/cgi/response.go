package cgi

import (
	"bytes"
	"net/http"
	"slices"
	"strings"

	"github.com/gowsgi/gowsgi/wsgi"
)

// ParseResponse parses the head of a backend's response, as ParseHead does, and
// makes of it what an application may pass to start_response: without what
// concerns the connection only, with a phrase, and without a local redirect,
// for which there is nobody here to ask again; the client follows it.
//
// In the form HTTP the status may be a field as well, and the body in chunks:
// gunicorn sends those over uwsgi.
func ParseResponse(head []byte, form Form) (Head, error) {
	chunks := form == HTTP
	if form == HTTP && !bytes.HasPrefix(head, []byte("HTTP/")) {
		form = Status
	}
	h, err := parseHead(head, form, chunks)
	if err != nil {
		return Head{}, err
	}
	if h.Local != "" {
		h.Headers.Add("Location", h.Local)
		h.Local = ""
	}
	h.Headers = EndToEnd(h.Headers)
	if phrase := strings.Trim(h.Status[len("200"):], " \t"); phrase == "" {
		h.Status = h.Status[:len("200")] + " " + http.StatusText(h.Code)
	} else {
		h.Status = h.Status[:len("200")] + " " + strings.ReplaceAll(phrase, "\t", " ")
	}
	return h, nil
}

// EndToEnd returns the fields of a response that are not for the connection
// alone (RFC 9110, 7.6.1). A tab in a value, which PEP 3333 forbids, becomes a
// blank.
func EndToEnd(headers wsgi.Headers) wsgi.Headers {
	named := ""
	for _, value := range headers.Values("Connection") {
		named += "," + value
	}
	options := strings.Split(strings.ToLower(named), ",")
	for i := range options {
		options[i] = strings.TrimSpace(options[i])
	}
	kept := headers[:0]
	for _, field := range headers {
		if wsgi.IsHopByHop(field.Name) || named != "" && slices.Contains(options, strings.ToLower(field.Name)) {
			continue
		}
		field.Value = strings.ReplaceAll(field.Value, "\t", " ")
		kept = append(kept, field)
	}
	return kept
}
