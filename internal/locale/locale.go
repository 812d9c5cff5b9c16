// Package locale puts words and dates into the reader's language. English is
// the only one so far; whatever prints a date for a person asks here, so that
// another language is added in one place.
package locale

import (
	"strings"
	"time"
)

// near is how close a moment must be for its year to go without saying: a year
// has two of each date, and within half of one there is no doubt which is meant.
const near = 180 * 24 * time.Hour

// When prints t on the clocks of loc: "Sat 2 January, 09:00", with seconds only
// where there are any, and without the hour when dateOnly. The year is added
// ("Sat 2 January 2027, 09:00") when it isn't the year of now in loc and t is
// more than 180 days from now, before or after. The zone isn't printed; see Zone.
func When(t time.Time, dateOnly bool, now time.Time, loc *time.Location) string {
	t, now = t.In(loc), now.In(loc)
	layout := "Mon 2 January"
	if t.Year() != now.Year() && t.Sub(now).Abs() > near {
		layout += " 2006"
	}
	switch {
	case dateOnly:
	case t.Second() != 0:
		layout += ", 15:04:05"
	default:
		layout += ", 15:04"
	}
	return t.Format(layout)
}

// Zone names a time zone as people do, by its city: "Lisbon" for Europe/Lisbon,
// "Buenos Aires" for America/Argentina/Buenos_Aires, "UTC" for UTC.
func Zone(loc *time.Location) string {
	name := loc.String()
	name = name[strings.LastIndexByte(name, '/')+1:]
	return strings.ReplaceAll(name, "_", " ")
}

// List joins names as a sentence does: "a", "a and b", "a, b and c".
func List(names []string) string {
	last := len(names) - 1
	if last < 1 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:last], ", ") + " and " + names[last]
}
