package ledger

import (
	"testing"
	"time"
)

// overtakeAge is how old a campaign must be; the caller's to say.
const overtakeAge = 15 * time.Minute

// pump is what the watcher does with the campaigns at a moment: those that are
// overtaken end, the others get their letters.
func pump(t *testing.T, l *Ledger, now time.Time, batch int) {
	t.Helper()
	update(t, l, func(tx *Tx) error {
		open, err := tx.OpenCampaigns()
		if err != nil {
			return err
		}
		if err := tx.Overtake(open, now.Add(-overtakeAge)); err != nil {
			return err
		}
		for _, c := range open {
			if c.Cursor < c.Last {
				if _, err := tx.Expand(c, batch); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

func TestOvertake(t *testing.T) {
	after := func(d time.Duration) time.Time { return t0.Add(d) }
	for _, test := range []struct {
		name         string
		older, newer Campaign
		at           time.Duration
		overtaken    bool
	}{
		{"old enough", Campaign{}, Campaign{Fired: after(time.Minute)}, overtakeAge, true},
		{"not old enough", Campaign{}, Campaign{Fired: after(time.Minute)}, overtakeAge - time.Millisecond, false},
		{"another closure", Campaign{}, Campaign{Slug: "b", Fired: after(time.Minute)}, time.Hour, false},
		{"all get the newer one", Campaign{Storefronts: []string{"web"}}, Campaign{Fired: after(time.Minute)}, time.Hour, true},
		{"the same storefronts", Campaign{Storefronts: []string{"web", "pos"}}, Campaign{Storefronts: []string{"pos", "web", "x"}, Fired: after(time.Minute)}, time.Hour, true},
		{"some don't get the newer one", Campaign{Storefronts: []string{"web", "pos"}}, Campaign{Storefronts: []string{"web"}, Fired: after(time.Minute)}, time.Hour, false},
		{"everybody is more than some", Campaign{}, Campaign{Storefronts: []string{"web"}, Fired: after(time.Minute)}, time.Hour, false},
		{"who waits for the reopening gets only that", Campaign{Kind: "reopened"}, Campaign{Kind: "update", Fired: after(time.Minute)}, time.Hour, false},
		{"a reopening after another", Campaign{Kind: "reopened"}, Campaign{Kind: "reopened", Fired: after(time.Minute)}, time.Hour, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := newLedger(t)
			followers(t, l, 5)
			older, newer := fire(t, l, complete(test.older)), fire(t, l, complete(test.newer))
			update(t, l, func(tx *Tx) error { return must(tx.Expand(older, 2)) })
			pump(t, l, t0.Add(test.at), 2)
			pump(t, l, t0.Add(test.at), 10)
			left, passed := 5, 0
			if test.overtaken {
				left, passed = 0, 5
			}
			if n, c := len(letters(t, l, older.ID)), campaign(t, l, older.ID); n != left || c.Passed != passed {
				t.Errorf("%d letters of the older one, %d passed, want %d, %d", n, c.Passed, left, passed)
			}
			if n, c := len(letters(t, l, newer.ID)), campaign(t, l, newer.ID); n != 5 || c.Passed != 0 {
				t.Errorf("%d letters of the newer one, %d passed", n, c.Passed)
			}
		})
	}
}

func complete(c Campaign) Campaign {
	if c.Slug == "" {
		c.Slug = "a"
	}
	if c.Kind == "" {
		c.Kind = "closed"
	}
	return c
}

// TestOvertakenByOneThatIsFinished: a letter that was put off again and again
// doesn't come after the newer one.
func TestOvertakenByOneThatIsFinished(t *testing.T) {
	l := newLedger(t)
	followers(t, l, 1)
	older := fire(t, l, Campaign{Slug: "a", Kind: "closed"})
	expandAll(t, l, older.ID, 10)
	update(t, l, func(tx *Tx) error {
		return tx.LetterLater(Letter{Campaign: older.ID, Subscriber: Subscriber{ID: 1}}, t0.Add(time.Hour), "try later")
	})
	newer := fire(t, l, Campaign{Slug: "a", Kind: "cancelled", Fired: t0.Add(time.Minute)})
	expandAll(t, l, newer.ID, 10)
	update(t, l, func(tx *Tx) error {
		if err := tx.LetterSent(Letter{Campaign: newer.ID, Subscriber: Subscriber{ID: 1}}); err != nil {
			return err
		}
		return must(tx.Finish(newer.ID, t0.Add(2*time.Minute)))
	})
	pump(t, l, t0.Add(overtakeAge), 10)
	if n := len(letters(t, l, older.ID)); n != 0 {
		t.Errorf("%d letters of the older one are still to go", n)
	}
}

// TestOvertakenInFlight: what is being sent as the newer one comes is settled
// once.
func TestOvertakenInFlight(t *testing.T) {
	l := newLedger(t)
	followers(t, l, 1)
	older := fire(t, l, Campaign{Slug: "a", Kind: "closed"})
	expandAll(t, l, older.ID, 10)
	flying := claim(t, l, t0, 10)[0]
	fire(t, l, Campaign{Slug: "a", Kind: "cancelled", Fired: t0.Add(time.Minute)})
	pump(t, l, t0.Add(time.Hour), 10)
	update(t, l, func(tx *Tx) error { return tx.LetterSent(flying) })
	if c := campaign(t, l, older.ID); c.Sent+c.Passed+c.Failed != 1 {
		t.Errorf("one recipient, %d sent, %d passed", c.Sent, c.Passed)
	}
}
