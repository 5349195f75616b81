package wsgitest

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/gowsgi/gowsgi/server/gateway"
)

// FromHTTP returns r as a Request. r may be what an http.Handler receives, or
// what an http.Client sends. Its body becomes the Stream, of the length that r
// declares; nothing is read and nothing is closed.
func FromHTTP(r *http.Request) *Request {
	req := &Request{
		Method:     r.Method,
		Target:     r.RequestURI, // of a server's request
		Proto:      r.Proto,
		RemoteAddr: r.RemoteAddr,
		Context:    r.Context(),
	}
	host := r.Host
	if req.Target == "" {
		req.Target, req.Scheme = r.URL.RequestURI(), r.URL.Scheme
		host = orElse(host, r.URL.Host)
	}
	if r.TLS != nil {
		req.Scheme = "https"
	}
	if host != "" {
		req.With("Host", host)
	}
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		if name == "Host" || name == "Content-Length" {
			continue // net/http has them in fields
		}
		for _, value := range r.Header[name] {
			req.With(name, value)
		}
	}
	switch {
	case r.ContentLength == 0 && r.Header.Get("Content-Length") == "0":
		req.Body = []byte{}
	case r.Body == nil || r.Body == http.NoBody:
	default:
		req.Stream = r.Body
		if r.ContentLength > 0 {
			req.With("Content-Length", strconv.FormatInt(r.ContentLength, 10))
		}
	}
	return req
}

// HTTP returns r as net/http's server would hand it to an http.Handler. There
// is no mount point in it, and nothing of Extra.
func (r *Request) HTTP() *http.Request {
	t := r.parse()
	body, length := r.input()
	h, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(r.head(t, body != nil, length))))
	if err != nil {
		r.refuse(err.Error())
	}
	h = h.WithContext(r.context())
	h.RemoteAddr = orElse(r.RemoteAddr, "192.0.2.1:1234")
	h.Body = http.NoBody
	if body != nil {
		h.Body = io.NopCloser(body)
	}
	if t.scheme == "https" {
		h.TLS = &tls.ConnectionState{Version: tls.VersionTLS13, HandshakeComplete: true, ServerName: h.URL.Hostname()}
	}
	return h
}

// head returns the head of r as HTTP/1 writes it.
func (r *Request) head(t target, hasBody bool, length string) []byte {
	r.addHeaders(map[string]string{}) // for its checks: nothing is injected into the head
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s %s\r\nHost: %s\r\n", r.method(), t.uri, r.proto(), t.host)
	for _, h := range r.Headers {
		switch strings.ToLower(h.Name) {
		case "host", "content-length", "transfer-encoding":
		default:
			fmt.Fprintf(&b, "%s: %s\r\n", h.Name, h.Value)
		}
	}
	switch {
	case length != "":
		fmt.Fprintf(&b, "Content-Length: %s\r\n", length)
	case hasBody:
		b.WriteString("Transfer-Encoding: chunked\r\n")
	}
	b.WriteString("\r\n")
	return b.Bytes()
}

// HTTP returns r as an http.Client would receive it. Reading the body of a
// response that was cut ends in io.ErrUnexpectedEOF.
func (r *Response) HTTP() *http.Response {
	h := &http.Response{
		Status:        r.Status,
		StatusCode:    r.Code,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        make(http.Header),
		ContentLength: -1,
	}
	if r.Request != nil {
		h.Request = r.Request.HTTP()
	}
	for _, f := range r.Headers {
		h.Header.Add(f.Name, f.Value)
	}
	if n, err := strconv.ParseInt(h.Header.Get("Content-Length"), 10, 64); err == nil {
		h.ContentLength = n
	}
	var body io.Reader = bytes.NewReader(r.Body())
	if errors.Is(r.Err, gateway.ErrCut) {
		body = io.MultiReader(body, cutReader{})
	}
	h.Body = io.NopCloser(body)
	return h
}

type cutReader struct{}

func (cutReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
