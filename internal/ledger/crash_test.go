package ledger

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"
)

// writeOn closes and reopens a storefront for ever, each time with everything
// that belongs to it, and prints each entry that is written.
func writeOn(path string) error {
	l, err := Open(context.Background(), path, true)
	if err != nil {
		return err
	}
	if err := l.SignWith(context.Background(), origin, key); err != nil {
		return err
	}
	for {
		var e Entry
		err := l.Update(context.Background(), func(tx *Tx) (err error) {
			e, err = changeState(tx)
			return err
		})
		if err != nil {
			return err
		}
		fmt.Println(e.Index)
	}
}

// changeState is what one change of a storefront writes: its row, the audit
// entry and the mail that it owes, all with the same number.
func changeState(tx *Tx) (Entry, error) {
	e, err := tx.Audit(Entry{Time: t0, Event: StorefrontClosed, Storefront: "web"})
	if err != nil {
		return e, err
	}
	err = tx.SaveStorefront(Storefront{ID: "web", State: "closed", Checkout: "off", Revision: e.Index, Since: t0}, t0)
	if err != nil {
		return e, err
	}
	_, err = tx.AddCampaign(Campaign{Slug: fmt.Sprint("closure-", e.Index), Kind: "closed", Created: t0, NotBefore: t0})
	return e, err
}

// TestKilled kills a writer at any moment. What it said is written is there, and
// whatever is there is whole.
func TestKilled(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	place := newPlace(t)
	for range 10 {
		writer := start(t, "write", place)
		said := writer.line(t)
		for range r.IntN(20) {
			said = writer.line(t)
		}
		time.Sleep(time.Duration(r.IntN(4000)) * time.Microsecond) // into the middle of a transaction
		said = cmp.Or(writer.kill(), said)
		last, err := strconv.Atoi(said)
		if err != nil {
			t.Fatal(said)
		}
		checkWhole(t, place, last)
	}
}

func checkWhole(t *testing.T, place string, last int) {
	t.Helper()
	l, err := Open(context.Background(), place, false)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	entries := read(t, l, func(tx *Tx) ([]Entry, error) { return tx.Entries(0, 1<<20) })
	if len(entries) <= last {
		t.Errorf("%d entries, though number %d was said to be written", len(entries), last)
	}
	covered(t, l)
	campaigns := read(t, l, (*Tx).OpenCampaigns)
	if len(campaigns) != len(entries) {
		t.Fatalf("%d entries and %d campaigns", len(entries), len(campaigns))
	}
	for i, e := range entries {
		if e.Index != int64(i) || campaigns[i].Slug != fmt.Sprint("closure-", i) {
			t.Errorf("entry %d is number %d, its campaign %s", i, e.Index, campaigns[i].Slug)
		}
	}
	if f := read(t, l, (*Tx).Storefronts)["web"]; f.Revision != int64(len(entries)-1) {
		t.Errorf("%d entries, but revision %d", len(entries), f.Revision)
	}
	if onPostgres(t) {
		return
	}
	if n := count(t, l, "SELECT COUNT(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'"); n != 1 {
		t.Error("SQLite finds damage")
	}
}
