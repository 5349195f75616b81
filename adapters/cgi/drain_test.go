package cgi

import (
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/gowsgi/gowsgi/internal/adaptertest"
	"github.com/gowsgi/gowsgi/internal/peers"
)

// TestUnread leaves the request body unread where standard input and output are
// one socket, as Apache's mod_cgid has it: the response must end with the socket,
// which must not be reset.
func TestUnread(t *testing.T) {
	path := install(t, "program")
	for _, tt := range []struct {
		name    string
		query   string
		length  string
		body    int
		want    string
		wantErr bool
	}{
		{"a little", "early", "3", 3, "early", false},
		{"as much as is read for nobody", "early", "16777216", mostUnread, "early", false},
		{"more than is read for nobody", "early", "67108864", 64 << 20, "early", false},
		{"a response that is cut", "cut", "3", 3, "begun", true},
		{"a request that is refused", "early", "x", 3, "400 Bad Request\n", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			near, far := socketPair(t)
			cmd := exec.Command(path)
			cmd.Env = []string{"GATEWAY_INTERFACE=CGI/1.1", "REQUEST_METHOD=POST", "QUERY_STRING=" + tt.query, "CONTENT_LENGTH=" + tt.length}
			cmd.Stdin, cmd.Stdout = far, far
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			far.Close()
			// As Apache does: all of the body first, unless nobody takes it.
			io.Copy(near, io.LimitReader(zeros{}, int64(tt.body)))
			near.CloseWrite()
			out, err := io.ReadAll(near)
			if err != nil || !strings.HasSuffix(string(out), "\r\n\r\n"+tt.want) {
				t.Errorf("the response is %q, %v, expected it to end in %q", out, err, tt.want)
			}
			if err := cmd.Wait(); (err != nil) != tt.wantErr {
				t.Errorf("the program ended with %v, expected an error: %t", err, tt.wantErr)
			}
		})
	}
}

// TestUnreadPipe has a pipe for standard input: who writes the body first, as Apache's
// mod_cgi does, need not know that nobody wants it.
func TestUnreadPipe(t *testing.T) {
	cmd := exec.Command(install(t, "program"))
	cmd.Env = []string{"GATEWAY_INTERFACE=CGI/1.1", "REQUEST_METHOD=POST", "QUERY_STRING=early", "CONTENT_LENGTH=1048576"}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	cmd.Stdout = &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if n, err := io.CopyN(in, zeros{}, 1<<20); err != nil {
		t.Errorf("after %d bytes of the body: %v", n, err)
	}
	in.Close()
	if err := cmd.Wait(); err != nil || !strings.HasSuffix(out.String(), "\r\n\r\nearly") {
		t.Errorf("the response is %q, %v, expected it to end in early", out.String(), err)
	}
}

// socketPair returns the two ends of a Unix socket, of which the second is for a
// process.
func socketPair(t *testing.T) (near *net.UnixConn, far *os.File) {
	t.Helper()
	path := peers.Folder(t) + "/s"
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	a, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	a.SetDeadline(time.Now().Add(4 * adaptertest.Patience))
	b, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if far, err = b.(*net.UnixConn).File(); err != nil {
		t.Fatal(err)
	}
	return a.(*net.UnixConn), far
}

// zeros is a body without an end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
