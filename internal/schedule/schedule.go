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
	for _, t := range Boundaries(notices, now) {
		if !slices.EqualFunc(states, statesAt(all, ids, t), State.same) {
			return states, t
		}
	}
	return states, time.Time{}
}

func statesAt(all []span, ids []string, now time.Time) []State {
	states := make([]State, len(ids))
	for i, id := range ids {
		states[i] = stateAt(id, covering(all, id), now)
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
// just before end. announced is the end that the public knows.
type span struct {
	slug                   string
	storefronts            []string  // none: all
	closes, end, announced time.Time // end, announced zero: none
}

// spansOf gives the spans of the notices, in their order.
func spansOf(notices []*notice.Notice) []span {
	spans := make([]span, 0, len(notices))
	for _, n := range notices {
		if n.Draft || n.Cancelled || n.CheckoutOn {
			continue
		}
		s := span{n.Slug, n.Storefronts, n.Closes.Time, n.End(), n.Until().Time}
		if s.end.IsZero() || s.end.After(s.closes) {
			spans = append(spans, s)
		}
	}
	return spans
}

// covering gives the spans of one storefront.
func covering(all []span, id string) iter.Seq[*span] {
	return func(yield func(*span) bool) {
		for i := range all {
			s := &all[i]
			if (len(s.storefronts) == 0 || slices.Contains(s.storefronts, id)) && !yield(s) {
				return
			}
		}
	}
}

// inOrder sorts the spans by their beginning, if one of them joins a run: where
// none does, as almost always, thousands need not be sorted.
func inOrder(spans iter.Seq[*span], joins func(*span) bool) []*span {
	for s := range spans {
		if joins(s) {
			return slices.SortedFunc(spans, func(a, b *span) int { return cmp.Or(a.closes.Compare(b.closes), cmp.Compare(a.slug, b.slug)) })
		}
	}
	return nil
}

func (s *span) holds(t time.Time) bool {
	return !t.Before(s.closes) && (s.end.IsZero() || t.Before(s.end))
}

// endless tells whether nobody can say at t when the span ends: it is
// open-ended, or its announced end has passed without an end.
func (s *span) endless(t time.Time) bool {
	return s.announced.IsZero() || (s.end.IsZero() && !t.Before(s.announced))
}

func (s *span) overdue(t time.Time) bool {
	return !s.announced.IsZero() && s.endless(t)
}

func stateAt(id string, spans iter.Seq[*span], now time.Time) State {
	var inForce []*span
	for s := range spans {
		if s.holds(now) {
			inForce = append(inForce, s)
		}
	}
	if len(inForce) == 0 {
		return openAt(id, spans, now)
	}
	st := State{Storefront: id, State: Overdue, Since: runStart(spans, inForce)}
	for _, s := range inForce {
		st.Notices = append(st.Notices, s.slug)
		if !s.overdue(now) {
			st.State = Closed
		}
	}
	slices.Sort(st.Notices)
	lead := runLead(spans, inForce, now)
	st.Lead = lead.slug
	if !lead.endless(now) {
		st.Until = lead.announced
	}
	return st
}

// openAt is the state where nothing is in force: open since the last end.
func openAt(id string, spans iter.Seq[*span], now time.Time) State {
	st := State{Storefront: id, State: Open}
	for s := range spans {
		if s.end.IsZero() || s.end.After(now) {
			continue
		}
		if c := s.end.Compare(st.Since); c > 0 || (c == 0 && s.slug < st.Lead) {
			st.Since, st.Lead = s.end, s.slug
		}
	}
	return st
}

// runLead follows the run of closures forward from those in force, through all
// that overlap it or begin where it ends, and gives the notice that sets its
// end: an endless one first, then the latest end, then the slug. Behind the
// first endless one nothing joins: its announced end is not ahead.
func runLead(spans iter.Seq[*span], inForce []*span, now time.Time) *span {
	first := func(a, b *span) int {
		if x, y := a.endless(now), b.endless(now); x != y {
			if x {
				return -1
			}
			return 1
		} else if x {
			return cmp.Compare(a.slug, b.slug)
		}
		return cmp.Or(b.announced.Compare(a.announced), cmp.Compare(a.slug, b.slug))
	}
	lead := slices.MinFunc(inForce, first)
	joins := func(s *span) bool {
		return s.closes.After(now) && !s.closes.After(lead.announced) && first(s, lead) < 0
	}
	for _, s := range inOrder(spans, joins) {
		if joins(s) {
			lead = s
		}
	}
	return lead
}

// runStart follows the run of closures back from those in force, through all
// that overlap it or end where it begins, and gives the run's first moment.
func runStart(spans iter.Seq[*span], inForce []*span) time.Time {
	start := slices.MinFunc(inForce, func(a, b *span) int { return a.closes.Compare(b.closes) }).closes
	joins := func(s *span) bool {
		return s.closes.Before(start) && (s.end.IsZero() || !s.end.Before(start))
	}
	for _, s := range slices.Backward(inOrder(spans, joins)) {
		if joins(s) {
			start = s.closes
		}
	}
	return start
}
