package ledger

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"
)

// claim claims as a watcher that goes on to be there.
func claim(t testing.TB, l *Ledger, now time.Time, limit int) []Letter {
	t.Helper()
	return watcherOf(t, l).letters(t, now, limit)
}

func (m *Member) letters(t testing.TB, now time.Time, limit int) (all []Letter) {
	t.Helper()
	err := m.Claim(context.Background(), func(tx *Tx) (err error) {
		all, err = tx.Claim(now, limit)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// mailing is a fired campaign with the letters of n followers written.
func mailing(t testing.TB, l *Ledger, n int) (Campaign, []Subscriber) {
	t.Helper()
	all := followers(t, l, n)
	c := fire(t, l, Campaign{Slug: "a", Kind: "closed"})
	expandAll(t, l, c.ID, 1000)
	return campaign(t, l, c.ID), all
}

func TestClaim(t *testing.T) {
	l := newLedger(t)
	c, all := mailing(t, l, 25)
	if early := claim(t, l, t0.Add(-time.Millisecond), 100); len(early) > 0 {
		t.Errorf("%d letters before they are due", len(early))
	}
	var got []Letter
	for _, want := range []int{10, 10, 5, 0} {
		batch := claim(t, l, t0, 10)
		if len(batch) != want {
			t.Errorf("%d letters, want %d", len(batch), want)
		}
		got = append(got, batch...)
	}
	for i, letter := range got {
		if letter.Campaign != c.ID || letter.Subscriber.Email != all[i].Email || letter.Subscriber.ID != all[i].ID {
			t.Errorf("letter %d: %+v", i, letter)
		}
	}
}

func TestLetterLater(t *testing.T) {
	l := newLedger(t)
	c, _ := mailing(t, l, 2)
	first := claim(t, l, t0, 1)[0]
	later := t0.Add(time.Minute)
	update(t, l, func(tx *Tx) error { return tx.LetterLater(first, later, "452 try later") })
	if due := claim(t, l, later.Add(-time.Millisecond), 9); len(due) != 1 || due[0].Subscriber.ID == first.Subscriber.ID {
		t.Errorf("%+v", due)
	}
	due := claim(t, l, later, 9)
	if len(due) != 1 || due[0].Subscriber.ID != first.Subscriber.ID || due[0].Attempts != 1 {
		t.Errorf("%+v", due)
	}
	update(t, l, func(tx *Tx) error { return tx.LetterLater(due[0], later, "") })
	if got := campaign(t, l, c.ID); got.Error != "452 try later" || got.Sent+got.Failed+got.Passed != 0 {
		t.Errorf("%+v", got)
	}
}

func TestLettersAreCountedOnce(t *testing.T) {
	l := newLedger(t)
	c, _ := mailing(t, l, 5)
	all := claim(t, l, t0, 9)
	for range 2 { // what a crash may repeat
		update(t, l, func(tx *Tx) error {
			for _, letter := range all[:3] {
				if err := tx.LetterSent(letter); err != nil {
					return err
				}
			}
			return tx.LetterFailed(all[3], "550 no")
		})
	}
	got := campaign(t, l, c.ID)
	if got.Sent != 3 || got.Failed != 1 || got.Passed != 0 || got.Error != "550 no" || len(letters(t, l, c.ID)) != 1 {
		t.Errorf("%+v", got)
	}
}

func TestWhoLeftIsPassedOver(t *testing.T) {
	l := newLedger(t)
	c, all := mailing(t, l, 4)
	update(t, l, func(tx *Tx) error {
		if _, err := tx.RemoveSubscriber(all[0].Email); err != nil {
			return err
		}
		return tx.Suppress(all[2].ID, "550 5.1.1 no such user")
	})
	// Whoever comes back is another subscriber, to whom nothing is owed.
	addSubscribers(t, l, Subscriber{Email: all[0].Email, Confirmed: t0})
	var got []string
	for _, letter := range claim(t, l, t0, 9) {
		got = append(got, letter.Subscriber.Email)
		update(t, l, func(tx *Tx) error { return tx.LetterSent(letter) })
	}
	if !slices.Equal(got, []string{all[1].Email, all[3].Email}) {
		t.Errorf("letters to %v", got)
	}
	if c := campaign(t, l, c.ID); c.Passed != 2 || c.Sent != 2 || len(letters(t, l, c.ID)) != 0 {
		t.Errorf("%+v", c)
	}
}

func TestUntilReopenIsForgotten(t *testing.T) {
	l := newLedger(t)
	addSubscribers(t, l, Subscriber{Email: "once@example.com", Confirmed: t0, UntilReopen: true}, Subscriber{Email: "always@example.com", Confirmed: t0})
	c := fire(t, l, Campaign{Slug: "a", Kind: "reopened"})
	expandAll(t, l, c.ID, 10)
	all := claim(t, l, t0, 10)
	if len(all) != 2 {
		t.Fatalf("%d letters", len(all))
	}
	update(t, l, func(tx *Tx) error {
		for _, letter := range all {
			if err := tx.LetterSent(letter); err != nil {
				return err
			}
		}
		return nil
	})
	left := read(t, l, func(tx *Tx) ([]Subscriber, error) { return tx.Subscribers(0, 9) })
	if len(left) != 1 || left[0].Email != "always@example.com" {
		t.Errorf("%+v", left)
	}
}

func TestOwed(t *testing.T) {
	l := newLedger(t)
	check := func(what string, mail int) {
		t.Helper()
		if o := read(t, l, (*Tx).Owed); o.Mail != mail || o.Webhooks != 0 {
			t.Errorf("%s: %+v owed, want %d", what, o, mail)
		}
	}
	check("nothing", 0)
	followers(t, l, 5)
	check("nobody has anything to say", 0)
	soon := t0.Add(time.Minute)
	c := Campaign{Slug: "a", Kind: "closed", Created: t0, NotBefore: soon, Fired: soon}
	update(t, l, func(tx *Tx) (err error) {
		c.ID, err = tx.AddCampaign(c)
		return err
	})
	check("one that waits", 5)
	update(t, l, func(tx *Tx) error { return tx.Fire(c) })
	check("one that has fired", 5)
	update(t, l, func(tx *Tx) error { return must(tx.Expand(campaignIn(tx, c.ID), 2)) })
	check("some letters are written", 5)
	update(t, l, func(tx *Tx) error { return must(tx.Expand(campaignIn(tx, c.ID), 10)) })
	check("all letters are written", 5)
	all := claim(t, l, soon, 10)
	check("all letters are under way", 5)
	update(t, l, func(tx *Tx) error {
		for _, letter := range all[1:] {
			if err := tx.LetterSent(letter); err != nil {
				return err
			}
		}
		return tx.LetterLater(all[0], soon.Add(time.Hour), "")
	})
	check("one letter is put off", 1)
	update(t, l, func(tx *Tx) error { _, err := tx.AddAlert([]string{"a@x", "b@x"}, "s", "t", t0, t0); return err })
	check("and two alerts", 3)
}

func campaignIn(tx *Tx, id int64) Campaign {
	cs, err := rows(tx, scanCampaign, "SELECT "+campaignColumns+" FROM campaigns WHERE id = $1", id)
	if err != nil || len(cs) != 1 {
		panic(fmt.Sprint(cs, err))
	}
	return cs[0]
}

func TestOwedWebhooks(t *testing.T) {
	l := newLedger(t)
	update(t, l, func(tx *Tx) error {
		for _, e := range []Endpoint{
			{Storefront: "web", URL: "behind", Acknowledged: 5}, {Storefront: "web", URL: "there", Acknowledged: 6},
			{Storefront: "web", URL: "once more", Acknowledged: 6, Reassert: t0}, {Storefront: "web", URL: "disabled", Disabled: t0},
			{Storefront: "unknown", URL: "behind"},
		} {
			if err := tx.SaveEndpoint(e); err != nil {
				return err
			}
		}
		return tx.SaveStorefront(Storefront{ID: "web", Revision: 6}, t0)
	})
	if o := read(t, l, (*Tx).Owed); o.Webhooks != 2 || o.Mail != 0 {
		t.Errorf("%+v", o)
	}
}

func TestMakeDue(t *testing.T) {
	l := newLedger(t)
	later := t0.Add(time.Hour)
	mailing(t, l, 2)
	first := claim(t, l, t0, 1)[0]
	settling := Campaign{Slug: "b", Kind: "closed", Created: t0, NotBefore: later}
	update(t, l, func(tx *Tx) (err error) {
		if err := tx.LetterLater(first, later, ""); err != nil {
			return err
		}
		if _, err := tx.AddAlert([]string{"a@x"}, "s", "t", later, later); err != nil {
			return err
		}
		if err := tx.SaveEndpoint(Endpoint{Storefront: "web", URL: "u", Attempts: 3, NextTry: later}); err != nil {
			return err
		}
		settling.ID, err = tx.AddCampaign(settling)
		return err
	})
	now := t0.Add(time.Minute)
	update(t, l, func(tx *Tx) error { return tx.MakeDue(now) })
	if n := len(claim(t, l, now, 9)); n != 2 {
		t.Errorf("%d letters are due", n)
	}
	if alerts := read(t, l, func(tx *Tx) ([]Alert, error) { return tx.DueAlerts(now) }); len(alerts) != 1 {
		t.Errorf("%d alerts are due", len(alerts))
	}
	if e := read(t, l, (*Tx).Endpoints)[0]; !e.NextTry.Equal(now) || e.Attempts != 3 {
		t.Errorf("%+v", e)
	}
	if c := campaign(t, l, settling.ID); !c.NotBefore.Equal(later) {
		t.Errorf("the settling one is due at %v", c.NotBefore)
	}
}
