package notify

import (
	"testing"
	"time"
)

// TestClock sets the machine's clock in every way, and lets it run on.
func TestClock(t *testing.T) {
	start := at("2026-12-24 12:00")
	var up time.Duration
	var wrong time.Duration // what somebody has set the clock ahead by
	var c clock
	look := func(passed time.Duration) reading {
		up += passed
		return c.read(start.Add(up+wrong), up)
	}
	steady := func(r reading, want time.Duration) {
		t.Helper()
		if got := r.steady.Sub(start); got != want {
			t.Errorf("after %v the steady clock is at %v, not %v", up, got, want)
		}
	}
	look(0)
	if r := look(8 * time.Hour); r.jumped != 0 || !r.steady.Equal(r.now) {
		t.Errorf("a machine that slept has not jumped: %+v", r)
	}
	wrong = 50 * time.Second
	if r := look(time.Second); r.jumped != 0 {
		t.Errorf("a correction is no jump: %+v", r)
	}
	wrong = 24 * time.Hour
	r := look(time.Second)
	if r.jumped.Round(time.Hour) != 24*time.Hour {
		t.Errorf("a day ahead: %+v", r)
	}
	steady(r, up+50*time.Second)
	if r := look(time.Minute); r.jumped != 0 || r.agreed || !r.earliest().Equal(r.steady) {
		t.Errorf("one jump is told of once: %+v", r)
	}
	wrong = 0
	if r := look(time.Second); !r.agreed || !r.steady.Equal(r.now) {
		t.Errorf("set right again: %+v", r)
	}
	wrong = -time.Hour
	if r := look(time.Second); r.jumped.Round(time.Minute) != -time.Hour || !r.earliest().Equal(r.now) {
		t.Errorf("an hour back: %+v", r)
	}
	wrong = time.Hour // and it jumps once more before an hour has passed
	if r := look(50 * time.Minute); r.jumped == 0 {
		t.Errorf("two hours on: %+v", r)
	}
	if r := look(50 * time.Minute); r.agreed {
		t.Errorf("believed after 50 minutes: %+v", r)
	}
	if r := look(11 * time.Minute); !r.agreed || !r.steady.Equal(r.now) {
		t.Errorf("not believed after an hour in order: %+v", r)
	}
}

// TestUptime checks that the clock that nobody sets goes as fast as time does.
func TestUptime(t *testing.T) {
	begin, from := time.Now(), uptime()
	for uptime() == from {
	}
	if passed, real := uptime()-from, time.Since(begin); passed <= 0 || passed > real+time.Second {
		t.Errorf("%v passed in %v", passed, real)
	}
}
