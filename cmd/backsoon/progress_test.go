package main

import (
	"testing"
	"time"

	"github.com/backsoon/backsoon/internal/ledger"
)

// TestMailWatch follows two mails: how fast they went of late counts, not since they
// began, and where nothing moves no time is promised.
func TestMailWatch(t *testing.T) {
	begun := time.Date(2026, 12, 24, 18, 0, 0, 0, time.UTC)
	flood := ledger.Campaign{Slug: "flood", Kind: "closed", Fired: begun, Recipients: 20_000}
	var m mailWatch
	for _, step := range []struct {
		after time.Duration
		sent  int
		want  string
	}{
		{0, 0, "mail “closed” of flood: 0 of 20000"},
		{5 * time.Second, 0, "mail “closed” of flood: 0 of 20000"},
		{10 * time.Second, 4000, "mail “closed” of flood: 4000 of 20000, 400 a second, 40 s left"},
		{40 * time.Second, 4600, "mail “closed” of flood: 4600 of 20000, 20 a second, 13 min left"},
		{71 * time.Second, 4600, "mail “closed” of flood: 4600 of 20000"}, // the looks before are too old
		{101 * time.Second, 4600, "mail “closed” of flood: 4600 of 20000, none of late"},
		{131 * time.Second, 4601, "mail “closed” of flood: 4601 of 20000, 120 an hour, 128 h 19 min left"},
		{132 * time.Second, 20_100, "mail “closed” of flood: 20100 of 20100, 15499 a second"}, // some came while it began
	} {
		flood.Sent = step.sent
		if got := m.say([]ledger.Campaign{flood, {Slug: "later"}}, begun.Add(step.after)); got != step.want {
			t.Errorf("after %v: %q, want %q", step.after, got, step.want)
		}
	}
	both := []ledger.Campaign{flood, {Slug: "fire", Kind: "update", Fired: begun, Recipients: 10, Failed: 1, Passed: 2}}
	if got := m.say(both, begun.Add(3*time.Minute)); got != "mail “closed” of flood, “update” of fire: 20103 of 20110" {
		t.Error(got)
	}
	if got := m.say(nil, begun.Add(4*time.Minute)); got != "" {
		t.Errorf("%q with no mail under way", got)
	}
}
