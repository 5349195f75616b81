package wsgitest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"mime/multipart"
	"net/textproto"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Content sets the body and its type.
func (r *Request) Content(contentType, body string) *Request {
	r.Body = []byte(body)
	r.Headers.Set("Content-Type", contentType)
	return r
}

// Form sets the body to values as an HTML form sends them, url-encoded and
// sorted by name.
func (r *Request) Form(values url.Values) *Request {
	return r.Content("application/x-www-form-urlencoded", values.Encode())
}

// JSON sets the body to v as encoding/json marshals it, and panics when that
// fails.
func (r *Request) JSON(v any) *Request {
	body, err := json.Marshal(v)
	if err != nil {
		panic("wsgitest: Request.JSON: " + err.Error())
	}
	return r.Content("application/json", string(body))
}

// File is a file that a form uploads.
type File struct {
	Field   string // the name of the form's field
	Name    string // the file's name
	Type    string // its content type; "" means application/octet-stream
	Content []byte
}

// Multipart sets the body to values and files as an HTML form with uploads
// sends them, as multipart/form-data: first the values sorted by name, then
// the files in order. The same values and files make the same body.
func (r *Request) Multipart(values url.Values, files ...File) *Request {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	check(form.SetBoundary(boundary(values, files)))
	for _, name := range slices.Sorted(maps.Keys(values)) {
		for _, value := range values[name] {
			check(form.WriteField(name, value))
		}
	}
	for _, file := range files {
		part, err := form.CreatePart(textproto.MIMEHeader{
			"Content-Disposition": {multipart.FileContentDisposition(file.Field, file.Name)},
			"Content-Type":        {orElse(file.Type, "application/octet-stream")},
		})
		check(err)
		_, err = part.Write(file.Content)
		check(err)
	}
	check(form.Close())
	return r.Content(form.FormDataContentType(), body.String())
}

// boundary returns a boundary that nothing in the form contains.
func boundary(values url.Values, files []File) string {
	for n := 0; ; n++ {
		b := "wsgitest-boundary-" + strconv.Itoa(n)
		taken := func(value string) bool { return strings.Contains(value, b) }
		inValues := func(list []string) bool { return slices.ContainsFunc(list, taken) }
		if !slices.ContainsFunc(slices.Collect(maps.Values(values)), inValues) &&
			!slices.ContainsFunc(files, func(f File) bool { return taken(string(f.Content)) }) {
			return b
		}
	}
}

func check(err error) {
	if err != nil {
		panic("wsgitest: Request.Multipart: " + err.Error()) // unreachable: a buffer takes everything
	}
}

// input returns the body as the server reads it, nil when there is none, and
// its declared length, "" when none is declared.
func (r *Request) input() (body io.Reader, length string) {
	switch {
	case r.Stream != nil && r.Body != nil:
		panic("wsgitest: Request has both a Body and a Stream")
	case r.Stream != nil:
		body = r.Stream
	case r.Body != nil:
		body, length = bytes.NewReader(r.Body), strconv.Itoa(len(r.Body))
	}
	if declared := r.Headers.Values("Content-Length"); len(declared) > 0 {
		length = strings.TrimSpace(declared[0])
		for _, other := range declared[1:] {
			if strings.TrimSpace(other) != length {
				panic(fmt.Sprintf("wsgitest: Request has two lengths, Content-Length %q", declared))
			}
		}
	}
	if length == "" {
		if body != nil && r.proto() == "HTTP/1.0" {
			panic("wsgitest: Request has a Stream, but HTTP/1.0 has no body of unknown length")
		}
		return body, ""
	}
	n, err := strconv.ParseUint(length, 10, 63)
	if err != nil {
		panic(fmt.Sprintf("wsgitest: Request has Content-Length %q, which every server refuses", length))
	}
	if body == nil {
		body = strings.NewReader("")
	}
	return &declared{body, int64(n)}, length
}

// declared is a body of a declared length: what follows is not read, and what
// is missing is an error.
type declared struct {
	body io.Reader
	left int64
}

func (d *declared) Read(p []byte) (int, error) {
	if d.left == 0 {
		return 0, io.EOF
	}
	n, err := d.body.Read(p[:min(int64(len(p)), d.left)])
	d.left -= int64(n)
	if err == io.EOF && d.left > 0 {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}
