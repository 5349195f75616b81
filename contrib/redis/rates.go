package redis

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/gowsgi/gowsgi/middleware"
)

// Rates is a middleware.RateStore in a Redis server, version 5 or later: a client has
// its limit with all processes of a site together, and not with each. It may be used
// concurrently.
//
// A key is one number, which Redis forgets when it says no more than that the client
// may have the whole burst. Times are those of the server's clock, in microseconds: a
// shorter one counts as one. What a limit does to status, headers and body of a
// response is for middleware.RateLimit to say; a store does nothing to them.
//
// Security: a server that does not answer limits nobody, so that it cannot take the
// site with it; wsgi.errors has a line for each request then. Keys are what the Key of
// the limit makes of a request, by default addresses of clients.
type Rates struct {
	client redis.Scripter
	prefix string
}

// NewRates returns a store that keeps the rates by client, under keys that begin with
// prefix, such as "shop:rate:". The client stays the caller's, to close when no request
// needs it any more.
func NewRates(client redis.UniversalClient, prefix string) *Rates {
	if client == nil {
		panic("redis: NewRates: the client is nil")
	}
	return &Rates{client, prefix}
}

var _ middleware.RateStore = (*Rates)(nil)

// take keeps for each key when its burst is whole again, the one number of a token
// bucket ("theoretical arrival time" in GCRA). No key can be further from that than a
// burst, but where the clock was put back.
var take = redis.NewScript(`
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local every, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local full = tonumber(redis.call('GET', KEYS[1]) or 0)
full = math.min(math.max(full, now), now + every * burst)
local wait = full + every - now - every * burst
if wait > 0 then
  return wait
end
redis.call('SET', KEYS[1], string.format('%.0f', full + every), 'PX', math.ceil((full + every - now) / 1000))
return 0`)

// Take implements middleware.RateStore.
func (r *Rates) Take(ctx context.Context, key string, every time.Duration, burst int) (time.Duration, error) {
	wait, err := take.Run(ctx, r.client, []string{r.prefix + key}, max(1, every.Microseconds()), burst).Int64()
	if err != nil {
		return 0, fmt.Errorf("redis: counting a request: %w", err)
	}
	return time.Duration(wait) * time.Microsecond, nil
}
