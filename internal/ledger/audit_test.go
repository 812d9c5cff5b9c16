package ledger

import (
	"context"
	"reflect"
	"sync"
	"testing"
	"time"
)

func TestAuditRoundTrip(t *testing.T) {
	l := newLedger(t)
	until := t0.Add(time.Hour)
	lisbon := time.FixedZone("WEST", 3600)
	full := Entry{Time: t0.Add(456 * time.Microsecond).In(lisbon), Event: StorefrontClosed, Storefront: "web", Notice: "flood", Revision: 1798135200123,
		Until: &until, Kind: "closed", URL: "https://shop.example/hook", Reason: "because", OpenSteps: []string{"stock counted"},
		Counts: Counts{"recipients": 3, "sent": 2}, By: &By{Name: "Ada \"Countess\"\nLovelace", Email: "ada@example.com", Verified: true, How: "ssh-signature", Key: "SHA256:x"}}
	var given []Entry
	update(t, l, func(tx *Tx) error {
		for _, e := range []Entry{full, {Time: t0, Event: NoticeMissed}} {
			e, err := tx.Audit(e)
			if err != nil {
				return err
			}
			given = append(given, e)
		}
		return nil
	})
	full.Index, full.Time = 0, t0
	if !reflect.DeepEqual(given[0], full) || given[1].Index != 1 {
		t.Errorf("given back: %+v", given)
	}
	got := read(t, l, func(tx *Tx) ([]Entry, error) { return tx.Entries(0, 10) })
	if !reflect.DeepEqual(got, given) {
		t.Errorf("read back: %+v, want %+v", got, given)
	}
	page := read(t, l, func(tx *Tx) ([]Entry, error) { return tx.Entries(1, 10) })
	first := read(t, l, func(tx *Tx) ([]Entry, error) { return tx.Entries(0, 1) })
	if len(page) != 1 || page[0].Index != 1 || len(first) != 1 || first[0].Index != 0 {
		t.Errorf("from 1: %+v; one: %+v", page, first)
	}
	backwards := read(t, l, func(tx *Tx) ([]Entry, error) { return tx.EntriesBefore(2, 10) })
	before := read(t, l, func(tx *Tx) ([]Entry, error) { return tx.EntriesBefore(1, 1) })
	if len(backwards) != 2 || backwards[0].Index != 1 || len(before) != 1 || before[0].Index != 0 {
		t.Errorf("backwards: %+v; before 1: %+v", backwards, before)
	}
	missed := read(t, l, func(tx *Tx) ([]Entry, error) { return tx.EntriesOf([]string{NoticeMissed, "none"}, 0, 10) })
	none := read(t, l, func(tx *Tx) ([]Entry, error) { return tx.EntriesOf([]string{StorefrontClosed}, 1, 10) })
	if len(missed) != 1 || missed[0].Index != 1 || len(none) != 0 {
		t.Errorf("missed: %+v; closed from 1: %+v", missed, none)
	}
}

func TestAuditIsAppendOnly(t *testing.T) {
	l := newLedger(t)
	update(t, l, func(tx *Tx) error { return must(tx.Audit(Entry{Time: t0, Event: NoticeAccepted})) })
	for _, statement := range []string{"UPDATE audit SET event = 'x'", "DELETE FROM audit", "DELETE FROM audit WHERE idx = 0"} {
		if err := l.Update(context.Background(), func(tx *Tx) error { return must(tx.exec(statement)) }); err == nil {
			t.Errorf("%s was done", statement)
		}
	}
	if n := count(t, l, "SELECT COUNT(*) FROM audit WHERE event = $1", NoticeAccepted); n != 1 {
		t.Errorf("%d entries", n)
	}
}

// TestAuditHasNoGaps: many at once, over two handles, some of whom fail.
func TestAuditHasNoGaps(t *testing.T) {
	const writers, each = 8, 10
	place := newPlace(t)
	handles := []*Ledger{openAt(t, place), openAt(t, place)}
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				err := handles[w%2].Update(context.Background(), func(tx *Tx) error {
					if _, err := tx.Audit(Entry{Time: t0, Event: NoticeAccepted}); err != nil {
						return err
					}
					if i%5 == 4 {
						return errInjected
					}
					return nil
				})
				if (err == errInjected) != (i%5 == 4) {
					t.Errorf("%v", err)
				}
			}
		})
	}
	wg.Wait()
	entries := read(t, handles[0], func(tx *Tx) ([]Entry, error) { return tx.Entries(0, 1000) })
	if len(entries) != writers*each*4/5 {
		t.Errorf("%d entries", len(entries))
	}
	for i, e := range entries {
		if e.Index != int64(i) {
			t.Fatalf("entry %d is number %d", i, e.Index)
		}
	}
}
