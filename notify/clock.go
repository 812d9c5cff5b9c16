package notify

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"github.com/backsoon/backsoon/internal/ledger"
)

// How far a clock is believed.
const (
	clockTolerance = time.Minute // more than this is a jump, and no correction
	clockProbation = time.Hour   // a clock that has run in order for so long is believed again
)

// Uptime is the time since the machine started, while it slept included
// (CLOCK_BOOTTIME, clock_gettime(2)). Nobody sets that clock. 0: it can't be told.
func Uptime() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &t); err != nil {
		return 0 // a kernel from before 2.6.39
	}
	return time.Duration(t.Nano())
}

// clock holds the machine's clock, which anybody may set, against the time since
// it started. A shop must not open because a clock was set wrong.
type clock struct {
	wall  time.Time     // the machine's clock when it was last believed
	up    time.Duration // the uptime then
	off   time.Duration // how far it has jumped since; 0: not at all
	since time.Duration // the uptime when it did
	told  bool          // the owner knows
}

// reading is what a look at both clocks says.
type reading struct {
	now    time.Time     // by the machine's clock
	steady time.Time     // by the time that has passed; now, while the two agree
	jumped time.Duration // how far the clock has jumped, which the owner is to hear; 0: nothing is
	agreed bool          // the clock is believed again from now on
}

// read looks at the machine's clock and at the uptime. A clock that has jumped is
// believed again when it comes back, and when it has run in order for an hour.
func (c *clock) read(now time.Time, up time.Duration) reading {
	now = now.Round(0) // Go's monotonic reading, with which Sub would go, knows of no jump
	if c.wall.IsZero() {
		c.believe(now, up)
	}
	steady := c.wall.Add(up - c.up)
	off := now.Sub(steady)
	switch {
	case off.Abs() <= clockTolerance, c.off != 0 && (off-c.off).Abs() <= clockTolerance && up-c.since >= clockProbation:
		agreed := c.off != 0
		c.believe(now, up)
		return reading{now: now, steady: now, agreed: agreed}
	case c.off == 0 || (off-c.off).Abs() > clockTolerance:
		c.off, c.since, c.told = off, up, false
	}
	r := reading{now: now, steady: steady}
	if !c.told {
		r.jumped = c.off
	}
	return r
}

// believe takes the machine's clock as right.
func (c *clock) believe(now time.Time, up time.Duration) { *c = clock{wall: now.Round(0), up: up} }

// latest is the later of the two: what somebody wrote by a clock that is right is
// not ahead of both.
func (r reading) latest() time.Time {
	if r.steady.After(r.now) {
		return r.steady
	}
	return r.now
}

// doubt is the steady clock's time where the two disagree, else zero.
func (r reading) doubt() time.Time {
	if r.steady.Equal(r.now) {
		return time.Time{}
	}
	return r.steady
}

// readClocks looks at both clocks, and logs what it finds.
func (w *Watcher) readClocks(now time.Time) reading {
	if w.Uptime == nil || w.Uptime() == 0 { // nothing to hold the machine's clock against
		return reading{now: now, steady: now}
	}
	r := w.clock.read(now, w.Uptime())
	if r.agreed {
		w.Log.Info("the machine's clock is believed again; reopenings go on", "now", now)
	}
	return r
}

// startClock begins with the machine's clock as it is, unless the ledger has seen
// a later time: then it was set back while nobody watched.
func (w *Watcher) startClock(tx *ledger.Tx, now time.Time) error {
	if w.Uptime == nil {
		return nil
	}
	seen, err := tx.LastTime()
	if seen.Sub(now) > clockTolerance {
		now = seen
	}
	w.clock.believe(now, w.Uptime())
	return err
}

func jumpAlert(r reading) alert {
	direction := "ahead"
	if r.jumped < 0 {
		direction = "back"
	}
	return alert{subject: "The machine's clock has jumped", text: fmt.Sprintf(
		"The clock of the machine that watches jumped %s by %s: it says %s, and by the time that has passed it should be %s.\n\n"+
			"Closings go on as planned. But nothing reopens by itself until the clock is back, or has run in order for an hour. "+
			"Look at the machine's time service. To reopen all the same, run:\n\n  backsoon reopen SLUG\n",
		direction, lasting(r.jumped.Abs()), r.now.UTC().Format(time.RFC3339), r.steady.UTC().Format(time.RFC3339))}
}
