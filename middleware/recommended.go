package middleware

import (
	"time"

	"github.com/gowsgi/gowsgi/wsgi"
)

// RecommendedConfig holds the choices of Recommended. The zero value is a stack
// for a site on this machine; Hosts is what a site on the network has to set.
//
// Where a field is a pointer or a middleware, nil leaves it out.
type RecommendedConfig struct {
	Hosts []string // the names of the site, as for AllowedHosts

	Proxy         *ProxyFixConfig      // behind a proxy; without one, nobody's word is taken
	HTTPS         *HTTPSRedirectConfig // http is sent on to https
	CanonicalHost string               // the one name that the others are sent on to; "" for none
	CORS          *CORSConfig          // other origins may read
	Auth          *BasicAuthConfig     // name and password for all of the site
	DecodeBody    *DecodeBodyConfig    // bodies of requests may be compressed
	Override      *MethodOverrideConfig
	Observe       ObserveConfig   // metrics and traces
	Debug         bool            // DebugPage
	Static        wsgi.Middleware // files: static.New of package static
	Session       wsgi.Middleware // session.New of package session

	// BodyLimit is how many bytes the body of a request has at most; 0 means
	// 1 MiB, less than 0 no limit but the server's.
	BodyLimit int64

	// Timeout is the time for a request, to the end of its body: a stream that lasts
	// longer is cut. 0 means 30 s, less than 0 no limit.
	Timeout time.Duration

	RequestID     RequestIDConfig
	AccessLog     AccessLogConfig
	SecureHeaders SecureHeadersConfig
	ErrorPages    ErrorPagesConfig
	Recover       RecoverConfig
	Health        HealthConfig
	CrossOrigin   CrossOriginConfig
	Compress      CompressConfig

	// Throttle has 64 requests at the same time in all that follows unless it is told
	// otherwise: streams that last keep a place each.
	Throttle ThrottleConfig

	// RateLimit gives each client ten requests a second, and 50 at once: those for
	// files count, and where a proxy is in front and Proxy is nil, that is one client.
	// A Key that returns "" is no limit.
	RateLimit RateLimitConfig
}

// Validate returns an error where Recommended would panic because of a choice that
// may come from elsewhere: hosts, origins and the format of the log.
func (c RecommendedConfig) Validate() error {
	checks := []interface{ Validate() error }{c.AccessLog, AllowedHostsConfig{Hosts: c.Hosts}, c.CrossOrigin}
	if c.HTTPS != nil {
		checks = append(checks, *c.HTTPS)
	}
	if c.CORS != nil {
		checks = append(checks, *c.CORS)
	}
	for _, check := range checks {
		if err := check.Validate(); err != nil {
			return err
		}
	}
	if c.CanonicalHost != "" {
		if _, _, _, err := canonicalHost(c.CanonicalHost); err != nil {
			return err
		}
	}
	return nil
}

// Recommended returns the middlewares of this package that most sites want, as one,
// in the order that protects. The example of this function says why each stands
// where it does; what is not chosen is left out.
//
// It does to status, headers and body what they do: it answers in the place of the
// application to requests that are refused or fail, adds the headers that protect
// pages and an id, and compresses.
//
// Security: the order is what makes it safe: who may ask is known before anything
// trusts it, and whatever is answered, by whomever, is logged and has the headers.
// The zero value lets requests for localhost pass, and no others.
func Recommended(c RecommendedConfig) wsgi.Middleware {
	if c.BodyLimit == 0 {
		c.BodyLimit = 1 << 20
	}
	if c.Timeout == 0 {
		c.Timeout = 30 * time.Second
	}
	var stack []wsgi.Middleware
	add := func(chosen bool, m func() wsgi.Middleware) {
		if chosen {
			stack = append(stack, m())
		}
	}
	add(true, func() wsgi.Middleware { return RequestID(c.RequestID) })
	add(c.Proxy != nil, func() wsgi.Middleware { return ProxyFix(*c.Proxy) })
	add(true, func() wsgi.Middleware { return Observe(c.Observe) })
	add(true, func() wsgi.Middleware { return AccessLog(c.AccessLog) })
	add(true, func() wsgi.Middleware { return SecureHeaders(c.SecureHeaders) })
	add(c.CORS != nil, func() wsgi.Middleware { return CORS(*c.CORS) })
	add(true, func() wsgi.Middleware { return ErrorPages(c.ErrorPages) })
	add(true, func() wsgi.Middleware { return Recover(c.Recover) })
	add(c.Debug, func() wsgi.Middleware { return DebugPage(DebugPageConfig{}) })
	add(true, func() wsgi.Middleware { return Health(c.Health) })
	add(true, func() wsgi.Middleware { return AllowedHosts(AllowedHostsConfig{Hosts: c.Hosts}) })
	add(c.HTTPS != nil, func() wsgi.Middleware { return HTTPSRedirect(*c.HTTPS) })
	add(c.CanonicalHost != "", func() wsgi.Middleware { return CanonicalHost(c.CanonicalHost) })
	add(c.Timeout > 0, func() wsgi.Middleware { return Timeout(c.Timeout) })
	add(true, func() wsgi.Middleware { return Throttle(c.Throttle) })
	add(true, func() wsgi.Middleware { return RateLimit(c.RateLimit) })
	add(c.BodyLimit > 0, func() wsgi.Middleware { return BodyLimit(c.BodyLimit) })
	add(c.DecodeBody != nil, func() wsgi.Middleware { return DecodeBody(*c.DecodeBody) })
	add(true, func() wsgi.Middleware { return CrossOrigin(c.CrossOrigin) })
	add(c.Override != nil, func() wsgi.Middleware { return MethodOverride(*c.Override) })
	add(c.Auth != nil, func() wsgi.Middleware { return BasicAuth(*c.Auth) })
	add(true, Head)
	add(true, ConditionalGet)
	add(true, func() wsgi.Middleware { return Compress(c.Compress) })
	add(true, ETag)
	add(c.Static != nil, func() wsgi.Middleware { return c.Static })
	add(c.Session != nil, func() wsgi.Middleware { return c.Session })
	return Chain(stack...)
}
