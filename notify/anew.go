package notify

import (
	"maps"
	"slices"
	"time"

	"github.com/backsoon/backsoon/internal/ledger"
	"github.com/backsoon/backsoon/internal/schedule"
)

// TellAnew gives every storefront that the ledger knows a new revision, and so has
// all its endpoints told its state: after a ledger was put back from a backup,
// receivers may obey a newer one. audit writes the entry of each.
func TellAnew(tx *ledger.Tx, now time.Time, audit func(ledger.Entry) error) error {
	fronts, err := tx.Storefronts()
	if err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(fronts)) {
		f := fronts[id]
		f.Revision = nextRevision(f, now)
		if err := tx.SaveStorefront(f, now); err != nil {
			return err
		}
		e := entryOf(f, now)
		if f.Lead != "" {
			e.Notice, e.By = f.Lead, &f.By
		}
		if err := audit(e); err != nil {
			return err
		}
	}
	return nil
}

// nextRevision is the greater of the last plus one and the Unix time in
// milliseconds, so that a ledger that was put back never falls behind its
// receivers.
func nextRevision(old ledger.Storefront, now time.Time) int64 {
	return max(old.Revision+1, now.UnixMilli())
}

// entryOf is the audit entry of a storefront's revision, without what caused it.
func entryOf(f ledger.Storefront, now time.Time) ledger.Entry {
	e := ledger.Entry{Time: now, Event: ledger.StorefrontClosed, Storefront: f.ID, Revision: f.Revision}
	if f.Checkout == schedule.CheckoutOn {
		e.Event = ledger.StorefrontOpened
	}
	if !f.Until.IsZero() {
		until := f.Until
		e.Until = &until
	}
	return e
}
