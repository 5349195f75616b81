package middleware

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"net/url"
	"path"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"github.com/gowsgi/gowsgi/wsgi"
)

// StaticConfig holds the choices of Static.
type StaticConfig struct {
	// FS has the files: that of an os.Root, or an embed.FS. It must be set.
	FS fs.FS

	// Index is the file that stands for its folder; "" means index.html, "-"
	// that there is none.
	Index string

	// List shows what is in a folder that has no Index.
	List bool

	// Hidden serves files whose name, or that of a folder on the way, begins
	// with a dot. Without it only .well-known is, at the root.
	Hidden bool

	// Precompressed serves name.br, name.zst or name.gz in the place of name to
	// clients that accept it, when it is there and not older.
	Precompressed bool

	// CacheControl, when not nil, returns the Cache-Control of a file, "" for
	// none. name is that of the file in FS.
	CacheControl func(name string) string

	// Types has media types by extension, such as ".webmanifest". They go before
	// those that this package and the system know.
	Types map[string]string
}

// Static returns a middleware that answers with the files of a file system; what
// it has none for goes on to the next application. PATH_INFO is the name of the
// file, so below a prefix it is put under Mount.
//
// A file is answered as a Content: with conditions, Range, and sendfile where the
// server has it. It has a Content-Type by its extension, X-Content-Type-Options:
// nosniff, Last-Modified, and an ETag, which is made of the time and the size; of
// the bytes for a file without a time, which is taken not to change. With
// Precompressed, Accept-Encoding is in Vary, and what is sent in another coding
// has the ETag of its own file. A folder without a slash at the end of its path is
// redirected to where it has one. Methods other than GET and HEAD get a 405 where
// there is a file, and go on to the next application where there is none, with
// status, headers and body as that one gives them. The file is closed with the
// body.
//
// A nil FS and an Index that is a path panic.
//
// Security: the FS of an os.Root does not follow links out of it; os.DirFS does.
// A path is served only as it is written when it is clean: one with an empty
// segment, a dot or two, goes on, and so what a rule for a name has to match is
// the one name that there is. Devices, pipes and sockets are not opened. What may
// not be read is as if it were not there. What users upload should be served from
// another host, for a browser would run scripts in it.
func Static(c StaticConfig) wsgi.Middleware {
	if c.FS == nil {
		panic("middleware: Static: FS is nil, expected a file system")
	}
	if c.Index == "" {
		c.Index = "index.html"
	}
	if strings.ContainsAny(c.Index, `/\`) {
		panic(fmt.Sprintf("middleware: Static: the Index is %q, expected the name of a file", c.Index))
	}
	return func(next wsgi.Application) wsgi.Application {
		s := &static{StaticConfig: c, next: next}
		for _, coding := range []string{"br", "zstd", "gzip"} {
			s.codings.codings = append(s.codings.codings, &pooled{Coding: Coding{Name: coding}})
		}
		return s
	}
}

type static struct {
	StaticConfig
	next    wsgi.Application
	codings compress // for its choice alone
	sums    sync.Map // ETags of files without a time, by name
}

// sidecars are the extensions of the codings.
var sidecars = map[string]string{"br": ".br", "zstd": ".zst", "gzip": ".gz"}

func (s *static) Call(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
	app, err := s.find(environ)
	switch {
	case err != nil:
		return nil, err
	case app == nil:
		return s.next.Call(environ, start)
	}
	return app.Call(environ, start)
}

// find returns what to answer, nil when there is no file.
func (s *static) find(environ *wsgi.Environ) (wsgi.Application, error) {
	path := environ.Var("PATH_INFO")
	name, folder := strings.CutSuffix(strings.TrimPrefix(path, "/"), "/")
	if path == "" || path == "/" {
		name, folder = ".", path == "/"
	}
	if path != "" && path[0] != '/' || !s.serves(name) {
		return nil, nil
	}
	info, err := fs.Stat(s.FS, name)
	if err != nil {
		return nil, missing(err)
	}
	if info.IsDir() {
		return s.folder(environ, name, folder)
	}
	if folder {
		return nil, nil
	}
	return s.file(environ, name, info)
}

// serves reports whether a file of that name may be served, if there is one.
func (s *static) serves(name string) bool {
	if !fs.ValidPath(name) || strings.IndexByte(name, 0) >= 0 {
		return false
	}
	if s.Hidden || name == "." {
		return true
	}
	for i, segment := 0, ""; name != ""; i++ {
		segment, name, _ = strings.Cut(name, "/")
		if segment[0] == '.' && !(i == 0 && segment == ".well-known") {
			return false
		}
	}
	return true
}

// missing returns nil for an error that means that there is no such file for us,
// which a link that leads out of a root, or a name that no file can have, is too.
func missing(err error) error {
	if errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) {
		return err
	}
	return nil
}

// folder answers for a folder: with its index, its list, or a redirect to where
// its path has a slash at its end.
func (s *static) folder(environ *wsgi.Environ, name string, slash bool) (wsgi.Application, error) {
	index := path.Join(name, s.Index)
	info, err := fs.Stat(s.FS, index)
	found := err == nil && info.Mode().IsRegular() && s.Index != "-" && s.serves(index)
	switch {
	case !found && !s.List:
		return nil, nil
	case !readOnly(environ):
		return notAllowed, nil
	case !slash:
		location := environ.Var("SCRIPT_NAME") + environ.Var("PATH_INFO") + "/"
		if strings.HasPrefix(location, "//") { // another host, to a browser
			return nil, nil
		}
		location = (&url.URL{Path: location}).EscapedPath()
		if query := environ.Var("QUERY_STRING"); query != "" {
			location += "?" + safeQuery(query)
		}
		return wsgi.Response{Status: "301 Moved Permanently", Headers: wsgi.Headers{
			{Name: "Location", Value: location}, {Name: "Content-Length", Value: "0"},
		}}, nil
	case found:
		return s.file(environ, index, info)
	}
	return s.list(name)
}

var notAllowed = &HTTPError{Code: 405, Headers: wsgi.Headers{{Name: "Allow", Value: "GET, HEAD"}}}

func readOnly(environ *wsgi.Environ) bool {
	method := environ.Var("REQUEST_METHOD")
	return method == "GET" || method == "HEAD"
}

// file answers for a file.
func (s *static) file(environ *wsgi.Environ, name string, info fs.FileInfo) (wsgi.Application, error) {
	if !info.Mode().IsRegular() { // opening a pipe would wait for its other end
		return nil, nil
	}
	if !readOnly(environ) {
		return notAllowed, nil
	}
	c := Content{Headers: wsgi.Headers{
		{Name: "Content-Type", Value: s.mediaType(name)},
		{Name: "X-Content-Type-Options", Value: "nosniff"},
	}}
	if s.CacheControl != nil {
		if value := s.CacheControl(name); value != "" {
			c.Headers.Add("Cache-Control", value)
		}
	}
	opened := name
	if s.Precompressed {
		c.Headers.Add("Vary", "Accept-Encoding")
		if coding, sidecar := s.sidecar(environ, name, info); coding != "" {
			c.Headers.Add("Content-Encoding", coding)
			opened = sidecar
		}
	}
	f, err := s.FS.Open(opened)
	if err != nil {
		return nil, missing(err)
	}
	info, err = f.Stat() // of what was opened
	if err != nil || !info.Mode().IsRegular() {
		f.Close()
		return nil, err
	}
	c.Reader, c.Size, c.ModTime = f, info.Size(), info.ModTime()
	if c.ETag, err = s.tag(f, opened, info); err != nil {
		f.Close()
		return nil, err
	}
	return c, nil
}

// sidecar returns the coding, and the name, of a file that holds name compressed.
func (s *static) sidecar(environ *wsgi.Environ, name string, info fs.FileInfo) (coding, sidecar string) {
	rest := s.codings
	for {
		best := rest.choose(environ.Var("HTTP_ACCEPT_ENCODING"))
		if best == nil {
			return "", ""
		}
		sidecar := name + sidecars[best.Name]
		if other, err := fs.Stat(s.FS, sidecar); err == nil && other.Mode().IsRegular() && !other.ModTime().Before(info.ModTime()) {
			return best.Name, sidecar
		}
		var others []*pooled
		for _, coding := range rest.codings {
			if coding != best {
				others = append(others, coding)
			}
		}
		rest.codings = others
	}
}

// tag returns the ETag of a file.
func (s *static) tag(f fs.File, name string, info fs.FileInfo) (string, error) {
	if at := info.ModTime(); !at.IsZero() && at.Unix() != 0 {
		return `"` + strconv.FormatInt(at.UnixNano(), 36) + "-" + strconv.FormatInt(info.Size(), 36) + `"`, nil
	}
	if tag, ok := s.sums.Load(name); ok {
		return tag.(string), nil
	}
	seeker, ok := f.(io.ReadSeeker)
	if !ok {
		return "", nil
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, seeker); err != nil {
		return "", err
	}
	if _, err := seeker.Seek(0, io.SeekStart); err != nil {
		return "", err
	}
	tag := `"` + base64.RawURLEncoding.EncodeToString(sum.Sum(nil)[:16]) + `"`
	s.sums.Store(name, tag)
	return tag, nil
}

// mediaTypes are those that differ from system to system, or are missing.
var mediaTypes = map[string]string{
	".avif": "image/avif", ".css": "text/css; charset=utf-8", ".csv": "text/csv; charset=utf-8", ".gif": "image/gif",
	".htm": "text/html; charset=utf-8", ".html": "text/html; charset=utf-8", ".ico": "image/x-icon", ".jpeg": "image/jpeg",
	".jpg": "image/jpeg", ".js": "text/javascript; charset=utf-8", ".json": "application/json", ".md": "text/markdown; charset=utf-8",
	".mjs": "text/javascript; charset=utf-8", ".mp4": "video/mp4", ".otf": "font/otf", ".pdf": "application/pdf", ".png": "image/png",
	".svg": "image/svg+xml", ".ttf": "font/ttf", ".txt": "text/plain; charset=utf-8", ".wasm": "application/wasm",
	".webmanifest": "application/manifest+json", ".webp": "image/webp", ".woff": "font/woff", ".woff2": "font/woff2",
	".xml": "application/xml", ".zip": "application/zip", ".gz": "application/gzip",
}

func (s *static) mediaType(name string) string {
	extension := strings.ToLower(path.Ext(name))
	if mediaType := s.Types[extension]; mediaType != "" {
		return mediaType
	}
	if mediaType := mediaTypes[extension]; mediaType != "" {
		return mediaType
	}
	if mediaType := mime.TypeByExtension(extension); mediaType != "" {
		return mediaType
	}
	return "application/octet-stream"
}
