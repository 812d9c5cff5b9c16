package site

import (
	"html/template"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/backsoon/backsoon/internal/schedule"
)

// almanacMonths is how many the almanac of a page shows, this one first.
const almanacMonths = 12

// almanac is twelve months in which the closed days stand out.
type almanac struct {
	Year     int      // of the first month
	Month    int      // the first one: 12 for December
	Weekdays []string // their shortest names, the week's first one first
	Months   []month
	Whole    int           // days on which all is closed from midnight to midnight
	Part     int           // days on which some is closed, or for some of the time
	Unsure   bool          // there are days of which nobody can say
	Several  bool          // storefronts, which need not be closed at the same time
	Spans    []almanacSpan // what the days show, in words
}

// almanacSpan is an unbroken time of being closed, in words.
type almanacSpan struct {
	Storefronts string // empty: all that the page is about
	Period      period
}

type month struct {
	Name  string // January 2027
	Weeks [][]day
}

// day is one of a month. Number 0 is a gap before the first.
type day struct {
	Number int
	Kind   string // see the kinds of days
	Today  bool
}

// The kinds of days in an almanac; any other is as usual.
const (
	dayWhole  = "whole"
	dayPart   = "part"
	dayUnsure = "unsure" // a closure without an end reaches it
)

// Rows are the month's weeks as rows of a table. They are put together here, and
// not by a template, because there are so many days on a page.
func (m month) Rows() template.HTML {
	var b strings.Builder
	for _, week := range m.Weeks {
		b.WriteString("<tr>")
		for _, d := range week {
			d.cell(&b)
		}
		b.WriteString("</tr>\n")
	}
	return template.HTML(b.String())
}

// cell writes the day as a cell whose classes are its kind, and today.
func (d day) cell(b *strings.Builder) {
	class := d.Kind
	if d.Today {
		class = strings.TrimSpace(class + " today")
	}
	if class != "" {
		class = ` class="` + class + `"`
	}
	number := ""
	if d.Number > 0 {
		number = strconv.Itoa(d.Number)
	}
	b.WriteString("<td" + class + ">" + number + "</td>")
}

// almanac shows what the closures mean for these storefronts.
func (b *builder) almanac(states []schedule.State, closures []*face) almanac {
	now := b.now.In(b.site.cfg.Shop.Location)
	spans := make([][]span, len(states))
	for i, s := range states {
		spans[i] = b.spans(s.Storefront, closures)
	}
	c := almanac{Year: now.Year(), Month: int(now.Month()), Several: len(states) > 1}
	week := b.voice.WeekStart()
	for i := range time.Weekday(7) {
		c.Weekdays = append(c.Weekdays, b.voice.Weekday((week+i)%7))
	}
	for i := range almanacMonths {
		first := startOf(now.Year(), now.Month()+time.Month(i), 1, now.Location())
		name := b.voice.Text("almanac.month", "Month", b.voice.Month(first.Month()), "Year", first.Year())
		c.Months = append(c.Months, month{name, c.weeks(first, week, now, spans)})
	}
	c.Spans = b.spansInWords(states, spans, startOf(now.Year(), now.Month()+almanacMonths, 1, now.Location()))
	return c
}

// weeks lays the month that begins at first out in weeks.
func (c *almanac) weeks(first time.Time, begin time.Weekday, now time.Time, spans [][]span) (weeks [][]day) {
	week := make([]day, (first.Weekday()-begin+7)%7)
	last := time.Date(first.Year(), first.Month()+1, 0, 12, 0, 0, 0, time.UTC).Day()
	for number := 1; number <= last; number++ {
		d := startOf(first.Year(), first.Month(), number, first.Location())
		kind := kindOf(d, now, spans)
		c.count(kind)
		week = append(week, day{number, kind, d.Equal(midnight(now, 0))})
		if len(week) == 7 {
			weeks, week = append(weeks, week), nil
		}
	}
	if len(week) > 0 {
		weeks = append(weeks, week)
	}
	return weeks
}

func (c *almanac) count(kind string) {
	switch kind {
	case dayWhole:
		c.Whole++
	case dayPart:
		c.Part++
	case dayUnsure:
		c.Unsure = true
	}
}

// kindOf tells what the day that begins at d is like, with the spans of each
// storefront.
func kindOf(d, now time.Time, spans [][]span) string {
	end := midnight(d, 1)
	whole, part, unsure := 0, false, false
	for _, storefront := range spans {
		first := sort.Search(len(storefront), func(i int) bool { return storefront[i].endless() || storefront[i].to.After(d) })
		for _, s := range storefront[first:] {
			if !s.from.Before(end) {
				break // and so do those after it
			}
			until := s.until(now)
			switch {
			case !until.After(d):
				unsure = true
			case s.from.After(d) || until.Before(end):
				part = true
			default:
				whole++
			}
		}
	}
	switch {
	case whole == len(spans):
		return dayWhole
	case whole > 0 || part:
		return dayPart
	case unsure:
		return dayUnsure
	}
	return ""
}

// spansInWords lists the spans that begin before end, those that several
// storefronts share once.
func (b *builder) spansInWords(states []schedule.State, spans [][]span, end time.Time) []almanacSpan {
	type shared struct {
		span
		storefronts []string
	}
	var all []shared
	for i, s := range states {
		front, _ := b.site.cfg.Storefront(s.Storefront)
		for _, x := range spans[i] {
			at := slices.IndexFunc(all, func(o shared) bool { return o.from.Equal(x.from.Time) && o.to.Equal(x.to.Time) })
			if !x.from.Before(end) {
				continue
			}
			if at < 0 {
				at, all = len(all), append(all, shared{span: x})
			}
			all[at].storefronts = append(all[at].storefronts, front.Name)
		}
	}
	slices.SortStableFunc(all, func(x, y shared) int { return x.from.Compare(y.from.Time) })
	words := make([]almanacSpan, len(all))
	for i, s := range all {
		words[i].Period = b.spanInWords(s.span)
		if len(s.storefronts) < len(states) {
			words[i].Storefronts = b.voice.List(s.storefronts)
		}
	}
	return words
}

func (b *builder) spanInWords(s span) period {
	p := period{b.phrase("almanac.from", b.written(s.from)), b.phrase("period.open-ended", nil)}
	if !s.endless() {
		p[1] = b.phrase("almanac.until", b.written(s.to))
	}
	return p
}
