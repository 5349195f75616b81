package frontend

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/gowsgi/gowsgi/internal/cgi"
	"github.com/gowsgi/gowsgi/wsgi"
)

// request is the head of a request as the client sent it.
type request struct {
	method, target, proto string
	path, query           string // of target, as sent
	host                  string // of an absolute target, else of Host
	headers               wsgi.Headers
	length                int64 // of the body: 0 when there is none
	chunked               bool
	close                 bool // the client wants no further request
	toEnd                 bool // the response ends where the connection does
	local, remote         net.Addr
}

const mostHead = 64 << 10

// badRequest is why a request is answered by the front end itself.
type badRequest struct{ status, reason string }

func (b *badRequest) Error() string { return b.status + ": " + b.reason }

func bad(format string, args ...any) error {
	return &badRequest{"400 Bad Request", fmt.Sprintf(format, args...)}
}

// readRequest reads the head of a request.
func readRequest(in *bufio.Reader) (*request, error) {
	budget := mostHead
	line, err := readLine(in, &budget)
	if err != nil {
		return nil, err
	}
	r := new(request)
	var ok bool
	r.method, line, ok = strings.Cut(line, " ")
	r.target, r.proto, _ = strings.Cut(line, " ")
	if !ok || r.method == "" || r.target == "" || r.proto != "HTTP/1.1" && r.proto != "HTTP/1.0" {
		return nil, bad("expected a request line")
	}
	for {
		line, err := readLine(in, &budget)
		if err != nil {
			return nil, err
		}
		if line == "" {
			break
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok || name == "" || strings.ContainsAny(name, " \t") || strings.ContainsAny(value, "\r\x00") {
			return nil, bad("expected a header field, got %q", line)
		}
		r.headers.Add(name, strings.Trim(value, " \t"))
	}
	if err := r.frame(); err != nil {
		return nil, err
	}
	return r, r.split()
}

func readLine(in *bufio.Reader, budget *int) (string, error) {
	var b []byte
	for {
		part, err := in.ReadSlice('\n')
		b = append(b, part...)
		if *budget -= len(part); *budget < 0 {
			return "", &badRequest{"431 Request Header Fields Too Large", "the head is too long"}
		}
		if err == bufio.ErrBufferFull {
			continue
		}
		if err != nil {
			if len(b) > 0 && err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return "", err
		}
		return strings.TrimSuffix(strings.TrimSuffix(string(b), "\n"), "\r"), nil
	}
}

// frame finds out how the body is framed, and refuses what two parties could
// read in two ways.
func (r *request) frame() error {
	length, coding := r.headers.Values("Content-Length"), r.headers.Values("Transfer-Encoding")
	switch {
	case len(coding) > 0 && (len(length) > 0 || len(coding) > 1 || r.proto == "HTTP/1.0" || !strings.EqualFold(coding[0], "chunked")):
		return bad("Transfer-Encoding is %q with Content-Length %q in %s", coding, length, r.proto)
	case len(coding) > 0:
		r.chunked = true
	case len(length) > 1:
		return bad("Content-Length occurs %d times", len(length))
	case len(length) == 1:
		n, err := strconv.ParseUint(length[0], 10, 62)
		if err != nil || strings.HasPrefix(length[0], "+") {
			return bad("Content-Length is %q", length[0])
		}
		r.length = int64(n)
	}
	r.close = r.proto == "HTTP/1.0" || strings.Contains(strings.ToLower(r.headers.Get("Connection")), "close")
	if hosts := r.headers.Values("Host"); len(hosts) > 1 || len(hosts) == 0 && r.proto == "HTTP/1.1" {
		return bad("there are %d headers Host", len(hosts))
	}
	return nil
}

// split takes the target apart.
func (r *request) split() error {
	r.host = r.headers.Get("Host")
	target := r.target
	if scheme, rest, ok := strings.Cut(target, "://"); ok && !strings.HasPrefix(scheme, "/") {
		slash := strings.IndexAny(rest, "/?")
		if slash < 0 {
			slash = len(rest)
		}
		r.host, target = rest[:slash], rest[slash:]
		if target == "" || target[0] == '?' {
			target = "/" + target
		}
	}
	r.path, r.query, _ = strings.Cut(target, "?")
	switch {
	case r.method == "CONNECT":
		return &badRequest{"501 Not Implemented", "CONNECT is for proxies"}
	case strings.Contains(target, "#"):
		return bad("the target has a fragment")
	case r.path == "*" && r.method == "OPTIONS":
	case !strings.HasPrefix(r.path, "/"):
		return bad("the target is %q", r.target)
	}
	decoded, err := url.PathUnescape(r.path)
	if err != nil || strings.IndexByte(decoded, 0) >= 0 {
		return bad("the path is %q", r.path)
	}
	return nil
}

// variables gives the variables of the request as nginx would, with
// CONTENT_LENGTH first: the header lines that describe the body are passed on
// beside the variables of that meaning, so is Proxy, and SCRIPT_NAME is there
// and empty. noLength is CONTENT_LENGTH of a request without a body.
func (r *request) variables(noLength string) func(yield func(name, value string) bool) {
	path, _ := url.PathUnescape(r.path)
	length := noLength
	if r.length > 0 || r.headers.Has("Content-Length") || r.chunked {
		length = strconv.FormatInt(r.length, 10)
	}
	serverName, serverPort := hostPort(r.local)
	remoteAddr, remotePort := hostPort(r.remote)
	vars := [][2]string{
		{"CONTENT_LENGTH", length},
		{"CONTENT_TYPE", r.headers.Get("Content-Type")},
		{"REQUEST_METHOD", r.method},
		{"REQUEST_URI", r.target},
		{"SCRIPT_NAME", ""},
		{"PATH_INFO", path},
		{"QUERY_STRING", r.query},
		{"REQUEST_SCHEME", "http"},
		{"SERVER_PROTOCOL", r.proto},
		{"SERVER_SOFTWARE", "gowsgi-frontend"},
		{"SERVER_NAME", serverName},
		{"SERVER_PORT", serverPort},
		{"SERVER_ADDR", serverName},
		{"REMOTE_ADDR", remoteAddr},
		{"REMOTE_PORT", remotePort},
		{"GATEWAY_INTERFACE", "CGI/1.1"},
	}
	for _, h := range r.headers {
		name, ok := cgi.Name(h.Name)
		if !ok { // as nginx does with underscores, by default
			continue
		}
		if !strings.HasPrefix(name, "HTTP_") {
			// CONTENT_TYPE and CONTENT_LENGTH are above. What nginx sends as
			// HTTP_CONTENT_TYPE besides would be laid at the subject's door.
			continue
		}
		value := h.Value
		if name == "HTTP_HOST" {
			value = r.host
		}
		if i := slices.IndexFunc(vars, func(v [2]string) bool { return v[0] == name }); i >= 0 {
			separator := ", "
			if name == "HTTP_COOKIE" {
				separator = "; "
			}
			vars[i][1] += separator + value
			continue
		}
		vars = append(vars, [2]string{name, value})
	}
	return func(yield func(name, value string) bool) {
		for _, v := range vars {
			if !yield(v[0], v[1]) {
				return
			}
		}
	}
}

func hostPort(addr net.Addr) (host, port string) {
	host, port, _ = net.SplitHostPort(addr.String())
	return host, port
}

// readChunked reads a whole chunked body: the gateway protocols have no form
// for one whose length is not known.
func readChunked(in *bufio.Reader) ([]byte, error) {
	const most = 8 << 20
	var body []byte
	for {
		budget := 1 << 10
		line, err := readLine(in, &budget)
		if err != nil {
			return nil, err
		}
		size, _, _ := strings.Cut(line, ";")
		n, err := strconv.ParseUint(strings.TrimSpace(size), 16, 31)
		if err != nil || int(n) > most-len(body) {
			return nil, bad("expected the size of a chunk, got %q", line)
		}
		if n == 0 {
			break
		}
		start := len(body)
		body = append(body, make([]byte, n)...)
		if _, err := io.ReadFull(in, body[start:]); err != nil {
			return nil, err
		}
		if line, err := readLine(in, &budget); err != nil || line != "" {
			return nil, errors.Join(bad("expected the end of a chunk, got %q", line), err)
		}
	}
	for budget := mostHead; ; { // trailers
		if line, err := readLine(in, &budget); err != nil || line == "" {
			return body, err
		}
	}
}
