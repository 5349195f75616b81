package conformance

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/gowsgi/gowsgi/wsgi"
)

// start is start_response.
func (x *mutantExchange) start(status string, headers wsgi.Headers, excInfo error) (wsgi.Write, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	f := x.faults
	x.calls++
	refuse := func(err error) (wsgi.Write, error) {
		if !f.forgets {
			x.failure = err
		}
		return nil, err
	}
	switch {
	case x.finished && f.liveCallables:
		return x.write, nil
	case x.finished:
		return nil, errOverTest
	case x.committed && excInfo != nil && f.lateIsFine && !x.wrote:
		return x.write, nil
	case x.committed && excInfo != nil:
		if f.lateIsSent && headers.Has("X-New") {
			x.send([]byte(status), false)
		}
		if f.otherError {
			return refuse(errors.New("an error of the server's own"))
		}
		return refuse(fmt.Errorf("too late: %w", excInfo))
	case x.started && excInfo == nil && (!f.twiceIsFine || x.failure != nil):
		return refuse(errTwiceTest)
	case x.accepted > 1 && f.onlyTwoCalls, !x.started && excInfo != nil && f.excFirstFails:
		return refuse(errTwiceTest)
	}
	x.started = x.started || !f.checksFirst
	if err := x.check(status, headers); err != nil {
		return refuse(err)
	}
	x.started, x.failure = true, nil
	x.accepted++
	if f.keepsExcInfo && excInfo != nil {
		// What the exchange alone holds may be collected with it; and a request
		// that an earlier probe has left behind must not take the place.
		x.server.kept.Store(fmt.Sprintf("exc_info of %p", excInfo), excInfo)
	}
	x.status = status
	if f.appends && headers.Has("X-New") {
		headers = append(x.headers, headers...)
	}
	x.headers = headers.Clone()
	x.length = -1
	for _, h := range headers {
		if h.Name == "Content-Length" || strings.EqualFold(h.Name, "Content-Length") && !f.caseMatters {
			x.length, _ = strconv.ParseInt(h.Value, 10, 64)
		}
	}
	if f.sendsAtOnce {
		x.commit()
	}
	if f.nilWrite {
		return nil, nil
	}
	if f.writeKeepsHead {
		return func(block []byte) (int, error) {
			x.mu.Lock()
			x.status, x.headers = status, headers
			x.mu.Unlock()
			return x.write(block)
		}, nil
	}
	return x.write, nil
}

func (x *mutantExchange) check(status string, headers wsgi.Headers) error {
	f := x.faults
	code, _, err := wsgi.ParseStatus(status)
	if rule := (*wsgi.ContractError)(nil); errors.As(err, &rule) && !slices.Contains(f.accepts, rule.Rule) {
		return err
	}
	if err == nil && code < 200 && !slices.Contains(f.accepts, "HDR-23") {
		return &wsgi.ContractError{Rule: "HDR-23"}
	}
	if rule := (*wsgi.ContractError)(nil); errors.As(headers.Validate(), &rule) && !slices.Contains(f.accepts, rule.Rule) {
		return rule
	}
	return nil
}
