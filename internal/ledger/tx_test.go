package ledger

import (
	"context"
	"errors"
	"testing"
	"time"
)

var errInjected = errors.New("injected")

func TestUpdateIsAllOrNothing(t *testing.T) {
	l := newLedger(t)
	err := l.Update(context.Background(), func(tx *Tx) error {
		if _, err := changeState(tx); err != nil {
			return err
		}
		return errInjected
	})
	if !errors.Is(err, errInjected) {
		t.Fatal(err)
	}
	checkEmpty(t, l)
	func() {
		defer func() { recover() }()
		_ = l.Update(context.Background(), func(tx *Tx) error {
			_ = must(changeState(tx))
			panic("injected")
		})
	}()
	checkEmpty(t, l)
	ctx, cancel := context.WithCancel(context.Background())
	err = l.Update(ctx, func(tx *Tx) error {
		defer cancel()
		return must(changeState(tx))
	})
	if err == nil {
		t.Error("a transaction outlived its context")
	}
	checkEmpty(t, l)
	update(t, l, func(tx *Tx) error { return must(changeState(tx)) })
	if n := count(t, l, "SELECT COUNT(*) FROM campaigns"); n != 1 {
		t.Errorf("%d campaigns after one that went well", n)
	}
}

func checkEmpty(t *testing.T, l *Ledger) {
	t.Helper()
	n := count(t, l, "SELECT (SELECT COUNT(*) FROM audit) + (SELECT COUNT(*) FROM storefronts) + (SELECT COUNT(*) FROM campaigns)")
	if n != 0 {
		t.Errorf("%d rows of a transaction that failed", n)
	}
}

func TestViewBesideAnUpdate(t *testing.T) {
	place := newPlace(t)
	l, other := openAt(t, place), openAt(t, place)
	update(t, l, func(tx *Tx) error {
		if _, err := changeState(tx); err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		for _, reader := range []*Ledger{l, other} {
			err := reader.View(ctx, func(tx *Tx) error {
				fronts, err := tx.Storefronts()
				if len(fronts) > 0 {
					t.Error("it sees what isn't committed")
				}
				return err
			})
			if err != nil {
				t.Error("a reader waits for the writer:", err)
			}
		}
		return nil
	})
	if fronts := read(t, other, (*Tx).Storefronts); len(fronts) != 1 {
		t.Errorf("the other one sees %d storefronts", len(fronts))
	}
}

func TestViewStaysAtItsMoment(t *testing.T) {
	l := newLedger(t)
	err := l.View(context.Background(), func(tx *Tx) error {
		before, err := tx.Storefronts()
		if err != nil {
			return err
		}
		update(t, l, func(tx *Tx) error { return must(changeState(tx)) })
		after, err := tx.Storefronts()
		if len(before) != len(after) {
			t.Error("two reads of one transaction differ")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestViewOnlyReads(t *testing.T) {
	l := newLedger(t)
	if err := l.View(context.Background(), func(tx *Tx) error { return must(changeState(tx)) }); err == nil {
		t.Error("it wrote")
	}
	for range 3 { // whichever connection that was, it can write again
		update(t, l, func(tx *Tx) error { return must(changeState(tx)) })
	}
}
