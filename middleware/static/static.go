package static

import (
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gowsgi/gowsgi/internal/mounts"
	"github.com/gowsgi/gowsgi/wsgi"
)

// Config is what New and Application are told. Only Files has to be set.
type Config struct {
	// Files has the files: the FS of an os.Root, an embed.FS or a part of one,
	// or another fs.FS. It must be safe for concurrent use. A file that is no
	// io.Seeker is sent without ranges.
	Files fs.FS

	// Prefix is the path below which the files are, such as "/static". It is
	// matched by whole segments: "/static" is not the beginning of
	// "/static-old". "" is the whole of PATH_INFO.
	Prefix string

	// Index holds the names of the files that stand for their folder, the first
	// that exists. nil means "index.html", an empty slice none.
	Index []string

	// Encodings holds the content codings for which there may be compressed
	// files beside the files, those to be preferred first: "br" for page.html.br,
	// "gzip" for page.html.gz, "zstd" for page.html.zst. One that is
	// older than the file is left alone, for it is of what was there before; nobody
	// checks that it is the original compressed.
	Encodings []string

	// CacheControl is the value of that header. "" means "no-cache": a cache asks
	// each time, and gets a 304 as long as nothing changed.
	CacheControl string

	// Immutable reports whether the file with the given name, as in "js/app.js",
	// never changes. It is cached for a year without asking. nil means that none
	// is. See Hashed.
	Immutable func(name string) bool

	// Types holds content types by the suffix of the name, in lower case, such as
	// ".md". They come before those that the package knows. What neither knows is
	// application/octet-stream; the tables of the operating system are not read,
	// so that a file has the same type everywhere.
	Types map[string]string

	// List shows what is in a folder without an index file. Names that cannot be
	// asked for are left out, and so is what follows the first 2000.
	List bool

	// DotFiles serves files whose path has a segment that begins with a dot,
	// such as ".git/config". Those in the folder ".well-known" at the top are served
	// without it.
	DotFiles bool
}

// New returns a middleware that answers requests for the files of config, and
// passes on every other request as it is, with whatever method: also one for a
// folder that has no index file. config is copied.
//
// Status: 200, 206, 301 from a folder's path without a slash at its end to that
// with one, 304, 405, 412, 416. Headers: Content-Type, Content-Length, ETag,
// Last-Modified, Accept-Ranges, Content-Range, Cache-Control, X-Content-Type-Options:
// nosniff, and with Encodings Vary and Content-Encoding. Body: that of the file, its
// range, or none. Responses of the application inside are not touched. A file that cannot be
// read is an error, for which the server answers 500; one that got shorter while
// it was sent is a response that is cut. A file that may not be read, or that a link
// looks for outside of the root, is no file, and a line in wsgi.errors tells.
//
// New panics when config cannot be meant: without Files, with an os.DirFS, with
// a prefix that is no clean path, an unknown coding, a malformed type.
//
// Security: everything below Files can be read by everybody who knows its name,
// so Files holds nothing else. A file that a stranger has uploaded runs in the
// site's name when it is HTML or SVG: serve such files from another origin, or
// with a Content-Disposition. DotFiles and List tell more than most people want.
func New(config Config) wsgi.Middleware {
	s := newSite(config)
	return func(next wsgi.Application) wsgi.Application { return layer{s, next} }
}

// Application returns an application that answers requests for the files of
// config as New does, and every other one with 404.
func Application(config Config) wsgi.Application { return New(config)(notFound) }

var notFound = plain("404 Not Found", "Not found.\n")

// plain returns an application that answers with a short text.
func plain(status, text string, headers ...wsgi.Header) wsgi.Response {
	headers = append(headers, wsgi.Header{Name: "Content-Type", Value: "text/plain; charset=utf-8"},
		wsgi.Header{Name: "X-Content-Type-Options", Value: "nosniff"})
	return wsgi.Response{Status: status, Headers: headers, Body: wsgi.Strings(text)}
}

// site is a Config in use.
type site struct {
	Config
	digests sync.Map         // the ETags of embedded files, by name
	now     func() time.Time // for tests
}

func newSite(config Config) *site {
	switch t := fmt.Sprintf("%T", config.Files); t {
	case "<nil>":
		panic("static: Config.Files is nil, expected a file system")
	case "os.dirFS":
		panic("static: Config.Files is an os.DirFS, which follows symbolic links out of its folder; expected the FS of an os.Root")
	}
	prefix, err := mounts.Clean(config.Prefix)
	if err != nil {
		panic("static: Config.Prefix " + err.Error())
	}
	config.Prefix = prefix
	if config.Index == nil {
		config.Index = []string{"index.html"}
	}
	config.Index = slices.Clone(config.Index)
	for _, name := range config.Index {
		if !fs.ValidPath(name) || name == "." || strings.Contains(name, "/") {
			panic(fmt.Sprintf("static: Config.Index has %q, expected the name of a file", name))
		}
	}
	config.Encodings = slices.Clone(config.Encodings)
	for _, coding := range config.Encodings {
		if suffixes[coding] == "" {
			panic(fmt.Sprintf("static: Config.Encodings has %q, expected br, gzip or zstd", coding))
		}
	}
	if config.CacheControl == "" {
		config.CacheControl = "no-cache"
	}
	checkValue("Config.CacheControl", config.CacheControl)
	config.Types = maps.Clone(config.Types)
	for suffix, contentType := range config.Types {
		if len(suffix) < 2 || suffix[0] != '.' || suffix != strings.ToLower(suffix) {
			panic(fmt.Sprintf("static: Config.Types has the suffix %q, expected a dot and lower case letters", suffix))
		}
		checkValue("Config.Types", contentType)
	}
	return &site{Config: config, now: time.Now}
}

// checkValue panics when value is no value of a header.
func checkValue(field, value string) {
	err := wsgi.Headers{{Name: "X", Value: value}}.Validate()
	if value == "" || err != nil {
		panic(fmt.Sprintf("static: %s has %q, expected the value of a header", field, value))
	}
}

// Hashed reports whether name contains a digest of the content, as bundlers
// write it: eight or more hexadecimal digits in lower case, a letter and a digit
// among them, between the name and the suffix, as in app.3f2a9c1d.js and
// app-3f2a9c1d.js. It is for Config.Immutable.
func Hashed(name string) bool {
	pieces := strings.FieldsFunc(path.Base(name), func(c rune) bool { return c == '.' || c == '-' || c == '_' })
	return len(pieces) > 2 && slices.ContainsFunc(pieces[1:len(pieces)-1], isDigest)
}

func isDigest(s string) bool {
	letters, digits := 0, 0
	for _, c := range []byte(s) {
		switch {
		case '0' <= c && c <= '9':
			digits++
		case 'a' <= c && c <= 'f':
			letters++
		default:
			return false
		}
	}
	return letters > 0 && digits > 0 && letters+digits >= 8
}
