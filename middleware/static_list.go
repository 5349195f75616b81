package middleware

import (
	"html/template"
	"io/fs"
	"net/url"
	"path"
	"strconv"
	"strings"

	"github.com/gowsgi/gowsgi/wsgi"
)

var listPage = template.Must(template.New("list").Parse(`<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{.Title}}</title></head>
<body>
<h1>{{.Title}}</h1>
<ul>
{{if .Up}}<li><a href="../">../</a></li>
{{end}}{{range .Entries}}<li><a href="{{.Link}}">{{.Name}}</a></li>
{{end}}</ul>
</body>
</html>
`))

type listEntry struct{ Link, Name string }

// list answers with what is in a folder, but for what is not served.
func (s *static) list(name string) (wsgi.Application, error) {
	entries, err := fs.ReadDir(s.FS, name)
	if err != nil {
		return nil, missing(err)
	}
	data := struct {
		Title   string
		Up      bool
		Entries []listEntry
	}{"Index of /" + strings.TrimPrefix(name, "."), name != ".", nil}
	for _, entry := range entries {
		if !s.serves(path.Join(name, entry.Name())) {
			continue
		}
		shown := entry.Name()
		if entry.IsDir() {
			shown += "/"
		}
		// With ./ in front, a name with a colon is no scheme.
		data.Entries = append(data.Entries, listEntry{"./" + (&url.URL{Path: shown}).EscapedPath(), shown})
	}
	var text strings.Builder
	if err := listPage.Execute(&text, data); err != nil {
		return nil, err
	}
	return wsgi.Response{Status: "200 OK", Body: wsgi.Strings(text.String()), Headers: wsgi.Headers{
		{Name: "Content-Type", Value: "text/html; charset=utf-8"},
		{Name: "Content-Length", Value: strconv.Itoa(text.Len())},
		{Name: "X-Content-Type-Options", Value: "nosniff"},
		{Name: "Content-Security-Policy", Value: "default-src 'none'"},
	}}, nil
}
