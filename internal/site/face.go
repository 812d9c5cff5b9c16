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
	n           *notice.Notice          // in this language, as far as it is translated
	*mappedPage                         // its own
	facts       Facts                   // what only the ledger knows; zero without a ledger
	changes     []Change                // the first one as it was announced; nil without a ledger
	reworded    map[time.Time]time.Time // see Known
	basis       basis
	from        time.Time                           // since when the basis is known to be so
	until       time.Time                           // when it may be another; zero: not by itself
	key         uint64                              // differs from that of any other face
	rank        int                                 // in the last edition, the first closed first
	page        *file                               // the closure's own page
	listed      atomic.Pointer[listed]              // how lists show it, as far as they did
	text        atomic.Pointer[string]              // what a calendar says of it; nil: not worded yet
	updates     atomic.Pointer[[]statuspage.Update] // what api/v2 tells of it; nil: not made yet

	closed, reopened, announced time.Time // see the functions of these names
	year                        int       // in which it closed, on the shop's clocks
	latest                      time.Time // the newest event that a feed tells of
}

// listed is an entry of a list, which is rendered once: a year may have thousands,
// and one closure that is saved is not to wait for the others.
type listed struct {
	part, root string
	entry      template.HTML
	others     *listed // rendered before it
}

// basis is all that a face depends on. Every moment's year is printed or not,
// by when it is read.
type basis struct {
	original *notice.Notice
	facts    Facts
	changes  int // how many; they are only ever added to
	phase    notice.Phase
	past     int    // how many of its moments have come
	years    uint64 // of each moment
}

// face gives the face of a notice at the reader's moment: the one of before,
// where its basis is the same.
func (r reader) face(n *notice.Notice, past past, old *face) *face {
	facts, changes := past.facts, past.changes
	if old != nil && old.basis.original == n && old.facts == facts && old.basis.changes == len(changes) && old.lasts(r.now) {
		return old
	}
	moments := moments(n, facts, changes)
	basis := basis{n, facts, len(changes), n.Phase(r.now), r.countPast(moments), r.years(moments)}
	if old != nil && old.basis == basis {
		old.from, old.until = r.now, r.turns(moments)
		return old
	}
	f := &face{n: n.In(r.voice.Tag), facts: facts, changes: distinct(changes), reworded: past.reworded, basis: basis, from: r.now, until: r.turns(moments)}
	f.closed, f.reopened, f.announced = closed(n, facts), reopened(n, facts), announced(n, facts)
	f.year = f.closed.In(r.site.cfg.Shop.Location).Year()
	r.site.faces++
	f.key = r.site.faces
	for _, e := range r.eventsOf(f) {
		if e.at.After(f.latest) && !e.at.After(r.now) {
			f.latest = e.at
		}
	}
	modified := f.latest
	if !facts.Revised.After(r.now) {
		modified = later(modified, facts.Revised)
	}
	f.mappedPage = r.site.mappedPage(closurePath(n.Slug), modified)
	r.voice.faces[n.Slug] = f
	return f
}

// lasts tells whether the basis is surely the same at now.
func (f *face) lasts(now time.Time) bool {
	return !now.Before(f.from) && (f.until.IsZero() || now.Before(f.until))
}

// turns gives the first moment ahead at which the basis of a notice with these
// moments may be another.
func (r reader) turns(moments []time.Time) (first time.Time) {
	sooner := func(t time.Time) {
		if t.After(r.now) && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	for _, t := range moments {
		if !t.IsZero() {
			sooner(t)
			sooner(locale.YearTurns(t, r.now, r.site.cfg.Shop.Location))
		}
	}
	return first
}

// moments are all the times that there are about a notice.
func moments(n *notice.Notice, facts Facts, changes []Change) []time.Time {
	ts := []time.Time{n.Published.Time, n.Closes.Time, n.Reopens.Time, n.Reopened.Time, facts.Accepted, facts.Closed, facts.Reopened, facts.Revised}
	for _, u := range n.Updates {
		ts = append(ts, u.At)
	}
	for _, c := range changes {
		ts = append(ts, c.seconds(), c.Closes.Time, c.Reopens.Time)
	}
	return ts
}

// years is a number that stands for which of a notice's moments are printed
// with their year.
func (r reader) years(moments []time.Time) (number uint64) {
	for _, t := range moments {
		number *= 3
		if !t.IsZero() && locale.NeedsYear(t, r.now, r.site.cfg.Shop.Location) {
			number++
		}
	}
	return number
}

// countPast counts the moments that are not ahead.
func (r reader) countPast(moments []time.Time) (count int) {
	for _, t := range moments {
		if !t.After(r.now) {
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
