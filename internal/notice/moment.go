package notice

import (
	"fmt"
	"regexp"
	"time"

	"github.com/backsoon/backsoon/internal/strictyaml"
)

const exampleTime = "2026-12-24 18:00"

const (
	layoutDate   = "2006-01-02"
	layoutMinute = "2006-01-02 15:04"
	layoutSecond = "2006-01-02 15:04:05"
)

// timeShape is a date; a date and a local time; or RFC 3339, whose seconds may
// be left out.
var timeShape = regexp.MustCompile(`^(\d{4}-\d{2}-\d{2})(?:[Tt ](\d{2}:\d{2})(:\d{2})?([Zz]|[+-]\d{2}:\d{2})?)?$`)

// String writes the moment as an owner does: a bare date, a local time of the
// shop, or RFC 3339 where the owner gave an offset or the local time alone would
// mean another instant.
func (m Moment) String() string {
	switch name := m.Location().String(); {
	case m.DateOnly:
		return m.Format(layoutDate)
	case name == "" || name == "UTC" || !m.readsBack():
		return m.Format(time.RFC3339)
	case m.Second() != 0:
		return m.Format(layoutSecond)
	}
	return m.Format(layoutMinute)
}

// readsBack tells whether the local time alone means this instant: it doesn't in
// one half of the hour that autumn repeats.
func (m Moment) readsBack() bool {
	return sameWall(m.Time, m.Location()).Equal(m.Time)
}

// ParseMoment reads a time as owners write it: `2026-12-24`, `2026-12-24 18:00`,
// with seconds, with a T for the space, or RFC 3339 with an offset. Without one
// it is a time in loc, resolved as time.Date does. doubt is empty, or says which
// instant was taken where the local time doesn't exist or happens twice.
func ParseMoment(text string, loc *time.Location) (m Moment, doubt string, err error) {
	f := timeShape.FindStringSubmatch(text)
	if f == nil {
		return Moment{}, "", fmt.Errorf("%q is not a time; write %s", strictyaml.Clip(text), exampleTime)
	}
	date, clock, seconds, offset := f[1], f[2], f[3], f[4]
	m.DateOnly = clock == ""
	if m.DateOnly {
		clock = "00:00"
	}
	if seconds == "" {
		seconds = ":00"
	}
	wall, err := time.Parse(layoutSecond, date+" "+clock+seconds)
	if err != nil {
		return Moment{}, "", fmt.Errorf("%q is not in the calendar; write a date and time that exist, such as %s", text, exampleTime)
	}
	if y := wall.Year(); y < 1970 || y > 2999 {
		return Moment{}, "", fmt.Errorf("the year %04d must be a slip; write %s", y, exampleTime)
	}
	if offset != "" {
		m.Time, err = withOffset(wall, offset)
		return m, "", err
	}
	m.Time = sameWall(wall, loc)
	return m, doubtful(wall, m.Time), nil
}

// realOffset is stricter than package time, which takes +24:60.
var realOffset = regexp.MustCompile(`^[+-](0\d|1[0-4]):[0-5]\d$`)

// withOffset never gives time.Local: the notice would depend on the machine.
func withOffset(wall time.Time, offset string) (time.Time, error) {
	if offset == "Z" || offset == "z" {
		return wall, nil
	}
	t, err := time.ParseInLocation(time.RFC3339, wall.Format("2006-01-02T15:04:05")+offset, time.UTC)
	if err != nil || !realOffset.MatchString(offset) {
		return time.Time{}, fmt.Errorf("%q is not an offset from UTC; write Z or +01:00, or leave it out for the shop's own time", offset)
	}
	return t, nil
}

// sameWall is the moment at which loc's clocks show what t shows.
func sameWall(t time.Time, loc *time.Location) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, loc)
}

// showsSame tells whether the clocks of both zones show the same, to the second.
func showsSame(t, u time.Time) bool { return sameWall(t, time.UTC).Equal(sameWall(u, time.UTC)) }

// doubtful says in words that a local time doesn't exist or happens twice.
func doubtful(wall, t time.Time) string {
	if !showsSame(t, wall) {
		return fmt.Sprintf("%s does not exist in %s, where the clocks go forward then; taken as %s (%s)",
			wall.Format(layoutMinute), t.Location(), t.Format(layoutMinute), t.Format(time.RFC3339))
	}
	if _, twice := other(t); twice {
		return fmt.Sprintf("%s happens twice in %s, where the clocks go back then; taken as %s: write it so, or with the other offset",
			wall.Format(layoutMinute), t.Location(), t.Format(time.RFC3339))
	}
	return ""
}

// other is the second instant at which the clocks of t's zone show the same.
func other(t time.Time) (time.Time, bool) {
	_, offset := t.Zone()
	start, end := t.ZoneBounds()
	for _, neighbour := range []time.Time{start.Add(-time.Second), end} {
		if neighbour.Year() < 1900 { // no bound on that side
			continue
		}
		_, o := neighbour.Zone()
		u := t.Add(time.Duration(offset-o) * time.Second)
		if !u.Equal(t) && showsSame(u, t) {
			return u, true
		}
	}
	return t, false
}

func readMoment(v strictyaml.Value, loc *time.Location) Moment {
	text, ok := v.Text(exampleTime)
	if !ok {
		return Moment{}
	}
	m, doubt, err := ParseMoment(text, loc)
	if err != nil {
		v.Errorf("%v", err)
	}
	if doubt != "" {
		v.Warnf("%s", doubt)
	}
	return m
}
