package notify

import (
	"context"
	"fmt"
	"time"

	"github.com/backsoon/backsoon/internal/ledger"
	"github.com/backsoon/backsoon/notify/email"
)

// alert writes a mail to the owner into the transaction.
func (w *Watcher) alert(tx *ledger.Tx, a alert, now time.Time) error {
	if len(a.refused) > 0 {
		return w.alertRefusals(tx, a.refused, now)
	}
	to := a.to
	if to == nil {
		to = w.Config.Alerts
		tx.AfterCommit(func() { w.Log.Warn(a.subject, "detail", a.text) })
	}
	if w.Config.Email == nil {
		return nil
	}
	_, err := tx.AddAlert(to, w.subject(a), a.text, now, now)
	return err
}

// subject names the shop, since one owner may have several.
func (w *Watcher) subject(a alert) string { return w.Config.Shop.Name + ": " + a.subject }

// sendAlerts sends the owner's mail, one at a time.
func (w *Watcher) sendAlerts(ctx context.Context, now time.Time) error {
	var due []ledger.Alert
	err := w.Ledger.View(ctx, func(tx *ledger.Tx) (err error) {
		due, err = tx.DueAlerts(now)
		return err
	})
	if err != nil {
		return err
	}
	for _, a := range due {
		mine, err := w.claimAlert(ctx, a, now)
		if err != nil {
			return err
		}
		if !mine {
			continue
		}
		out := w.SendPlain(ctx, a.Address, a.Subject, a.Text, a.Created)
		if ctx.Err() != nil {
			return nil
		}
		err = w.Ledger.Update(context.WithoutCancel(ctx), func(tx *ledger.Tx) error {
			return w.settleAlert(tx, a, out, now)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *Watcher) claimAlert(ctx context.Context, a ledger.Alert, now time.Time) (mine bool, err error) {
	err = w.member.Claim(ctx, func(tx *ledger.Tx) error {
		mine, err = tx.ClaimAlert(a.ID, now)
		return err
	})
	return mine, err
}

func (w *Watcher) settleAlert(tx *ledger.Tx, a ledger.Alert, out email.Outcome, now time.Time) error {
	switch {
	case out.Verdict == email.Sent:
		return tx.AlertDone(a.ID)
	case out.Verdict == email.BadAddress || now.Sub(a.Created) > giveUpAfter:
		w.Log.Error("an alert could not be delivered", "subject", a.Subject, "error", out.Err)
		return tx.AlertDone(a.ID)
	}
	return tx.AlertLater(a.ID, now.Add(backoff(letterRetry, a.Attempts+1)))
}

// SendPlain sends one plain message, as alerts and tests are, and says what
// came of it.
func (w *Watcher) SendPlain(ctx context.Context, to, subject, text string, at time.Time) email.Outcome {
	from := w.Config.Email.From
	m, err := email.Render(email.Message{From: from, Subject: subject, Text: text, Date: at.In(w.Config.Shop.Location), Checkpoint: w.checkpoint(ctx)})
	if err != nil {
		return email.Outcome{Verdict: email.Refused, Err: err}
	}
	id := email.MessageID(w.SiteKey, domainOf(from.Address), subject, text, to, fmt.Sprint(at.UnixMilli()))
	msg, err := m.For(email.Recipient{Address: to, MessageID: id})
	if err != nil {
		return email.Outcome{Verdict: email.Refused, Err: err}
	}
	out := w.Sender().Send(ctx, from.Address, to, msg)
	if w.Work != nil { // `test mail` has no watcher at work
		w.Work.Mailed(string(out.Verdict))
	}
	return out
}
