package conformance

import (
	"bufio"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// site is a small web server that does everything right which can be seen from
// outside, with a switch for each fault that it can have. It has one page.
type site struct {
	siteFaults
	mu       sync.Mutex
	answered int
	dead     atomic.Bool
}

type siteFaults struct {
	head func(q *siteRequest, head []string) []string // changes the head of a response

	headBody, headLength, body304, length304, chunks304 bool
	chunksOld, keepsOld, badChunks, shortBody, longBody bool
	losesPipelined, saysCloseOnly, noAbsolute           bool
	starFails, neverContinues, continuesOld             bool
	continuesLate, continuesTwice, mixes                bool

	takesLengths, takesTwoLengths, goesByLength, staysOpen, takesCoding, takesChunks bool
	unfolds, takesBlank, takesGarbage, diesOfGarbage, hangsOnHeader, hangsOnCut      bool
	noLimit                                                                          bool
}

const sitePage = "the page of the site\n"

// siteRequest is a request as it was read.
type siteRequest struct {
	method, target, proto string
	fields                []string // lines as they came, folded ones joined
	length                int
	coding                string
	expects               bool
}

var errSite = errors.New("malformed")

func (s *site) serve(t testing.TB, config *tls.Config) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	scheme := "http"
	if config != nil {
		l = tls.NewListener(l, config)
		scheme = "https"
	}
	acceptOn(t, l, s.serveConn)
	return scheme + "://" + l.Addr().String() + "/"
}

// acceptOn handles the connections of l until the end of the test.
func acceptOn(t testing.TB, l net.Listener, handle func(c net.Conn)) {
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				handle(c)
			}()
		}
	}()
}

// serveConn answers requests until one of them ends the connection.
func (s *site) serveConn(c net.Conn) {
	r := bufio.NewReaderSize(c, 4<<10)
	for !s.dead.Load() {
		q, err := s.read(c, r)
		if err == nil {
			if !s.answer(c, r, q) {
				break
			}
			if s.losesPipelined {
				r.Reset(c)
			}
			continue
		}
		if !errors.Is(err, errSite) {
			return
		}
		if s.diesOfGarbage {
			s.dead.Store(true)
			return
		}
		io.WriteString(c, "HTTP/1.1 400 Bad Request\r\nDate: "+siteDate+"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
		if !s.staysOpen {
			break
		}
		time.Sleep(5 * time.Second)
	}
	// A reset must not overtake the response.
	if half, ok := c.(interface{ CloseWrite() error }); ok {
		half.CloseWrite()
		c.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
		io.Copy(io.Discard, io.LimitReader(c, 4<<20))
	}
}

const siteDate = "Thu, 01 Jan 1970 00:00:00 GMT"

// read reads a request head, and refuses what is malformed.
func (s *site) read(c net.Conn, r *bufio.Reader) (*siteRequest, error) {
	budget := 64 << 10
	if s.noLimit {
		budget = 1 << 40
	}
	line := func() (string, error) {
		var all []byte
		for {
			part, err := r.ReadSlice('\n')
			all = append(all, part...)
			if budget -= len(part); budget < 0 {
				return "", errSite
			}
			if err == bufio.ErrBufferFull {
				continue
			}
			return strings.TrimRight(string(all), "\r\n"), err
		}
	}
	first, err := line()
	if err != nil {
		return nil, err
	}
	q := new(siteRequest)
	words := strings.Split(first, " ")
	if len(words) != 3 || words[0] == "" || !strings.HasPrefix(words[2], "HTTP/1.") {
		if !s.takesGarbage {
			return nil, errSite
		}
		words = []string{"GET", "/", "HTTP/1.0"}
	}
	q.method, q.target, q.proto = words[0], words[1], words[2]
	for {
		text, err := line()
		if err != nil {
			if s.hangsOnCut && err == io.EOF {
				s.mu.Lock() // for ever
			}
			return nil, err
		}
		if text == "" {
			break
		}
		if text[0] == ' ' || text[0] == '\t' {
			if s.unfolds {
				q.fields = append(q.fields, strings.TrimSpace(text))
			} else if n := len(q.fields); n > 0 {
				q.fields[n-1] += " " + strings.TrimSpace(text)
			}
			continue
		}
		name, _, ok := strings.Cut(text, ":")
		if !ok || !tokenForm.MatchString(name) || strings.ContainsRune(text, 0) {
			if s.hangsOnHeader && !strings.Contains(name, "Length") {
				time.Sleep(5 * time.Second)
			}
			if !s.takesBlank || strings.TrimRight(name, " ") == name {
				return nil, errSite
			}
		}
		q.fields = append(q.fields, text)
	}
	return q, s.understand(q)
}

// understand reads the fields that are about the body.
func (s *site) understand(q *siteRequest) error {
	lengths := 0
	for _, field := range q.fields {
		name, value, _ := strings.Cut(field, ":")
		value = strings.TrimSpace(value)
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "content-length":
			n, err := strconv.ParseUint(value, 10, 31)
			if err != nil && !s.takesLengths {
				return errSite
			}
			if lengths++; lengths > 1 && !s.takesTwoLengths {
				return errSite
			}
			q.length = int(n)
			if err != nil {
				q.length = len("body")
			}
		case "transfer-encoding":
			if q.coding = value; value != "chunked" && !s.takesCoding {
				return errSite
			}
		case "expect":
			q.expects = q.proto == "HTTP/1.1" || s.continuesOld
		}
	}
	if q.coding != "" && lengths > 0 && !s.goesByLength {
		return errSite
	}
	return nil
}

func (q *siteRequest) has(field string) bool {
	for _, f := range q.fields {
		if f == field {
			return true
		}
	}
	return false
}
