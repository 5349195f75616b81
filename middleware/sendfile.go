package middleware

import (
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/gowsgi/gowsgi/wsgi"
)

// SendfileConfig holds the choices of Sendfile.
type SendfileConfig struct {
	// Header is what the web server in front wants: X-Sendfile (Apache with
	// mod_xsendfile, lighttpd) or X-Accel-Redirect (nginx).
	Header string

	// Folders are the folders whose files the web server may send, as absolute
	// paths, each with what stands for it in the header: for X-Accel-Redirect the
	// path of an internal location, as in "/srv/files": "/internal/"; for
	// X-Sendfile the path of the folder as the web server sees it, "" for the same.
	// The longest that fits counts.
	Folders map[string]string
}

// Sendfile returns a middleware that leaves the sending of files to the web server
// in front: it names the file in a header, and sends no body.
//
// It does so for responses with the status 200 and no Content-Encoding whose body is an
// open file, an *os.File that the application has made a body of by wsgi.file_wrapper, as
// package static does, whole and in one of the Folders. The status stays; the header is
// added, Content-Length becomes 0, and Accept-Ranges is dropped, since ranges are
// the web server's affair then. The file is closed when the response is over. All
// other responses stay as they are.
//
// An unknown Header, no Folders, and a folder that is not absolute panic.
//
// Security: kind and folders are configuration, and no header of a request has a
// say. The web server opens the file by its name, so the name must still lead to
// the file that was opened here. A name with control characters is not passed on, nor
// for X-Sendfile one with a percent sign, which is decoded by some. Without such a web
// server in front the response is empty, and tells the client where the file is. With
// X-Accel-Redirect nginx keeps Content-Type, Content-Disposition, Cache-Control, Expires
// and Set-Cookie, and no other header: X-Content-Type-Options and its like are to be
// added by the location.
func Sendfile(c SendfileConfig) wsgi.Middleware {
	s, err := newSendfile(c)
	if err != nil {
		panic(err.Error())
	}
	return func(next wsgi.Application) wsgi.Application {
		return wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			if environ.Var("REQUEST_METHOD") != "GET" {
				return next.Call(environ, start)
			}
			wrap := environ.FileWrapper()
			inner := environ.Clone()
			inner.Set("wsgi.file_wrapper", wsgi.FileWrapper(func(file io.Reader, blockSize int) wsgi.Iterable {
				body := wrap(file, blockSize)
				if open, ok := file.(*os.File); ok {
					if streamer, ok := body.(wsgi.FileStreamer); ok {
						return &wrappedFile{streamer, open}
					}
				}
				return body
			}))
			r := &offloaded{sendfile: s}
			r.held = held{start: start, by: r}
			return r.call(next, inner)
		})
	}
}

// Validate returns what Sendfile would panic with.
func (c SendfileConfig) Validate() error {
	_, err := newSendfile(c)
	return err
}

// sendfile is a checked SendfileConfig.
type sendfile struct {
	header  string
	accel   bool
	folders map[string]string
}

func newSendfile(c SendfileConfig) (*sendfile, error) {
	s := &sendfile{header: c.Header, folders: map[string]string{}}
	switch strings.ToLower(c.Header) {
	case "x-sendfile":
	case "x-accel-redirect":
		s.accel = true
	default:
		return nil, fmt.Errorf("middleware: Sendfile: the Header is %q, expected X-Sendfile or X-Accel-Redirect", c.Header)
	}
	if len(c.Folders) == 0 {
		return nil, fmt.Errorf("middleware: Sendfile: there are no Folders, expected those whose files may be sent")
	}
	for folder, as := range c.Folders {
		if !filepath.IsAbs(folder) || s.accel && !strings.HasPrefix(as, "/") {
			return nil, fmt.Errorf("middleware: Sendfile: Folders has %q for %q, expected an absolute path, and for X-Accel-Redirect a path that begins with a slash", as, folder)
		}
		folder = filepath.Clean(folder)
		if as == "" {
			as = folder
		}
		s.folders[folder] = strings.TrimRight(as, "/")
	}
	return s, nil
}

// name returns what the header says of a file, "" when the web server may not, or
// cannot, send it.
func (s *sendfile) name(file *os.File, headers wsgi.Headers) string {
	path, err := filepath.Abs(file.Name())
	if err != nil {
		return ""
	}
	longest := ""
	for folder := range s.folders {
		if len(folder) > len(longest) && strings.HasPrefix(path, strings.TrimRight(folder, string(filepath.Separator))+string(filepath.Separator)) {
			longest = folder
		}
	}
	if longest == "" {
		return ""
	}
	here, err := file.Stat()
	if err != nil || !here.Mode().IsRegular() {
		return ""
	}
	if there, err := os.Stat(path); err != nil || !os.SameFile(here, there) {
		return ""
	}
	if at, err := file.Seek(0, io.SeekCurrent); err != nil || at != 0 {
		return ""
	}
	if n := headers.Get("Content-Length"); n != "" && n != strconv.FormatInt(here.Size(), 10) {
		return "" // a part of it
	}
	name := s.folders[longest] + filepath.ToSlash(path[len(strings.TrimRight(longest, string(filepath.Separator))):])
	if s.accel {
		return (&url.URL{Path: name}).EscapedPath()
	}
	if strings.IndexByte(name, '%') >= 0 || (wsgi.Headers{{Name: s.header, Value: name}}).Validate() != nil {
		return "" // lighttpd decodes %41, and would send another file; mod_xsendfile does not
	}
	return name
}

// wrappedFile is the body of an open file, of which it is known which.
type wrappedFile struct {
	wsgi.FileStreamer
	file *os.File
}

// offloaded is a response whose body the web server may send.
type offloaded struct {
	held
	*sendfile
	away bool
}

func (r *offloaded) call(next wsgi.Application, environ *wsgi.Environ) (wsgi.Iterable, error) {
	body, err := r.held.call(next, environ)
	if body != nil && err == nil && r.away {
		return sentElsewhere{wsgi.Empty(), body}, nil
	}
	return body, err
}

func (r *offloaded) adjust(status string, headers wsgi.Headers, body wsgi.Iterable) (wsgi.Headers, error) {
	file, ok := body.(*wrappedFile)
	if !ok || !strings.HasPrefix(status, "200 ") || headers.Has("Content-Encoding") { // which nginx and mod_xsendfile drop
		return headers, nil
	}
	name := r.name(file.file, headers)
	if name == "" {
		return headers, nil
	}
	r.away = true
	headers = headers.Clone()
	headers.Del("Accept-Ranges")
	headers.Set("Content-Length", "0")
	headers.Set(r.header, name)
	return headers, nil
}

// sentElsewhere is the empty body of a response whose file is closed with it.
type sentElsewhere struct {
	wsgi.Iterable
	file wsgi.Iterable
}

func (b sentElsewhere) Len() int     { return 0 }
func (b sentElsewhere) Close() error { return b.file.Close() }
