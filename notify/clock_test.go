package notify

import (
	"strings"
	"testing"
	"time"

	"github.com/backsoon/backsoon/internal/ledger"
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
	if r := look(time.Second); r.jumped == 0 {
		t.Errorf("the owner has not been told: %+v", r)
	}
	c.told = true
	if r := look(time.Minute); r.jumped != 0 || r.agreed || !r.doubt().Equal(r.steady) {
		t.Errorf("one jump is told of once: %+v", r)
	}
	wrong = 0
	if r := look(time.Second); !r.agreed || !r.steady.Equal(r.now) {
		t.Errorf("set right again: %+v", r)
	}
	wrong = -time.Hour
	if r := look(time.Second); r.jumped.Round(time.Minute) != -time.Hour || !r.latest().Equal(r.steady) {
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
	begin, from := time.Now(), Uptime()
	for Uptime() == from {
	}
	if passed, real := Uptime()-from, time.Since(begin); passed <= 0 || passed > real+time.Second {
		t.Errorf("%v passed in %v", passed, real)
	}
}

// jumpy is a shop on a machine whose clock can be set wrong: b.now is what the
// clock says, up is the time that has really passed.
type jumpy struct {
	*bench
	up time.Duration
}

func newJumpy(t *testing.T, now string) *jumpy {
	j := &jumpy{bench: newBench(t, now, "")}
	j.w.Uptime = func() time.Duration { return j.up }
	return j
}

// passes lets real time pass, looking each minute.
func (j *jumpy) passes(d time.Duration) {
	j.t.Helper()
	for end := j.up + d; j.up < end; {
		step := min(time.Minute, end-j.up)
		j.up += step
		j.set(j.clock().Add(step))
		j.do()
	}
}

// jumps sets the machine's clock.
func (j *jumpy) jumps(d time.Duration) {
	j.t.Helper()
	j.set(j.clock().Add(d))
	j.do()
	j.passes(time.Minute)
}

func (j *jumpy) checkout(want string) {
	j.t.Helper()
	if got := j.front("web").Checkout; got != want {
		j.t.Errorf("at %v the checkout is %s, not %s", j.clock(), got, want)
	}
}

const overChristmas = "---\ntitle: Christmas\ncloses: 2026-12-24 18:00\nreopens: 2026-12-27 09:00\n---\nBack soon.\n"

// alerts are the subjects of what the owner was sent.
func (j *jumpy) alerts() (subjects []string) {
	for _, m := range j.mailbox.take() {
		if m.to == "owner@harbourbooks.example" {
			subjects = append(subjects, m.subject)
		}
	}
	return subjects
}

// TestClockAhead sets the clock ahead while the shop is closed. It doesn't open
// until the clock is right again, and then when it was to; a closure that the jump
// brings begins.
func TestClockAhead(t *testing.T) {
	for _, by := range []time.Duration{time.Hour, 24 * time.Hour, 96 * time.Hour} {
		j := newJumpy(t, "2026-12-24 17:00")
		j.subscribe("reader@example.org")
		j.write("christmas.md", overChristmas)
		j.passes(10 * time.Minute)
		j.checkout("on")
		j.jumps(by)
		if by < 96*time.Hour {
			j.checkout("off") // closings don't wait
		} else {
			j.checkout("on") // it came and went on the wrong clock
		}
		j.jumps(-by)
		j.checkout("on") // the clock is right again, and it is not yet time
		j.passes(65 * time.Minute)
		j.checkout("off")
		j.set(at("2026-12-27 08:00"))
		j.up += at("2026-12-27 08:00").Sub(at("2026-12-24 18:17"))
		j.do()
		j.jumps(by) // beyond 09:00
		j.checkout("off")
		j.passes(50 * time.Minute)
		j.checkout("off")
		j.passes(20 * time.Minute) // now it is 09:00, whichever clock is right
		j.checkout("on")
		if got := j.alerts(); len(got) != 2 {
			t.Errorf("by %v: alerts %q", by, got)
		}
		for _, line := range j.events("webhook", "mail", "storefront") {
			if line != "notice.accepted christmas" {
				t.Errorf("by %v: %s", by, line)
			}
		}
	}
}

// TestClockBelieved has a clock that was wrong before it jumped: after an hour in
// order it counts.
func TestClockBelieved(t *testing.T) {
	j := newJumpy(t, "2026-12-25 12:00")
	j.write("christmas.md", overChristmas)
	j.passes(5 * time.Minute)
	j.jumps(72 * time.Hour)
	j.passes(55 * time.Minute)
	j.checkout("off")
	j.passes(10 * time.Minute)
	j.checkout("on")
}

// TestClockBack sets the clock back to before the closure: it stays closed. And
// one that was set back while nobody watched is found out by the ledger.
func TestClockBack(t *testing.T) {
	j := newJumpy(t, "2026-12-24 18:30")
	j.write("christmas.md", overChristmas)
	j.passes(5 * time.Minute)
	j.checkout("off")
	j.jumps(-24 * time.Hour)
	j.checkout("off")
	j.w.Close()
	j.l.Close()
	j.start()
	j.w.Uptime = func() time.Duration { return j.up }
	if err := j.l.View(t.Context(), func(tx *ledger.Tx) error { return j.w.startClock(tx, j.clock()) }); err != nil {
		t.Fatal(err)
	}
	j.do()
	j.checkout("off")
	equal(t, "log", j.events("notice", "webhook", "mail"), []string{"storefront.closed web christmas", "storefront.closed market christmas"})
}

// TestClockAndOwner has the owner reopen while the clock is wrong: what the owner
// says counts.
func TestClockAndOwner(t *testing.T) {
	j := newJumpy(t, "2026-12-25 12:00")
	j.write("christmas.md", overChristmas)
	j.passes(5 * time.Minute)
	j.jumps(72 * time.Hour)
	j.checkout("off")
	j.write("christmas.md", strings.Replace(overChristmas, "reopens:", "reopened: 2026-12-25 12:05\nreopens:", 1))
	j.passes(2 * time.Minute)
	j.checkout("on")
}
