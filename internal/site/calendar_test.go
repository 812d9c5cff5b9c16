package site

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/apognu/gocal"
	"github.com/emersion/go-ical"

	"github.com/backsoon/backsoon/internal/notice"
)

// opened reads a calendar as an application does. By their UIDs' first half it
// gives the events.
func opened(t testing.TB, content []byte) map[string]ical.Event {
	t.Helper()
	cal, err := ical.NewDecoder(bytes.NewReader(content)).Decode()
	if err != nil {
		t.Fatalf("%v in\n%s", err, content)
	}
	events := map[string]ical.Event{}
	for _, e := range cal.Events() {
		slug, host, _ := strings.Cut(text(t, e, ical.PropUID), "@")
		if host != "status.harbourbooks.example" {
			t.Errorf("%s is of %s", slug, host)
		}
		events[slug] = e
	}
	return events
}

func text(t testing.TB, e ical.Event, property string) string {
	t.Helper()
	s, err := e.Props.Text(property)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func sequence(t testing.TB, e ical.Event) int {
	t.Helper()
	n, err := e.Props.Get(ical.PropSequence).Int()
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// value is a property as it is written, with what stands before the colon.
func value(e ical.Event, property string) string {
	p := e.Props.Get(property)
	if p == nil {
		return ""
	}
	return strings.Join(append(p.Params[ical.ParamValue], p.Value), ":")
}

// calendarOf makes the calendar of one notice, as it is at a moment.
func calendarOf(t testing.TB, now string, n *notice.Notice, facts Facts) ical.Event {
	t.Helper()
	in := input(t, now)
	in.Notices, in.Known = []*notice.Notice{n}, &Known{Notices: map[string]Facts{n.Slug: facts}}
	return opened(t, rendered(t, in, "closures.ics"))[n.Slug]
}

// A calendar shows a closure as it was planned until it is known how it came. One
// whose end nobody knows lasts to the end of the present day.
func TestCalendarSpans(t *testing.T) {
	closure := func(closes, reopens, reopened string) *notice.Notice {
		n := &notice.Notice{Slug: "c", Title: "C", Closes: at(t, closes)}
		if reopens != "" {
			n.Reopens = at(t, reopens)
		}
		if reopened != "" {
			n.Reopened = at(t, reopened)
		}
		return n
	}
	overdue := func(n *notice.Notice) *notice.Notice {
		n.Reopening = []notice.Step{{Name: "x"}}
		return n
	}
	for _, tt := range []struct {
		name, now  string
		n          *notice.Notice
		facts      Facts
		start, end string
	}{
		{"planned", "2026-12-01 10:00", closure("2026-12-24 18:00", "2027-01-02 09:00", ""), Facts{}, "20261224T180000Z", "20270102T090000Z"},
		{"whole days", "2026-12-01 10:00", closure("2026-12-24", "2027-01-02", ""), Facts{}, "DATE:20261224", "DATE:20270102"},
		{"one whole day", "2026-12-01 10:00", closure("2026-12-24", "2026-12-25", ""), Facts{}, "DATE:20261224", "DATE:20261225"},
		{"a day to a time", "2026-07-01 10:00", closure("2026-07-24", "2026-07-26 12:00", ""), Facts{}, "20260723T230000Z", "20260726T110000Z"},
		{"a time to a day", "2026-12-01 10:00", closure("2026-12-24 18:00", "2026-12-26", ""), Facts{}, "20261224T180000Z", "20261226T000000Z"},
		{"with seconds", "2026-12-01 10:00", &notice.Notice{Slug: "c", Closes: notice.Moment{Time: at(t, "2026-12-24 18:00").Add(30 * time.Second)}, Reopens: at(t, "2026-12-26 09:00")}, Facts{}, "20261224T180030Z", "20261226T090000Z"},
		{"ahead, until further notice", "2026-12-01 10:00", closure("2026-12-24 18:00", "", ""), Facts{}, "20261224T180000Z", "20261225T000000Z"},
		{"days ahead, until further notice", "2026-12-01 10:00", closure("2026-12-24", "", ""), Facts{}, "DATE:20261224", "DATE:20261225"},
		{"until further notice, on the third day", "2026-12-26 10:00", closure("2026-12-24 18:00", "", ""), Facts{}, "20261224T180000Z", "20261227T000000Z"},
		{"days until further notice", "2026-12-26 00:00", closure("2026-12-24", "", ""), Facts{}, "DATE:20261224", "DATE:20261227"},
		{"in summer until further notice", "2026-07-26 10:00", closure("2026-07-24 18:00", "", ""), Facts{}, "20260724T170000Z", "20260726T230000Z"},
		{"overdue", "2027-01-02 09:00", overdue(closure("2026-12-24 18:00", "2027-01-02 09:00", "")), Facts{}, "20261224T180000Z", "20270103T000000Z"},
		{"overdue for days", "2027-01-04 08:00", overdue(closure("2026-12-24", "2027-01-02", "")), Facts{}, "DATE:20261224", "DATE:20270105"},
		{"reopened early", "2027-01-04 08:00", closure("2026-12-24 18:00", "2027-01-02 09:00", "2026-12-30 12:00"), Facts{}, "20261224T180000Z", "20261230T120000Z"},
		{"days, reopened late by days", "2027-01-04 08:00", closure("2026-12-24", "2027-01-02", "2027-01-03"), Facts{}, "DATE:20261224", "DATE:20270103"},
		{"days, reopened at a time", "2027-01-04 08:00", closure("2026-12-24", "2027-01-02", "2027-01-01 12:00"), Facts{}, "20261224T000000Z", "20270101T120000Z"},
		{"reopened as the ledger saw it", "2027-01-04 08:00", closure("2026-12-24 18:00", "2027-01-02 09:00", ""),
			Facts{Closed: at(t, "2026-12-24 18:00").Time, Reopened: at(t, "2027-01-02 09:10").Add(7 * time.Second)}, "20261224T180000Z", "20270102T091000Z"},
		{"a day kept as the ledger saw it", "2027-01-04 08:00", closure("2026-12-24", "2027-01-02", ""),
			Facts{Closed: at(t, "2026-12-24 00:00").Time, Reopened: at(t, "2027-01-02 00:00").Add(2 * time.Second)}, "DATE:20261224", "DATE:20270102"},
		{"seconds kept as the ledger saw them", "2027-01-04 08:00", &notice.Notice{Slug: "c", Closes: at(t, "2026-12-24 18:00"), Reopens: notice.Moment{Time: at(t, "2026-12-24 18:00").Add(40 * time.Second)}},
			Facts{Closed: at(t, "2026-12-24 18:00").Time, Reopened: at(t, "2026-12-24 18:00").Add(40_100 * time.Millisecond)}, "20261224T180000Z", "20261224T180040Z"},
		{"reopened at once", "2027-01-04 08:00", closure("2026-12-24 18:00", "", "2026-12-24 18:00"), Facts{}, "20261224T180000Z", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := calendarOf(t, tt.now, tt.n, tt.facts)
			if start, end := value(e, ical.PropDateTimeStart), value(e, ical.PropDateTimeEnd); start != tt.start || end != tt.end {
				t.Errorf("from %s to %s, want %s to %s", start, end, tt.start, tt.end)
			}
		})
	}
}

// An instant is the same one in any zone, on either side of the change of clocks,
// and a day is that day on the shop's clocks.
func TestCalendarIsRightAcrossDST(t *testing.T) {
	for _, zone := range []string{"Europe/Lisbon", "Australia/Lord_Howe", "America/New_York"} {
		loc, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		in := input(t, "2026-01-01 10:00")
		in.Config.Shop.Location, in.Notices = loc, nil
		for day := time.Date(2036, 1, 1, 0, 0, 0, 0, loc); day.Year() == 2036; day = day.AddDate(0, 0, 1) {
			timed := notice.Moment{Time: time.Date(2036, day.Month(), day.Day(), 1, 45, 0, 0, loc)}
			slug := day.Format("0102")
			in.Notices = append(in.Notices,
				&notice.Notice{Slug: "t" + slug, Title: "T", Closes: timed, Reopens: notice.Moment{Time: timed.Add(90 * time.Minute)}},
				&notice.Notice{Slug: "d" + slug, Title: "D", Closes: notice.Moment{Time: day, DateOnly: true}, Reopens: notice.Moment{Time: day.AddDate(0, 0, 1), DateOnly: true}})
		}
		content := rendered(t, in, "closures.ics")
		events := opened(t, content)
		for _, n := range in.Notices {
			e := events[n.Slug]
			start, errStart := e.DateTimeStart(loc)
			end, errEnd := e.DateTimeEnd(loc)
			if errStart != nil || errEnd != nil || !start.Equal(n.Closes.Time) || !end.Equal(n.Reopens.Time) {
				t.Errorf("%s: %v to %v, want %v to %v", zone, start, end, n.Closes, n.Reopens)
			}
		}
		checkWithGocal(t, content, in.Notices, loc)
	}
}

// checkWithGocal reads the calendar by yet another library.
func checkWithGocal(t *testing.T, content []byte, notices []*notice.Notice, loc *time.Location) {
	t.Helper()
	from, to := time.Unix(0, 0), time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)
	c := gocal.NewParser(bytes.NewReader(content))
	c.Start, c.End, c.AllDayEventsTZ = &from, &to, loc
	if err := c.Parse(); err != nil {
		t.Fatal(err)
	}
	found := map[string]gocal.Event{}
	for _, e := range c.Events {
		found[strings.TrimSuffix(e.Uid, "@status.harbourbooks.example")] = e
	}
	for _, n := range notices {
		e := found[n.Slug]
		if e.Start == nil || !e.Start.Equal(n.Closes.Time) || e.Summary != n.Title || e.Status != "CONFIRMED" || e.Stamp == nil {
			t.Errorf("gocal reads %s as %+v", n.Slug, e)
		}
	}
}

// However a title falls on the folds, it comes out as the owner wrote it.
func TestCalendarKeepsAnyText(t *testing.T) {
	in := input(t, "2026-12-29 11:00")
	in.Notices = nil
	for i := range 80 {
		title := strings.Repeat("x", i) + "🌊, “a”; b: c\\n d\\ 洪水 " + strings.Repeat("é", i) + "  👩‍🚀\nnext\tline"
		in.Notices = append(in.Notices, &notice.Notice{Slug: fmt.Sprintf("c-%d", i), Title: title + "\r\a", Closes: at(t, "2036-12-28 10:00"),
			Body: strings.Repeat("🌊;", 40) + "\n\nNot in the summary."})
	}
	content := rendered(t, in, "closures.ics")
	checkLines(t, content)
	events := opened(t, content)
	for _, n := range in.Notices {
		e := events[n.Slug]
		if got := text(t, e, ical.PropSummary); got+"\r\a" != n.Title {
			t.Errorf("%q came out as %q", n.Title, got)
		}
		if got := text(t, e, ical.PropDescription); !strings.Contains(got, "\n"+strings.Repeat("🌊;", 40)+"\n"+home) {
			t.Errorf("description: %q", got)
		}
	}
}

// checkLines wants lines as RFC 5545 has them: no longer than 75 octets, no
// character torn apart, each ended by CRLF, no control character in any.
func checkLines(t *testing.T, content []byte) {
	t.Helper()
	lines := strings.Split(string(content), "\r\n")
	if lines[len(lines)-1] != "" {
		t.Error("the last line has no end")
	}
	for _, line := range lines {
		if len(line) > 75 || !utf8.ValidString(line) || strings.ContainsFunc(line, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7F }) {
			t.Errorf("the line %q", line)
		}
	}
}

func TestCalendarsAreSound(t *testing.T) {
	required := []string{ical.PropUID, ical.PropDateTimeStamp, ical.PropDateTimeStart, ical.PropDateTimeEnd, ical.PropSummary,
		ical.PropDescription, ical.PropURL, ical.PropSequence, ical.PropLastModified, ical.PropStatus, ical.PropTransparency, ical.PropCategories}
	inStates(t, func(t *testing.T, in sample, files Files) {
		for _, dir := range []string{"", "pt/", "storefronts/web/", "pt/storefronts/market/"} {
			content := files[dir+"closures.ics"]
			checkLines(t, content)
			events := opened(t, content)
			if len(events) < 5 || events["plans"].Component != nil {
				t.Errorf("%sclosures.ics has %d events, or the draft", dir, len(events))
			}
			for slug, e := range events {
				for _, p := range required {
					if e.Props.Get(p) == nil {
						t.Errorf("%s%s lacks %s", dir, slug, p)
					}
				}
				stamp, err := e.Props.DateTime(ical.PropDateTimeStamp, nil)
				if err != nil || stamp.After(in.Now) {
					t.Errorf("%s%s was changed at %v, %v", dir, slug, stamp, err)
				}
				u, err := e.Props.URI(ical.PropURL)
				page := strings.TrimPrefix(fmt.Sprint(u), home) + "index.html"
				if err != nil || files[page] == nil || strings.HasPrefix(page, "pt/") != strings.HasPrefix(dir, "pt/") {
					t.Errorf("%s%s leads to %s", dir, slug, u)
				}
			}
		}
	})
}

// A calendar without a closure still is one (RFC 5545, section 3.6: it has at
// least one component).
func TestEmptyCalendar(t *testing.T) {
	in := input(t, "2026-12-29 11:00")
	in.Notices = nil
	content := rendered(t, in, "closures.ics")
	cal, err := ical.NewDecoder(bytes.NewReader(content)).Decode()
	if err != nil || len(cal.Children) == 0 || len(cal.Events()) > 0 {
		t.Errorf("%v in\n%s", err, content)
	}
}

func TestCalendarProperties(t *testing.T) {
	cal, err := ical.NewDecoder(bytes.NewReader(rendered(t, input(t, "2026-12-29 11:00"), "storefronts/web/closures.ics"))).Decode()
	if err != nil {
		t.Fatal(err)
	}
	for property, want := range map[string]string{
		"VERSION": "2.0", "CALSCALE": "GREGORIAN", "NAME": "Online shop (Harbour Books): closures", "X-WR-CALNAME": "Online shop (Harbour Books): closures",
		"REFRESH-INTERVAL": "PT1H", "X-PUBLISHED-TTL": "PT1H", "COLOR": "steelblue", "URL": home + "storefronts/web/", "LAST-MODIFIED": "20261228T160000Z",
	} {
		if p := cal.Props.Get(property); p == nil || p.Value != want {
			t.Errorf("%s: %+v, want %s", property, p, want)
		}
	}
	if cal.Props.Get("METHOD") != nil {
		t.Error("a METHOD makes it an invitation")
	}
}

// Whoever has a cancelled closure in the calendar learns that it is off; so does
// whoever follows a storefront that it is no longer about.
func TestCalendarKeepsWhatWasCalledOff(t *testing.T) {
	in := input(t, "2026-12-22 11:00")
	n, changes := changed(t)
	in.Notices[0], in.Known = n, &Known{Changes: map[string][]Change{n.Slug: changes}}
	files := build(t, in)
	for _, tt := range []struct{ file, slug, status string }{
		{"closures.ics", "fair", "CANCELLED"}, {"storefronts/market/closures.ics", "fair", "CANCELLED"}, {"closures.ics", "summer", "CONFIRMED"},
		{"closures.ics", n.Slug, "CONFIRMED"}, {"storefronts/market/closures.ics", n.Slug, "CONFIRMED"}, {"storefronts/web/closures.ics", n.Slug, "CANCELLED"},
	} {
		e := opened(t, files[tt.file])[tt.slug]
		if got := text(t, e, ical.PropStatus); got != tt.status {
			t.Errorf("%s in %s: %s, want %s", tt.slug, tt.file, got, tt.status)
		}
		if got := strings.HasPrefix(text(t, e, ical.PropSummary), "Cancelled: "); got != (tt.status == "CANCELLED") {
			t.Errorf("%s in %s: %s", tt.slug, tt.file, text(t, e, ical.PropSummary))
		}
	}
	if _, ok := opened(t, files["storefronts/web/closures.ics"])["fair"]; ok {
		t.Error("a closure of the market is in the online shop's calendar")
	}
}

func TestCalendarIsCapped(t *testing.T) {
	in := input(t, "2026-12-29 11:00")
	in.Notices = append(in.Notices, many(t, 1000)...)
	events := opened(t, rendered(t, in, "closures.ics"))
	for _, slug := range []string{"winter-break", "stocktaking", "fair", "slow-post", "closure-00000", "closure-00150"} {
		if _, ok := events[slug]; !ok {
			t.Errorf("%s is missing", slug)
		}
	}
	if len(events) != 4+calendarPast {
		t.Errorf("%d events", len(events))
	}
}

// What an owner does to a closure, and what time does, never makes its number
// smaller, and whatever moves it in the calendar makes it greater.
func TestCalendarSequenceGrows(t *testing.T) {
	type step struct {
		now string
		do  func(n *notice.Notice)
	}
	update := func(text string) func(n *notice.Notice) {
		return func(n *notice.Notice) {
			n.Updates = append(slices.Clone(n.Updates), notice.Update{At: at(t, text).Time, Title: "U", Body: "U."})
		}
	}
	stories := map[string][]step{
		"until further notice, then an end": {
			{"2026-12-20 10:00", nil}, {"2026-12-24 19:00", nil}, {"2026-12-25 10:00", nil}, {"2026-12-26 10:00", nil},
			{"2026-12-26 11:00", update("2026-12-26 10:30")}, {"2026-12-29 10:00", nil},
			{"2026-12-29 11:00", func(n *notice.Notice) { n.Reopens = at(t, "2027-01-02 09:00") }},
			{"2026-12-30 11:00", func(n *notice.Notice) { n.Reopened = at(t, "2026-12-27 09:00") }},
		},
		"late, then open": {
			{"2026-12-20 10:00", func(n *notice.Notice) { n.Reopens, n.Reopening = at(t, "2026-12-28 09:00"), []notice.Step{{Name: "x"}} }},
			{"2026-12-28 10:00", nil}, {"2026-12-29 10:00", nil}, {"2027-01-05 10:00", nil},
			{"2027-01-05 11:00", func(n *notice.Notice) { n.Reopened = at(t, "2027-01-05 11:00") }},
		},
		"cancelled": {
			{"2026-12-20 10:00", nil}, {"2026-12-21 10:00", update("2026-12-21 09:00")},
			{"2026-12-22 10:00", func(n *notice.Notice) { n.Cancelled = true }},
		},
	}
	for name, story := range stories {
		for _, ledger := range []bool{false, true} {
			t.Run(fmt.Sprint(name, ledger), func(t *testing.T) {
				n := &notice.Notice{Slug: "c", Title: "C", Published: at(t, "2026-12-01 10:00"), Closes: at(t, "2026-12-24 18:00")}
				var facts Facts
				last, shown := -1, ""
				for _, s := range story {
					if s.do != nil {
						m := *n
						n = &m
						s.do(n)
						facts.Versions++
						facts.Revised = at(t, s.now).Time
					}
					facts.Versions = max(1, facts.Versions)
					known := facts
					if !ledger {
						known = Facts{}
					}
					e := calendarOf(t, s.now, n, known)
					seen := value(e, ical.PropDateTimeEnd) + text(t, e, ical.PropStatus) + text(t, e, ical.PropDescription)
					if got := sequence(t, e); got < last || got == last && seen != shown {
						t.Errorf("at %s: %d after %d, %s after %s", s.now, got, last, seen, shown)
					} else {
						last, shown = got, seen
					}
				}
			})
		}
	}
}

// The present alone changes nothing in a calendar, but the day's end does where
// the end is not known.
func TestCalendarChangesOnlyWithItsClosures(t *testing.T) {
	n := winter(t)
	n.Reopening = nil
	edition := func(site *Site, in sample, now string) *Edition {
		in.Now = at(t, now).Time
		e, err := site.Edition(in.Input)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	in := input(t, "2026-12-29 11:00")
	for reopens, same := range map[string]bool{"2027-01-02 09:00": true, "": false} {
		m := *n
		m.Reopens = notice.Moment{}
		if reopens != "" {
			m.Reopens = at(t, reopens)
		}
		in.Notices = []*notice.Notice{&m}
		site := New(in.Config, in.Theme)
		morning, evening, next := edition(site, in, "2026-12-29 00:00"), edition(site, in, "2026-12-29 23:59"), edition(site, in, "2026-12-30 00:00")
		if !morning.Same(evening, "closures.ics") {
			t.Errorf("reopens %q: another calendar within the day", reopens)
		}
		if evening.Same(next, "closures.ics") != same {
			t.Errorf("reopens %q: the same calendar on the next day: %v", reopens, !same)
		}
	}
}
