package authority

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/backsoon/backsoon/internal/config"
	"github.com/backsoon/backsoon/internal/notice"
	"github.com/backsoon/backsoon/internal/schedule"
)

// version is a notice about web and pos as its keys say, under those that every
// test's has unless it says otherwise.
func version(t *testing.T, keys string) *notice.Notice {
	t.Helper()
	if keys == "" {
		return nil
	}
	for _, usual := range []string{"title: Closed", "closes: 2026-12-24 18:00"} {
		if key, _, _ := strings.Cut(usual, ":"); !strings.Contains(keys, key+":") {
			keys = usual + "\n" + keys
		}
	}
	n, problems := notice.Parse("a.md", "a", []byte("---\n"+keys+"\n---\n"), time.UTC)
	if n == nil {
		t.Fatal(problems)
	}
	return n
}

const (
	planned = "reopens: 2027-01-02 09:00"
	plan    = planned + "\nreopening: {stock counted: %s, lights on: %s}"
	both    = "web,pos"
)

func steps(a, b string) string { return fmt.Sprintf(plan, a, b) }

// TestEffects: what a change is besides a write. The present is before, within
// or after the closure: 1 December, 27 December or 5 January.
func TestEffects(t *testing.T) {
	const before, within, after = "2026-12-01", "2026-12-27", "2027-01-05"
	for _, test := range []struct{ name, now, old, next, want string }{
		{"a new closure", before, "", planned, "close:" + both},
		{"a new one of one storefront", before, "", planned + "\nstorefronts: [web]", "close:web"},
		{"a new one that leaves the checkout alone", before, "", planned + "\ncheckout: on", ""},
		{"a new one, cancelled", before, "", planned + "\ncancelled: true", "cancel:" + both},
		{"words", within, planned, planned + "\ntitle: Shut", ""},
		{"facts", within, planned, planned + "\nfacts: {a: b}", ""},
		{"nothing", within, planned, planned, ""},
		{"closes earlier", before, planned, planned + "\ncloses: 2026-12-23", "close:" + both},
		{"closes later", before, planned, planned + "\ncloses: 2026-12-25", "reopen:" + both},
		{"closes later, in force", within, planned, planned + "\ncloses: 2026-12-28", "reopen:" + both},
		{"reopens later", within, planned, "reopens: 2027-01-03", "extend:" + both},
		{"reopens never", within, planned, "title: x", "extend:" + both},
		{"reopens earlier", within, planned, "reopens: 2027-01-01", "reopen:" + both},
		{"reopens at all", within, "title: x", planned, "reopen:" + both},
		{"reopens later, when it is over", after, planned, "reopens: 2027-01-10", "close:web,pos extend:" + both},
		{"moved as a whole", before, planned, "closes: 2027-03-01\nreopens: 2027-03-02", "extend:web,pos reopen:" + both},
		{"moved ahead as a whole", before, planned, "closes: 2026-12-10\nreopens: 2026-12-11", "close:web,pos reopen:" + both},
		{"reopened early", within, planned, planned + "\nreopened: 2026-12-27", "reopen:" + both},
		{"reopened late", after, steps("yes", "no"), steps("yes", "no") + "\nreopened: 2027-01-04", "extend:web,pos reopen:" + both},
		{"reopened when planned", after, planned, planned + "\nreopened: 2027-01-02 09:00", "reopen:" + both},
		{"reopened after all", after, planned + "\nreopened: 2026-12-27", planned, "close:web,pos extend:" + both},
		{"a storefront more", before, planned + "\nstorefronts: [web]", planned, "close:pos"},
		{"a storefront fewer", before, planned, planned + "\nstorefronts: [web]", "reopen:pos"},
		{"another storefront", before, planned + "\nstorefronts: [web]", planned + "\nstorefronts: [pos]", "close:pos reopen:web"},
		{"checkout off", within, planned + "\ncheckout: on", planned, "close:" + both},
		{"checkout on", within, planned, planned + "\ncheckout: on", "reopen:" + both},
		{"times with the checkout on", before, planned + "\ncheckout: on", "reopens: 2027-01-01\ncheckout: on", ""},
		{"a step", within, steps("no", "no"), steps("yes", "no"), ""},
		{"the last step", within, steps("yes", "no"), steps("yes", "yes"), "reopen:" + both},
		{"the last step, overdue", after, steps("yes", "no"), steps("yes", "yes"), "reopen:" + both},
		{"the last step struck out", within, steps("yes", "no"), planned + "\nreopening: {stock counted: yes}", "reopen:" + both},
		{"the plan struck out", within, steps("yes", "no"), planned, "reopen:" + both},
		{"the last step without an end", within, "reopening: {a: no}", "reopening: {a: yes}", "reopen:" + both},
		{"a step back", within, steps("yes", "yes"), steps("yes", "no"), "extend:" + both},
		{"a step back when it is over", after, steps("yes", "yes"), steps("yes", "no"), "close:web,pos extend:" + both},
		{"an earlier end while a step is open", within, steps("yes", "no"), strings.Replace(steps("yes", "no"), "01-02", "01-01", 1), "reopen:" + both},
		{"cancelled", before, planned, planned + "\ncancelled: true", "cancel:" + both},
		{"cancelled in force", within, planned, planned + "\ncancelled: true", "cancel:web,pos reopen:" + both},
		{"cancelled, of one storefront", before, planned, planned + "\ncancelled: true\nstorefronts: [web]", "cancel:" + both},
		{"cancelled with the checkout on", before, planned + "\ncheckout: on", planned + "\ncheckout: on\ncancelled: true", "cancel:" + both},
		{"no longer cancelled", before, planned + "\ncancelled: true", planned, "close:" + both},
		{"cancelled as before", before, planned + "\ncancelled: true", planned + "\ncancelled: true\ntitle: x", ""},
		{"hidden", before, planned, planned + "\ndraft: true", "reopen:" + both},
	} {
		t.Run(test.name, func(t *testing.T) {
			now, err := time.Parse(time.DateOnly, test.now)
			if err != nil {
				t.Fatal(err)
			}
			effects := Effects(version(t, test.old), version(t, test.next), []string{"web", "pos"}, now)
			if got := beside(effects); got != test.want {
				t.Errorf("%s\nwant %s", got, test.want)
			}
		})
	}
}

// beside words the effects that are more than a write: close:web,pos reopen:web
func beside(effects []Effect) string {
	var parts []string
	for _, right := range config.Rights[1:] {
		var fronts []string
		for _, e := range effects {
			if e.Right == right {
				fronts = append(fronts, e.Storefront)
			}
		}
		if len(fronts) > 0 {
			parts = append(parts, string(right)+":"+strings.Join(fronts, ","))
		}
	}
	return strings.Join(parts, " ")
}

// TestWrites: every change writes about what either version covers.
func TestWrites(t *testing.T) {
	web, pos := version(t, planned+"\nstorefronts: [web]"), version(t, planned+"\nstorefronts: [pos]")
	gone := version(t, planned+"\nstorefronts: [market]\ncheckout: on")
	for _, test := range []struct {
		old, next *notice.Notice
		want      []string
	}{
		{nil, web, []string{"web"}}, {web, web, []string{"web"}}, {web, pos, []string{"web", "pos"}},
		{nil, version(t, planned), []string{"web", "pos"}}, {nil, gone, []string{"web", "pos"}},
	} {
		var got []string
		for _, e := range Effects(test.old, test.next, []string{"web", "pos"}, now) {
			if e.Right == config.Write {
				got = append(got, e.Storefront)
			}
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%v, want %v", got, test.want)
		}
	}
}

const (
	slots = 10
	slot  = time.Hour
)

// random is a notice of any kind: its times are a few slots from each other, so that
// they often coincide.
func random(r *rand.Rand) *notice.Notice {
	at := func(s int) notice.Moment { return notice.Moment{Time: now.Add(time.Duration(s) * slot)} }
	closes := r.IntN(slots)
	n := &notice.Notice{Slug: "a", Closes: at(closes)}
	if r.IntN(4) > 0 {
		n.Reopens = at(closes + 1 + r.IntN(slots))
	}
	if r.IntN(4) == 0 {
		n.Reopened = at(closes + r.IntN(slots))
	}
	for range r.IntN(3) {
		n.Reopening = append(n.Reopening, notice.Step{Name: string(rune('a' + len(n.Reopening))), Done: r.IntN(2) == 0})
	}
	if r.IntN(3) == 0 {
		n.Storefronts = []string{[]string{"web", "pos"}[r.IntN(2)]}
	}
	n.Draft, n.Cancelled, n.CheckoutOn = r.IntN(12) == 0, r.IntN(8) == 0, r.IntN(8) == 0
	return n
}

// TestNobodyOpensWithoutTheRight: whatever two versions of a notice are, and
// whatever others are in force, a storefront that would be closed at some moment
// and no longer is has been reopened, or was called off before it began; and one
// that is closed where it would have been open has been closed, or for longer.
func TestNobodyOpensWithoutTheRight(t *testing.T) {
	fronts := []string{"web", "pos"}
	opened := 0
	for seed := range uint64(4_000) {
		r := rand.New(rand.NewPCG(seed, 1))
		old, next := random(r), random(r)
		if r.IntN(5) == 0 {
			old = nil
		}
		if old != nil && r.IntN(2) == 0 { // one key alone
			copied := *old
			next.Slug, copied.Reopens = "a", next.Reopens
			next = &copied
		}
		other := random(r)
		other.Slug = "b"
		present := now.Add(time.Duration(r.IntN(2*slots))*slot + slot/2)
		effects := Effects(old, next, fronts, present)
		for s := range 4 * slots {
			at := now.Add(time.Duration(s)*slot + slot/2)
			was, is := schedule.At(without(old, other), fronts, at), schedule.At(without(next, other), fronts, at)
			for i, id := range fronts {
				off, on := was[i].Checkout() == "off" && is[i].Checkout() == "on", was[i].Checkout() == "on" && is[i].Checkout() == "off"
				called := next.Cancelled && old != nil && present.Before(old.Closes.Time) && slices.Contains(effects, Effect{config.Cancel, id})
				if off && !called && !slices.Contains(effects, Effect{config.Reopen, id}) {
					t.Fatalf("seed %d: %s is open at %v by %v:\n%+v\n%+v", seed, id, at, effects, old, next)
				}
				if on && !slices.Contains(effects, Effect{config.Close, id}) && !slices.Contains(effects, Effect{config.Extend, id}) {
					t.Fatalf("seed %d: %s is closed at %v by %v:\n%+v\n%+v", seed, id, at, effects, old, next)
				}
				if off {
					opened++
				}
			}
		}
	}
	if opened < 10_000 {
		t.Errorf("only %d moments were opened: the test shows nothing", opened)
	}
}

func without(n, other *notice.Notice) []*notice.Notice {
	if n == nil {
		return []*notice.Notice{other}
	}
	return []*notice.Notice{n, other}
}
