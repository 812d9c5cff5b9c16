package locale

import (
	"testing"
	"time"
)

func load(t *testing.T, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

func TestWhen(t *testing.T) {
	lisbon, auckland := load(t, "Europe/Lisbon"), load(t, "Pacific/Auckland")
	christmas := time.Date(2026, 12, 24, 18, 0, 0, 0, time.UTC)
	reopens := time.Date(2027, 1, 2, 9, 0, 0, 0, time.UTC)
	tests := []struct {
		name     string
		t        time.Time
		dateOnly bool
		now      time.Time
		loc      *time.Location
		want     string
	}{
		{"across New Year", reopens, false, christmas, lisbon, "Sat 2 January, 09:00"},
		{"date only", reopens, true, christmas, lisbon, "Sat 2 January"},
		{"same year, far", christmas, false, christmas.AddDate(0, -11, 0), lisbon, "Thu 24 December, 18:00"},
		{"next year, far", reopens, false, reopens.AddDate(0, -7, 0), lisbon, "Sat 2 January 2027, 09:00"},
		{"past year, far", christmas, true, christmas.AddDate(1, 0, 0), lisbon, "Thu 24 December 2026"},
		{"seconds", reopens.Add(5 * time.Second), false, christmas, lisbon, "Sat 2 January, 09:00:05"},
		{"summer time", time.Date(2026, 7, 1, 8, 0, 0, 0, time.UTC), false, christmas, lisbon, "Wed 1 July, 09:00"},
		{"the year is the zone's", time.Date(2026, 12, 31, 11, 0, 0, 0, time.UTC), true,
			time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), auckland, "Fri 1 January 2027"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := English().When(tt.t, tt.dateOnly, tt.now, tt.loc); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// Whoever reads a date without a year must be able to tell which year it is.
func TestWhenIsUnambiguous(t *testing.T) {
	now := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	seen := map[string]time.Time{}
	for day := -800; day <= 800; day++ {
		at := now.AddDate(0, 0, day)
		words := English().When(at, false, now, time.UTC)
		if other, ok := seen[words]; ok {
			t.Fatalf("%q is both %v and %v", words, other, at)
		}
		seen[words] = at
	}
}

// Between now and the turn nothing may change.
func TestYearTurns(t *testing.T) {
	lisbon := load(t, "Europe/Lisbon")
	at := time.Date(2026, 12, 24, 18, 0, 0, 0, time.UTC)
	turns := 0
	for now := at.AddDate(-3, 0, 0); now.Before(at.AddDate(3, 0, 0)); now = now.Add(31 * time.Hour) {
		turn := YearTurns(at, now, lisbon)
		if !turn.After(now) {
			t.Fatalf("at %v: %v is not ahead", now, turn)
		}
		for _, later := range []time.Time{now.Add(turn.Sub(now) / 2), turn.Add(-1)} {
			if NeedsYear(at, later, lisbon) != NeedsYear(at, now, lisbon) {
				t.Fatalf("between %v and %v it changes", now, turn)
			}
		}
		if NeedsYear(at, turn, lisbon) != NeedsYear(at, now, lisbon) {
			turns++
		}
	}
	if turns == 0 {
		t.Error("it never changed")
	}
}

func TestZone(t *testing.T) {
	for name, want := range map[string]string{
		"Europe/Lisbon":                  "Lisbon",
		"America/Argentina/Buenos_Aires": "Buenos Aires",
		"UTC":                            "UTC",
		"Etc/UTC":                        "UTC",
	} {
		if got := English().Zone(load(t, name)); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

func TestList(t *testing.T) {
	for want, names := range map[string][]string{
		"":           nil,
		"a":          {"a"},
		"a and b":    {"a", "b"},
		"a, b and c": {"a", "b", "c"},
	} {
		if got := English().List(names); got != want {
			t.Errorf("%q: got %q, want %q", names, got, want)
		}
	}
}
