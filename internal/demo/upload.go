package demo

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"strings"

	"github.com/gowsgi/gowsgi/wsgi"
)

const (
	maxUpload = 64 << 20 // bytes of a request
	maxFiles  = 100
)

// uploaded is what came of one file.
type uploaded struct {
	Name string
	Type string // what the client says it is
	Size int64
	Hash string // SHA-256, in hexadecimal
}

// upload shows a form, and what came through it.
func (d *Demo) upload(environ *wsgi.Environ, startResponse wsgi.StartResponse) (wsgi.Iterable, error) {
	if environ.Var("REQUEST_METHOD") != "POST" {
		return d.respond(environ, startResponse, response{
			status: "200 OK", page: "upload", title: "Upload a file", data: maxUpload >> 20,
		})
	}
	input := &uploadInput{r: environ.Input(), left: maxUpload}
	if n, ok := environ.ContentLength(); ok && n > maxUpload {
		return d.rejected(environ, startResponse, errTooLarge)
	}
	files, err := receive(environ.Header("Content-Type"), input)
	switch {
	case input.err != nil:
		// The connection failed, or a limit of the server was exceeded. The
		// server knows what to answer, if there is anybody to answer to.
		return nil, input.err
	case err != nil:
		return d.rejected(environ, startResponse, err)
	}
	return d.respond(environ, startResponse, response{
		status: "200 OK", page: "uploaded", title: "It has arrived", data: files,
	})
}

// rejection is an upload that the client has to blame itself for.
type rejection struct{ status, text string }

func (r *rejection) Error() string { return r.text }

var (
	errTooLarge = &rejection{"413 Content Too Large", fmt.Sprintf("An upload may have %d MiB at most.", maxUpload>>20)}
	errTooMany  = &rejection{"413 Content Too Large", fmt.Sprintf("An upload may have %d files at most.", maxFiles)}
	errNoForm   = &rejection{"415 Unsupported Media Type", "This is not what the form sends: multipart/form-data."}
	errNoFile   = &rejection{"400 Bad Request", "No file came with the form."}
	errBadForm  = &rejection{"400 Bad Request", "The form is damaged."}
)

func (d *Demo) rejected(environ *wsgi.Environ, startResponse wsgi.StartResponse, err error) (wsgi.Iterable, error) {
	reason := errBadForm
	errors.As(err, &reason)
	return d.respond(environ, startResponse, response{
		status: reason.status, page: "message", title: "That did not work", data: message{Text: reason.text},
	})
}

// receive reads the files of a form as they arrive.
func receive(contentType string, input io.Reader) ([]uploaded, error) {
	mediaType, params, err := mime.ParseMediaType(contentType)
	if err != nil || mediaType != "multipart/form-data" || params["boundary"] == "" {
		return nil, errNoForm
	}
	var files []uploaded
	form := multipart.NewReader(input, params["boundary"])
	for {
		part, err := form.NextRawPart()
		switch {
		case err == io.EOF && len(files) == 0:
			return nil, errNoFile
		case err == io.EOF:
			return files, nil
		case err != nil:
			return nil, err
		case part.FileName() == "":
			continue // a field of another kind, or no file was chosen
		case len(files) == maxFiles:
			return nil, errTooMany
		}
		hash := sha256.New()
		size, err := io.Copy(hash, part)
		if err != nil {
			return nil, err
		}
		files = append(files, uploaded{
			Name: shorten(part.FileName()),
			Type: shorten(part.Header.Get("Content-Type")),
			Size: size,
			Hash: hex.EncodeToString(hash.Sum(nil)),
		})
	}
}

// shorten makes client's text fit to be kept and shown.
func shorten(s string) string {
	const limit = 200
	if len(s) > limit {
		s = s[:limit] + "…"
	}
	return strings.ToValidUTF8(readable(s), "�")
}

// uploadInput is the request body up to a limit. It remembers when reading it
// failed, which is another thing than a form that is malformed.
type uploadInput struct {
	r    io.Reader
	left int64
	err  error
}

func (in *uploadInput) Read(p []byte) (int, error) {
	if in.left <= 0 {
		return 0, errTooLarge
	}
	n, err := in.r.Read(p[:min(int64(len(p)), in.left)])
	in.left -= int64(n)
	if err != nil && err != io.EOF {
		in.err = err
	}
	return n, err
}
