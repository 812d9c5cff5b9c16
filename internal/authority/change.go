package authority

import (
	"slices"
	"time"

	"github.com/backsoon/backsoon/internal/config"
	"github.com/backsoon/backsoon/internal/notice"
)

// Effect is one thing that a change does to one storefront.
type Effect struct {
	Right      config.Right
	Storefront string
}

// Effects tells what it does to put next in the place of the version in force,
// which is nil for a new notice. A change is judged by the time that it takes from
// or adds to a closure, not by the keys that it edits: whatever lets a storefront
// open where the version in force had it closed is a reopening, but for a closure
// that is called off before it begins.
//
// Every change is a write to each storefront that either version covers. The
// weightiest right comes first, each with its storefronts in the given order.
func Effects(inForce, next *notice.Notice, storefronts []string, now time.Time) []Effect {
	effects := []Effect{}
	add := func(right config.Right, id string) { effects = append(effects, Effect{right, id}) }
	for _, id := range storefronts {
		if next.Covers(id) || inForce != nil && inForce.Covers(id) {
			add(config.Write, id)
		}
	}
	if len(effects) == 0 { // only storefronts that the settings no longer have: whoever may write everywhere
		for _, id := range storefronts {
			add(config.Write, id)
		}
	}
	for _, id := range storefronts {
		c := comparison{old: inForce, next: next, before: closureOf(inForce, id), after: closureOf(next, id), now: now}
		for right, does := range map[config.Right]bool{
			config.Close: c.closes(), config.Extend: c.extends(), config.Cancel: c.cancels(id), config.Reopen: c.reopens(),
		} {
			if does {
				add(right, id)
			}
		}
	}
	slices.SortStableFunc(effects, func(a, b Effect) int {
		return slices.Index(config.Rights, b.Right) - slices.Index(config.Rights, a.Right)
	})
	return effects
}

// closure is the time in which a notice closes one storefront: from begins until
// just before ends. The public knows announced; the two differ while a step of the
// reopening plan is open.
type closure struct {
	closes                  bool
	begins, ends, announced time.Time // ends, announced zero: never
}

// closureOf is what the notice does to the storefront, as package schedule has it.
func closureOf(n *notice.Notice, storefront string) closure {
	if n == nil || n.Draft || n.Cancelled || n.CheckoutOn || !n.Covers(storefront) {
		return closure{}
	}
	c := closure{true, n.Closes.Time, n.End(), n.Until().Time}
	if !c.ends.IsZero() && !c.ends.After(c.begins) {
		return closure{}
	}
	return c
}

// comparison holds what two versions of a notice do to one storefront against
// each other.
type comparison struct {
	old, next     *notice.Notice // old may be nil
	before, after closure
	now           time.Time
}

// closes: a closure where there was none, an earlier beginning, or an end put off
// that has passed already.
func (c comparison) closes() bool {
	switch {
	case !c.after.closes:
		return false
	case !c.before.closes, c.after.begins.Before(c.before.begins):
		return true
	}
	over := !c.before.ends.IsZero() && !c.before.ends.After(c.now)
	return over && earlier(c.before.ends, c.after.ends)
}

// extends: a later end, in fact or as announced.
func (c comparison) extends() bool {
	return c.before.closes && c.after.closes &&
		(earlier(c.before.ends, c.after.ends) || earlier(c.before.announced, c.after.announced))
}

// cancels: the notice is called off before it began.
func (c comparison) cancels(storefront string) bool {
	return c.next.Cancelled && (c.old == nil || !c.old.Cancelled) &&
		(c.next.Covers(storefront) || c.old != nil && c.old.Covers(storefront))
}

// reopens: anything that has the storefront open where it was closed. An actual end
// and a plan that comes to its last step are reopenings whatever they change.
func (c comparison) reopens() bool {
	switch {
	case !c.before.closes:
		return false
	case !c.after.closes:
		return !c.next.Cancelled || !c.now.Before(c.before.begins)
	}
	return c.before.begins.Before(c.after.begins) ||
		earlier(c.after.ends, c.before.ends) || earlier(c.after.announced, c.before.announced) ||
		c.old.Reopened.IsZero() && !c.next.Reopened.IsZero() ||
		len(c.old.OpenSteps()) > 0 && len(c.next.OpenSteps()) == 0
}

// earlier tells whether the end a comes before the end b; zero is never.
func earlier(a, b time.Time) bool { return !a.IsZero() && (b.IsZero() || a.Before(b)) }
