package cgi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/gowsgi/gowsgi/internal/cgi"
	"github.com/gowsgi/gowsgi/internal/forward"
	"github.com/gowsgi/gowsgi/wsgi"
)

// Client is an application that runs a CGI program for each request.
//
// The program gets the variables of RFC 3875, those of the request headers and
// those of Environ, PATH, and nothing else of the environment of this process;
// no shell and no arguments of the client's are involved. Its standard error is
// wsgi.errors, at most 64 KiB of a request.
//
// A program that cannot be started, or whose output is no response, is answered
// for by 502, one that had to wait too long to be started by 503, and one that
// takes too long by 504, each with a line in the log. A response that breaks off
// is cut for the client too. When that happens, or when the client leaves, the
// process group of the program gets SIGTERM, and 3 s later SIGKILL.
//
// The zero value of every field but Path is a safe default; for limits of time
// and size a negative value means none. The fields must not be changed once a
// method was called. All methods are safe for concurrent use.
type Client struct {
	// Path is the program. It is run in its own folder (RFC 3875, 7.2).
	Path string

	// Args are arguments for the program.
	Args []string

	// Environ holds variables that every process gets, in the place of those
	// of the same name.
	Environ map[string]string

	// QueueTimeout bounds how long a request waits for another process to end,
	// 10 s by default. Then the answer is 503.
	QueueTimeout time.Duration

	// WriteTimeout bounds the time in which the program must take each 32 KiB
	// of a request body, 30 s by default.
	WriteTimeout time.Duration

	// ResponseTimeout bounds the time from the end of the request to the end
	// of the head of the response, 1 min by default.
	ResponseTimeout time.Duration

	// ReadTimeout bounds how long the program may be silent within the body of
	// a response, 1 min by default.
	ReadTimeout time.Duration

	// MaxProcesses bounds how many processes there are at the same time, 100
	// by default.
	MaxProcesses int

	// MaxHeaderBytes bounds the size of the head of a response, 64 KiB by
	// default. Beyond it the answer is 502.
	MaxHeaderBytes int

	// MaxBodyBytes bounds the size of a request body that came without a
	// length, 1 GiB by default; it is kept in a temporary file until its length
	// is known. Beyond it the answer is 413.
	MaxBodyBytes int64

	// Logger receives why a program did not answer. When nil, slog.Default is
	// used.
	Logger *slog.Logger

	once   sync.Once
	client *forward.Client
	err    error
}

// Call runs the program and answers with what it answers. The error is one of
// the request body or of start_response, or that the client has left; or that
// the fields of c make no sense.
func (c *Client) Call(environ *wsgi.Environ, startResponse wsgi.StartResponse) (wsgi.Iterable, error) {
	client, err := c.forward()
	if err != nil {
		return nil, fmt.Errorf("cgi: %w", err)
	}
	return client.Call(environ, startResponse)
}

func (c *Client) forward() (*forward.Client, error) {
	c.once.Do(func() {
		if c.Path == "" {
			c.err = errors.New("Path is empty, expected a program")
			return
		}
		path, err := filepath.Abs(c.Path)
		if err != nil {
			c.err = err
			return
		}
		s := &script{path: path, args: c.Args, environ: c.Environ}
		c.client, c.err = forward.New(forward.Options{
			Addrs:           []string{path},
			Environ:         c.Environ,
			QueueTimeout:    c.QueueTimeout,
			WriteTimeout:    c.WriteTimeout,
			ResponseTimeout: c.ResponseTimeout,
			ReadTimeout:     c.ReadTimeout,
			MaxConns:        c.MaxProcesses,
			MaxIdleConns:    -1,
			MaxHeaderBytes:  c.MaxHeaderBytes,
			MaxBodyBytes:    c.MaxBodyBytes,
			Logger:          c.Logger,
		}, &forward.Protocol{
			Form: cgi.Status,
			Keep: true,
			Dial: s.start,
			Open: func(s forward.Stream, _ io.Writer) forward.Channel { return s.(*process) },
		})
	})
	return c.client, c.err
}

// script is what a Client runs.
type script struct {
	path    string
	args    []string
	environ map[string]string
}

// variables makes the environment of a process. A web server, and through it a
// stranger, may name what it likes in a gateway protocol: only what is a
// variable of CGI or of the deployer's gets into the process, or LD_PRELOAD
// would.
func (p *script) variables(pairs forward.Pairs) (list []string) {
	if _, set := p.environ["PATH"]; !set {
		list = append(list, "PATH="+os.Getenv("PATH"))
	}
	pairs(func(name, value string) bool {
		if _, set := p.environ[name]; set || ofCGI(name) {
			list = append(list, name+"="+value)
		}
		return true
	})
	return list
}

func ofCGI(name string) bool {
	switch name {
	case "AUTH_TYPE", "CONTENT_LENGTH", "CONTENT_TYPE", "GATEWAY_INTERFACE", "PATH_INFO", "PATH_TRANSLATED", "QUERY_STRING",
		"REMOTE_ADDR", "REMOTE_HOST", "REMOTE_IDENT", "REMOTE_PORT", "REMOTE_USER", "REQUEST_METHOD", "REQUEST_SCHEME", "REQUEST_URI",
		"SCRIPT_NAME", "SERVER_ADDR", "SERVER_NAME", "SERVER_PORT", "SERVER_PROTOCOL", "SERVER_SOFTWARE", "HTTPS":
		return true
	}
	return strings.HasPrefix(name, "HTTP_") || strings.HasPrefix(name, "SSL_")
}

// start starts a process for a request.
func (p *script) start(_ context.Context, _ string, pairs forward.Pairs, errs io.Writer) (forward.Stream, error) {
	return startProcess(p, p.variables(pairs), errs)
}
