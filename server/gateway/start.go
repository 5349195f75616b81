package gateway

import (
	"fmt"
	"strings"

	"github.com/gowsgi/gowsgi/wsgi"
)

// The response is in one of five states:
//
//	new        nothing was called
//	started    status and headers are stored, nothing is sent
//	failed     a start_response call was refused, and no later one repaired it
//	committed  the head is sent
//	finished   the response is complete or given up; its body is closed next
//
// started, committed and finished are fields; the response is failed
// when failure is not nil.

// errOver is what the callables answer once the request is over.
var errOver = &wsgi.ContractError{Rule: "SRV-10", Detail: "the request is over, expected no further use of its callables and streams"}

// headSentError is start_response's answer to an exc_info that comes too late.
// It is the original error with a remark, as Python raises the original
// exception again (START-15).
type headSentError struct{ cause error }

func (e *headSentError) Error() string {
	return "the response head is already sent: " + e.cause.Error()
}

func (e *headSentError) Unwrap() error { return e.cause }

// startResponse is the callable that the application receives.
func (x *Exchange) startResponse(status string, headers wsgi.Headers, excInfo error) (wsgi.Write, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	switch {
	case x.finished:
		return nil, errOver
	case x.committed && excInfo != nil: // START-14
		return nil, x.refuse(&headSentError{excInfo})
	case x.stopped: // the body has failed for good, or there is nobody to answer
		return nil, errOver
	case x.started && excInfo == nil: // START-19, START-20
		return nil, x.refuse(&wsgi.ContractError{Rule: "START-19",
			Detail: fmt.Sprintf("start_response was called again with status %q and no exc_info", status)})
	}
	x.started = true // before the checks: after a refusal only exc_info helps (START-23)
	code, err := x.check(status, headers)
	if err != nil {
		return nil, x.refuse(err)
	}
	x.code, x.status = uint16(code), status
	x.keep(headers)
	x.failure = nil // a successful call repairs a refused one (START-20)
	return x.write, nil
}

// refuse records why start_response failed; the application may lose the
// error, the Exchange does not (ERR-16).
func (x *Exchange) refuse(err error) error {
	x.failure = err
	return err
}

// check applies the rules of status and headers (START-22).
func (x *Exchange) check(status string, headers wsgi.Headers) (code int, err error) {
	code, _, err = wsgi.ParseStatus(status)
	if err != nil {
		return 0, err
	}
	if code < 200 {
		return 0, &wsgi.ContractError{Rule: "HDR-23",
			Detail: fmt.Sprintf("status is %q, expected a final status and not an interim one", status)}
	}
	if x.gateway.AllowTab || x.gateway.AllowProxyAuthenticate {
		headers = x.gateway.tolerate(headers)
	}
	return code, headers.Validate()
}

// tolerate returns headers without what the options admit.
func (g *Gateway) tolerate(headers wsgi.Headers) wsgi.Headers {
	rest := make(wsgi.Headers, 0, len(headers))
	for _, h := range headers {
		if g.AllowTab {
			h.Value = strings.ReplaceAll(h.Value, "\t", " ")
		}
		if g.AllowProxyAuthenticate && strings.EqualFold(h.Name, "Proxy-Authenticate") {
			h.Name = "X-" + h.Name
		}
		rest = append(rest, h)
	}
	return rest
}

// keep stores the head. The list is copied: a change that the application
// makes after the call would evade the checks (START-27). A stored head is
// replaced, never added to (START-13).
func (x *Exchange) keep(headers wsgi.Headers) {
	x.discard = x.Method == "HEAD" || x.code == 204 || x.code == 304
	x.length = -1
	x.headers = append(x.few[:0], headers...)
	for i, h := range x.headers {
		if len(h.Name) == len(contentLength) && strings.EqualFold(h.Name, contentLength) {
			x.length = parseLength(h.Value)
			if x.code == 204 { // LEN-13
				x.length = -1
				x.headers = append(x.headers[:i], x.headers[i+1:]...)
			}
			break
		}
	}
}

const contentLength = "Content-Length"

// parseLength parses a Content-Length that has been validated.
func parseLength(s string) (n int64) {
	for i := 0; i < len(s); i++ {
		n = n*10 + int64(s[i]-'0')
	}
	return n
}

// earlyHints is wsgi.early_hints: it sends an interim response with the given
// headers, and does nothing once the head is sent (COM-12).
func (x *Exchange) earlyHints(headers wsgi.Headers) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.finished {
		return errOver
	}
	if err := headers.Validate(); err != nil {
		return err
	}
	if x.committed || x.gone != nil {
		return nil
	}
	if err := x.Transport.(HintTransport).Hint(103, headers); err != nil {
		return x.lost(err)
	}
	return nil
}
