package static

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path"
	"runtime"
	"strings"
	"syscall"

	"github.com/gowsgi/gowsgi/wsgi"
)

// layer is a site before an application: what New makes of one.
type layer struct {
	*site
	next wsgi.Application
}

// Call answers a request for a file, and passes on any other.
func (l layer) Call(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
	answer, err := l.find(environ)
	if err != nil {
		return nil, err
	}
	return answer.Call(environ, start)
}

// find returns what answers the request: the next application when nothing of
// the site does.
func (l layer) find(environ *wsgi.Environ) (wsgi.Application, error) {
	pathInfo := environ.Var("PATH_INFO")
	rest, ok := below(pathInfo, l.Prefix)
	if !ok {
		return l.next, nil
	}
	name, folder, ok := l.naming().file(rest)
	if !ok {
		return l.next, nil
	}
	answer, err := l.lookUp(environ, name, folder || environ.Var("SCRIPT_NAME")+pathInfo == "")
	if err != nil {
		return nil, err
	}
	if answer == nil {
		return l.next, nil
	}
	// Only now: what is no file is the next application's, with whatever method.
	switch environ.Var("REQUEST_METHOD") {
	case "GET", "HEAD":
		return answer, nil
	}
	return plain("405 Method Not Allowed", "Method not allowed.\n", wsgi.Header{Name: "Allow", Value: "GET, HEAD"}), nil
}

func (s *site) naming() naming {
	return naming{dots: s.DotFiles, windows: runtime.GOOS == "windows"}
}

// lookUp returns what answers a request for name, nil when nothing does. folder says that it was asked
// for as a folder.
func (l layer) lookUp(environ *wsgi.Environ, name string, folder bool) (wsgi.Application, error) {
	info, err := l.stat(environ, name)
	switch {
	case info == nil || err != nil:
		return nil, err
	case info.Mode().IsRegular() && !folder:
		return sending{l, name}, nil
	case !info.IsDir():
		return nil, nil
	}
	answer, err := l.index(environ, name)
	if answer == nil || err != nil || folder {
		return answer, err
	}
	return redirect(environ), nil
}

// index returns what answers for a folder, nil when nothing does.
func (l layer) index(environ *wsgi.Environ, folder string) (wsgi.Application, error) {
	for _, name := range l.Index {
		name = path.Join(folder, name)
		info, err := l.stat(environ, name)
		if err != nil {
			return nil, err
		}
		if info != nil && info.Mode().IsRegular() {
			return sending{l, name}, nil
		}
	}
	if l.List {
		return listing{l, folder}, nil
	}
	return nil, nil
}

// redirect leads to the same path with a slash at its end, with the query.
func redirect(environ *wsgi.Environ) wsgi.Application {
	target := (&url.URL{Path: environ.Var("SCRIPT_NAME") + environ.Var("PATH_INFO")}).EscapedPath() + "/"
	target = "/" + strings.TrimLeft(target, "/") // "//host/" would be another site
	if query := environ.Var("QUERY_STRING"); query != "" {
		target += "?" + escapeQuery(query)
	}
	return plain("301 Moved Permanently", "The folder is at "+target+"\n", wsgi.Header{Name: "Location", Value: target})
}

// escapeQuery escapes what must not be in a header, and leaves the rest of a
// query as the client sent it.
func escapeQuery(query string) string {
	var b strings.Builder
	for _, c := range []byte(query) {
		if c <= ' ' || c >= 0x7F {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// stat returns what is at name, nil when nothing is that may be served.
func (s *site) stat(environ *wsgi.Environ, name string) (fs.FileInfo, error) {
	info, err := fs.Stat(s.Files, name)
	if err != nil {
		return nil, s.absent(environ, name, err)
	}
	return info, nil
}

// open opens a regular file. It returns nil when there is none that may be
// served. Whoever calls has found one a moment ago by stat: opening a pipe would
// wait for somebody to write into it.
func (s *site) open(environ *wsgi.Environ, name string) (fs.File, fs.FileInfo, error) {
	file, err := s.Files.Open(name)
	if err != nil {
		return nil, nil, s.absent(environ, name, err)
	}
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() {
		file.Close()
		return nil, nil, err
	}
	return file, info, nil
}

// absent returns nil for an error that says that there is no such file, or none
// that may be served, and err itself for any other. What the deployer did not
// mean is reported.
func (s *site) absent(environ *wsgi.Environ, name string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrInvalid),
		errors.Is(err, syscall.ENOTDIR), errors.Is(err, syscall.ENAMETOOLONG):
		return nil
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.ELOOP), escapes(err):
		reason := err
		if pathErr := (*fs.PathError)(nil); errors.As(err, &pathErr) {
			reason = pathErr.Err
		}
		fmt.Fprintf(environ.Errors(), "static: %q is not served: %v\n", name, reason)
		return nil
	}
	return fmt.Errorf("static: %w", err)
}

// escapes reports whether err is an os.Root's for a link that leads out of it.
// Package os does not export that error.
func escapes(err error) bool {
	pathErr := (*fs.PathError)(nil)
	return errors.As(err, &pathErr) && pathErr.Err.Error() == "path escapes from parent"
}
