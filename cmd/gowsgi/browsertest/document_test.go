package browsertest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// document is an HTML document as it was written.
type document struct {
	ids    map[string]bool
	links  []string // what href, src and action say
	faults []string
}

func (p *document) fault(format string, args ...any) {
	p.faults = append(p.faults, fmt.Sprintf(format, args...))
}

var voidElements = []string{"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}

// element is a start tag with its attributes.
type element struct {
	name  string
	attrs map[string]string
}

// readPage reads a document and notes what is wrong with it: tags that do not
// match, elements where they may not be, identifiers that are not unique or do
// not exist, and what the demo application holds to besides.
func readPage(source []byte) *document {
	p := &document{ids: make(map[string]bool)}
	written := p.tokens(source)
	// A parser moves and closes elements until the tree is legal. If it had
	// nothing to do, they were where they may be.
	if parsed := parsedElements(source); !slices.Equal(written, parsed) {
		for i := range min(len(written), len(parsed)) {
			if written[i] != parsed[i] {
				p.fault("element %d is <%s>, but a parser makes a <%s> of it", i, written[i], parsed[i])
				break
			}
		}
		if len(written) != len(parsed) {
			p.fault("%d elements are written, a parser sees %d", len(written), len(parsed))
		}
	}
	if !bytes.HasPrefix(source, []byte("<!DOCTYPE html>\n")) {
		p.fault("the document does not begin with its type")
	}
	return p
}

// tokens follows the tags and returns the names of the elements in order.
func (p *document) tokens(source []byte) (names []string) {
	var open []string
	var elements []element
	tokens := html.NewTokenizer(bytes.NewReader(source))
	for {
		switch kind := tokens.Next(); kind {
		case html.ErrorToken:
			if err := tokens.Err(); !errors.Is(err, io.EOF) {
				p.fault("%v", err)
			}
			if len(open) > 0 {
				p.fault("not closed: %s", strings.Join(open, " "))
			}
			p.check(elements)
			return names
		case html.StartTagToken, html.SelfClosingTagToken:
			e := p.element(tokens.Token())
			names = append(names, e.name)
			elements = append(elements, e)
			switch {
			case slices.Contains(voidElements, e.name):
			case kind == html.StartTagToken:
				open = append(open, e.name)
			case !slices.Contains(open, "svg"):
				p.fault("<%s/> closes itself", e.name)
			}
		case html.EndTagToken:
			name := tokens.Token().Data
			if len(open) == 0 || open[len(open)-1] != name {
				p.fault("</%s> closes nothing; open: %s", name, strings.Join(open, " "))
				continue
			}
			open = open[:len(open)-1]
		}
	}
}

func (p *document) element(token html.Token) element {
	e := element{token.Data, make(map[string]string)}
	for _, a := range token.Attr {
		if _, ok := e.attrs[a.Key]; ok {
			p.fault("<%s> has %s twice", e.name, a.Key)
		}
		if a.Key == "style" || strings.HasPrefix(a.Key, "on") {
			p.fault("<%s> has %s, which the content security policy forbids", e.name, a.Key)
		}
		e.attrs[a.Key] = a.Val
	}
	return e
}

// check looks at the elements as a whole.
func (p *document) check(elements []element) {
	count := make(map[string]int)
	level := 0
	for _, e := range elements {
		count[e.name]++
		if id := e.attrs["id"]; id != "" {
			if p.ids[id] {
				p.fault("two elements are called %q", id)
			}
			p.ids[id] = true
		}
		for _, key := range []string{"href", "src", "action"} {
			if link, ok := e.attrs[key]; ok {
				p.links = append(p.links, link)
			}
		}
		if len(e.name) == 2 && e.name[0] == 'h' && '1' <= e.name[1] && e.name[1] <= '6' {
			if next := int(e.name[1] - '0'); next > level+1 {
				p.fault("<%s> follows a heading of level %d", e.name, level)
			}
			level = int(e.name[1] - '0')
		}
		switch e.name {
		case "html":
			if e.attrs["lang"] == "" {
				p.fault("the document has no language")
			}
		case "img":
			if _, ok := e.attrs["alt"]; !ok {
				p.fault("an image has no alt")
			}
		case "svg":
			if e.attrs["aria-hidden"] != "true" && e.attrs["aria-labelledby"] == "" {
				p.fault("a drawing is neither named nor hidden")
			}
		case "script", "style":
			p.fault("there is a <%s>", e.name)
		}
	}
	for name, want := range map[string]int{"html": 1, "head": 1, "body": 1, "header": 1, "main": 1, "footer": 1, "nav": 1, "h1": 1} {
		if count[name] != want {
			p.fault("<%s> occurs %d times, want %d", name, count[name], want)
		}
	}
	for _, e := range elements {
		for _, key := range []string{"for", "aria-labelledby", "aria-describedby"} {
			for _, id := range strings.Fields(e.attrs[key]) {
				if !p.ids[id] {
					p.fault("<%s %s=%q>: there is no such element", e.name, key, id)
				}
			}
		}
	}
}

func parsedElements(source []byte) (names []string) {
	root, err := html.Parse(bytes.NewReader(source))
	if err != nil {
		return nil
	}
	for n := range root.Descendants() {
		if n.Type == html.ElementNode {
			names = append(names, strings.ToLower(n.Data))
		}
	}
	return names
}
