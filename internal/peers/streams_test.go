package peers

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// slowReader lets the response wait, and then reads it.
func slowReader(t *testing.T, addr string) result {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(2 * Patience))
	io.WriteString(c, "GET /app/large HTTP/1.1\r\n"+common+"\r\n")
	in := bufio.NewReader(c)
	response, err := http.ReadResponse(in, nil)
	if err != nil {
		return result{"response": "none"}
	}
	defer response.Body.Close()
	n := int64(0)
	for range 20 {
		part, _ := io.CopyN(io.Discard, response.Body, 20000)
		n += part
		time.Sleep(10 * time.Millisecond) // slow is what it is
	}
	rest, err := io.Copy(io.Discard, response.Body)
	return result{"status": strconv.Itoa(response.StatusCode), "body": fmt.Sprintf("%d bytes, %v", n+rest, err)}
}

// open asks for a path with a file for signals, and returns the response.
func open(t *testing.T, addr, path string) (response *http.Response, file string, leave func()) {
	file = filepath.Join(Folder(t), "signal")
	ctx, cancel := context.WithTimeout(t.Context(), 2*Patience)
	q, err := http.NewRequestWithContext(ctx, "GET", "http://"+addr+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	q.Header.Set("X-File", file)
	response, err = (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(q)
	if err != nil {
		cancel()
		return nil, file, func() {}
	}
	return response, file, func() {
		cancel()
		response.Body.Close()
	}
}

// streamed wants the first block before the second is made.
func streamed(t *testing.T, addr string) result {
	response, file, leave := open(t, addr, "/app/stream")
	defer leave()
	if response == nil {
		return result{"response": "none"}
	}
	first := make([]byte, 6)
	if _, err := io.ReadFull(response.Body, first); err != nil {
		return result{"body": err.Error()}
	}
	signal(t, file)
	rest, err := io.ReadAll(response.Body)
	return result{"body": fmt.Sprintf("%s%s %v", first, rest, err)}
}

func signal(t *testing.T, file string) {
	t.Helper()
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
}

// cut wants to see that a response is not whole.
func cut(t *testing.T, addr string) result {
	response, file, leave := open(t, addr, "/app/cut")
	defer leave()
	if response == nil {
		return result{"response": "none"}
	}
	io.ReadFull(response.Body, make([]byte, 6))
	signal(t, file)
	if _, err := io.ReadAll(response.Body); err != nil {
		return result{"body": "broken off"}
	}
	return result{"body": "looks whole"}
}

// abort leaves within a response, and wants the body to be closed.
func abort(t *testing.T, addr string) result {
	response, file, leave := open(t, addr, "/app/endless")
	if response == nil {
		return result{"response": "none"}
	}
	io.ReadFull(response.Body, make([]byte, 16<<10))
	leave()
	if await(file) {
		return result{"body": "closed"}
	}
	return result{"body": "not closed"}
}
