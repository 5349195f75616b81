package conformance

import (
	"strings"
)

var environMutants = []serverMutant{
	{"ENV-03", "no wsgi.multiprocess", none, set("wsgi.multiprocess", nil)},
	{"ENV-05", "upper case in an extension", none, set("Mutant.Name", true)},
	{"ENV-07", "REMOTE_PORT as a number", none, set("REMOTE_PORT", 80)},
	{"ENV-08", "REMOTE_USER without a user", none, set("REMOTE_USER", "")},
	{"ENV-09", "no REMOTE_ADDR", none, set("REMOTE_ADDR", nil)},
	{"ENV-14", "version as a string", none, set("wsgi.version", "1.0")},
	{"ENV-15", "scheme in upper case", none, set("wsgi.url_scheme", "HTTP")},
	{"COM-17", "believes X-Forwarded-Proto", none, spoil(func(e map[string]any, _ *mutantRequest) {
		if proto, ok := e["HTTP_X_FORWARDED_PROTO"]; ok {
			e["wsgi.url_scheme"] = proto
		}
	})},
	{"COM-17", "believes X-Forwarded-For", none, spoil(func(e map[string]any, _ *mutantRequest) {
		if client, ok := e["HTTP_X_FORWARDED_FOR"]; ok {
			e["REMOTE_ADDR"] = client
		}
	})},
	{"COM-01", "claims an end of the input", overlap{"INPUT-20", "a request without a body has to have an end of its input anyway"}, serverFaults{hangsWithoutBody: true, spoil: set("wsgi.input_terminated", true).spoil}},
	{"COM-02", "wsgi.input_terminated is false", none, set("wsgi.input_terminated", false)},
	{"COM-03", "keeps Transfer-Encoding", none, spoil(func(e map[string]any, q *mutantRequest) {
		if q.fields.Has("Transfer-Encoding") && !q.fields.Has("Trailer") {
			e["HTTP_TRANSFER_ENCODING"] = "chunked"
		}
	})},
	{"COM-03", "invents a length for chunks", none, spoil(func(e map[string]any, q *mutantRequest) {
		if q.length < 0 {
			e["CONTENT_LENGTH"] = "0"
		}
	})},
	{"COM-05", "decodes REQUEST_URI", none, edit("REQUEST_URI", func(uri string) string { return strings.ReplaceAll(uri, "%20", " ") })},
	{"COM-13", "REMOTE_ADDR with the port", none, edit("REMOTE_ADDR", func(addr string) string { return addr + ":80" })},
	{"COM-13", "REMOTE_PORT by name", none, set("REMOTE_PORT", "http")},
	{"CGI-03", "no path for the root", none, spoil(func(e map[string]any, _ *mutantRequest) {
		if e["PATH_INFO"] == "/" {
			e["PATH_INFO"] = ""
		}
	})},
	{"CGI-15", "neither variable for the root", overlap{"CGI-03", "a variable that is absent is no slash"}, spoil(func(e map[string]any, _ *mutantRequest) {
		if e["PATH_INFO"] == "/" {
			delete(e, "PATH_INFO")
			delete(e, "SCRIPT_NAME")
		}
	})},
	{"CGI-16", "takes the slash along", none, spoil(func(e map[string]any, _ *mutantRequest) {
		if path, ok := e["PATH_INFO"].(string); ok && strings.HasSuffix(path, "/a/") {
			e["SCRIPT_NAME"], e["PATH_INFO"] = path, ""
		}
	})},
	{"CGI-31", "drops the fragment", none, serverFaults{dropsFragment: true}},
	{"CGI-08", "SERVER_PORT from Host", none, spoil(func(e map[string]any, q *mutantRequest) {
		if !q.fields.Has("Host") {
			e["SERVER_PORT"] = ""
		}
	})},
	{"SRV-11", "denies its brothers", none, serverFaults{mode: oneShot, spoil: set("wsgi.multiprocess", false).spoil}},
	{"STR-12", "decodes its environment as UTF-8", none, serverFaults{mode: oneShot, spoil: edit("PATH_INFO", func(p string) string { return strings.ReplaceAll(p, "\xff\xe9", "??") }).spoil}},
	{"ENV-10", "no HTTPS", none, serverFaults{mode: encrypted, spoil: set("HTTPS", nil).spoil}},
	{"ENV-10", "no SSL_PROTOCOL", none, serverFaults{mode: encrypted, spoil: set("SSL_PROTOCOL", nil).spoil}},
	{"THR-01", "one at a time in the call only", none, serverFaults{mode: halfSingle}},
	{"THR-01", "denies that it is alone", none, serverFaults{mode: single, spoil: set("wsgi.multithread", true).spoil}},
	{"ENV-16", "input of another type", none, spoil(func(e map[string]any, q *mutantRequest) {
		if q.method == "GET" {
			e["wsgi.input"] = 1
		}
	})},
	{"ENV-17", "errors of another type", none, spoil(func(e map[string]any, q *mutantRequest) {
		if q.fields.Has("User-Agent") { // or all that is logged goes to standard error
			e["wsgi.errors"] = 1
		}
	})},
	{"ENV-18", "denies its threads", none, set("wsgi.multithread", false)},
	{"ENV-20", "claims to run once", none, set("wsgi.run_once", true)},
	{"ENV-20", "a flag as text", none, set("wsgi.multiprocess", "no")},
	{"CGI-01", "no such method", none, edit("REQUEST_METHOD", func(m string) string { return strings.NewReplacer("DELETE", "GET").Replace(m) })},
	{"CGI-30", "methods in upper case", none, edit("REQUEST_METHOD", strings.ToUpper)},
	{"CGI-10", "invents CONTENT_TYPE", none, spoil(func(e map[string]any, _ *mutantRequest) {
		if e["CONTENT_TYPE"] == nil {
			e["CONTENT_TYPE"] = "text/plain"
		}
	})},
	{"CGI-10", "invents CONTENT_LENGTH", none, spoil(func(e map[string]any, q *mutantRequest) {
		if q.length == 0 && e["CONTENT_LENGTH"] == nil {
			e["CONTENT_LENGTH"] = "0"
		}
	})},
	{"CGI-07", "SERVER_NAME from Host", none, spoil(func(e map[string]any, q *mutantRequest) { e["SERVER_NAME"] = q.fields.Get("Host") })},
	{"CGI-22", "SERVER_PORT by name", none, set("SERVER_PORT", "http")},
	{"CGI-09", "one protocol for all", none, set("SERVER_PROTOCOL", "HTTP/1.1")},
	{"CGI-10", "invents a header", none, set("HTTP_CACHE_CONTROL", "no-cache")},
	{"CGI-11", "keeps the case of names", none, spoil(func(e map[string]any, q *mutantRequest) {
		for _, h := range q.fields {
			if strings.HasPrefix(h.Name, "x-") {
				delete(e, "HTTP_"+strings.ReplaceAll(strings.ToUpper(h.Name), "-", "_"))
				e["HTTP_"+strings.ReplaceAll(h.Name, "-", "_")] = h.Value
			}
		}
	})},
	{"CGI-12", "HTTP_CONTENT_TYPE", none, spoil(func(e map[string]any, _ *mutantRequest) {
		if t, ok := e["CONTENT_TYPE"]; ok {
			e["HTTP_CONTENT_TYPE"] = t
		}
	})},
	{"CGI-23", "joins cookies by comma", none, edit("HTTP_COOKIE", func(v string) string { return strings.ReplaceAll(v, "; ", ", ") })},
	{"CGI-24", "merges underscores", none, spoil(func(e map[string]any, q *mutantRequest) {
		if forged := q.fields.Get("X_Under"); forged != "" {
			e["HTTP_X_UNDER"] = forged
		}
	})},
	{"CGI-25", "passes Proxy", none, spoil(func(e map[string]any, q *mutantRequest) {
		if q.fields.Has("Proxy") {
			e["HTTP_PROXY"] = q.fields.Get("Proxy")
		}
	})},
	{"CGI-26", "drops empty values", none, spoil(func(e map[string]any, q *mutantRequest) {
		if e["HTTP_X_EMPTY"] == "" {
			delete(e, "HTTP_X_EMPTY")
		}
	})},
	{"CGI-27", "cuts long values", none, edit("HTTP_X_LONG", func(v string) string { return v[:100] })},
	{"CGI-33", "keeps Authorization", none, set("HTTP_AUTHORIZATION", nil)},
	{"CGI-34", "COOKIE without prefix", none, spoil(func(e map[string]any, _ *mutantRequest) {
		if v, ok := e["HTTP_COOKIE"]; ok {
			e["COOKIE"] = v
		}
	})},
	{"CGI-02", "the first segment", none, spoil(func(e map[string]any, _ *mutantRequest) {
		if first, rest, ok := strings.Cut(e["PATH_INFO"].(string)[1:], "/"); ok && rest == "x" {
			e["SCRIPT_NAME"], e["PATH_INFO"] = "/"+first, "/"+rest
		}
	})},
	{"CGI-14", "a slash for the root", overlap{"CGI-02 CGI-17 CGI-19 CGI-20 CGI-28 STR-06", "the two variables are the path together"}, set("SCRIPT_NAME", "/")},
	{"CGI-13", "a path without its slash", none, edit("PATH_INFO", func(p string) string {
		if strings.HasSuffix(p, "/a/b") && strings.Count(p, "/") == 3 {
			return p[1:]
		}
		return p
	})},
	{"CGI-17", "decodes twice", none, edit("PATH_INFO", func(p string) string { return strings.ReplaceAll(p, "%2c", ",") })},
	{"CGI-18", "decodes the query", none, edit("QUERY_STRING", func(q string) string { return strings.ReplaceAll(q, "%20", " ") })},
	{"CGI-18", "a question mark in the query", none, edit("QUERY_STRING", func(q string) string {
		if q == "" {
			return "?"
		}
		return q
	})},
	{"CGI-19", "collapses slashes", none, edit("PATH_INFO", func(p string) string { return strings.ReplaceAll(p, "//", "/") })},
	{"CGI-20", "loses the last slash", none, edit("PATH_INFO", func(p string) string {
		if strings.HasSuffix(p, "/x/") {
			return p[:len(p)-1]
		}
		return p
	})},
	{"CGI-28", "keeps the whole target", none, spoil(func(e map[string]any, q *mutantRequest) {
		if strings.HasPrefix(q.target, "http://") {
			e["PATH_INFO"] = q.target
		}
	})},
	{"CGI-29", "believes the Host header", none, spoil(func(e map[string]any, q *mutantRequest) {
		if q.fields.Has("Host") {
			e["HTTP_HOST"] = q.fields.Get("Host")
		}
	})},
	{"STR-06", "encodes the query", none, edit("QUERY_STRING", func(q string) string { return strings.ReplaceAll(q, "\xe9", "\u00e9") })},
}
