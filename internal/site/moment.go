package site

import (
	"time"

	"github.com/backsoon/backsoon/internal/locale"
	"github.com/backsoon/backsoon/internal/notice"
)

// moment is a time as the pages print it.
type moment struct {
	Machine string // for datetime=: RFC 3339 in UTC, or a bare date
	Words   string // Sat 2 January, 09:00
	Zone    string // Lisbon
}

// String is the moment in a sentence: "Sat 2 January, 09:00 (Lisbon)".
func (m *moment) String() string { return m.Words + " (" + m.Zone + ")" }

// moment gives nil for the zero time, so that a template can leave it out.
func (b *builder) moment(t time.Time, dateOnly bool) *moment {
	if t.IsZero() {
		return nil
	}
	loc := b.cfg.Shop.Location
	m := &moment{
		Machine: t.UTC().Format(time.RFC3339),
		Words:   locale.When(t, dateOnly, b.now, loc),
		Zone:    locale.Zone(loc),
	}
	if dateOnly {
		m.Machine = t.In(loc).Format(time.DateOnly)
	}
	return m
}

// written is a moment as the owner wrote it.
func (b *builder) written(m notice.Moment) *moment { return b.moment(m.Time, m.DateOnly) }

// seen is what came of a planned moment, to the minute. A day that was kept is
// still a day, and not its midnight.
func (b *builder) seen(at time.Time, planned notice.Moment) *moment {
	at = at.Truncate(time.Minute)
	return b.moment(at, planned.DateOnly && at.Equal(planned.Time))
}
