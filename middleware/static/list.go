package static

import (
	"fmt"
	"html"
	"io"
	"io/fs"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/gowsgi/gowsgi/wsgi"
)

// mostListed is how many entries of a folder are shown.
const mostListed = 2000

// listing answers with what is in a folder.
type listing struct {
	layer
	folder string
}

// Call reads the folder and answers with a page of links.
func (l listing) Call(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
	entries, err := l.read()
	if err != nil {
		if err = l.absent(environ, l.folder, err); err != nil {
			return nil, err
		}
		return l.next.Call(environ, start)
	}
	more := len(entries) > mostListed
	names := l.names(entries[:min(len(entries), mostListed)])
	title := html.EscapeString(strings.ToValidUTF8(environ.Var("SCRIPT_NAME")+environ.Var("PATH_INFO"), "\uFFFD"))
	var page strings.Builder
	fmt.Fprintf(&page, "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"+
		"<meta name=\"viewport\" content=\"width=device-width\">\n<title>%s</title>\n<h1>%s</h1>\n<ul>\n", title, title)
	if l.folder != "." {
		page.WriteString("<li><a href=\"../\">../</a>\n")
	}
	for _, name := range names {
		// The dot keeps a name such as javascript:x from being a URL of its own.
		link := "./" + (&url.URL{Path: "/" + name}).EscapedPath()[1:]
		fmt.Fprintf(&page, "<li><a href=\"%s\">%s</a>\n", html.EscapeString(link), html.EscapeString(strings.ToValidUTF8(name, "\uFFFD")))
	}
	page.WriteString("</ul>\n")
	if more {
		fmt.Fprintf(&page, "<p>There are more than %d entries, not all are shown.\n", mostListed)
	}
	return wsgi.Response{Status: "200 OK", Body: wsgi.Strings(page.String()), Headers: wsgi.Headers{
		{Name: "Content-Type", Value: "text/html; charset=utf-8"},
		{Name: "Content-Security-Policy", Value: "default-src 'none'; base-uri 'none'; form-action 'none'"},
		{Name: "X-Content-Type-Options", Value: "nosniff"},
		{Name: "Cache-Control", Value: "no-cache"},
	}}.Call(environ, start)
}

// read returns what is in the folder, at most one entry more than is shown.
func (l listing) read() ([]fs.DirEntry, error) {
	file, err := l.Files.Open(l.folder)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	folder, ok := file.(fs.ReadDirFile)
	if !ok {
		return fs.ReadDir(l.Files, l.folder)
	}
	entries, err := folder.ReadDir(mostListed + 1)
	if err == io.EOF {
		err = nil // the folder is empty
	}
	return entries, err
}

// names returns the names of what can be asked for, sorted, with a slash after
// those of folders.
func (l listing) names(entries []fs.DirEntry) (names []string) {
	for _, entry := range entries {
		name, mode := entry.Name(), entry.Type()
		if !l.naming().allows(name) {
			continue
		}
		if mode&fs.ModeSymlink != 0 {
			info, err := fs.Stat(l.Files, path.Join(l.folder, name))
			if err != nil {
				continue // it leads nowhere, or out
			}
			mode = info.Mode()
		}
		switch {
		case mode.IsDir():
			names = append(names, name+"/")
		case mode.IsRegular():
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
