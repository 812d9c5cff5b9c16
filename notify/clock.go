package notify

import (
	"time"

	"golang.org/x/sys/unix"
)

// How far a clock is believed.
const (
	clockTolerance = time.Minute // more than this is a jump, and no correction
	clockProbation = time.Hour   // a clock that has run in order for so long is believed again
)

// uptime is the time since the machine started, while it slept included
// (CLOCK_BOOTTIME, clock_gettime(2)). Nobody sets that clock.
func uptime() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &t); err != nil {
		return 0 // a kernel from before 2.6.39; then the other clock is believed
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
}

// reading is what a look at both clocks says.
type reading struct {
	now    time.Time     // by the machine's clock
	steady time.Time     // by the time that has passed; now, while the two agree
	jumped time.Duration // how far the clock has been found to have jumped just now; 0: it hasn't
	agreed bool          // the clock is believed again from now on
}

// read looks at the machine's clock and at the uptime. A clock that has jumped is
// believed again when it comes back, and when it has run in order for an hour.
func (c *clock) read(now time.Time, up time.Duration) reading {
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
		c.off, c.since = off, up
		return reading{now: now, steady: steady, jumped: off}
	}
	return reading{now: now, steady: steady}
}

// believe takes the machine's clock as right.
func (c *clock) believe(now time.Time, up time.Duration) { *c = clock{wall: now, up: up} }

// earliest is the earlier of the two: what is to happen at a moment has come
// when it has come on both.
func (r reading) earliest() time.Time {
	if r.steady.Before(r.now) {
		return r.steady
	}
	return r.now
}
