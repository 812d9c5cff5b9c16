package ledger

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"
)

func join(t testing.TB, l *Ledger, place string) *Member {
	t.Helper()
	m, err := l.Join(context.Background(), place, []byte("key"))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

var watchers sync.Map // by ledger

// watcherOf is the one watcher of a ledger that most tests need.
func watcherOf(t testing.TB, l *Ledger) *Member {
	t.Helper()
	if m, ok := watchers.Load(l); ok {
		return m.(*Member)
	}
	m := join(t, l, "here")
	watchers.Store(l, m)
	t.Cleanup(func() { watchers.Delete(l) })
	return m
}

func lead(t testing.TB, m *Member) (led, elsewhere bool) {
	t.Helper()
	led, elsewhere, err := m.Lead(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return led, elsewhere
}

// die lets the time of all leases pass.
func die(t testing.TB, l *Ledger) {
	t.Helper()
	update(t, l, func(tx *Tx) error { return must(tx.exec("UPDATE leases SET until = 0")) })
}

// fenced tries to write as one who reconciles, and tells whether it was refused.
func fenced(t testing.TB, m *Member) bool {
	t.Helper()
	before := count(t, m.ledger, "SELECT COUNT(*) FROM audit")
	err := m.Update(context.Background(), func(tx *Tx) error { return must(changeState(tx)) })
	if err != nil && !errors.Is(err, ErrFenced) {
		t.Fatal(err)
	}
	if wrote := count(t, m.ledger, "SELECT COUNT(*) FROM audit") > before; wrote == (err != nil) {
		t.Errorf("wrote %v, %v", wrote, err)
	}
	return err != nil
}

// TestFence: who reconciled before writes nothing once another does, nor does one
// that never did.
func TestFence(t *testing.T) {
	place := newPlace(t)
	first := join(t, openAt(t, place), "one")
	if !fenced(t, first) {
		t.Error("it wrote before it led")
	}
	if led, elsewhere := lead(t, first); !led || elsewhere || fenced(t, first) {
		t.Error("nobody had it, and it can't lead")
	}
	die(t, first.ledger)
	if fenced(t, first) {
		t.Error("nobody has taken over, and it is refused")
	}
	second := join(t, openAt(t, place), "two")
	if led, _ := lead(t, second); !led || !fenced(t, first) || fenced(t, second) {
		t.Error("two may write")
	}
	first.Follow()
	if !fenced(t, first) || fenced(t, second) {
		t.Error("it wrote as a follower")
	}
	if err := second.Leave(context.Background()); err != nil {
		t.Error(err)
	}
	if led, _ := lead(t, first); !led || !fenced(t, second) || fenced(t, first) {
		t.Error("what was given up can't be taken")
	}
}

// TestClaimsOfTheDead are others' to make, and no longer theirs to settle.
func TestClaimsOfTheDead(t *testing.T) {
	l := newLedger(t)
	c, _ := mailing(t, l, 4)
	dead := join(t, l, "one")
	theirs := dead.letters(t, t0, 3)
	die(t, l)
	heir := join(t, l, "two")
	mine := heir.letters(t, t0, 9)
	if len(theirs) != 3 || len(mine) != 4 || len(heir.letters(t, t0, 9)) != 0 {
		t.Fatalf("%d letters, then %d", len(theirs), len(mine))
	}
	later := t0.Add(time.Hour)
	update(t, l, func(tx *Tx) error {
		return errors.Join(tx.LetterSent(theirs[0]), tx.LetterFailed(theirs[1], "550"), tx.LetterLater(theirs[2], later, "452"), tx.LetterUntried(theirs[1]))
	})
	if got := campaign(t, l, c.ID); got.Sent != 1 || got.Failed != 0 || got.Error != "" || len(letters(t, l, c.ID)) != 3 {
		t.Errorf("what the dead one said: %+v", got)
	}
	if again := heir.letters(t, later, 9); len(again) != 0 {
		t.Errorf("%d letters were given back by one that is gone", len(again))
	}
	update(t, l, func(tx *Tx) error {
		return errors.Join(tx.LetterSent(mine[0]), tx.LetterFailed(mine[1], "550"), tx.LetterSent(mine[2]), tx.LetterSent(mine[3]))
	})
	if got := campaign(t, l, c.ID); got.Sent != 3 || got.Failed != 1 || len(letters(t, l, c.ID)) != 0 {
		t.Errorf("in the end: %+v", got)
	}
}

func TestClaimAlert(t *testing.T) {
	l := newLedger(t)
	update(t, l, func(tx *Tx) error { _, err := tx.AddAlert([]string{"a@x"}, "s", "t", t0, t0); return err })
	id := read(t, l, func(tx *Tx) ([]Alert, error) { return tx.DueAlerts(t0) })[0].ID
	m := watcherOf(t, l)
	take := func(now time.Time) (mine bool) {
		err := m.Claim(context.Background(), func(tx *Tx) (err error) {
			mine, err = tx.ClaimAlert(id, now)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return mine
	}
	if take(t0.Add(-time.Second)) || !take(t0) || take(t0) {
		t.Error("taken before it is due, or twice")
	}
	update(t, l, func(tx *Tx) error { return tx.AlertLater(id, t0.Add(time.Minute)) })
	if take(t0) || !take(t0.Add(time.Minute)) {
		t.Error("put off")
	}
}

// TestTextsAreStorable, whatever a mail server answers.
func TestTextsAreStorable(t *testing.T) {
	l := newLedger(t)
	update(t, l, func(tx *Tx) error {
		return tx.Refuse(Refusal{Slug: "flood", SHA256: "s", Reason: "not\x00 \xff\xfe", At: t0})
	})
	if r := read(t, l, (*Tx).Refusals)["flood"]; r.Reason != "not\uFFFD \uFFFD" {
		t.Errorf("%q", r.Reason)
	}
}

func TestEdition(t *testing.T) {
	l := newLedger(t)
	was := ""
	changed := func(what string, want bool) {
		t.Helper()
		is := read(t, l, (*Tx).Edition)
		if (is != was) != want {
			t.Errorf("%s: %q, then %q", what, was, is)
		}
		was = is
	}
	changed("the first look", true)
	changed("nothing", false)
	update(t, l, func(tx *Tx) error { return must(changeState(tx)) })
	changed("a storefront", true)
	accept(t, l, Version{Slug: "flood", SHA256: "s1", Content: []byte("one"), Accepted: t0})
	changed("a notice", true)
	n := read(t, l, (*Tx).Notices)[0]
	n.Closed = t0
	update(t, l, func(tx *Tx) error { return tx.SaveNotice(n) })
	changed("it was carried out", true)
}
