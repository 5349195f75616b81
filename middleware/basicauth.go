package middleware

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/gowsgi/gowsgi/wsgi"
)

// BasicAuthConfig holds the choices of BasicAuth.
type BasicAuthConfig struct {
	// Realm is what is protected, for the dialogue of the browser; "" means
	// "restricted".
	Realm string

	// Users has the password of each user.
	Users map[string]string

	// Verify takes the place of Users: it reports whether the password is that
	// of the user. It should take as long for a user who does not exist.
	Verify func(environ *wsgi.Environ, user, password string) bool
}

// BasicAuth returns a middleware that lets requests pass which have the name and
// the password of a user (RFC 7617), and answers 401 to all others. The
// application gets a copy of the environ with REMOTE_USER and AUTH_TYPE, and is
// not told the password; what came as these variables is gone. The application's
// status, headers and body stay as they are.
//
// The zero Config lets nobody pass. A user with a colon in the name, which
// cannot be sent, and a Realm that no header can hold panic.
//
// Security: the password goes over the wire with each request, so this is for
// https. Passwords are compared by a keyed hash, in constant time, for users who
// do not exist too. Nothing slows down who guesses: put RateLimit outside. Keep
// passwords that are not for machines hashed, and compare them in Verify.
func BasicAuth(c BasicAuthConfig) wsgi.Middleware {
	if c.Realm == "" {
		c.Realm = "restricted"
	}
	challenge := `Basic realm="` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(c.Realm) + `", charset="UTF-8"`
	denied := &HTTPError{Code: 401, Headers: wsgi.Headers{{Name: "WWW-Authenticate", Value: challenge}}}
	if err := denied.Headers.Validate(); err != nil {
		panic(fmt.Sprintf("middleware: BasicAuth: the Realm is %q: %v", c.Realm, err))
	}
	if c.Verify == nil {
		c.Verify = passwords(c.Users)
	}
	return func(next wsgi.Application) wsgi.Application {
		return wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			user, password, ok := basicCredentials(environ.Var("HTTP_AUTHORIZATION"))
			if !ok || !c.Verify(environ, user, password) {
				return denied.Call(environ, start)
			}
			inner := environ.Clone()
			inner.Delete("HTTP_AUTHORIZATION")
			inner.Set("AUTH_TYPE", "Basic")
			SetRemoteUser(inner, user)
			return next.Call(inner, start)
		})
	}
}

// passwords returns a function that compares passwords with those of users. What
// it keeps of them is a hash with a key of its own: all have one length, and
// how far two of them agree tells nothing.
func passwords(users map[string]string) func(environ *wsgi.Environ, user, password string) bool {
	key := []byte(rand.Text())
	hash := func(s string) []byte {
		h := hmac.New(sha256.New, key)
		h.Write([]byte(s))
		return h.Sum(nil)
	}
	known := make(map[string][]byte, len(users))
	for user, password := range users {
		if strings.IndexByte(user, ':') >= 0 {
			panic(fmt.Sprintf("middleware: BasicAuth: the user %q has a colon, which ends a name", user))
		}
		known[string(hash(user))] = hash(password)
	}
	nobody := hash(rand.Text())
	return func(_ *wsgi.Environ, user, password string) bool {
		want, exists := known[string(hash(user))]
		if !exists {
			want = nobody
		}
		return hmac.Equal(hash(password), want) && exists
	}
}

// basicCredentials parses an Authorization header of the scheme Basic.
func basicCredentials(header string) (user, password string, ok bool) {
	scheme, encoded, ok := strings.Cut(header, " ")
	if !ok || !strings.EqualFold(scheme, "Basic") {
		return "", "", false
	}
	decoded, err := base64.StdEncoding.DecodeString(strings.Trim(encoded, " "))
	if err != nil || !utf8.Valid(decoded) || strings.ContainsFunc(string(decoded), func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return "", "", false
	}
	return strings.Cut(string(decoded), ":") // the first colon: a password may have more
}
