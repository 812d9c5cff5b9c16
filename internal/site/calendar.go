package site

import (
	"bytes"
	"cmp"
	"strings"
	"time"

	ics "github.com/arran4/golang-ical"

	"github.com/backsoon/backsoon/internal/notice"
)

// calendarPast is how many closures that are over a calendar holds, the latest.
// All others are in it.
const calendarPast = 200

// refresh is how often an application should look again: hourly, as an RFC 5545
// duration.
const refresh = "PT1H"

// appointment is a closure in a calendar.
type appointment struct {
	f          *face
	start, end notice.Moment
	grown      int       // by how many days the end is later than was planned; see shown
	changed    time.Time // the last change that is known of; zero: none is
	cancelled  bool
}

// calendar makes a channel's closures.ics: RFC 5545, with what RFC 7986 adds for
// calendars to subscribe to. It has no METHOD: that would make it an invitation,
// for which RFC 5546 wants an organizer.
func (b *builder) calendar(c channel) {
	var all []appointment
	var key uint64
	for _, f := range b.scheduled(c) {
		a := b.appointment(f, c)
		all = append(all, a)
		key = b.site.key(key, f.key, a.end.Unix(), a.cancelled)
	}
	r := b.reader
	b.keep(c.dir+"closures.ics", key|1, func(out *bytes.Buffer) error { return r.calendarOf(out, c, all) })
}

// scheduled gives the closures that the channel's calendar holds. One that is no
// longer about the channel's storefront stays, called off: applications may keep
// what they have once seen.
func (b *builder) scheduled(c channel) (faces []*face) {
	add := func(from []*face, most int) {
		for i, added := 0, 0; i < len(from) && added < most; i++ {
			if f := from[i]; !f.n.Draft && c.concerns(f) {
				faces = append(faces, f)
				added++
			}
		}
	}
	add(b.all.ongoing, len(b.all.ongoing))
	add(b.all.coming, len(b.all.coming))
	add(b.all.past, calendarPast)
	return faces
}

func (r reader) appointment(f *face, c channel) appointment {
	a := appointment{f: f, cancelled: f.n.Cancelled || !c.covers(f)}
	a.start, a.end, a.grown, a.changed = r.shown(f)
	return a
}

// shown gives the ends of a closure as a calendar should show them: the actual end
// where there is one, else the planned one. A calendar can't say "until further
// notice", nor that a reopening is late: such a closure lasts to the end of the
// present day, and so is a day longer each day; one that is still ahead lasts to
// the end of its first day. grown counts the days, changed is the last change.
func (r reader) shown(f *face) (start, end notice.Moment, grown int, changed time.Time) {
	n, loc := f.n, r.site.cfg.Shop.Location
	start, end = n.Closes, n.Until()
	changed = f.changed
	switch since := start.Time; {
	case f.basis.phase == notice.Overdue, end.IsZero() && n.InForce(r.now):
		if !end.IsZero() {
			since = end.Time
		}
		end = notice.Moment{Time: midnight(r.now.In(loc), 1), DateOnly: true}
		grown = days(since.In(loc), end.Time)
		changed = later(changed, later(since, midnight(r.now.In(loc), 0)))
	case end.IsZero():
		end = notice.Moment{Time: midnight(start.In(loc), 1), DateOnly: true}
	case f.basis.phase == notice.Reopened && !f.facts.Reopened.IsZero():
		end = observed(f.facts.Reopened, end)
	}
	return start, end, grown, changed
}

// days counts the midnights from one time to another, each on its own clocks.
func days(from, to time.Time) int {
	date := func(t time.Time) time.Time { return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC) }
	return int(date(to).Sub(date(from)) / (24 * time.Hour))
}

func later(t, u time.Time) time.Time {
	if t.Before(u) {
		return u
	}
	return t
}

// sequence numbers an appointment's revisions (RFC 5545, section 3.8.7.4): each
// version of the notice comes before anything that time alone does to it. Without
// a ledger versions are not known, and what an owner can only have added counts.
func (a appointment) sequence() int {
	const perVersion = 10_000 // more days than a closure lasts
	n, facts := a.f.n, a.f.facts
	versions := facts.Versions
	if versions == 0 {
		versions = 1 + len(n.Updates) + count(!n.Reopens.IsZero(), !n.Reopened.IsZero(), n.Cancelled)
	}
	acted := count(!facts.Closed.IsZero(), !facts.Reopened.IsZero())
	return (versions-1)*perVersion + min(a.grown, perVersion-3) + acted
}

// count counts what is true.
func count(conditions ...bool) (n int) {
	for _, c := range conditions {
		if c {
			n++
		}
	}
	return n
}

func (r reader) calendarOf(out *bytes.Buffer, c channel, all []appointment) error {
	cal := ics.NewCalendar()
	cal.SetProductId("-//backsoon//backsoon//EN")
	cal.SetCalscale("GREGORIAN")
	cal.SetName(plain(r.title(c)))
	cal.SetDescription(plain(r.about(c)))
	cal.SetXWRCalDesc(plain(r.about(c)))
	cal.SetUrl(r.page(c))
	cal.SetColor("steelblue")
	cal.SetRefreshInterval(refresh)
	cal.SetXPublishedTTL(refresh)
	var changed time.Time
	for _, a := range all {
		cal.AddVEvent(r.event(a))
		changed = later(changed, a.changed)
	}
	if !changed.IsZero() {
		cal.SetLastModified(changed)
	}
	if len(all) == 0 {
		cal.AddVTimezone(utc())
	}
	return cal.SerializeTo(out, ics.WithNewLineWindows, ics.WithLineLength(75))
}

// utc is what a calendar without closures holds: it must hold something (RFC
// 5545, section 3.6).
func utc() *ics.VTimezone {
	zone := ics.NewTimezone("UTC")
	standard := zone.AddStandard()
	standard.SetProperty(ics.ComponentPropertyDtStart, "19700101T000000")
	standard.SetProperty(ics.ComponentProperty(ics.PropertyTzoffsetfrom), "+0000")
	standard.SetProperty(ics.ComponentProperty(ics.PropertyTzoffsetto), "+0000")
	return zone
}

// event makes the VEVENT. Whole days are dates. Any other time is an instant in
// UTC: nothing here recurs, so that no application needs to know, or can get
// wrong, the rules of the shop's zone.
func (r reader) event(a appointment) *ics.VEvent {
	n := a.f.n
	e := ics.NewEvent(n.Slug + "@" + r.site.cfg.Shop.URL.Hostname())
	stamp := a.changed
	if stamp.IsZero() {
		stamp = time.Unix(0, 0) // required, and nobody knows
	}
	e.SetDtStampTime(stamp) // without a METHOD that is the last revision, too
	e.SetModifiedAt(stamp)
	if !a.f.announced.IsZero() && !a.f.announced.After(r.now) {
		e.SetCreatedTime(a.f.announced)
	}
	e.SetSequence(a.sequence())
	r.setTimes(e, a)
	e.SetSummary(plain(r.calendarTitle(a)))
	e.SetDescription(r.calendarText(a.f))
	e.SetURL(r.closureURL(n.Slug).String())
	for _, name := range r.storefrontNames(n) {
		e.AddProperty(ics.ComponentPropertyCategories, plain(name))
	}
	status := ics.ObjectStatusConfirmed
	if a.cancelled {
		status = ics.ObjectStatusCancelled
	}
	e.SetStatus(status)
	e.SetProperty(ics.ComponentPropertyTransp, "TRANSPARENT") // it keeps no customer busy
	return e
}

// setTimes leaves the end out where it is not after the start.
func (r reader) setTimes(e *ics.VEvent, a appointment) {
	if loc := r.site.cfg.Shop.Location; a.start.DateOnly && a.end.DateOnly {
		e.SetAllDayStartAt(a.start.In(loc))
		if a.end.After(a.start.Time) {
			e.SetAllDayEndAt(a.end.In(loc)) // the first day that is not part of it, as in a notice
		}
		return
	}
	e.SetStartAt(a.start.Time)
	if a.end.After(a.start.Time) {
		e.SetEndAt(a.end.Time)
	}
}

func (r reader) calendarTitle(a appointment) string {
	if a.cancelled { // which not every application shows
		return r.voice.Text("calendar.cancelled", "Title", a.f.n.Title)
	}
	return a.f.n.Title
}

// calendarText is what there is to say about a closure, in a few lines. It is
// worded once: a calendar has hundreds.
func (r reader) calendarText(f *face) string {
	if text := f.text.Load(); text != nil {
		return *text
	}
	c := r.closure(f, "")
	lines := []string{c.Planned().String()}
	if actual := c.Actual(); actual != nil {
		lines = append(lines, actual.String())
	}
	if c.Partial() {
		lines = append(lines, r.voice.Text("calendar.where", "Storefronts", c.Storefronts()))
	}
	if summary := notice.Summary(f.n.Body); summary != "" {
		lines = append(lines, summary)
	}
	if us := r.updates(f.n); len(us) > 0 {
		at := r.moment(us[0].At, false).String()
		lines = append(lines, r.voice.Text("calendar.update", "At", at, "Text", cmp.Or(us[0].Title, notice.Summary(us[0].Body))))
	}
	text := plain(strings.Join(append(lines, r.closureURL(f.n.Slug).String()), "\n"))
	f.text.Store(&text)
	return text
}

// plain is text without what RFC 5545, section 3.3.11, has no place for.
func plain(s string) string { return printable(strings.ReplaceAll(s, "\r", "")) }
