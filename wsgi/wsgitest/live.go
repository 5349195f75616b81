package wsgitest

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"strings"
	"time"

	"github.com/gowsgi/gowsgi/server/gateway"
	"github.com/gowsgi/gowsgi/wsgi"
)

// Live returns a function that sends requests to the server that listens at
// addr: the counterpart of Record, and what Send of a [Client] can be. network
// and addr are as for net.Dial. Each request has a connection of its own, HTTP/1.x
// without TLS, and is sent as it is: no header is added but Host and those
// that frame the body. Nothing is retried, followed or decompressed.
//
// The response has what came over the network, with a block for each read. Its
// Err tells of a server that could not be reached as well; when the server was
// reached and its response is incomplete, Err wraps gateway.ErrCut. ScriptName,
// RemoteAddr, ServerName, ServerPort and Extra are the server's affair and not
// sent. The function may be called concurrently.
//
// A Stream may wait for the server: to send the rest of a body when a part of the
// response has come is what it is for. When neither it nor the server has had
// anything to say for 30 s, the exchange is over, and Err says so; that Read of the
// Stream may then go on behind the end of the exchange.
func Live(network, addr string) func(*Request) *Response { return live(network, addr, silence) }

// silence is how long a Stream and the server may wait for each other.
const silence = 30 * time.Second

func live(network, addr string, silence time.Duration) func(*Request) *Response {
	return func(req *Request) *Response {
		res := &Response{Request: req}
		res.Err = res.exchange(network, addr, silence)
		return res
	}
}

func (r *Response) exchange(network, addr string, silence time.Duration) error {
	req := r.Request
	t := req.parse()
	if t.scheme == "https" {
		return errors.New("wsgitest: Live sends no https request")
	}
	body, length := req.input()
	head := req.head(t, body != nil, length)
	conn, err := new(net.Dialer).DialContext(req.context(), network, addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(req.context(), func() { conn.Close() })()

	// A server may answer before it has read the body, or without reading it.
	d := &dialogue{conn: conn, stream: body, silence: silence, stuck: make(chan struct{})}
	d.heard()
	if req.Stream != nil {
		body = d
	}
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		send(conn, head, body, length)
	}()
	err = r.receive(bufio.NewReader(fromServer{d}))
	conn.Close()
	var stuck error
	select {
	case <-sent:
	case <-d.stuck:
		stuck = fmt.Errorf("wsgitest: expected Read of the request's Stream to return, it did not within %v, while nothing came from the server", silence)
	}
	switch cause := context.Cause(req.context()); {
	case err == nil:
		return stuck
	case cause != nil:
		err = cause
	case stuck != nil:
		err = stuck
	}
	return fmt.Errorf("%w: %w", gateway.ErrCut, err)
}

// send writes the request. An error of the connection is not looked at: what
// became of the request is told by the response. A body that fails is cut.
func send(conn net.Conn, head []byte, body io.Reader, length string) {
	_, err := conn.Write(head)
	switch {
	case body == nil || err != nil:
	case length != "":
		_, err = io.Copy(conn, body)
	default:
		chunks := httputil.NewChunkedWriter(conn)
		if _, err = io.Copy(chunks, body); err == nil {
			chunks.Close()
			io.WriteString(conn, "\r\n") // the end of the trailer
		}
	}
	if half, ok := conn.(interface{ CloseWrite() error }); ok && err != nil {
		half.CloseWrite()
	}
}

// receive reads the interim responses and the response.
func (r *Response) receive(conn *bufio.Reader) error {
	for {
		head, err := readHead(conn)
		if err != nil {
			return err
		}
		status, headers, err := parseHead(head)
		if err != nil {
			return err
		}
		code, reason, err := wsgi.ParseStatus(status)
		if err != nil {
			return err
		}
		if code < 200 && code != http.StatusSwitchingProtocols {
			r.Interim = append(r.Interim, Interim{code, headers})
			continue
		}
		r.Status, r.Code, r.Reason, r.Headers = status, code, reason, headers
		whole := bufio.NewReader(io.MultiReader(bytes.NewReader(head), conn))
		res, err := http.ReadResponse(whole, &http.Request{Method: r.Request.method()})
		if err != nil {
			return err
		}
		return r.receiveBody(res.Body)
	}
}

func (r *Response) receiveBody(body io.Reader) error {
	block := make([]byte, 32<<10)
	for {
		n, err := body.Read(block)
		if n > 0 {
			r.Blocks = append(r.Blocks, bytes.Clone(block[:n]))
		}
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		case n > 0 && len(r.Blocks) == r.Request.LeaveAfter:
			return errLeft
		}
	}
}

// readHead reads up to the empty line that ends a head.
func readHead(conn *bufio.Reader) ([]byte, error) {
	var head []byte
	for {
		line, err := conn.ReadBytes('\n')
		head = append(head, line...)
		if err == io.EOF {
			return nil, io.ErrUnexpectedEOF
		} else if err != nil {
			return nil, err
		}
		if len(bytes.TrimRight(line, "\r\n")) == 0 {
			return head, nil
		}
	}
}

// parseHead returns the fields in their order and spelling, which http.Header
// would lose.
func parseHead(head []byte) (status string, headers wsgi.Headers, err error) {
	lines := strings.Split(strings.TrimRight(string(head), "\r\n"), "\n")
	protocol, status, _ := strings.Cut(strings.TrimRight(lines[0], "\r"), " ")
	if !strings.HasPrefix(protocol, "HTTP/") {
		return "", nil, fmt.Errorf("wsgitest: the server answered with %q, expected a status line", lines[0])
	}
	if len(status) == 3 {
		status += " " // a phrase that was left out together with its blank
	}
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(strings.TrimRight(line, "\r"), ":")
		headers.Add(name, strings.Trim(value, " \t"))
	}
	return status, headers, nil
}
