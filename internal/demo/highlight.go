package demo

import (
	"go/scanner"
	"go/token"
	"html/template"
	"strings"
)

// highlight returns Go source as HTML, with keywords, strings and comments in
// elements of their own.
func highlight(source string) template.HTML {
	files := token.NewFileSet()
	file := files.AddFile("", files.Base(), len(source))
	var s scanner.Scanner
	s.Init(file, []byte(source), nil, scanner.ScanComments)
	var b strings.Builder
	done := 0
	for {
		pos, tok, text := s.Scan()
		if tok == token.EOF {
			break
		}
		class := ""
		switch {
		case tok.IsKeyword():
			class = "keyword"
		case tok == token.STRING:
			class = "string"
		case tok == token.COMMENT:
			class = "comment"
		default:
			continue
		}
		begin := file.Offset(pos)
		b.WriteString(template.HTMLEscapeString(source[done:begin]))
		b.WriteString(`<span class="` + class + `">` + template.HTMLEscapeString(text) + `</span>`)
		done = begin + len(text)
	}
	b.WriteString(template.HTMLEscapeString(source[done:]))
	return template.HTML(b.String())
}
