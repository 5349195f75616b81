package conformance

import (
	"bufio"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gowsgi/gowsgi/internal/testlog"
	"github.com/gowsgi/gowsgi/wsgi"
)

// mutantServer is a small HTTP/1.1 server that keeps the contract, written for
// this test and independent of the module's own, with a switch for each fault
// that it can have.
type mutantServer struct {
	serverFaults
	app wsgi.Application

	log       testlog.Log
	one       sync.Mutex   // for the modes with one request at a time
	epoch     atomic.Int32 // of failures, for spreadsFailures
	kept      sync.Map     // of an environ, for sharesEnviron
	failures  atomic.Int32
	lastQuery atomic.Value
}

// serve runs s on a loopback port until the end of the test.
func (s *mutantServer) serve(t testing.TB, app wsgi.Application) (network, addr string) {
	s.app = app
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	if s.mode == encrypted {
		one, _ := certificate()
		l = tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{one}})
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go s.serveConn(c)
		}
	}()
	return l.Addr().Network(), l.Addr().String()
}

func (s *mutantServer) serveConn(c net.Conn) {
	defer c.Close()
	r := bufio.NewReader(c)
	var before wsgi.Headers
	for {
		q, err := s.read(r)
		if err != nil {
			if !errors.Is(err, io.EOF) {
				io.WriteString(c, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
			}
			return
		}
		if s.keepsHeaders {
			for _, h := range before {
				if !q.fields.Has(h.Name) && h.Name != "Content-Length" && h.Name != "Transfer-Encoding" && h.Name != "Connection" {
					q.fields.Add(h.Name, h.Value)
				}
			}
			before = q.fields
		}
		if !s.serveRequest(c, r, q) {
			// Let the client read what it was sent before the reset that
			// unread bytes would cause.
			c.(interface{ CloseWrite() error }).CloseWrite()
			c.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
			io.Copy(io.Discard, io.LimitReader(c, 1<<20))
			return
		}
		if s.losesPipelined && q.method == "GET" {
			r = bufio.NewReader(c)
		}
	}
}

// mutantRequest is a request as it was read.
type mutantRequest struct {
	method, target, proto string
	fields                wsgi.Headers
	length                int64 // -1 for a chunked body
}

func (q *mutantRequest) has(name, value string) bool {
	return strings.Contains(strings.ToLower(q.fields.Get(name)), value)
}

func (s *mutantServer) read(r *bufio.Reader) (*mutantRequest, error) {
	line, err := r.ReadString('\n')
	if err != nil {
		return nil, io.EOF
	}
	q := new(mutantRequest)
	parts := strings.Split(strings.TrimSuffix(line, "\r\n"), " ")
	if len(parts) != 3 || !strings.HasPrefix(parts[2], "HTTP/1.") || strings.Contains(parts[1], "#") && !s.dropsFragment {
		return nil, errors.New("bad request line")
	}
	q.method, q.target, q.proto = parts[0], parts[1], parts[2]
	q.target, _, _ = strings.Cut(q.target, "#")
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return nil, err
		}
		if line = strings.TrimSuffix(line, "\r\n"); line == "" {
			break
		}
		name, value, _ := strings.Cut(line, ":")
		q.fields.Add(name, strings.Trim(value, " \t"))
	}
	if length := q.fields.Get("Content-Length"); length != "" {
		n, err := strconv.ParseInt(length, 10, 62)
		if err != nil || n < 0 || length[0] == '+' && !s.takesPlus {
			return nil, errors.New("bad Content-Length")
		}
		q.length = n
	}
	if q.has("Transfer-Encoding", "chunked") {
		q.length = -1
	}
	return q, nil
}

// serveRequest answers one request, and reports whether the connection can be
// used again.
func (s *mutantServer) serveRequest(c net.Conn, r *bufio.Reader, q *mutantRequest) (again bool) {
	if q.method == "CONNECT" || q.target == "*" {
		io.WriteString(c, "HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
		return false
	}
	w := io.Writer(c)
	if s.queues {
		queue := newMutantQueue(c)
		defer queue.drain()
		w = queue
	}
	x := &mutantExchange{server: s, faults: &s.serverFaults, conn: c, w: bufio.NewWriter(w), request: q, length: -1}
	body := &mutantBody{x: x, r: r, rest: q.length}
	if q.length < 0 {
		body.chunks = httputil.NewChunkedReader(r)
	}
	environ := s.environ(x, body)
	x.epoch = s.epoch.Load()
	x.alone = s.alone()
	defer x.alone()
	if !x.run(environ) {
		return false
	}
	switch {
	case q.proto == "HTTP/1.0" || q.has("Connection", "close"):
		return false
	case q.has("Expect", "100-continue") && !x.continued && body.rest != 0:
		return false // nobody knows whether the body will come
	case s.leavesInput && !body.touched:
		return true
	}
	c.SetReadDeadline(time.Now().Add(time.Second))
	_, err := io.Copy(io.Discard, io.LimitReader(body, 256<<10))
	c.SetReadDeadline(time.Time{})
	return err == nil && body.done
}

// mutantBody is the request's body on the connection.
type mutantBody struct {
	x      *mutantExchange
	r      *bufio.Reader
	rest   int64
	chunks io.Reader
	done   bool

	touched bool // by the application
}

func (b *mutantBody) Read(p []byte) (n int, err error) {
	f := b.x.faults
	b.touched = true
	b.x.sayContinue()
	switch {
	case b.done:
		return 0, io.EOF
	case f.losesInput && b.x.committed:
		return 0, errors.New("body closed")
	case b.chunks != nil && !f.rawChunks:
		n, err = b.chunks.Read(p)
		if err == io.EOF {
			b.done = true
			for line := "x"; line != "\r\n" && line != ""; {
				line, _ = b.r.ReadString('\n') // trailers
			}
		}
		return n, err
	case f.readsOn && b.x.request.length == int64(len(inputLines)) && !b.x.finished || f.hangsWithoutBody && !b.x.finished && b.rest == 0 && !b.x.request.fields.Has("Content-Length"):
		return b.r.Read(p)
	case b.rest == 0 && f.readsBuffered && !b.x.finished && b.r.Buffered() > 0 && b.x.request.method == "POST":
		return b.r.Read(p)
	case b.rest == 0:
		b.done = true
		return 0, io.EOF
	}
	if b.rest > 0 {
		p = p[:min(int64(len(p)), b.rest)]
	}
	n, err = b.r.Read(p)
	if b.rest > 0 {
		b.rest -= int64(n)
	}
	if err == io.EOF && !f.cleanCut {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// sayContinue asks for the body where the client waits to be asked.
func (x *mutantExchange) sayContinue() {
	f := x.faults
	if x.continued || !x.request.has("Expect", "100-continue") || x.request.proto == "HTTP/1.0" && !f.continues10 ||
		x.committed && !f.continuesLate || f.neverContinues {
		return
	}
	x.continued = true
	x.w.WriteString("HTTP/1.1 100 Continue\r\n\r\n")
	x.w.Flush()
}

// environ makes the dictionary.
func (s *mutantServer) environ(x *mutantExchange, body io.Reader) *wsgi.Environ {
	q := x.request
	target := q.target
	host := q.fields.Get("Host")
	if rest, ok := strings.CutPrefix(target, "http://"); ok {
		i := strings.IndexByte(rest, '/')
		host, target = rest[:i], rest[i:]
	}
	path, query, _ := strings.Cut(target, "?")
	decoded, err := url.PathUnescape(path)
	if err != nil {
		decoded = path
	}
	name, port, _ := net.SplitHostPort(x.conn.LocalAddr().String())
	client, _, _ := net.SplitHostPort(x.conn.RemoteAddr().String())
	e := map[string]any{
		"REQUEST_METHOD": q.method, "SCRIPT_NAME": "", "PATH_INFO": decoded, "QUERY_STRING": query,
		"SERVER_NAME": name, "SERVER_PORT": port, "SERVER_PROTOCOL": q.proto, "REMOTE_ADDR": client,
		"wsgi.version": [2]int{1, 0}, "wsgi.url_scheme": "http", "wsgi.multithread": true, "wsgi.multiprocess": false,
		"wsgi.run_once": false, "wsgi.input": s.input(wsgi.NewInput(body), body), "wsgi.errors": s.errorStream(),
		"wsgi.file_wrapper": s.fileWrapper(x), "REQUEST_URI": q.target,
	}
	s.variables(e)
	for _, h := range q.fields {
		key := "HTTP_" + strings.ReplaceAll(strings.ToUpper(h.Name), "-", "_")
		value := h.Value
		switch {
		case key == "HTTP_CONTENT_TYPE" || key == "HTTP_CONTENT_LENGTH":
			key = key[len("HTTP_"):]
		case strings.Contains(h.Name, "_") || key == "HTTP_PROXY" || key == "HTTP_TRANSFER_ENCODING":
			continue
		case key == "HTTP_HOST":
			value = host
		}
		if before, ok := e[key].(string); ok {
			separator := ", "
			if key == "HTTP_COOKIE" {
				separator = "; "
			}
			value = before + separator + value
		}
		e[key] = value
	}
	if s.mixesQueries && q.method == "POST" {
		s.lastQuery.Store(query)
		time.Sleep(5 * time.Millisecond) // let the others come
		e["QUERY_STRING"] = s.lastQuery.Load()
	}
	if s.sharesEnviron {
		s.kept.Range(func(key, value any) bool { e[key.(string)] = value; return true })
	}
	if s.spoil != nil {
		s.spoil(e, q)
	}
	return wsgi.EnvironFromMap(e)
}
