package notify

import (
	"context"
	"fmt"
	"time"

	"github.com/backsoon/backsoon/internal/ledger"
)

// owedTooLong is when the owner hears of a mail that has not reached everybody. A
// server that puts senders off for a while has taken it by then.
const owedTooLong = 6 * time.Hour

// alertOverdue tells the owner of each mail that some have waited for too long.
// After a restart it may say so once more.
func (w *Watcher) alertOverdue(ctx context.Context, now time.Time) error {
	var late []ledger.Campaign
	err := w.Ledger.View(ctx, func(tx *ledger.Tx) error {
		open, err := tx.OpenCampaigns()
		for _, c := range open {
			if !c.Fired.IsZero() && now.Sub(c.Fired) >= owedTooLong && !w.overdue[c.ID] {
				late = append(late, c)
			}
		}
		return err
	})
	if err != nil || len(late) == 0 {
		return err
	}
	return w.member.Update(ctx, func(tx *ledger.Tx) error {
		for _, c := range late {
			n, err := tx.LettersOf(c.ID)
			if err != nil {
				return err
			}
			if err := w.alert(tx, overdueMail(c, n, now), now); err != nil {
				return err
			}
		}
		tx.AfterCommit(func() {
			for _, c := range late {
				w.overdue[c.ID] = true
			}
		})
		return nil
	})
}

// latePages is how long the pages could not be made.
type latePages struct {
	since time.Time // zero: they can
	told  bool      // the owner knows
}

// note tells the owner, once, of pages that could not be made for ten minutes: what
// customers read there may no longer be so.
func (p *latePages) note(ctx context.Context, w *Watcher, failure error, now time.Time) error {
	switch {
	case failure == nil:
		*p = latePages{}
		return nil
	case p.since.IsZero():
		p.since = now
	}
	if p.told || now.Sub(p.since) < alertAfter {
		return nil
	}
	return w.Ledger.Update(ctx, func(tx *ledger.Tx) error {
		tx.AfterCommit(func() { p.told = true })
		return w.alert(tx, alert{
			subject: "The status page is out of date",
			text: fmt.Sprintf("For %s the pages could not be made: %v.\n\nCustomers read what was so before; the checkouts and the mail are not "+
				"touched by that. It is tried again every minute.\n", lasting(now.Sub(p.since)), failure),
		}, now)
	})
}

func overdueMail(c ledger.Campaign, n int, now time.Time) alert {
	text := fmt.Sprintf("The mail “%s” about %s went out %s ago, and %s of it still could not be delivered; %d were.",
		c.Kind, c.Slug, lasting(now.Sub(c.Fired)), counted(n, "letter"), c.Sent)
	if c.Error != "" {
		text += "\n\nThe last answer was: " + c.Error
	}
	return alert{subject: "A mail has not reached everybody",
		text: text + "\n\nIt is tried again, for five days in all. `backsoon deliveries` lists what is owed; `backsoon deliveries retry` tries at once.\n"}
}
