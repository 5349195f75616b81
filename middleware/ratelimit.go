package middleware

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"github.com/gowsgi/gowsgi/wsgi"
)

// RateLimitConfig holds the choices of RateLimit.
type RateLimitConfig struct {
	// Every is the time in which a client may make one request, in the long
	// run; 0 means 100 ms.
	Every time.Duration

	// Burst is how many it may make at once, when it has made none for a while;
	// 0 means 50.
	Burst int

	// Key says who the client is; nil means ClientAddress. Requests with the key
	// "" are not limited; for a long one its digest is counted, so that nobody fills
	// the store with what a request may hold.
	Key func(environ *wsgi.Environ) string

	// Store keeps the counts; nil means a NewMemoryStore of its own, of 65536
	// keys.
	Store RateStore
}

// A RateStore keeps what RateLimit has to know of each key: one number will do.
// It may be used by any number of goroutines at once.
type RateStore interface {
	// Take counts one request of key, where one may be made every so often and
	// burst of them at once. It returns 0 when the request may be made. Otherwise
	// it is not counted, and the result is how long to wait until it may.
	Take(ctx context.Context, key string, every time.Duration, burst int) (wait time.Duration, err error)
}

// RateLimit returns a middleware that limits how many requests each client makes
// in a time. One that makes too many is answered with 429 and Retry-After; the
// application's status, headers and body stay as they are.
//
// When the Store fails, requests pass, and wsgi.errors says so. Negative choices
// panic.
//
// Security: the key is an address that must not be the client's own claim, so
// behind a proxy ProxyFix goes outside; without it the proxy is one client for
// all. Whoever has many addresses has many keys: the memory store is bounded, and
// when it is full it forgets a key, of a few the one that has used least.
func RateLimit(c RateLimitConfig) wsgi.Middleware {
	if c.Every < 0 || c.Burst < 0 {
		panic(fmt.Sprintf("middleware: RateLimit: Every is %v and Burst is %d, expected 0 or more", c.Every, c.Burst))
	}
	if c.Every == 0 {
		c.Every = 100 * time.Millisecond
	}
	if c.Burst == 0 {
		c.Burst = 50
	}
	if c.Every > math.MaxInt64/time.Duration(c.Burst) {
		panic(fmt.Sprintf("middleware: RateLimit: a Burst of %d, one every %v, takes longer than a time.Duration", c.Burst, c.Every))
	}
	if c.Key == nil {
		c.Key = ClientAddress
	}
	if c.Store == nil {
		c.Store = NewMemoryStore(0)
	}
	return func(next wsgi.Application) wsgi.Application {
		return wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			key := c.Key(environ)
			if key == "" {
				return next.Call(environ, start)
			}
			wait, err := c.Store.Take(environ.Context(), shortKey(key), c.Every, c.Burst)
			if err != nil {
				environ.Errors().WriteString("middleware: RateLimit: " + escape(err.Error()) + "\n")
			} else if wait > 0 {
				seconds := (wait + time.Second - 1) / time.Second
				return (&HTTPError{Code: 429, Detail: "Too many requests.", Headers: wsgi.Headers{
					{Name: "Retry-After", Value: strconv.FormatInt(int64(seconds), 10)},
				}}).Call(environ, start)
			}
			return next.Call(environ, start)
		})
	}
}

// shortKey returns key, or its digest when it is longer than that.
func shortKey(key string) string {
	if len(key) <= hex.EncodedLen(sha256.Size) {
		return key
	}
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}

// ClientAddress is REMOTE_ADDR as the key of a client: the address, of IPv6 the
// network of 64 bits, since a client has all of it. It is "" for a peer without an
// address, as on a Unix socket.
func ClientAddress(environ *wsgi.Environ) string {
	remote := environ.Var("REMOTE_ADDR")
	address, err := netip.ParseAddr(remote)
	if err != nil {
		return remote
	}
	if address = address.Unmap(); address.Is4() {
		return address.String()
	}
	network, _ := address.Prefix(64)
	return network.String()
}

// NewMemoryStore returns a RateStore in the memory of this process, for at most
// that many keys; 0 means 65536. It has no goroutine.
func NewMemoryStore(keys int) RateStore {
	if keys < 0 {
		panic(fmt.Sprintf("middleware: NewMemoryStore: %d keys, expected 0 or more", keys))
	}
	if keys == 0 {
		keys = 1 << 16
	}
	return &memoryStore{most: keys, full: map[string]time.Time{}}
}

// memoryStore has for each key the time at which its bucket will be full again,
// the one number of a token bucket (the "theoretical arrival time" of GCRA). A
// key whose time has passed is as good as forgotten.
type memoryStore struct {
	mu   sync.Mutex
	most int
	full map[string]time.Time
}

func (s *memoryStore) Take(_ context.Context, key string, every time.Duration, burst int) (time.Duration, error) {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	full, known := s.full[key]
	if full.Before(now) {
		full = now
	}
	next := full.Add(every)
	if wait := next.Sub(now) - every*time.Duration(burst); wait > 0 {
		return wait, nil
	}
	if !known && len(s.full) >= s.most {
		s.forget(now)
	}
	s.full[key] = next
	return 0, nil
}

// forget makes room for a key: it looks at a few, which Go picks at random, and
// deletes those that are full, or else the one that will be first.
func (s *memoryStore) forget(now time.Time) {
	seen, first, victim := 0, time.Time{}, ""
	for key, full := range s.full {
		if !full.After(now) {
			delete(s.full, key)
			victim = ""
			first = now
			seen = max(seen, 24) // some more, so that the next one finds room too
		} else if first.IsZero() || full.Before(first) {
			first, victim = full, key
		}
		if seen++; seen >= 32 {
			break
		}
	}
	if victim != "" {
		delete(s.full, victim)
	}
}
