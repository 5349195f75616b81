package middleware

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"github.com/gowsgi/gowsgi/wsgi"
)

// ETag returns a middleware that gives responses an ETag, a hash of the body, by
// which clients and ConditionalGet can tell that they have it already.
//
// It does so for the status 200 to GET and HEAD when the whole body is known
// before it is sent, which is a wsgi.Block, as wsgi.Bytes and wsgi.Strings of one
// text return. A body that comes in blocks is never collected. A response that has
// an ETag, or must not be stored, is left as it is. Status, body and all other
// headers always are.
//
// It is put inside Compress, so that the hash is that of the body as the
// application made it, and inside Head.
//
// Security: the tag is a cryptographic hash of the body, of which it tells nothing
// to those who do not know it.
func ETag() wsgi.Middleware {
	return func(next wsgi.Application) wsgi.Application {
		return wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			if method := environ.Var("REQUEST_METHOD"); method != "GET" && method != "HEAD" {
				return next.Call(environ, start)
			}
			return holdBack(next, environ, start, func(status string, headers wsgi.Headers, body wsgi.Iterable) wsgi.Headers {
				block, ok := blockOf(body)
				if !ok || len(block) == 0 || !strings.HasPrefix(status, "200 ") || headers.Has("ETag") ||
					hasElement(strings.Join(headers.Values("Cache-Control"), ","), "no-store") {
					return headers
				}
				sum := sha256.Sum256(block)
				headers = headers.Clone()
				headers.Add("ETag", `"`+base64.RawURLEncoding.EncodeToString(sum[:16])+`"`)
				return headers
			})
		})
	}
}

// ContentLength returns a middleware that states the length of a body where that
// is known without iterating it: of a single block, and of a list of none. The
// servers of this module do that themselves; this is for what needs to know it
// inside of them, or on others.
//
// It adds a Content-Length where there is none. It adds none to 204 and 304, and
// none to HEAD with an empty body, which is not that of GET. Status, body and all
// other headers stay as they are.
//
// Security: a length that is wrong makes two parties see two ends of a response.
// This one is never a guess.
func ContentLength() wsgi.Middleware {
	return func(next wsgi.Application) wsgi.Application {
		return wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			head := environ.Var("REQUEST_METHOD") == "HEAD"
			return holdBack(next, environ, start, func(status string, headers wsgi.Headers, body wsgi.Iterable) wsgi.Headers {
				n, known := length(body)
				if !known || bodiless(status) || head && n == 0 || headers.Has("Content-Length") {
					return headers
				}
				headers = headers.Clone()
				headers.Add("Content-Length", strconv.Itoa(n))
				return headers
			})
		})
	}
}

// ContentTypeConfig holds the choices of ContentType.
type ContentTypeConfig struct {
	// Default is the type of responses that have none; "" means
	// application/octet-stream, which no browser takes for a page.
	Default string

	// Charset, when not "", is added to a type of text/* that has none, such as
	// "utf-8".
	Charset string
}

// ContentType returns a middleware that gives responses a Content-Type.
//
// It adds one where there is none, and a charset to text, and leaves status, body
// and all other headers as they are. The statuses 204 and 304, which have no body,
// get none. A Default or a Charset that could not be sent panics.
//
// Security: without a type a browser guesses, and takes for a page what was meant
// as data. A Default of text/html says so itself.
func ContentType(c ContentTypeConfig) wsgi.Middleware {
	if c.Default == "" {
		c.Default = "application/octet-stream"
	}
	bare, _, _ := strings.Cut(c.Default, ";")
	family, sub, ok := strings.Cut(strings.TrimSpace(bare), "/")
	if err := (wsgi.Headers{{Name: "Content-Type", Value: c.Default}}).Validate(); err != nil || !ok || !isToken(family) || !isToken(sub) {
		panic(fmt.Sprintf("middleware: ContentType: the Default is %q, expected one such as text/plain", c.Default))
	}
	if c.Charset != "" && !isToken(c.Charset) {
		panic(fmt.Sprintf("middleware: ContentType: the Charset is %q, expected one such as utf-8", c.Charset))
	}
	return onHead(headLayer{room: 1, head: func(_ *wsgi.Environ, status string, headers headList) (string, headList) {
		if bodiless(status) {
			return status, headers
		}
		has := hasHeader(headers.Headers, "Content-Type")
		if has && (c.Charset == "" || !c.lacksCharset(headers.Get("Content-Type"))) {
			return status, headers
		}
		headers = headers.own(1)
		if !has {
			headers.Add("Content-Type", c.Default)
		}
		for i, h := range headers.Headers {
			if strings.EqualFold(h.Name, "Content-Type") && c.Charset != "" && c.lacksCharset(h.Value) {
				headers.Headers[i].Value += "; charset=" + c.Charset
			}
		}
		return status, headers
	}})
}

// lacksCharset reports whether a type is one of text without a charset.
func (c *ContentTypeConfig) lacksCharset(value string) bool {
	if len(value) < 5 || !strings.EqualFold(value[:5], "text/") {
		return false
	}
	for parameter := range parameters(value) {
		if name, _, _ := strings.Cut(parameter, "="); strings.EqualFold(strings.TrimSpace(name), "charset") {
			return false
		}
	}
	return true
}
