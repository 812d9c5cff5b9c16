package site

import (
	"html/template"
	"sync/atomic"
	"time"

	"github.com/backsoon/backsoon/internal/locale"
	"github.com/backsoon/backsoon/internal/notice"
	"github.com/backsoon/backsoon/internal/statuspage"
)

// face is what a language's pages make of one notice, kept for as long as
// nothing of it changes.
type face struct {
	n       *notice.Notice // in this language, as far as it is translated
	facts   Facts          // what only the ledger knows; zero without a ledger
	basis   basis
	key     uint64                              // differs from that of any other face
	gone    atomic.Pointer[template.HTML]       // its entry on a year's page; nil: not rendered yet
	updates atomic.Pointer[[]statuspage.Update] // what api/v2 tells of it; nil: not made yet

	closed, reopened, announced time.Time // see the functions of these names
	year                        int       // in which it closed, on the shop's clocks
	latest                      time.Time // the newest event that a feed tells of
}

// basis is all that a face depends on. Every moment's year is printed or not,
// by when it is read.
type basis struct {
	original *notice.Notice
	facts    Facts
	phase    notice.Phase
	updates  int    // that are not dated ahead
	years    uint64 // of each moment
}

// face gives the face of a notice at the reader's moment: the one of before,
// where its basis is the same.
func (r reader) face(n *notice.Notice, facts Facts) *face {
	basis := basis{n, facts, n.Phase(r.now), r.countUpdates(n), r.years(n, facts)}
	old := r.voice.faces[n.Slug]
	if old != nil && old.basis == basis {
		return old
	}
	f := &face{n: n.In(r.voice.Tag), facts: facts, basis: basis}
	f.closed, f.reopened, f.announced = closed(n, facts), reopened(n, facts), announced(n, facts)
	f.year = f.closed.In(r.site.cfg.Shop.Location).Year()
	r.site.faces++
	f.key = r.site.faces
	for _, e := range r.eventsOf(f) {
		if e.at.After(f.latest) && !e.at.After(r.now) {
			f.latest = e.at
		}
	}
	r.voice.faces[n.Slug] = f
	return f
}

// years is a number that stands for which of the notice's moments are printed
// with their year.
func (r reader) years(n *notice.Notice, facts Facts) (number uint64) {
	note := func(t time.Time) {
		number *= 3
		if !t.IsZero() && locale.NeedsYear(t, r.now, r.site.cfg.Shop.Location) {
			number++
		}
	}
	for _, t := range []time.Time{n.Published.Time, n.Closes.Time, n.Reopens.Time, n.Reopened.Time, facts.Accepted, facts.Closed, facts.Reopened} {
		note(t)
	}
	for _, u := range n.Updates {
		note(u.At)
	}
	return number
}

// countUpdates counts those that are not dated ahead.
func (r reader) countUpdates(n *notice.Notice) (count int) {
	for _, u := range n.Updates {
		if !u.At.After(r.now) {
			count++
		}
	}
	return count
}

// closed is when the closure began, or is to begin.
func closed(n *notice.Notice, facts Facts) time.Time {
	if !facts.Closed.IsZero() {
		return facts.Closed
	}
	return n.Closes.Time
}

// reopened is when the closure ended: as the ledger saw it, or as the owner
// wrote it. Zero: nobody said.
func reopened(n *notice.Notice, facts Facts) time.Time {
	if !facts.Reopened.IsZero() {
		return facts.Reopened
	}
	return n.Reopened.Time
}

// announced is when the public could first know of the notice. Zero: nobody said.
func announced(n *notice.Notice, facts Facts) time.Time {
	if !n.Published.IsZero() {
		return n.Published.Time
	}
	return facts.Accepted
}
