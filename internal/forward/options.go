package forward

import (
	"errors"
	"log/slog"
	"time"
)

// Options are the fields of the Client of each adapter, where they are
// documented. The zero value of a limit is its default, a negative one none.
type Options struct {
	Network         string
	Addrs           []string
	Environ         map[string]string
	DialTimeout     time.Duration
	QueueTimeout    time.Duration
	WriteTimeout    time.Duration
	ResponseTimeout time.Duration
	ReadTimeout     time.Duration
	IdleTimeout     time.Duration
	MaxConns        int
	MaxIdleConns    int
	MaxHeaderBytes  int
	MaxBodyBytes    int64
	Logger          *slog.Logger
}

// The defaults. IdleTimeout is shorter than what servers allow, which close an
// idle connection after a minute or more: the side that sends the next request
// has to be the one that closes.
const (
	defaultDialTimeout     = 5 * time.Second
	defaultQueueTimeout    = 10 * time.Second
	defaultWriteTimeout    = 30 * time.Second
	defaultResponseTimeout = time.Minute
	defaultReadTimeout     = time.Minute
	defaultIdleTimeout     = 30 * time.Second
	defaultMaxConns        = 100
	defaultMaxIdleConns    = 8
	defaultMaxHeaderBytes  = 64 << 10
	defaultMaxBodyBytes    = 1 << 30
)

// orDefault reads a field whose zero value means the default and whose
// negative values mean none, which is 0.
func orDefault[T ~int | ~int64](field, byDefault T) T {
	if field == 0 {
		return byDefault
	}
	return max(0, field)
}

// Fill replaces zero values by the defaults, and checks the rest.
func (o *Options) Fill() error {
	if len(o.Addrs) == 0 {
		return errors.New("there is no address, expected that of a backend")
	}
	for _, addr := range o.Addrs {
		if addr == "" {
			return errors.New("address is empty, expected that of a backend")
		}
	}
	if o.Network == "" {
		o.Network = "tcp"
	}
	o.DialTimeout = orDefault(o.DialTimeout, defaultDialTimeout)
	o.QueueTimeout = orDefault(o.QueueTimeout, defaultQueueTimeout)
	o.WriteTimeout = orDefault(o.WriteTimeout, defaultWriteTimeout)
	o.ResponseTimeout = orDefault(o.ResponseTimeout, defaultResponseTimeout)
	o.ReadTimeout = orDefault(o.ReadTimeout, defaultReadTimeout)
	o.IdleTimeout = orDefault(o.IdleTimeout, defaultIdleTimeout)
	o.MaxConns = orDefault(o.MaxConns, defaultMaxConns)
	o.MaxIdleConns = orDefault(o.MaxIdleConns, defaultMaxIdleConns)
	o.MaxHeaderBytes = orDefault(o.MaxHeaderBytes, defaultMaxHeaderBytes)
	if o.MaxHeaderBytes == 0 {
		o.MaxHeaderBytes = 1 << 30
	}
	o.MaxBodyBytes = orDefault(o.MaxBodyBytes, defaultMaxBodyBytes)
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return nil
}
