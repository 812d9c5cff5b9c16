package site

import (
	"slices"
	"time"

	"github.com/backsoon/backsoon/internal/notice"
)

// span is an unbroken time in which a storefront is closed.
type span struct {
	from, to notice.Moment // to is the first moment open again; zero: nobody can say
}

// endless tells whether nobody can say when it ends.
func (s span) endless() bool { return s.to.IsZero() }

// until is the moment up to which the storefront is surely closed, for who looks
// at now: of a span that nobody can say the end of, the end of the day.
func (s span) until(now time.Time) time.Time {
	if !s.endless() {
		return s.to.Time
	}
	if now.Before(s.from.Time) {
		now = s.from.Time
	}
	return midnight(now, 1)
}

// closing lists the closures that have to do with this month and what follows.
func (b *builder) closing(closures listing) []*face {
	now := b.now.In(b.site.cfg.Shop.Location)
	month := startOf(now.Year(), now.Month(), 1, now.Location())
	all := slices.Concat(closures.ongoing, closures.coming)
	for _, f := range closures.past {
		if f.over().After(month) {
			all = append(all, f)
		}
	}
	return all
}

// over is when a closure that is over ended, as far as anybody knows.
func (f *face) over() time.Time {
	if !f.reopened.IsZero() {
		return f.reopened
	}
	return f.n.End()
}

// spans lists when these closures close a storefront, as it came and as it is
// planned: in order, and none touches another.
func (b *builder) spans(storefront string, closures []*face) []span {
	var all []span
	for _, f := range closures {
		if !f.closes(storefront) {
			continue
		}
		if s := b.spanOf(f); s.endless() || s.to.After(s.from.Time) {
			all = append(all, s)
		}
	}
	slices.SortFunc(all, func(x, y span) int { return x.from.Compare(y.from.Time) })
	var merged []span
	for _, s := range all {
		if last := len(merged) - 1; last < 0 || merged[last].before(s) {
			merged = append(merged, s)
		} else if !merged[last].endless() && (s.endless() || s.to.After(merged[last].to.Time)) {
			merged[last].to = s.to
		}
	}
	return merged
}

// before tells whether there is time between the two.
func (s span) before(o span) bool { return !s.endless() && s.to.Before(o.from.Time) }

// closes tells whether the notice has to do with the storefront's being closed.
func (f *face) closes(storefront string) bool {
	return !f.n.CheckoutOn && !f.n.Draft && !f.n.Cancelled && !f.facts.Missed && f.n.Covers(storefront)
}

// spanOf is the span of one notice, on the shop's clocks.
func (b *builder) spanOf(f *face) span {
	s := span{from: b.local(f.closed, f.n.Closes)}
	switch f.basis.phase {
	case notice.Reopened:
		s.to = b.local(f.over(), f.n.Until())
	case notice.Overdue: // the end that was planned has passed
	default:
		if until := f.n.Until(); !until.IsZero() {
			s.to = b.local(until.Time, until)
		}
	}
	return s
}

// local is what came of a planned moment, on the shop's clocks.
func (b *builder) local(at time.Time, planned notice.Moment) notice.Moment {
	return notice.Moment{Time: at.In(b.site.cfg.Shop.Location), DateOnly: planned.DateOnly && at.Equal(planned.Time)}
}

// midnight is the first moment of the day that comes so many days after that of
// t, in the zone of t.
func midnight(t time.Time, days int) time.Time {
	return startOf(t.Year(), t.Month(), t.Day()+days, t.Location())
}

// startOf is the first moment of a day, which is not 00:00 where the clocks go
// forward then: time.Date would give the evening before.
func startOf(year int, month time.Month, day int, loc *time.Location) time.Time {
	t := time.Date(year, month, day, 0, 0, 0, 0, loc)
	if t.Hour() > 12 {
		_, t = t.ZoneBounds()
	}
	return t
}
