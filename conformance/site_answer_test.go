package conformance

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"
)

// answer answers q and reports whether the connection can be used again.
func (s *site) answer(c net.Conn, r *bufio.Reader, q *siteRequest) bool {
	w := bufio.NewWriter(c)
	defer w.Flush()
	if q.expects && q.length > 0 {
		if s.neverContinues {
			if _, err := r.Peek(1); err != nil {
				return false
			}
		} else if !s.continuesLate {
			w.WriteString(strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", map[bool]int{false: 1, true: 2}[s.continuesTwice]))
			w.Flush()
		}
	}
	late := s.continuesLate && q.expects
	switch {
	case late:
	case q.coding == "chunked" && !s.goesByLength:
		if line, _ := r.ReadString('\n'); strings.TrimSpace(line) != "0" {
			if !s.takesChunks {
				s.write(w, q, "400 Bad Request", "", true)
				return false
			}
		}
		r.ReadString('\n')
	case q.length > 0:
		io.CopyN(io.Discard, r, int64(q.length))
	}
	target := q.target
	if _, rest, ok := strings.Cut(target, "://"); ok && !s.noAbsolute {
		target = "/" + strings.SplitN(rest, "/", 2)[1]
	}
	closes := q.proto == "HTTP/1.0" && !s.keepsOld
	for _, field := range q.fields {
		closes = closes || strings.EqualFold(field, "Connection: close")
	}
	status, body := "200 OK", sitePage
	switch {
	case s.mixes && s.next()%7 == 6:
		body = "the page of another\n"
	case target == "*":
		if s.starFails {
			s.write(w, q, "500 Internal Server Error", "", true)
			return false
		}
		body = ""
	case target != "/":
		status, body = "404 Not Found", "there is no such page\n"
	case q.has(`If-None-Match: "x"`):
		status = "304 Not Modified"
	}
	s.write(w, q, status, body, closes)
	if late {
		w.WriteString("HTTP/1.1 100 Continue\r\n\r\n")
		w.Flush()
		io.CopyN(io.Discard, r, int64(q.length))
	}
	return !closes || s.saysCloseOnly && q.proto == "HTTP/1.1"
}

func (s *site) next() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answered++
	return s.answered
}

// write writes a response.
func (s *site) write(w *bufio.Writer, q *siteRequest, status, body string, closes bool) {
	head := []string{"HTTP/1.1 " + status, "Date: " + siteDate, "Server: site"}
	length := len(body)
	none := strings.HasPrefix(status, "304")
	chunked := s.badChunks && !none && q.proto == "HTTP/1.1" || s.chunksOld && q.proto == "HTTP/1.0"
	switch {
	case none && s.length304:
		head = append(head, "Content-Length: 3")
	case none && s.chunks304:
		head = append(head, "Transfer-Encoding: chunked")
	case none:
	case chunked:
		head = append(head, "Transfer-Encoding: chunked")
	case q.method == "HEAD" && s.headLength:
		head = append(head, "Content-Length: 0")
	case s.shortBody && q.method == "GET":
		head = append(head, "Content-Length: "+strconv.Itoa(length+5))
	default:
		head = append(head, "Content-Length: "+strconv.Itoa(length))
	}
	if status == "200 OK" || none {
		head = append(head, `ETag: "x"`)
	}
	if closes {
		head = append(head, "Connection: close")
	}
	if s.head != nil {
		head = s.head(q, head)
	}
	w.WriteString(strings.Join(head, "\r\n") + "\r\n\r\n")
	switch {
	case none && !s.body304, q.method == "HEAD" && !s.headBody:
	case chunked && s.badChunks:
		fmt.Fprintf(w, "%x\n%s\n0\n\n", length, body)
	case chunked:
		fmt.Fprintf(w, "%x\r\n%s\r\n0\r\n\r\n", length, body)
	default:
		w.WriteString(body)
		if s.longBody && q.method == "GET" {
			w.WriteString("and more")
		}
	}
}

// sampleServer is a file server of net/http.
func sampleServer(t *testing.T) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"x"`)
		w.Header().Set("Server", "net/http")
		http.ServeContent(w, r, "page.txt", time.Time{}, strings.NewReader("a page"))
	}))
	t.Cleanup(s.Close)
	return s.URL
}
