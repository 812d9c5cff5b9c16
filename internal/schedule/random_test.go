package schedule

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/backsoon/backsoon/internal/notice"
)

// A random timeline has so many slots that closures often touch. Half a slot
// lies between two moments at which anything can happen.
const (
	slots = 14
	slot  = 10 * time.Minute
	half  = slot / 2
)

var (
	fronts  = []string{"web", "web-2"}
	horizon = midnight.Add((slots + 1) * slot)
)

// timeline is a few random notices, among them every kind that there is.
func timeline(r *rand.Rand) []*notice.Notice {
	notices := make([]*notice.Notice, r.IntN(6))
	for i := range notices {
		closes := 1 + r.IntN(slots-1)
		after := func() notice.Moment { return moment(closes + 1 + r.IntN(slots-closes)) }
		n := &notice.Notice{Slug: string(rune('a' + i)), Closes: moment(closes)}
		if r.IntN(4) > 0 {
			n.Reopens = after()
		}
		if r.IntN(4) == 0 {
			n.Reopened = moment(closes + r.IntN(slots-closes+1))
		}
		if r.IntN(3) == 0 {
			n.Reopening = []notice.Step{{Name: "stock counted", Done: r.IntN(2) == 0}}
		}
		if r.IntN(3) == 0 {
			n.Storefronts = []string{fronts[r.IntN(2)]}
		}
		n.Draft, n.Cancelled, n.CheckoutOn = r.IntN(12) == 0, r.IntN(12) == 0, r.IntN(8) == 0
		notices[i] = n
	}
	r.Shuffle(len(notices), func(i, j int) { notices[i], notices[j] = notices[j], notices[i] })
	return notices
}

func moment(s int) notice.Moment {
	return notice.Moment{Time: midnight.Add(time.Duration(s) * slot)}
}

// TestRandomTimelines holds At and Next against the notices' own phases and
// against walks through time, half a slot at a step.
func TestRandomTimelines(t *testing.T) {
	for seed := range uint64(4000) {
		r := rand.New(rand.NewPCG(seed, 2))
		notices := timeline(r)
		now := midnight.Add(time.Duration(r.IntN(2*slots)) * half)
		states := At(notices, fronts, now)
		for _, s := range states {
			checkInForce(t, notices, s, now)
			checkSince(t, notices, s, now)
			checkUntil(t, notices, s, now)
		}
		checkNext(t, notices, states, now)
		checkOrder(t, r, notices, states, now)
		if t.Failed() {
			t.Fatalf("seed %d, %s after midnight:\n%s", seed, now.Sub(midnight), describe(notices))
		}
	}
}

// checkInForce: the checkout is off exactly while a notice that says so is in
// force, and the state and its notices follow from their phases.
func checkInForce(t *testing.T, notices []*notice.Notice, s State, now time.Time) {
	t.Helper()
	want := State{Storefront: s.Storefront, State: Open}
	for _, n := range inForce(notices, s.Storefront, now) {
		want.Notices = append(want.Notices, n.Slug)
		if want.State != Closed {
			want.State = Overdue
		}
		if n.Phase(now) == notice.Closed {
			want.State = Closed
		}
	}
	slices.Sort(want.Notices)
	if s.State != want.State || !slices.Equal(s.Notices, want.Notices) || (s.Checkout() == "off") != (len(want.Notices) > 0) {
		t.Errorf("%+v, want %s by %v", s, want.State, want.Notices)
	}
}

func inForce(notices []*notice.Notice, id string, at time.Time) []*notice.Notice {
	var all []*notice.Notice
	for _, n := range notices {
		if !n.CheckoutOn && n.Covers(id) && n.InForce(at) {
			all = append(all, n)
		}
	}
	return all
}

// checkSince walks back for as long as the checkout is as it is now.
func checkSince(t *testing.T, notices []*notice.Notice, s State, now time.Time) {
	t.Helper()
	at := now
	for at.After(midnight) && (len(inForce(notices, s.Storefront, at.Add(-half))) > 0) == (s.State != Open) {
		at = at.Add(-half)
	}
	lead := ""
	for _, n := range inForce(notices, s.Storefront, at.Add(-half)) {
		if lead == "" || n.Slug < lead {
			lead = n.Slug
		}
	}
	if !at.After(midnight) { // nothing ever closed it
		at = time.Time{}
	}
	if !s.Since.Equal(at) || s.State == Open && s.Lead != lead {
		t.Errorf("%+v, want since %v by %q", s, at, lead)
	}
}

// checkUntil walks on for as long as what is announced now keeps it closed.
func checkUntil(t *testing.T, notices []*notice.Notice, s State, now time.Time) {
	t.Helper()
	if s.State == Open {
		if !s.Until.IsZero() {
			t.Errorf("%+v is open until", s)
		}
		return
	}
	lead := (*notice.Notice)(nil)
	at := now
	for ; ; at = at.Add(half) {
		closed := announced(notices, s.Storefront, now, at)
		for _, n := range closed {
			if lead == nil || leads(n, lead, now) {
				lead = n
			}
		}
		if len(closed) == 0 || endless(lead, now) {
			break
		}
	}
	if endless(lead, now) {
		at = time.Time{}
	}
	if !s.Until.Equal(at) || s.Lead != lead.Slug {
		t.Errorf("%+v, want until %v by %q", s, at, lead.Slug)
	}
}

// announced gives the notices that, as far as is known now, keep the storefront
// closed at a moment not before now.
func announced(notices []*notice.Notice, id string, now, at time.Time) []*notice.Notice {
	all := inForce(notices, id, at)
	for _, n := range notices {
		known := n.InForce(now) || n.Phase(now) == notice.Scheduled
		if known && !slices.Contains(all, n) && !n.CheckoutOn && n.Covers(id) && !at.Before(n.Closes.Time) && endless(n, now) {
			all = append(all, n)
		}
	}
	// A step of the plan may still be done: the announced end is believed
	// until it has passed.
	return slices.DeleteFunc(all, func(n *notice.Notice) bool { return !endless(n, now) && !at.Before(n.Until().Time) })
}

// endless: it is open-ended, or overdue now.
func endless(n *notice.Notice, now time.Time) bool {
	return n.Until().IsZero() || n.Phase(now) == notice.Overdue
}

func leads(a, b *notice.Notice, now time.Time) bool {
	switch x, y := endless(a, now), endless(b, now); {
	case x != y:
		return x
	case !x && !a.Until().Equal(b.Until().Time):
		return a.Until().After(b.Until().Time)
	}
	return a.Slug < b.Slug
}

// checkNext: nothing changes before the next change, and then something does.
func checkNext(t *testing.T, notices []*notice.Notice, states []State, now time.Time) {
	t.Helper()
	next, ok := Next(notices, fronts, now)
	end := horizon
	if ok {
		end = next
		if !next.After(now) {
			t.Errorf("the next change, %v, is not ahead", next)
		}
		if slices.EqualFunc(states, At(notices, fronts, next), State.same) {
			t.Errorf("nothing changes at %v", next)
		}
	}
	for at := now; at.Before(end); at = at.Add(half) {
		if got := At(notices, fronts, at); !slices.EqualFunc(states, got, State.same) {
			t.Errorf("%+v changes at %v, before %v, to %+v", states, at, end, got)
		}
	}
}

func checkOrder(t *testing.T, r *rand.Rand, notices []*notice.Notice, states []State, now time.Time) {
	t.Helper()
	other := slices.Clone(notices)
	r.Shuffle(len(other), func(i, j int) { other[i], other[j] = other[j], other[i] })
	got := At(other, fronts, now)
	for i, s := range states {
		if !s.same(got[i]) || !s.Since.Equal(got[i].Since) {
			t.Errorf("in another order: %+v, not %+v", got[i], s)
		}
	}
}

func describe(notices []*notice.Notice) string {
	var b strings.Builder
	clock := func(m notice.Moment) string {
		if m.IsZero() {
			return "none"
		}
		return m.Sub(midnight).String()
	}
	for _, n := range notices {
		fmt.Fprintf(&b, "%s %v closes %s reopens %s reopened %s open steps %v draft %v cancelled %v checkout on %v\n", n.Slug, n.Storefronts,
			clock(n.Closes), clock(n.Reopens), clock(n.Reopened), n.OpenSteps(), n.Draft, n.Cancelled, n.CheckoutOn)
	}
	return b.String()
}
