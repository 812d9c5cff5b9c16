package site

import (
	"html/template"
	"time"

	"github.com/backsoon/backsoon/internal/notice"
)

// reader is whom a page is written for: the language, and the moment of reading.
type reader struct {
	site   *Site
	voice  *voice
	voices []*voice // every language of the site, the first one first
	now    time.Time
}

// asOf is the same reader at another moment.
func (r reader) asOf(t time.Time) reader {
	r.now = t
	return r
}

// moment is a time as the pages print it.
type moment struct {
	Machine string // for datetime=: RFC 3339 in UTC, or a bare date
	Words   string // Sat 2 January, 09:00
	Zone    string // Lisbon
	Instant string // RFC 3339 in UTC, of a bare date too: its midnight
}

// String is the moment in a sentence: "Sat 2 January, 09:00 (Lisbon)".
func (m *moment) String() string { return m.Words + " (" + m.Zone + ")" }

// HTML is the moment on a page. It is put together here, so that no theme can
// leave out the zone, and because a page has many of them.
func (m *moment) HTML() template.HTML {
	return template.HTML(`<time datetime="` + m.Machine + `">` + template.HTMLEscapeString(m.Words) +
		`</time> <span class="zone">(` + template.HTMLEscapeString(m.Zone) + `)</span>`)
}

// moment gives nil for the zero time, so that a template can leave it out.
func (r reader) moment(t time.Time, dateOnly bool) *moment {
	if t.IsZero() {
		return nil
	}
	loc := r.site.cfg.Shop.Location
	m := &moment{
		Instant: t.UTC().Format(time.RFC3339),
		Words:   r.voice.When(t, dateOnly, r.now, loc),
		Zone:    r.voice.zone,
	}
	m.Machine = m.Instant
	if dateOnly {
		m.Machine = t.In(loc).Format(time.DateOnly)
	}
	return m
}

// written is a moment as the owner wrote it.
func (r reader) written(m notice.Moment) *moment { return r.moment(m.Time, m.DateOnly) }

// seen is what came of a planned moment.
func (r reader) seen(at time.Time, planned notice.Moment) *moment {
	return r.written(observed(at, planned))
}

// observed is what came of a planned moment, to the minute. One that was kept is
// as it was planned: a day is no midnight, and what has seconds keeps them.
func observed(at time.Time, planned notice.Moment) notice.Moment {
	at = at.Truncate(time.Minute)
	if at.Equal(planned.Truncate(time.Minute)) {
		return planned
	}
	return notice.Moment{Time: at}
}

// phrase is a sentence with a moment in it.
type phrase struct {
	Before string
	At     *moment // nil: the sentence is all in Before
	After  string
}

// phrase words a message around a moment; without one it is the message alone.
func (r reader) phrase(id string, at *moment) phrase {
	if at == nil {
		return phrase{Before: r.voice.Text(id)}
	}
	before, after := r.voice.Around(id, "At")
	return phrase{before, at, after}
}

// String is the phrase as plain text.
func (p phrase) String() string {
	if p.At == nil {
		return p.Before
	}
	return p.Before + p.At.String() + p.After
}

// HTML is the phrase on a page.
func (p phrase) HTML() template.HTML {
	html := template.HTML(template.HTMLEscapeString(p.Before))
	if p.At != nil {
		html += p.At.HTML()
	}
	return html + template.HTML(template.HTMLEscapeString(p.After))
}
