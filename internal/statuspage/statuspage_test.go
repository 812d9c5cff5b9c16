package statuspage

import (
	"encoding/json"
	"regexp"
	"strconv"
	"testing"
	"time"
)

// Other programs have stored these ids: they stay.
func TestIDs(t *testing.T) {
	if got := ID("https://status.harbourbooks.example/", "notice", "winter-break"); got != "9a3v10uv1q5b" {
		t.Errorf("the id has become %s", got)
	}
	shape, seen := regexp.MustCompile(`^[a-z0-9]{12}$`), map[string]bool{}
	for i := range 10_000 {
		id := ID("shop", strconv.Itoa(i))
		if !shape.MatchString(id) || seen[id] {
			t.Fatalf("%d has the id %s", i, id)
		}
		seen[id] = true
	}
	if ID("a", "bc") == ID("ab", "c") {
		t.Error("names run together")
	}
}

func TestTimes(t *testing.T) {
	lisbon := time.FixedZone("", 3600)
	for want, at := range map[string]Time{
		`"2026-07-24T17:00:00.250Z"`: {time.Date(2026, 7, 24, 18, 0, 0, 250_000_000, lisbon)},
		`"1970-01-01T00:00:00.000Z"`: {},
	} {
		if got, err := json.Marshal(at); err != nil || string(got) != want {
			t.Errorf("got %s (%v), want %s", got, err, want)
		}
	}
	if Known(time.Time{}) != nil {
		t.Error("a time that nobody knows")
	}
}

// What is empty is an empty list; what isn't asked for isn't there.
func TestDocument(t *testing.T) {
	got, err := json.Marshal(Document{Incidents: []struct{}{}})
	want := `{"page":{"id":"","name":"","url":"","time_zone":"","updated_at":"1970-01-01T00:00:00.000Z"},"incidents":[]}`
	if err != nil || string(got) != want {
		t.Errorf("got %s (%v)", got, err)
	}
}
