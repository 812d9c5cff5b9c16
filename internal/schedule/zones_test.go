package schedule

import (
	"fmt"
	"testing"
	"time"

	"github.com/backsoon/backsoon/internal/notice"
)

// TestZones: the owner writes wall time; what counts is the time that passes.
func TestZones(t *testing.T) {
	for _, test := range []struct {
		name, zone, closes, reopens string
		lasts                       time.Duration // 0: as time.Date resolves a time that there isn't, or is twice
	}{
		{"spring", "Europe/Lisbon", "2026-03-28 18:00", "2026-03-29 18:00", 23 * time.Hour},
		{"autumn", "Europe/Lisbon", "2026-10-24 18:00", "2026-10-25 18:00", 25 * time.Hour},
		{"within the gap", "Europe/Lisbon", "2026-03-29 01:30", "2026-03-29 04:00", 0},
		{"until within the gap", "Europe/Lisbon", "2026-03-28 22:00", "2026-03-29 01:30", 0},
		{"within the fold", "Europe/Lisbon", "2026-10-25 01:30", "2026-10-25 04:00", 0},
		{"until within the fold", "Europe/Lisbon", "2026-10-24 22:00", "2026-10-25 01:30", 0},
		{"half an hour in spring", "Australia/Lord_Howe", "2026-10-03 18:00", "2026-10-04 18:00", 23*time.Hour + 30*time.Minute},
		{"half an hour in autumn", "Australia/Lord_Howe", "2026-04-04 18:00", "2026-04-05 18:00", 24*time.Hour + 30*time.Minute},
		{"within half an hour's gap", "Australia/Lord_Howe", "2026-10-04 02:15", "2026-10-04 09:00", 0},
		{"within half an hour's fold", "Australia/Lord_Howe", "2026-04-05 01:45", "2026-04-05 09:00", 0},
		{"spring", "America/New_York", "2026-03-07 18:00", "2026-03-08 18:00", 23 * time.Hour},
		{"autumn", "America/New_York", "2026-10-31 18:00", "2026-11-01 18:00", 25 * time.Hour},
		{"within the gap", "America/New_York", "2026-03-08 02:30", "2026-03-08 09:00", 0},
		{"within the fold", "America/New_York", "2026-11-01 01:30", "2026-11-01 09:00", 0},
		{"over the day that was skipped", "Pacific/Apia", "2011-12-29 18:00", "2011-12-31 09:00", 15 * time.Hour},
		{"on the day that was skipped", "Pacific/Apia", "2011-12-30", "2012-01-02", 0},
		{"leap day", "Europe/Lisbon", "2028-02-28 18:00", "2028-03-01 18:00", 48 * time.Hour},
		{"on leap day", "Europe/Lisbon", "2028-02-29", "2028-03-01", 24 * time.Hour},
		{"no leap day", "Europe/Lisbon", "2027-02-28 18:00", "2027-03-01 18:00", 24 * time.Hour},
		{"another offset", "Europe/Lisbon", "2026-12-24T18:00:00+05:45", "2026-12-24 18:00", 5*time.Hour + 45*time.Minute},
	} {
		t.Run(test.zone+" "+test.name, func(t *testing.T) {
			loc, err := time.LoadLocation(test.zone)
			if err != nil {
				t.Fatal(err)
			}
			closes, reopens := resolve(t, test.closes, loc), resolve(t, test.reopens, loc)
			if lasts := reopens.Sub(closes); test.lasts != 0 && lasts != test.lasts {
				t.Fatalf("it lasts %s, want %s", lasts, test.lasts)
			}
			src := fmt.Sprintf("---\ntitle: Closed\ncloses: %s\nreopens: %s\n---\n", test.closes, test.reopens)
			n, problems := notice.Parse("closed.md", "closed", []byte(src), loc)
			if n == nil {
				t.Fatal(problems)
			}
			checkFlips(t, n, closes, reopens)
		})
	}
}

// resolve reads wall time as time.Date does.
func resolve(t *testing.T, text string, loc *time.Location) time.Time {
	t.Helper()
	for _, form := range []string{time.RFC3339, "2006-01-02 15:04", time.DateOnly} {
		if at, err := time.ParseInLocation(form, text, loc); err == nil {
			return at
		}
	}
	t.Fatalf("%q is no time", text)
	return time.Time{}
}

// checkFlips asserts that the state flips at both moments and at no other.
func checkFlips(t *testing.T, n *notice.Notice, closes, reopens time.Time) {
	t.Helper()
	notices, ids := []*notice.Notice{n}, []string{"web"}
	for _, step := range []struct {
		at    time.Time
		state string
		next  time.Time
	}{
		{closes.Add(-time.Second), Open, closes},
		{closes, Closed, reopens},
		{reopens.Add(-time.Second), Closed, reopens},
		{reopens, Open, time.Time{}},
	} {
		got := At(notices, ids, step.at)[0]
		if got.State != step.state || step.state == Closed && !got.Until.Equal(reopens) {
			t.Errorf("%v: %+v, want %s", step.at, got, step.state)
		}
		if next, _ := Next(notices, ids, step.at); !next.Equal(step.next) {
			t.Errorf("%v: the next change is %v, want %v", step.at, next, step.next)
		}
	}
}
