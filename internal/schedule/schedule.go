// Package schedule computes, from notices and a moment, what every storefront
// should be and when that next changes. It is pure: no clock, no files, no
// memory. What happened in the past is the ledger's to tell.
package schedule

import (
	"cmp"
	"iter"
	"slices"
	"time"

	"github.com/backsoon/backsoon/internal/notice"
)

// Storefront states.
const (
	Open    = "open"
	Closed  = "closed"
	Overdue = "overdue" // every notice in force is overdue: still closed
)

// What a checkout is to be.
const (
	CheckoutOn  = "on"
	CheckoutOff = "off"
)

// State is what one storefront should be at a moment.
type State struct {
	Storefront string
	State      string    // Open, Closed or Overdue
	Since      time.Time // start of the present state as planned; zero: nothing ever closed it
	Until      time.Time // end of the unbroken run of closures; zero: open, open-ended or overdue
	Notices    []string  // slugs in force, sorted
	Lead       string    // slug of the notice that sets Until; when open, of the one that ended last; may be empty
}

// Checkout is "off" or "on".
func (s State) Checkout() string {
	if s.State == Open {
		return CheckoutOn
	}
	return CheckoutOff
}

// same tells whether both say the same to a storefront: everything but Since.
func (s State) same(o State) bool {
	return s.State == o.State && s.Lead == o.Lead && s.Until.Equal(o.Until) && slices.Equal(s.Notices, o.Notices)
}

// At gives the state of each storefront at now, in the order of ids. Drafts,
// cancelled notices and those that leave the checkout on have no say.
func At(notices []*notice.Notice, ids []string, now time.Time) []State {
	return statesAt(spansOf(notices), ids, now)
}

// Next gives the first moment after now at which the state of one of the
// storefronts differs from what it is at now; false: never by itself.
func Next(notices []*notice.Notice, ids []string, now time.Time) (time.Time, bool) {
	_, next := Outlook(notices, ids, now)
	return next, !next.IsZero()
}

// Outlook is At and Next at once; next is zero where nothing changes by itself.
func Outlook(notices []*notice.Notice, ids []string, now time.Time) (states []State, next time.Time) {
	all := spansOf(notices)
	states = statesAt(all, ids, now)
	for _, t := range turns(all, now) {
		if !slices.EqualFunc(states, statesAt(all, ids, t), State.same) {
			return states, t
		}
	}
	return states, time.Time{}
}

// turns lists the moments after now at which a state may be another, in order:
// those of Boundaries, found without looking at every notice once more.
func turns(all []span, now time.Time) (ts []time.Time) {
	for _, s := range all {
		end := s.end
		if end.IsZero() {
			end = s.announced()
		}
		for _, t := range [...]time.Time{s.closes, end} {
			if t.After(now) {
				ts = append(ts, t)
			}
		}
	}
	slices.SortFunc(ts, time.Time.Compare)
	return slices.CompactFunc(ts, time.Time.Equal)
}

func statesAt(all []span, ids []string, now time.Time) []State {
	states := make([]State, len(ids))
	for i, id := range ids {
		states[i] = stateAt(id, all, now)
	}
	return states
}

// Boundaries lists the moments after now at which a notice changes its phase,
// in order and each once. A notice that leaves the checkout on has them too.
func Boundaries(notices []*notice.Notice, now time.Time) []time.Time {
	ts := slices.SortedFunc(boundaries(notices, now), time.Time.Compare)
	return slices.CompactFunc(ts, time.Time.Equal)
}

// Boundary is the first of the Boundaries; zero: there is none.
func Boundary(notices []*notice.Notice, now time.Time) (first time.Time) {
	for t := range boundaries(notices, now) {
		if first.IsZero() || t.Before(first) {
			first = t
		}
	}
	return first
}

func boundaries(notices []*notice.Notice, now time.Time) iter.Seq[time.Time] {
	return func(yield func(time.Time) bool) {
		for _, n := range notices {
			if n.Draft || n.Cancelled {
				continue
			}
			for _, t := range [...]time.Time{n.Closes.Time, n.End(), n.Until().Time} {
				if t.After(now) && !yield(t) {
					return
				}
			}
		}
	}
}

// span is the time in which one notice closes its storefronts: from closes until
// just before end. There may be thousands, and each is looked at several times.
type span struct {
	n           *notice.Notice
	closes, end time.Time // end zero: none
}

// announced is the end that the public knows; zero: none.
func (s span) announced() time.Time { return s.n.Until().Time }

// spansOf gives the spans of the notices, in their order.
func spansOf(notices []*notice.Notice) []span {
	spans := make([]span, 0, len(notices))
	for _, n := range notices {
		if n.Draft || n.Cancelled || n.CheckoutOn {
			continue
		}
		s := span{n, n.Closes.Time, n.End()}
		if s.end.IsZero() || s.end.After(s.closes) {
			spans = append(spans, s)
		}
	}
	return spans
}

// inOrder sorts the spans by their beginning, if one of them joins a run: where
// none does, as almost always, thousands need not be sorted.
func inOrder(all []span, joins func(span) bool) []span {
	if !slices.ContainsFunc(all, joins) {
		return nil
	}
	return slices.SortedFunc(slices.Values(all), func(a, b span) int {
		return cmp.Or(a.closes.Compare(b.closes), cmp.Compare(a.n.Slug, b.n.Slug))
	})
}

func (s span) holds(t time.Time) bool {
	return !t.Before(s.closes) && (s.end.IsZero() || t.Before(s.end))
}

// endless tells whether nobody can say at t when the span ends: it is
// open-ended, or its announced end has passed without an end.
func (s span) endless(t time.Time) bool {
	return s.announced().IsZero() || (s.end.IsZero() && !t.Before(s.announced()))
}

func (s span) overdue(t time.Time) bool {
	return !s.announced().IsZero() && s.endless(t)
}

func stateAt(id string, all []span, now time.Time) State {
	var inForce []span
	for _, s := range all {
		if s.holds(now) && s.n.Covers(id) {
			inForce = append(inForce, s)
		}
	}
	if len(inForce) == 0 {
		return openAt(id, all, now)
	}
	st := State{Storefront: id, State: Overdue, Since: runStart(id, all, inForce)}
	for _, s := range inForce {
		st.Notices = append(st.Notices, s.n.Slug)
		if !s.overdue(now) {
			st.State = Closed
		}
	}
	slices.Sort(st.Notices)
	lead := runLead(id, all, inForce, now)
	st.Lead = lead.n.Slug
	if !lead.endless(now) {
		st.Until = lead.announced()
	}
	return st
}

// openAt is the state where nothing is in force: open since the last end.
func openAt(id string, all []span, now time.Time) State {
	st := State{Storefront: id, State: Open}
	for _, s := range all {
		if s.end.IsZero() || s.end.After(now) {
			continue
		}
		if c := s.end.Compare(st.Since); (c > 0 || c == 0 && s.n.Slug < st.Lead) && s.n.Covers(id) {
			st.Since, st.Lead = s.end, s.n.Slug
		}
	}
	return st
}

// runLead follows the run of closures forward from those in force, through all
// that overlap it or begin where it ends, and gives the notice that sets its
// end: an endless one first, then the latest end, then the slug. Behind the
// first endless one nothing joins: its announced end is not ahead.
func runLead(id string, all, inForce []span, now time.Time) span {
	first := func(a, b span) int {
		if x, y := a.endless(now), b.endless(now); x != y {
			if x {
				return -1
			}
			return 1
		} else if x {
			return cmp.Compare(a.n.Slug, b.n.Slug)
		}
		return cmp.Or(b.announced().Compare(a.announced()), cmp.Compare(a.n.Slug, b.n.Slug))
	}
	lead := slices.MinFunc(inForce, first)
	joins := func(s span) bool {
		return s.closes.After(now) && !s.closes.After(lead.announced()) && s.n.Covers(id) && first(s, lead) < 0
	}
	for _, s := range inOrder(all, joins) {
		if joins(s) {
			lead = s
		}
	}
	return lead
}

// runStart follows the run of closures back from those in force, through all
// that overlap it or end where it begins, and gives the run's first moment.
func runStart(id string, all, inForce []span) time.Time {
	start := slices.MinFunc(inForce, func(a, b span) int { return a.closes.Compare(b.closes) }).closes
	joins := func(s span) bool {
		return s.closes.Before(start) && (s.end.IsZero() || !s.end.Before(start)) && s.n.Covers(id)
	}
	for _, s := range slices.Backward(inOrder(all, joins)) {
		if joins(s) {
			start = s.closes
		}
	}
	return start
}
