package conformance

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/gowsgi/gowsgi/wsgi"
)

func (x *mutantExchange) write(block []byte) (int, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	f := x.faults
	switch {
	case x.finished && f.liveCallables:
		return len(block), nil
	case x.finished:
		return 0, errOverTest
	case x.failure != nil:
		return 0, x.failure
	}
	x.wrote = true
	if f.lenAfterWrite && len(block) == 8 {
		x.held = append(x.held, block...)
		return len(block), nil
	}
	if x.writes++; f.writesLate && x.writes == 2 && x.length < 0 {
		x.held = append(x.held, block...)
		return len(block), nil
	}
	if len(block) == 0 && f.emptyWriteHolds {
		return 0, nil
	}
	n, err := x.send(block, true)
	if err == errFullTest && f.writeNeverFull || err != nil && err != errFullTest && f.writeIgnoresGone {
		return len(block), nil
	}
	if f.writeCountsNothing {
		n = 0
	}
	return n, err
}

// sendHeld sends what lenAfterWrite has kept.
func (x *mutantExchange) sendHeld() {
	if held := x.held; held != nil {
		x.held = nil
		x.send(held, true)
	}
}

func (x *mutantExchange) code() string { return x.status[:3] }

func (x *mutantExchange) bodiless() bool {
	return x.request.method == "HEAD" || x.code() == "204" || x.code() == "304"
}

// discards reports whether body bytes are not sent.
func (x *mutantExchange) discards() bool {
	f := x.faults
	if x.request.method == "HEAD" {
		return !(f.headBody && x.length >= 0) && !(f.headFile && x.isFile)
	}
	return x.bodiless() && !f.body204
}

// commit writes the head.
func (x *mutantExchange) commit() {
	if x.committed {
		return
	}
	x.committed = true
	f := x.faults
	if x.status == "" {
		x.status = "200 OK"
	}
	h := x.headers.Clone()
	if x.code() == "204" {
		h.Del("Content-Length")
		x.length = -1
	}
	if f.codesBelow600 && x.code() > "599" {
		x.status = "500 Unknown"
	}
	if x.length < 0 && !x.bodiless() && x.request.proto != "HTTP/1.0" || x.length < 0 && f.chunkedOld && !x.bodiless() {
		h.Add("Transfer-Encoding", "chunked")
		x.chunked = true
	}
	if f.chunks204 && x.code() == "204" {
		h.Add("Transfer-Encoding", "chunked")
	}
	if !h.Has("Date") && !f.noDate || f.ownDate {
		h.Add("Date", time.Now().UTC().Format(http.TimeFormat))
	}
	if f.spoilHead != nil {
		f.spoilHead(x, &h)
	}
	if x.request.proto == "HTTP/1.0" {
		h.Add("Connection", "close")
	}
	fmt.Fprintf(x.w, "HTTP/1.1 %s\r\n%s", x.status, h)
	x.flush()
}

func (x *mutantExchange) flush() error {
	if x.faults.flushesLate != nil && x.faults.flushesLate(x) {
		return nil
	}
	if err := x.w.Flush(); err != nil {
		x.gone = err
	}
	return x.gone
}

// send transmits a block, and as much of it as fits the Content-Length.
func (x *mutantExchange) send(block []byte, byWrite bool) (n int, err error) {
	f := x.faults
	x.commit()
	if x.discards() {
		return len(block), x.flush()
	}
	if x.length >= 0 && x.sent+int64(len(block)) > x.length {
		excess := f.sendsExcess && !byWrite && !x.isFile && !x.derived && x.length == 5 || f.believesLen && x.derived
		if !excess {
			block = block[:x.length-x.sent]
		}
		err = errFullTest
	}
	if f.spoilBody != nil {
		block = f.spoilBody(block)
	}
	if x.chunked && len(block) > 0 {
		fmt.Fprintf(x.w, "%x\r\n%s\r\n", len(block), block)
	} else {
		x.w.Write(block)
	}
	x.sent += int64(len(block))
	if e := x.flush(); e != nil {
		return 0, e
	}
	return len(block), err
}

// end completes the response, or says why that cannot be.
func (x *mutantExchange) end() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	f := x.faults
	if x.gone != nil {
		if f.logsLeavers {
			x.server.report("Traceback (most recent call last)", x.gone)
		}
		return x.gone
	}
	if x.failure == nil && !x.started && x.status == "" && !f.endsUnstarted {
		x.failure = errors.New("start_response was not called")
	}
	if x.failure != nil {
		x.server.failures.Add(1)
		x.server.epoch.Add(1)
		x.server.report("request", x.failure)
		return x.fail()
	}
	x.server.failures.Store(0)
	x.sendHeld()
	if f.writeOnlyCut && x.wrote && x.empties == 0 && x.sent == 7 {
		return errCutTest
	}
	if !x.committed && x.length < 0 && x.status != "" && !x.bodiless() {
		x.length = 0
		x.headers.Add("Content-Length", "0")
	}
	x.commit()
	if x.length >= 0 && x.sent < x.length && !x.bodiless() && !f.shortStaysOpen {
		x.w.Flush()
		return errCutTest
	}
	if x.chunked {
		x.w.WriteString("0\r\n\r\n")
	}
	return x.w.Flush()
}

// fail answers 500, or cuts what has begun.
func (x *mutantExchange) fail() error {
	f := x.faults
	if x.committed {
		if f.endsCleanly && x.chunked && x.failure == errProbe {
			x.w.WriteString("0\r\n\r\n")
			x.w.Flush()
			return nil
		}
		x.w.Flush()
		return x.failure
	}
	if panicked := (*wsgi.PanicError)(nil); errors.As(x.failure, &panicked) && f.oddPanicDrops {
		if _, isText := panicked.Value.(string); !isText && panicked.Unwrap() == nil {
			return x.failure
		}
	}
	text := "500 Internal Server Error\n"
	if f.showsErrors {
		text = x.failure.Error()
	}
	stale := x.headers.Get("X-Stale")
	x.status, x.headers, x.length = "500 Internal Server Error", plainText("Content-Length", strconv.Itoa(len(text))), int64(len(text))
	if f.leaksHead && stale != "" {
		x.headers.Add("X-Stale", stale)
	}
	x.commit()
	if !x.discards() {
		x.w.WriteString(text)
	}
	return x.w.Flush()
}
