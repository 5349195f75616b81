package browsertest

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// elsewhere are the links that lead out of the application.
var elsewhere = map[string]bool{"https://peps.python.org/pep-3333/": true}

// intended are the paths that answer with a failure because they are there to
// show one.
var intended = map[string]int{"/error": 500, "/panic": 500}

// TestPages reads every page that a link leads to, and those that no link
// leads to.
func TestPages(t *testing.T) {
	for _, test := range []struct{ name, mount string }{
		{"at the root", ""},
		{"mounted", "/shop/é"},
	} {
		t.Run(test.name, func(t *testing.T) {
			base := serve(t, "--script-name", test.mount)
			at, err := url.Parse(base)
			if err != nil {
				t.Fatal(err)
			}
			mount := (&url.URL{Path: test.mount}).EscapedPath()
			host := strings.TrimSuffix(base, test.mount)
			c := &crawler{t: t, root: host + mount, host: at.Host, mount: mount, seen: make(map[string]*document)}
			c.visit(c.root + "/")
			for _, path := range []string{"/stream", "/upload", "/download", "/error", "/panic", "/hello?name=you", "/style.css", "/favicon.svg"} {
				if _, ok := c.seen[c.root+path]; !ok {
					t.Errorf("no link leads to %s", path)
				}
			}
			c.read("GET", c.root, "", "", 200)
			c.read("GET", c.root+"/no/such/page?", "", "", 404)
			c.read("DELETE", c.root+"/stream", "", "", 405)
			c.read("POST", c.root+"/upload", "text/plain", "x", 415)
			c.read("POST", c.root+"/upload", "multipart/form-data; boundary=b", "--b--\r\n", 400)
			c.read("POST", c.root+"/upload", "multipart/form-data; boundary=b",
				"--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"<b>&.txt\"\r\n\r\nx\r\n--b--\r\n", 200)
		})
	}
}

type crawler struct {
	t                 *testing.T
	root, host, mount string
	seen              map[string]*document // nil for what is no HTML
}

// visit reads what address names and then all that it links to.
func (c *crawler) visit(address string) {
	if _, ok := c.seen[address]; ok {
		return
	}
	c.seen[address] = nil
	want := 200
	if status, ok := intended[strings.TrimPrefix(address, c.root)]; ok {
		want = status
	}
	if p := c.read("GET", address, "", "", want); p != nil {
		c.seen[address] = p
		c.follow(address, p)
	}
}

func (c *crawler) follow(address string, p *document) {
	from, err := url.Parse(address)
	if err != nil {
		c.t.Fatal(err)
	}
	for _, link := range p.links {
		if elsewhere[link] {
			continue
		}
		to, err := from.Parse(link)
		switch {
		case err != nil:
			c.t.Errorf("%s links to %q: %v", address, link, err)
			continue
		case to.Host != c.host || !strings.HasPrefix(to.EscapedPath(), c.mount+"/"):
			c.t.Errorf("%s links to %q, which is outside of the application", address, link)
			continue
		}
		fragment := to.Fragment
		to.Fragment = ""
		c.visit(to.String())
		if target := c.seen[to.String()]; fragment != "" && (target == nil || !target.ids[fragment]) {
			c.t.Errorf("%s links to %q, where nothing is called %q", address, link, fragment)
		}
	}
}

// read asks for address, and reads the answer if it is a page.
func (c *crawler) read(method, address, contentType, body string, want int) *document {
	request, err := http.NewRequestWithContext(c.t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		c.t.Errorf("%s %s: %v", method, address, err)
		return nil
	}
	defer response.Body.Close()
	source, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != want {
		c.t.Errorf("%s %s: %s, %v, want status %d", method, address, response.Status, err, want)
	}
	if response.Header.Get("Content-Type") != "text/html; charset=utf-8" {
		return nil
	}
	p := readPage(source)
	for _, fault := range p.faults {
		c.t.Errorf("%s %s: %s", method, address, fault)
	}
	return p
}

// TestReadPage makes sure that the faults are found.
func TestReadPage(t *testing.T) {
	const good = "<!DOCTYPE html>\n<html lang=\"en\"><head><title>t</title></head><body>" +
		"<header><nav></nav></header><main><h1 id=\"a\">x</h1>BODY</main><footer></footer></body></html>"
	for _, test := range []struct{ body, want string }{
		{"<p>fine</p>", ""},
		{"<p>not closed", "closes nothing"},
		{"<p><div></div></p>", "a parser"},
		{"<table><tr><td></td></tr></table>", "a parser"},
		{"<p id=\"a\"></p>", "two elements"},
		{"<label for=\"b\">x</label>", "no such element"},
		{"<img src=\"x\">", "no alt"},
		{"<h3>x</h3>", "follows a heading"},
		{"<p style=\"color:red\">x</p>", "forbids"},
		{"<h1>x</h1>", "occurs 2 times"},
		{"<svg></svg>", "neither named nor hidden"},
	} {
		faults := strings.Join(readPage([]byte(strings.Replace(good, "BODY", test.body, 1))).faults, "; ")
		if test.want == "" && faults != "" || !strings.Contains(faults, test.want) {
			t.Errorf("%s: %q, want %q", test.body, faults, test.want)
		}
	}
}
