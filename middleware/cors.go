package middleware

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gowsgi/gowsgi/wsgi"
)

// CORSConfig holds the choices of CORS.
type CORSConfig struct {
	// Origins may read responses: "https://app.example.org", with a port where
	// it is not that of the scheme; "https://*.example.org" for every name below;
	// or "*" for everybody, which excludes Credentials.
	Origins []string

	// Methods may be used besides GET, HEAD and POST.
	Methods []string

	// Headers may be sent besides those that need no permission; "*" means any.
	Headers []string

	// Expose are the headers of responses that scripts may read besides those
	// that they always may.
	Expose []string

	// Credentials lets cookies and Authorization be sent along.
	Credentials bool

	// MaxAge is how long browsers may keep the answer to a preflight, in whole
	// seconds; 0 leaves it to them, 5 s as a rule.
	MaxAge time.Duration
}

// Validate returns what CORS would panic with.
func (c CORSConfig) Validate() error {
	_, err := newCORS(c)
	return err
}

// CORS returns a middleware that tells browsers which other origins may use the
// responses, by the CORS protocol of the Fetch standard.
//
// A preflight, which is an OPTIONS request with Origin and
// Access-Control-Request-Method, is answered here, and does not reach the
// application: with 204 and what is allowed, or with 403 when the origin, the
// method or a header is not. To any other request the application answers; the
// headers of the protocol are added for an origin that is allowed, in the place
// of the application's own. Wherever the answer depends on the Origin, refusals
// included, Origin is added to Vary. Status and body stay as they are.
//
// The zero Config allows nobody. An origin that is none, "*" together with
// Credentials, and a malformed method or header panic.
//
// Security: CORS opens what browsers keep shut; it refuses nothing to anybody
// but scripts that want to read. It does not stop a request from having its
// effect: that is what CrossOrigin is for. The origin "null" is shared by
// strangers and cannot be allowed.
func CORS(c CORSConfig) wsgi.Middleware {
	p, err := newCORS(c)
	if err != nil {
		panic(err.Error())
	}
	return onHead(headLayer{room: 1, head: p.mark, enter: p.enter})
}

// cors is a checked CORSConfig.
type cors struct {
	everybody   bool
	origins     map[string]bool
	wildcards   []originPattern
	methods     []string
	headers     map[string]bool // in small letters
	anyHeader   bool
	expose      string
	credentials bool
	maxAge      string
}

// originPattern is an origin with * in the place of the first labels.
type originPattern struct{ before, after string }

func newCORS(c CORSConfig) (*cors, error) {
	p := &cors{origins: map[string]bool{}, headers: map[string]bool{}, credentials: c.Credentials}
	for _, origin := range c.Origins {
		switch before, after, star := strings.Cut(origin, "*"); {
		case origin == "*":
			p.everybody = true
		case star:
			checked, err := parseOrigin(before + "x" + after)
			if err != nil || !strings.HasSuffix(before, "://") || !strings.HasPrefix(after, ".") {
				return nil, corsError("Origins has %q, expected * before a name, as in https://*.example.org", origin)
			}
			before, after, _ = strings.Cut(checked, "x.")
			p.wildcards = append(p.wildcards, originPattern{before, "." + after})
		default:
			checked, err := parseOrigin(origin)
			if err != nil {
				return nil, corsError("Origins has %q: %w", origin, err)
			}
			p.origins[checked] = true
		}
	}
	if p.everybody && p.credentials {
		return nil, corsError(`Origins has "*" together with Credentials: browsers refuse it, and any site could read what is whose`)
	}
	p.methods = append([]string{"GET", "HEAD", "POST"}, c.Methods...)
	for _, method := range c.Methods {
		if !isToken(method) || method == "*" {
			return nil, corsError("Methods has %q, expected a method", method)
		}
	}
	for _, name := range c.Headers {
		if !isToken(name) {
			return nil, corsError("Headers has %q, expected the name of a header", name)
		}
		p.anyHeader = p.anyHeader || name == "*"
		p.headers[strings.ToLower(name)] = true
	}
	for _, name := range c.Expose {
		if !isToken(name) || name == "*" {
			return nil, corsError("Expose has %q, expected the name of a header", name)
		}
	}
	p.expose = strings.Join(c.Expose, ", ")
	if c.MaxAge < 0 {
		return nil, corsError("MaxAge is %v, expected 0 or more", c.MaxAge)
	}
	if seconds := int64(c.MaxAge / time.Second); seconds > 0 {
		p.maxAge = strconv.FormatInt(seconds, 10)
	}
	return p, nil
}

func corsError(format string, a ...any) error { return fmt.Errorf("middleware: CORS: "+format, a...) }

// parseOrigin returns an origin as browsers send it.
func parseOrigin(s string) (string, error) {
	scheme, host, ok := strings.Cut(s, "://")
	name, port, valid := parseHost(host)
	if scheme = strings.ToLower(scheme); !ok || !valid || (&url.URL{Scheme: scheme}).String() != scheme+":" || !isToken(scheme) {
		return "", fmt.Errorf("the origin is %q, expected a scheme and a host, as in https://app.example.org", s)
	}
	if strings.IndexByte(name, ':') >= 0 {
		name = "[" + name + "]"
	}
	if port != "" && !(scheme == "http" && port == "80") && !(scheme == "https" && port == "443") {
		name += ":" + port
	}
	return scheme + "://" + name, nil
}

// allows reports whether origin, as a browser sends it, may read responses.
func (p *cors) allows(origin string) bool {
	if p.everybody || p.origins[origin] {
		return true
	}
	return slices.ContainsFunc(p.wildcards, func(w originPattern) bool {
		if len(origin) <= len(w.before)+len(w.after) || !strings.HasPrefix(origin, w.before) || !strings.HasSuffix(origin, w.after) {
			return false
		}
		_, _, ok := parseHost(origin[len(w.before):])
		return ok
	})
}

// allow adds the headers that every answer to an origin has.
func (p *cors) allow(headers *wsgi.Headers, origin string) {
	if p.everybody {
		origin = "*"
	}
	headers.Set("Access-Control-Allow-Origin", origin)
	if p.credentials {
		headers.Set("Access-Control-Allow-Credentials", "true")
	}
}

// enter returns the origin of a request, and the answer to a preflight.
func (p *cors) enter(environ *wsgi.Environ) (origin string, instead wsgi.Application) {
	origin = environ.Var("HTTP_ORIGIN")
	if origin != "" && environ.Var("REQUEST_METHOD") == "OPTIONS" && environ.Var("HTTP_ACCESS_CONTROL_REQUEST_METHOD") != "" {
		instead = p.preflight(environ, origin)
	}
	return origin, instead
}

// mark adds the headers of the protocol to those of a response.
func (p *cors) mark(_ *wsgi.Environ, status string, headers headList) (string, headList) {
	origin := headers.came
	if origin == "" {
		headers = headers.own(1)
	} else {
		headers = headers.own(4)
	}
	if !p.everybody {
		addVary(&headers.Headers, "Origin")
	}
	if origin == "" && !p.everybody || !p.allows(origin) {
		return status, headers
	}
	p.allow(&headers.Headers, origin)
	if p.expose != "" {
		headers.Set("Access-Control-Expose-Headers", p.expose)
	}
	return status, headers
}

// preflight answers a browser that asks first.
func (p *cors) preflight(environ *wsgi.Environ, origin string) wsgi.Application {
	method := environ.Var("HTTP_ACCESS_CONTROL_REQUEST_METHOD")
	asked := environ.Var("HTTP_ACCESS_CONTROL_REQUEST_HEADERS")
	headers := wsgi.Headers{{Name: "Vary", Value: "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"}}
	refuse := func(why string) wsgi.Application {
		return &HTTPError{Code: 403, Detail: why, Headers: headers}
	}
	if !p.allows(origin) {
		return refuse("This origin is not allowed.")
	}
	if !slices.Contains(p.methods, method) {
		return refuse("This method is not allowed from another origin.")
	}
	for name := range elements(asked) {
		if !p.headers[strings.ToLower(name)] && !(p.anyHeader && isToken(name)) {
			return refuse("A header is not allowed from another origin.")
		}
	}
	p.allow(&headers, origin)
	headers.Add("Access-Control-Allow-Methods", strings.Join(p.methods, ", "))
	if asked != "" {
		headers.Add("Access-Control-Allow-Headers", asked)
	}
	if p.maxAge != "" {
		headers.Add("Access-Control-Max-Age", p.maxAge)
	}
	return wsgi.Response{Status: "204 No Content", Headers: headers}
}
