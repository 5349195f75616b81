package session

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/gowsgi/gowsgi/wsgi"
)

// Config is what New is told. Either Keys or Store has to be set.
type Config struct {
	// Keys make the session a cookie. Each has 32 random bytes or more. The first
	// encrypts, all of them decrypt: a new key is put first, and an old one removed
	// when the cookies that it has encrypted have expired. A session that an older
	// key has encrypted is encrypted anew when it is used.
	Keys [][]byte

	// Store keeps the sessions.
	Store Store

	// Name is the name of the cookie: "" means "__Host-session", or "session" when
	// Insecure or Domain is set. The prefix __Host- makes browsers refuse such a
	// cookie from anybody but this very host over TLS.
	Name string

	// Domain shares the cookie with the subdomains of a domain. "" means that only
	// this host gets it.
	Domain string

	// SameSite is "Lax", which "" stands for, "Strict" or "None": whether the
	// cookie comes with requests that other sites cause.
	SameSite string

	// Insecure lets the cookie travel without TLS. For development: a browser does
	// not keep a secure cookie from a plain connection, save from localhost.
	Insecure bool

	// Persistent makes browsers keep the cookie when they are closed.
	Persistent bool

	// Idle is for how long a session may go unused, 24 h by default.
	Idle time.Duration

	// Lifetime is how long a session lasts at most, from its beginning or the last
	// Renew, 7 days by default.
	Lifetime time.Duration

	// Now is the clock, time.Now when it is nil.
	Now func() time.Time
}

const environKey = "gowsgi.session"

// ErrLate is returned when a session is asked for, or changed, although
// start_response was called: its headers could not tell of it any more.
var ErrLate = errors.New("session: start_response was called already, expected the session to be used before")

// ErrNone is returned by From where no session middleware surrounds the
// application.
var ErrNone = errors.New("session: there is no session middleware around this application")

// ErrTooLarge is wrapped by the error of a change for which there is no room: in
// a cookie 4096 bytes with everything that belongs to it, in a Store 64 KiB.
var ErrTooLarge = errors.New("session: the session is too large")

// New returns a middleware that gives each request a session, see From. config
// is copied, the keys included.
//
// Status and body are not touched. Headers: nothing, unless the application has
// asked for the session. Then Vary: Cookie is added, and Cache-Control becomes
// private, unless it says no-store; Set-Cookie is added if the browser has to
// keep something new: a changed session, or with a Store a new id. That happens in
// start_response, which fails when the Store does. A request that fails before it
// changes nothing.
//
// New panics when config cannot be meant: with both Keys and Store or neither, a
// short key, a name that is no token or whose prefix contradicts the other fields,
// an unknown SameSite, a negative time.
//
// Security: an id that a client presents is never adopted, and Renew makes a new
// one, which an application calls at each login and change of rights. A cookie that
// was changed, cut short, is too long or occurs twice, or that names no session, is
// refused with a line in wsgi.errors, which has nothing of its content. What is in
// a session protects nothing against a site's own scripts and forms: put
// a check of cross-origin requests around it.
func New(config Config) wsgi.Middleware {
	c := newSettings(config)
	return func(next wsgi.Application) wsgi.Application {
		return wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			r := &request{settings: c, environ: environ, cookie: environ.Var("HTTP_COOKIE")}
			environ = environ.Clone() // the one outside stays as it was
			environ.Set(environKey, r)
			return next.Call(environ, func(status string, headers wsgi.Headers, excInfo error) (wsgi.Write, error) {
				headers, err := r.finish(headers)
				if err != nil {
					return nil, err
				}
				return start(status, headers, excInfo)
			})
		})
	}
}

// From returns the session of the request, which is empty when there was none.
// The first call reads it: its error is the Store's, and should become a 500, since
// somebody who is not known to be logged in is not known to be logged out either.
// Other errors are ErrNone and ErrLate.
func From(environ *wsgi.Environ) (*Session, error) {
	r, ok := environ.Get(environKey).(*request)
	if !ok {
		return nil, ErrNone
	}
	return r.session()
}

// request is the way of a session through one request.
type request struct {
	*settings
	environ *wsgi.Environ
	cookie  string

	mu       sync.Mutex
	loaded   *Session
	started  bool
	header   string // the Set-Cookie of the response
	finished error
}

func (r *request) session() (*Session, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.loaded != nil {
		return r.loaded, nil
	}
	if r.started {
		return nil, ErrLate
	}
	s, err := r.load()
	if err != nil {
		return nil, err
	}
	r.loaded = s
	return s, nil
}

// load finds the session that the cookie tells of.
func (r *request) load() (*Session, error) {
	s := &Session{r: r, now: r.now().Truncate(time.Second)} // as it is written down
	s.begin()
	value, err := findCookie(r.cookie, r.Name)
	s.presented = value != "" || err != nil
	if value == "" && err == nil {
		return s, nil
	}
	if err == nil {
		if r.Store != nil {
			err = s.fromStore(value)
		} else {
			err = s.fromCookie(value)
		}
	}
	if refused := (*refusal)(nil); errors.As(err, &refused) {
		fmt.Fprintf(r.environ.Errors(), "session: the cookie %s is refused: %s\n", r.Name, refused.reason)
		err = nil
	}
	return s, err
}

// refusal says why a cookie is not accepted.
type refusal struct{ reason string }

func (e *refusal) Error() string { return e.reason }

// finish ends the changes of the session and returns the headers of the response
// with those that tell of it. An error handler may call start_response again: what
// was decided stands.
func (r *request) finish(headers wsgi.Headers) (wsgi.Headers, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	first := !r.started
	r.started = true
	if r.loaded == nil {
		return headers, nil
	}
	if first {
		r.header, r.finished = r.loaded.finish()
	}
	if r.finished != nil {
		return nil, r.finished
	}
	headers = headers.Clone()
	if !varies(headers) {
		headers.Add("Vary", "Cookie")
	}
	if cache := private(headers.Values("Cache-Control")); cache != "" {
		headers.Set("Cache-Control", cache)
	}
	if r.header != "" {
		headers.Add("Set-Cookie", r.header)
	}
	return headers, nil
}

// varies reports whether Vary names Cookie already.
func varies(headers wsgi.Headers) bool {
	for name := range strings.SplitSeq(strings.Join(headers.Values("Vary"), ","), ",") {
		if name = strings.TrimSpace(name); name == "*" || strings.EqualFold(name, "Cookie") {
			return true
		}
	}
	return false
}

// private returns the Cache-Control that keeps a response of one visitor from
// another, "" when values already do.
func private(values []string) string {
	kept := []string{"private"}
	for directive := range strings.SplitSeq(strings.Join(values, ","), ",") {
		directive = strings.TrimSpace(directive)
		name, _, _ := strings.Cut(strings.ToLower(directive), "=")
		switch name {
		case "no-store":
			return ""
		case "", "private", "public", "s-maxage", "proxy-revalidate":
		default:
			kept = append(kept, directive)
		}
	}
	return strings.Join(kept, ", ")
}
