package conformance

import (
	"context"
	"time"
)

// hearing is where a suite decides. A probe that finds a fault is run again,
// with all the patience of the suite, and only what is found twice is a fault:
// on a busy machine a sound answer may come late.
//
// It also keeps the time of a run within bounds, whatever the subject does. A
// probe that ends well never waits, so only time that is lost with faults
// counts; that of a fault which was not found again is mostly the machine's, and
// counts when there is much of it. Else a busy machine would leave a sound
// subject with less and less time.
type hearing struct {
	patience time.Duration
	lost     time.Duration // with probes that found a fault
	forgiven time.Duration // with first runs alone
	faulty   int
	sound    int
}

// Waits, and how much may be lost with faults until they are made shorter.
const (
	firstWait  = time.Second            // of the first run of a probe
	shortWait  = 500 * time.Millisecond // of the first run when much is lost
	secondWait = time.Second            // and of the second
	lastWait   = 20 * time.Millisecond  // when all is lost

	muchLost     = 12 * time.Second
	allLost      = 30 * time.Second
	muchForgiven = time.Minute

	// hopeless is how many faults and no sound answer make a subject that is
	// waited for no more: it is not a server, or a wall.
	hopeless = 3
)

// dead reports whether nothing good has come of the subject.
func (h *hearing) dead() bool { return h.faulty >= hopeless && h.sound == 0 }

// waits returns the patience of the two runs of a probe. Without a second run,
// again is zero.
func (h *hearing) waits() (first, again time.Duration) {
	switch {
	case h.dead():
		return min(lastWait, h.patience), 0
	case h.lost < muchLost:
		return min(firstWait, h.patience), h.patience
	case h.lost < allLost:
		return min(shortWait, h.patience), min(secondWait, h.patience)
	}
	return min(lastWait, h.patience), 0
}

// unheard is why a fault is none that was found once, in haste.
const unheard = "not decided: the subject had kept the suite waiting for too long by then; a run of this rule alone has the time to look twice (Suite.Only, --only)"

// prompt reports whether a fault was found within a single wait of the given
// length, and so came of no wait: patience would change nothing.
func (r result) prompt(wait time.Duration) bool { return r.took < wait }

// hear runs p on subject, and again when it finds a fault. When no time is left
// for patience, only a prompt fault is heard.
func hear[S any](ctx context.Context, h *hearing, p probe[S], subject S) result {
	first, again := h.waits()
	r := p.try(ctx, subject, first)
	switch {
	case ctx.Err() != nil:
		return result{skipped: "not decided: " + context.Cause(ctx).Error()}
	case len(r.faults) == 0:
		if r.skipped == "" {
			h.sound++
		}
		return r
	}
	h.lost += r.took
	switch {
	case again == 0 && h.dead():
		h.faulty++
		return r
	case again == 0 && !r.prompt(first):
		return result{skipped: unheard}
	}
	haste := again == 0
	if haste {
		again = first
	}
	second := p.try(ctx, subject, again)
	switch {
	case ctx.Err() != nil:
		return result{skipped: "not decided: " + context.Cause(ctx).Error()}
	case len(second.faults) == 0:
		if h.forgiven += r.took; h.forgiven <= muchForgiven {
			h.lost -= r.took
		}
		h.sound++
		second.once = r.proof
		return second
	}
	h.lost += second.took
	if haste && !second.prompt(again) {
		return result{skipped: unheard}
	}
	h.faulty++
	return second
}
