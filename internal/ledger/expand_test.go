package ledger

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// addSubscribers adds those as given, in one transaction, and gives them with
// their ids.
func addSubscribers(t testing.TB, l *Ledger, all ...Subscriber) []Subscriber {
	t.Helper()
	before := int64(count(t, l, "SELECT COALESCE(MAX(id), 0) FROM subscribers"))
	update(t, l, func(tx *Tx) error {
		for _, s := range all {
			added, err := tx.AddSubscriber(s)
			if err != nil || !added {
				return fmt.Errorf("%s: added %v, %v", s.Email, added, err)
			}
		}
		added, err := tx.Subscribers(before, len(all))
		for i := range added {
			all[i].ID = added[i].ID
		}
		return err
	})
	return all
}

// followers are n confirmed subscribers of all storefronts.
func followers(t testing.TB, l *Ledger, n int) []Subscriber {
	t.Helper()
	all := make([]Subscriber, n)
	for i := range all {
		all[i] = Subscriber{Email: fmt.Sprintf("s%d@example.com", i), Confirmed: t0}
	}
	return addSubscribers(t, l, all...)
}

// fire adds a campaign and fires it.
func fire(t testing.TB, l *Ledger, c Campaign) Campaign {
	t.Helper()
	if c.Fired.IsZero() {
		c.Fired = t0
	}
	update(t, l, func(tx *Tx) (err error) {
		if c.ID, err = tx.AddCampaign(c); err == nil {
			err = tx.Fire(c)
		}
		return err
	})
	return campaign(t, l, c.ID)
}

func campaign(t testing.TB, l *Ledger, id int64) Campaign {
	t.Helper()
	cs := read(t, l, func(tx *Tx) ([]Campaign, error) { return tx.Campaigns(1000) })
	i := slices.IndexFunc(cs, func(c Campaign) bool { return c.ID == id })
	if i < 0 {
		t.Fatalf("there is no campaign %d", id)
	}
	return cs[i]
}

// expandAll writes all letters of the campaign, each batch in its transaction.
func expandAll(t testing.TB, l *Ledger, id int64, batch int) (batches int) {
	t.Helper()
	for more := true; more; batches++ {
		c := campaign(t, l, id)
		update(t, l, func(tx *Tx) error {
			written, err := tx.Expand(c, batch)
			more = written == batch
			return err
		})
		if after := campaign(t, l, id); after.Cursor <= c.Cursor && more {
			t.Fatalf("the cursor stands still at %d", after.Cursor)
		}
	}
	return batches
}

func letters(t testing.TB, l *Ledger, campaign int64) []int64 {
	t.Helper()
	return read(t, l, func(tx *Tx) ([]int64, error) {
		return rows(tx, func(s scanner) (id int64, err error) { err = s.Scan(&id); return },
			"SELECT subscriber FROM letters WHERE campaign = $1 ORDER BY subscriber", campaign)
	})
}

// crowd adds n subscribers of every kind to a fresh ledger, so many of each that
// batches end anywhere. They go in by the hundred: one by one takes too long.
func crowd(t *testing.T, l *Ledger, n int) []Subscriber {
	t.Helper()
	choices := [][]string{nil, {"web"}, {"web-2"}, {"web", "web-2"}, {"market", "web-22"}, {"2"}}
	all := make([]Subscriber, n)
	for i := range all {
		s := Subscriber{ID: int64(i + 1), Email: fmt.Sprintf("s%d@example.com", i), Storefronts: choices[i%len(choices)], Confirmed: t0}
		s.UntilReopen = i%7 == 0
		if i%11 == 0 {
			s.Confirmed = time.Time{}
		}
		if i%13 == 0 {
			s.Suppressed = "left the company"
		}
		all[i] = s
	}
	update(t, l, func(tx *Tx) error {
		for some := range slices.Chunk(all, 100) {
			var values []string
			for _, s := range some {
				values = append(values, fmt.Sprintf("('%s', '%s', %d, %d, '%s')", s.Email, spaced(s.Storefronts), flag(s.UntilReopen), millis(s.Confirmed), s.Suppressed))
			}
			_, err := tx.exec("INSERT INTO subscribers (email, storefronts, until_reopen, confirmed, suppressed) VALUES " + strings.Join(values, ", "))
			if err != nil {
				return err
			}
		}
		return nil
	})
	return all
}

// follow tells by plain reason who is to get the campaign.
func follow(s Subscriber, c Campaign) bool {
	if s.Confirmed.IsZero() || s.Suppressed != "" || s.UntilReopen && c.Kind != "reopened" {
		return false
	}
	return len(s.Storefronts) == 0 || len(c.Storefronts) == 0 ||
		slices.ContainsFunc(s.Storefronts, func(id string) bool { return slices.Contains(c.Storefronts, id) })
}

func TestExpand(t *testing.T) {
	const n, batch = 12_345, 1000
	l := newLedger(t)
	all := crowd(t, l, n)
	campaigns := []Campaign{
		fire(t, l, Campaign{Slug: "a", Kind: "closed"}),
		fire(t, l, Campaign{Slug: "a", Kind: "closed", Storefronts: []string{"web"}}),
		fire(t, l, Campaign{Slug: "a", Kind: "reopened", Storefronts: []string{"web-2", "market"}}),
		fire(t, l, Campaign{Slug: "a", Kind: "update", Storefronts: []string{"nobody's"}}),
	}
	addSubscribers(t, l, Subscriber{Email: "late@example.com", Confirmed: t0})
	for _, c := range campaigns {
		var want []int64
		for _, s := range all {
			if follow(s, c) {
				want = append(want, s.ID)
			}
		}
		batches := expandAll(t, l, c.ID, batch)
		if got := letters(t, l, c.ID); !slices.Equal(got, want) {
			t.Errorf("%s of %v: %d letters, want %d", c.Kind, c.Storefronts, len(got), len(want))
		}
		if want := len(want)/batch + 1; batches != want {
			t.Errorf("%s of %v: %d batches, want %d", c.Kind, c.Storefronts, batches, want)
		}
		if after := campaign(t, l, c.ID); after.Cursor != c.Last || c.Last != all[n-1].ID {
			t.Errorf("the cursor is at %d of %d", after.Cursor, c.Last)
		}
	}
}

func TestExpandOfAWholeBatch(t *testing.T) {
	l := newLedger(t)
	followers(t, l, 20)
	c := fire(t, l, Campaign{Slug: "a", Kind: "closed"})
	if batches := expandAll(t, l, c.ID, 10); batches != 3 || len(letters(t, l, c.ID)) != 20 {
		t.Errorf("%d batches, %d letters", batches, len(letters(t, l, c.ID)))
	}
}

func TestCursorMovesWithItsLetters(t *testing.T) {
	l := newLedger(t)
	followers(t, l, 30)
	c := fire(t, l, Campaign{Slug: "a", Kind: "closed"})
	update(t, l, func(tx *Tx) error { return must(tx.Expand(c, 10)) })
	c = campaign(t, l, c.ID)
	err := l.Update(context.Background(), func(tx *Tx) error {
		if _, err := tx.Expand(c, 10); err != nil {
			return err
		}
		return errInjected
	})
	if !errors.Is(err, errInjected) {
		t.Fatal(err)
	}
	if after := campaign(t, l, c.ID); !reflect.DeepEqual(after, c) || len(letters(t, l, c.ID)) != 10 {
		t.Errorf("the cursor went from %d to %d, with %d letters", c.Cursor, after.Cursor, len(letters(t, l, c.ID)))
	}
	expandAll(t, l, c.ID, 10)
	if n := len(letters(t, l, c.ID)); n != 30 {
		t.Errorf("%d letters in the end", n)
	}
}

// TestOneLetterEach: the ledger itself refuses a second letter to the same
// subscriber, whatever the cursor says.
func TestOneLetterEach(t *testing.T) {
	l := newLedger(t)
	followers(t, l, 3)
	c := fire(t, l, Campaign{Slug: "a", Kind: "closed"})
	update(t, l, func(tx *Tx) error { return must(tx.Expand(c, 10)) })
	if err := l.Update(context.Background(), func(tx *Tx) error { return must(tx.Expand(c, 10)) }); err == nil {
		t.Error("the same letters were written twice")
	}
	if n := len(letters(t, l, c.ID)); n != 3 {
		t.Errorf("%d letters", n)
	}
}

func TestCountFollowers(t *testing.T) {
	l := newLedger(t)
	all := crowd(t, l, 500)
	for _, c := range []Campaign{{Kind: "closed"}, {Kind: "reopened", Storefronts: []string{"web"}}, {Kind: "closed", Storefronts: []string{"web-2", "market"}}} {
		want := 0
		for _, s := range all {
			if follow(s, c) {
				want++
			}
		}
		if got := read(t, l, func(tx *Tx) (int, error) { return tx.CountFollowers(c) }); got != want {
			t.Errorf("%s of %v: %d, want %d", c.Kind, c.Storefronts, got, want)
		}
	}
}
