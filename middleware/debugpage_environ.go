package middleware

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/gowsgi/gowsgi/wsgi"
)

// secretWords are what the name of something has in it that is not to be shown.
var secretWords = []string{
	"auth", "cookie", "credential", "csrf", "jwt", "key", "nonce", "otp", "passphrase", "passwd", "password",
	"pin", "pwd", "secret", "session", "sid", "signature", "token",
}

// secret reports whether the value of a name is masked. Short words have to be a
// word of the name, which may be in one of several spellings; long ones may stand
// anywhere in it.
func (d *debugged) secret(name string) bool {
	if d.config.Secret != nil && d.config.Secret(name) {
		return true
	}
	lower := strings.ToLower(name)
	words := strings.FieldsFunc(lower, func(r rune) bool { return !('a' <= r && r <= 'z' || '0' <= r && r <= '9') })
	return slices.ContainsFunc(secretWords, func(word string) bool {
		return slices.Contains(words, word) || len(word) > 3 && strings.Contains(lower, word) ||
			len(word) == 3 && word == "key" && strings.HasSuffix(lower, word)
	})
}

// query masks the secrets of a query string. What cannot be told apart is masked
// as a whole.
func (d *debugged) query(query string) string {
	pairs := strings.FieldsFunc(query, func(r rune) bool { return r == '&' || r == ';' })
	for i, pair := range pairs {
		name, _, hasValue := strings.Cut(pair, "=")
		plain, err := url.QueryUnescape(name)
		if hasValue && (err != nil || d.secret(plain)) {
			pairs[i] = name + "=" + mask
		}
	}
	return strings.Join(pairs, "&")
}

// target masks the secrets of a URL or of a part of one.
func (d *debugged) target(s string) string {
	before, query, has := strings.Cut(s, "?")
	if scheme, rest, absolute := strings.Cut(before, "://"); absolute {
		if user, host, ok := strings.Cut(rest, "@"); ok && !strings.Contains(user, "/") {
			before = scheme + "://" + mask + "@" + host
		}
	}
	if !has {
		return before
	}
	return before + "?" + d.query(query)
}

// url is the URL of the request.
func (p *debugPage) url() string {
	s := p.came.URL(false)
	if query := p.came.Var("QUERY_STRING"); query != "" {
		s += "?" + p.query(query)
	}
	return s
}

// value is a variable as it is shown.
func (d *debugged) value(key, value string) string {
	switch {
	case key == "QUERY_STRING":
		return d.query(value)
	case d.secret(key):
		return mask
	case strings.Contains(value, "://") || strings.HasPrefix(value, "/") && key != "PATH_INFO" && key != "SCRIPT_NAME":
		return d.target(value)
	}
	return value
}

// tables are the headers of the request as it came, and the environ as the
// application has left it.
func (p *debugPage) tables() (headers, environ []row) {
	for key, value := range p.came.All() {
		text, _ := value.(string)
		name, isHeader := strings.CutPrefix(key, "HTTP_")
		if isHeader || text != "" && (key == "CONTENT_TYPE" || key == "CONTENT_LENGTH") {
			headers = append(headers, row{Name: headerName(name), Value: p.value(key, text)})
		}
	}
	for key, value := range p.environ.All() {
		if p.secret(key) {
			environ = append(environ, row{Name: key, Value: mask})
			continue
		}
		switch value := value.(type) {
		case string:
			environ = append(environ, row{Name: key, Value: p.value(key, value)})
		case bool, int, int64, [2]int:
			environ = append(environ, row{Name: key, Value: fmt.Sprint(value)})
		case wsgi.InputStream, wsgi.ErrorStream:
			environ = append(environ, row{Name: key, Note: "a stream"})
		default:
			environ = append(environ, row{Name: key, Note: fmt.Sprintf("a value of type %T", value)}) // which may hold secrets
		}
	}
	byName := func(a, b row) int { return strings.Compare(a.Name, b.Name) }
	slices.SortFunc(headers, byName)
	slices.SortFunc(environ, byName)
	return headers, environ
}

// headerName makes "User-Agent" of USER_AGENT.
func headerName(variable string) string {
	words := strings.Split(strings.ToLower(variable), "_")
	for i, word := range words {
		if word != "" {
			words[i] = strings.ToUpper(word[:1]) + word[1:]
		}
	}
	return strings.Join(words, "-")
}
