package main

import (
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/url"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/gowsgi/gowsgi/middleware"
	"github.com/gowsgi/gowsgi/wsgi"
)

// form is what was posted.
type form struct {
	url.Values
	files []File
}

// mostFiles is how many files come with one form.
const mostFiles = 10

// form reads the body of the request, url-encoded or with files. Its size is limited
// by the stack, whose error is passed on as it is.
func (v *visit) form() (*form, error) {
	kind, parameters, err := mime.ParseMediaType(v.environ.Var("CONTENT_TYPE"))
	if err != nil {
		return nil, badForm(err)
	}
	f := &form{Values: url.Values{}}
	switch kind {
	case "application/x-www-form-urlencoded":
		text, err := io.ReadAll(v.environ.Input())
		if err != nil {
			return nil, err
		}
		if f.Values, err = url.ParseQuery(string(text)); err != nil {
			return nil, badForm(err)
		}
	case "multipart/form-data":
		parts := multipart.NewReader(v.environ.Input(), parameters["boundary"])
		for {
			part, err := parts.NextPart()
			if err == io.EOF {
				break
			}
			if err != nil {
				return nil, badForm(err)
			}
			content, err := io.ReadAll(part)
			if err != nil {
				return nil, err
			}
			switch name := cleanName(part.FileName()); {
			case name != "" && len(f.files) == mostFiles:
				return nil, &middleware.HTTPError{Code: 400, Detail: "There are too many files at once."}
			case name != "":
				f.files = append(f.files, File{Name: name, Content: content})
			default:
				f.Add(part.FormName(), string(content))
			}
		}
	default:
		return nil, &middleware.HTTPError{Code: 415, Detail: "This is no form."}
	}
	for _, values := range f.Values {
		for _, value := range values {
			if !utf8.ValidString(value) {
				return nil, badForm(nil)
			}
		}
	}
	return f, nil
}

// badForm is the answer to a form that cannot be read. A reason that answers itself
// wins: the body may have been too large, 413, or too slow, 408.
func badForm(err error) error {
	if answer := wsgi.Application(nil); errors.As(err, &answer) {
		return err
	}
	return &middleware.HTTPError{Code: 400, Detail: "The form cannot be read.", Err: err}
}

// cleanName returns the last part of a file's name, without control characters.
func cleanName(name string) string {
	name = path.Base("/" + strings.ReplaceAll(name, `\`, "/"))
	name = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == utf8.RuneError {
			return -1
		}
		return r
	}, name)
	if name == "/" || name == "." {
		return ""
	}
	return strings.ToValidUTF8(name[:min(len(name), 200)], "") // a character may have been cut
}

// text returns a field without what a browser adds to line ends.
func (f *form) text(name string) string {
	return strings.TrimSpace(strings.ReplaceAll(f.Get(name), "\r\n", "\n"))
}
