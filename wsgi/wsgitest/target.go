package wsgitest

import (
	"bufio"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// target is a request target, taken apart as a server does it.
type target struct {
	scheme string
	host   string
	uri    string // path and query as on the wire
	path   string // decoded once, the bytes as they are (CGI-17, CGI-19)
	query  string // undecoded (CGI-18)
}

// parse takes the target of r apart with net/http's own parser, and panics
// where a server would answer 400 or would not call the application.
func (r *Request) parse() target {
	raw := r.Target
	if raw == "" {
		raw = (&url.URL{Path: r.ScriptName + "/"}).EscapedPath()
	}
	if strings.ContainsAny(r.method()+raw+r.proto(), "\r\n") {
		r.refuse("it contains a line break")
	}
	head := r.method() + " " + raw + " " + r.proto() + "\r\n\r\n"
	parsed, err := http.ReadRequest(bufio.NewReader(strings.NewReader(head)))
	if err != nil {
		r.refuse(err.Error())
	}
	t := target{
		scheme: orElse(r.Scheme, "http"),
		host:   "127.0.0.1",
		uri:    raw,
		path:   parsed.URL.Path,
		query:  parsed.URL.RawQuery,
	}
	if hosts := r.Headers.Values("Host"); len(hosts) > 0 {
		t.host = strings.Trim(hosts[0], " \t")
		if len(hosts) > 1 || strings.ContainsFunc(t.host, notHost) {
			r.refuse(fmt.Sprintf("the Host header is %q, which every server refuses", hosts))
		}
	}
	switch u := parsed.URL; {
	case r.method() == "CONNECT":
		r.refuse("a CONNECT request has no path, and no server hands it to an application")
	case strings.Contains(raw, "#"):
		r.refuse("a fragment is never sent")
	case strings.Contains(parsed.URL.Path, "\x00"):
		r.refuse("its path contains a NUL")
	case raw == "*":
		if r.method() != "OPTIONS" {
			r.refuse("the target * is for OPTIONS only")
		}
	case u.Scheme != "":
		if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
			r.refuse("expected a path or an http URL; credentials belong into BasicAuth")
		}
		// The target wins over the Host header (CGI-29).
		t.scheme, t.host = u.Scheme, u.Host
		_, t.uri, _ = strings.Cut(raw, "//")
		if i := strings.IndexAny(t.uri, "/?"); i >= 0 {
			t.uri = t.uri[i:]
		} else {
			t.uri = ""
		}
		if !strings.HasPrefix(t.uri, "/") {
			t.uri = "/" + t.uri
		}
		t.path = orElse(t.path, "/") // CGI-15
	}
	return t
}

// split divides the path of t between SCRIPT_NAME and PATH_INFO.
func (r *Request) split(t target) (script, info string) {
	script = r.ScriptName
	if script != "" && (script[0] != '/' || script[len(script)-1] == '/') {
		panic(fmt.Sprintf("wsgitest: ScriptName is %q, expected \"\" or a path that begins and does not end with a slash", script))
	}
	info, ok := strings.CutPrefix(t.path, script)
	if !ok || script != "" && info != "" && info[0] != '/' {
		r.refuse(fmt.Sprintf("it is not under the mount point %q", script))
	}
	return script, info
}

// notHost reports whether c has no place in a Host header (RFC 3986, 3.2.2).
func notHost(c rune) bool {
	letter := 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9'
	return !letter && !strings.ContainsRune("!$%&'()*+,-.:;=[]_~", c)
}

func (r *Request) refuse(reason string) {
	panic(fmt.Sprintf("wsgitest: request %q %q: %s", r.method(), r.Target, reason))
}
