package notice

import (
	"strings"
	"testing"
	"time"
)

func TestParseMoment(t *testing.T) {
	for _, test := range []struct{ zone, text, want, doubt string }{
		{"Europe/Lisbon", "2026-12-24", "2026-12-24T00:00:00Z", ""},
		{"Europe/Lisbon", "2026-07-01 18:00", "2026-07-01T18:00:00+01:00", ""},
		{"Europe/Lisbon", "2026-07-01T18:00", "2026-07-01T18:00:00+01:00", ""},
		{"Europe/Lisbon", "2026-07-01 18:00:15", "2026-07-01T18:00:15+01:00", ""},
		{"Europe/Lisbon", "2026-07-01T18:00:00Z", "2026-07-01T18:00:00Z", ""},
		{"Europe/Lisbon", "2026-07-01T18:00:00-05:00", "2026-07-01T18:00:00-05:00", ""},
		{"Europe/Lisbon", "2024-02-29 12:00", "2024-02-29T12:00:00Z", ""},
		{"Europe/Lisbon", "2026-03-29 00:59:59", "2026-03-29T00:59:59Z", ""},
		{"Europe/Lisbon", "2026-03-29 01:00", "2026-03-29T02:00:00+01:00", "does not exist"},
		{"Europe/Lisbon", "2026-10-25 01:30", "2026-10-25T01:30:00Z", "twice"},
		{"Europe/Lisbon", "2026-10-25 02:00", "2026-10-25T02:00:00Z", ""},
		{"America/New_York", "2026-03-08 02:30", "2026-03-08T03:30:00-04:00", "does not exist"},
		{"America/New_York", "2026-11-01 01:30", "2026-11-01T01:30:00-04:00", "twice"},
		{"Australia/Lord_Howe", "2026-10-04 02:15", "2026-10-04T02:45:00+11:00", "does not exist"},
		{"Australia/Lord_Howe", "2026-04-05 01:45", "2026-04-05T01:45:00+11:00", "twice"},
		{"Pacific/Apia", "2011-12-30", "2011-12-31T00:00:00+14:00", "does not exist"},
		{"UTC", "2026-10-25 01:30", "2026-10-25T01:30:00Z", ""},
	} {
		loc := zone(t, test.zone)
		m, doubt, err := ParseMoment(test.text, loc)
		if err != nil {
			t.Errorf("%s: %v", test.text, err)
			continue
		}
		if test.doubt == "" {
			if got := m.Format(time.RFC3339); got != test.want || doubt != "" {
				t.Errorf("%s in %s is %s, want %s; doubt %q", test.text, test.zone, got, test.want, doubt)
			}
		} else if !strings.Contains(doubt, test.doubt) || !strings.Contains(doubt, m.Format(time.RFC3339)) {
			t.Errorf("%s in %s: the doubt is %q, the moment %s", test.text, test.zone, doubt, m.Format(time.RFC3339))
		}
		// What time.Date does with gap and fold is the contract.
		again, _, err := ParseMoment(m.String(), loc)
		if err != nil || !again.Equal(m.Time) || again.DateOnly != m.DateOnly {
			t.Errorf("%s is written %s, which reads as %v (%v)", test.text, m, again, err)
		}
	}
}

// TestDoubtIsExact walks through a year of quarter hours and compares with every
// instant at which the clocks show the same.
func TestDoubtIsExact(t *testing.T) {
	for _, name := range []string{"Europe/Lisbon", "Australia/Lord_Howe", "America/New_York", "Africa/Casablanca"} {
		loc := zone(t, name)
		shown := map[string]int{}
		begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		for q := -200; q < 366*96+200; q++ {
			shown[begin.Add(time.Duration(q)*15*time.Minute).In(loc).Format(layoutMinute)]++
		}
		for q := range 365 * 96 {
			wall := begin.Add(time.Duration(q) * 15 * time.Minute).Format(layoutMinute)
			_, doubt, err := ParseMoment(wall, loc)
			if err != nil || (shown[wall] == 1) != (doubt == "") {
				t.Fatalf("%s in %s happens %d times; doubt %q, error %v", wall, name, shown[wall], doubt, err)
			}
		}
	}
}

func TestNotMoments(t *testing.T) {
	for _, text := range []string{
		"", "soon", "24.12.2026", "2026-12-24 9:00", "2026-12-24 18h", "2026-12-24  18:00", "2026-12-24 18:00 CET", "2026-12-24 24:00",
		"2026-02-29", "2026-13-01", "2026-12-24 18:60", "2026-12-24 18:00:60", "2026-12-24 18:00:00.5", "2026-12-24T18:00:00+24:60", "0001-01-01", "9999-01-01",
	} {
		if m, _, err := ParseMoment(text, time.UTC); err == nil {
			t.Errorf("%q is read as %v", text, m)
		} else if !strings.Contains(err.Error(), "write ") {
			t.Errorf("%q: what to write instead is missing: %v", text, err)
		}
	}
}
