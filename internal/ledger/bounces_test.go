package ledger

import (
	"testing"
	"time"
)

func TestBounces(t *testing.T) {
	l := newLedger(t)
	ada := addSubscribers(t, l, Subscriber{Email: "ada@example.com", Confirmed: t0}, Subscriber{Email: "bob@example.com", Confirmed: t0})[0]
	now := t0
	count := func(letter string) (fresh bool) {
		update(t, l, func(tx *Tx) (err error) {
			fresh, err = tx.CountBounce(ada.ID, letter, "5.2.2", now)
			return err
		})
		return fresh
	}
	suppressed := func() string {
		return read(t, l, func(tx *Tx) (Subscriber, error) { return tx.Subscriber("ada@example.com") }).Suppressed
	}
	if !count("a") || count("a") || !count("b") || count("b") || suppressed() != "" {
		t.Errorf("two letters, each reported twice: suppressed %q", suppressed())
	}
	now = now.Add(bounceMemory + time.Hour)
	if !count("c") || !count("d") || suppressed() != "" {
		t.Errorf("two letters, and two of long ago: suppressed %q", suppressed())
	}
	if !count("e") || suppressed() != "5.2.2" {
		t.Errorf("three letters: suppressed %q", suppressed())
	}
	update(t, l, func(tx *Tx) error { return forget(tx, "ada@example.com") })
	if n := read(t, l, func(tx *Tx) (int, error) { return tx.countRows("bounces") }); n != 0 {
		t.Errorf("%d bounces of nobody", n)
	}
}

// TestBar: an address that is no subscriber's is not asked any more, whatever it was
// about to be asked.
func TestBar(t *testing.T) {
	l := newLedger(t)
	p := Pending{Email: "Eve@example.com", Expires: t0.Add(time.Hour)}
	update(t, l, func(tx *Tx) error { return tx.Ask(p, []string{"seal"}, t0) })
	for range 2 {
		update(t, l, func(tx *Tx) error { return tx.Bar("eve@EXAMPLE.com", "seal") })
	}
	update(t, l, func(tx *Tx) error { return tx.Ask(p, []string{"seal"}, t0.Add(time.Hour)) })
	if n := read(t, l, func(tx *Tx) (int, error) { return tx.countRows("pending") }); n != 0 {
		t.Errorf("%d are still to be asked", n)
	}
}
