package middleware

import (
	"compress/gzip"
	"compress/zlib"
	"fmt"
	"strconv"
	"strings"

	"github.com/gowsgi/gowsgi/internal/encodings"
	"github.com/gowsgi/gowsgi/wsgi"
)

// CompressConfig holds the choices of Compress.
type CompressConfig struct {
	// Codings are what is offered, the best first; none means Gzip and Deflate.
	Codings []Coding

	// MinBytes is how many bytes a body has to have, where that is known before
	// it is sent; 0 means 1024.
	MinBytes int

	// Types are the media types that are compressed: "text/html", "text/*",
	// "+json" for every type that ends so. None means texts, and what is known
	// to be made of them.
	Types []string

	// Lazy holds back what the application has yielded until there is enough of
	// it, or until it yields an empty block. Otherwise each block is sent on at
	// once, as without compression.
	Lazy bool
}

// compressible are the types that are compressed by default.
var compressible = []string{
	"text/*", "+json", "+xml", "application/json", "application/javascript", "application/xml", "application/wasm",
	"application/x-javascript", "application/manifest+json", "application/ld+json", "application/graphql", "application/rtf",
	"application/vnd.ms-fontobject", "font/ttf", "font/otf", "image/bmp", "image/x-icon", "image/vnd.microsoft.icon",
}

// Compress returns a middleware that compresses the bodies of responses, in the
// coding that the client likes best.
//
// It leaves alone what has a Content-Encoding, or no type that is worth it, or is
// too small, or must not be transformed (Cache-Control: no-transform), and the
// statuses 204, 205, 206 and 304. Of anything else Accept-Encoding is added to
// Vary, compressed or not; of a 304 too. The status stays. Where the body is
// compressed, Content-Encoding is set; Content-Length, Accept-Ranges and digests
// are dropped; and a strong ETag becomes a weak one, since there are two bodies
// of it now. HEAD has the headers of GET. Each block of the body gives one block, or
// several if it is large, and what is sent by write is compressed too.
//
// A body whose length is only known at its end is compressed however short it is.
// A Coding without a name or a function, a negative MinBytes, and a malformed type
// panic.
//
// Security: the length of a compressed page tells of what is in it. Where a page
// has a secret next to text that an attacker may choose, as with BREACH, send it
// with no-transform.
func Compress(c CompressConfig) wsgi.Middleware {
	z := newCompress(c)
	return func(next wsgi.Application) wsgi.Application {
		return wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			f := &compressed{z: z, accept: environ.Var("HTTP_ACCEPT_ENCODING"), control: environ.Var("HTTP_CACHE_CONTROL")}
			f.held = held{start: start, by: f}
			f.head = environ.Var("REQUEST_METHOD") == "HEAD"
			return f.call(next, environ, f.startResponse)
		})
	}
}

// compressed is a response that may be compressed.
type compressed struct {
	filtered
	z               *compress
	accept, control string // Accept-Encoding and Cache-Control of the request
	suits           bool   // the head is that of a response to compress
}

// startResponse is that of filtered, but that a head of what is not compressed,
// whatever its length, is not held back.
func (f *compressed) startResponse(status string, headers wsgi.Headers, excInfo error) (wsgi.Write, error) {
	f.suits = f.z.suits(status, headers)
	if f.suits || f.waiting || f.open || strings.HasPrefix(status, "304") {
		return f.filtered.startResponse(status, headers, excInfo)
	}
	write, err := f.start(status, headers, excInfo)
	if err != nil {
		return nil, err
	}
	f.write = write
	return f.onWrite, nil
}

func (f *compressed) adjust(status string, headers wsgi.Headers, body wsgi.Iterable) (wsgi.Headers, error) {
	f.drop()
	headers, coding := f.z.adjust(status, headers, body, f)
	if coding != nil {
		_, whole := blockOf(body)
		f.use(coding.start(!f.z.lazy && !whole))
	}
	return headers, nil
}

// coding returns what the client likes best, nil for none.
func (f *compressed) coding() *pooled {
	if noTransform(f.control) {
		return nil
	}
	return f.z.choose(f.accept)
}

// compress is a checked CompressConfig.
type compress struct {
	codings  []*pooled
	names    []string // of them
	min      int64
	types    map[string]bool
	suffixes []string
	families []string // "text/"
	lazy     bool
}

func newCompress(c CompressConfig) *compress {
	z := &compress{min: int64(c.MinBytes), lazy: c.Lazy, types: map[string]bool{}}
	if c.MinBytes < 0 {
		panic(fmt.Sprintf("middleware: Compress: MinBytes is %d, expected 0 bytes or more", c.MinBytes))
	}
	if z.min == 0 {
		z.min = 1024
	}
	if len(c.Codings) == 0 {
		c.Codings = []Coding{Gzip(gzip.DefaultCompression), Deflate(zlib.DefaultCompression)}
	}
	for _, coding := range c.Codings {
		if !isToken(coding.Name) || coding.New == nil {
			panic(fmt.Sprintf("middleware: Compress: the coding %q, expected a name and a function", coding.Name))
		}
		z.codings, z.names = append(z.codings, &pooled{Coding: coding}), append(z.names, coding.Name)
	}
	if len(c.Types) == 0 {
		c.Types = compressible
	}
	for _, name := range c.Types {
		name = strings.ToLower(name)
		family, sub, ok := strings.Cut(name, "/")
		switch {
		case strings.HasPrefix(name, "+") && isToken(name):
			z.suffixes = append(z.suffixes, name)
		case !ok || !isToken(family) || !isToken(sub):
			panic(fmt.Sprintf("middleware: Compress: the type %q, expected one such as text/html, text/* or +json", name))
		case sub == "*":
			z.families = append(z.families, family+"/")
		default:
			z.types[name] = true
		}
	}
	return z
}

// adjust makes the head of a response, and returns how it is compressed, nil for
// not at all.
func (z *compress) adjust(status string, headers wsgi.Headers, body wsgi.Iterable, f *compressed) (wsgi.Headers, *pooled) {
	if strings.HasPrefix(status, "304") {
		headers = headers.Clone()
		addVary(&headers, "Accept-Encoding")
		if f.coding() != nil {
			weaken(headers)
		}
		return headers, nil
	}
	if !f.suits {
		return headers, nil
	}
	n, known := int64(0), false
	if declared := headers.Get("Content-Length"); declared != "" {
		size, err := strconv.ParseInt(declared, 10, 64)
		n, known = size, err == nil
	} else if body != nil {
		size, ok := length(body)
		n, known = int64(size), ok && !(f.head && size == 0) // the body of HEAD tells nothing by being empty
	}
	if known && n < z.min {
		return headers, nil
	}
	coding := f.coding()
	if f.direct && !f.head {
		coding = nil // the body was passed on
	}
	list := make(wsgi.Headers, 0, len(headers)+2)
	for _, h := range headers {
		if coding != nil && dependsOnBody(h.Name) {
			if !strings.EqualFold(h.Name, "ETag") {
				continue
			}
			h.Value = weak(h.Value)
		}
		list = append(list, h)
	}
	addVary(&list, "Accept-Encoding")
	if coding != nil {
		list.Add("Content-Encoding", coding.Name)
	}
	return list, coding
}

// suits reports whether a response is one to compress, as far as its head tells.
func (z *compress) suits(status string, headers wsgi.Headers) bool {
	switch status[:min(3, len(status))] {
	case "204", "205", "206", "304":
		return false
	}
	mediaType, typed := "", false
	for _, h := range headers {
		switch {
		case len(h.Name) < len("Content-Type"): // as most that are of no interest
		case !typed && strings.EqualFold(h.Name, "Content-Type"):
			mediaType, typed = h.Value, true
		case strings.EqualFold(h.Name, "Content-Encoding"), strings.EqualFold(h.Name, "Content-Range"),
			strings.EqualFold(h.Name, "Cache-Control") && noTransform(h.Value):
			return false
		}
	}
	return z.worth(mediaType)
}

// worth reports whether a media type is to be compressed.
func (z *compress) worth(mediaType string) bool {
	if end := strings.IndexByte(mediaType, ';'); end >= 0 {
		mediaType = mediaType[:end]
	}
	mediaType = strings.ToLower(strings.TrimSpace(mediaType))
	for _, family := range z.families {
		if strings.HasPrefix(mediaType, family) {
			return true
		}
	}
	for _, suffix := range z.suffixes {
		if strings.HasSuffix(mediaType, suffix) {
			return true
		}
	}
	return z.types[mediaType]
}

// weaken makes a strong ETag of headers, which are not shared, a weak one.
func weaken(headers wsgi.Headers) {
	for i, h := range headers {
		if strings.EqualFold(h.Name, "ETag") {
			headers[i].Value = weak(h.Value)
		}
	}
}

// weak returns a tag that claims no more than that the content is the same.
func weak(tag string) string {
	if strings.HasPrefix(tag, `"`) {
		return "W/" + tag
	}
	return tag
}

func noTransform(cacheControl string) bool {
	return cacheControl != "" && hasElement(cacheControl, "no-transform")
}

// choose returns the coding that an Accept-Encoding likes best, nil for none. Among
// those that it likes alike, the first offered wins.
func (z *compress) choose(accept string) (best *pooled) {
	if accept == "" {
		return nil
	}
	for _, coding := range z.codings {
		if coding.Name == accept { // as programs say it, net/http's client among them
			return coding
		}
	}
	var room [8]int
	weights := append(room[:0], make([]int, len(z.names))...)
	encodings.Weigh(accept, z.names, weights)
	most := 0
	for i, weight := range weights {
		if weight > most {
			best, most = z.codings[i], weight
		}
	}
	return best
}
