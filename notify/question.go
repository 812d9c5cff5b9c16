package notify

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/backsoon/backsoon/internal/ledger"
	"github.com/backsoon/backsoon/internal/locale"
	"github.com/backsoon/backsoon/notify/email"
	"github.com/backsoon/backsoon/notify/letter"
	"github.com/backsoon/backsoon/templates"
)

const (
	questionBatch = 20               // sent at once, so that letters come to their turn
	questionTime  = 10 * time.Second // for all of these: strangers may choose a mailbox that is slow
	questionRest  = time.Minute      // when no recipient is to blame, or the time was up
	tidyEvery     = time.Hour
)

// question is the mail that asks one mailbox whether it wants to be written to.
type question struct {
	ledger.Pending
	subscriber ledger.Subscriber // whose mailbox it is already; the zero one: nobody's
}

// sendQuestions sends the next few questions that are due. What comes of them
// never makes the letters rest: strangers choose these recipients.
func (w *Watcher) sendQuestions(ctx context.Context, now time.Time) (more bool, err error) {
	if w.Confirm == nil || now.Before(w.mail.askAfter) {
		return false, nil
	}
	due, err := w.dueQuestions(ctx, now)
	if err != nil || len(due) == 0 {
		return false, err
	}
	outcomes := make([]email.Outcome, len(due))
	sending, cancel := context.WithTimeout(ctx, questionTime)
	defer cancel()
	var each sync.WaitGroup
	for i, q := range due {
		each.Go(func() { outcomes[i] = w.sendQuestion(sending, q, now) })
	}
	each.Wait()
	w.insist(ctx, "what came of a question to a mailbox", func() error {
		return w.Ledger.Update(context.WithoutCancel(ctx), func(tx *ledger.Tx) error {
			for i, q := range due {
				if err := w.settleQuestion(tx, q, outcomes[i], now); err != nil {
					return err
				}
			}
			return nil
		})
	})
	return len(due) == questionBatch && !now.Before(w.mail.askAfter), nil
}

// dueQuestions takes the next few that are due and that no other watcher has. Where
// there are none, as almost always, it only reads.
func (w *Watcher) dueQuestions(ctx context.Context, now time.Time) (mine []question, err error) {
	var due []ledger.Pending
	err = w.Ledger.View(ctx, func(tx *ledger.Tx) (err error) {
		due, err = tx.DuePending(now, questionBatch)
		return err
	})
	if err != nil || len(due) == 0 {
		return nil, err
	}
	err = w.member.Claim(ctx, func(tx *ledger.Tx) error {
		for _, p := range due {
			claimed, err := tx.ClaimPending(p, now)
			if err != nil {
				return err
			}
			if !claimed {
				continue
			}
			s, err := tx.Subscriber(p.Email)
			if err != nil {
				return err
			}
			mine = append(mine, question{p, s})
		}
		return nil
	})
	return mine, err
}

// sendQuestion sends one question. The same one keeps its Message-ID.
func (w *Watcher) sendQuestion(ctx context.Context, q question, now time.Time) email.Outcome {
	if q.subscriber.Suppressed != "" { // since it was asked
		return email.Outcome{Verdict: email.Refused}
	}
	l, err := w.askIn(q, now)
	if err != nil {
		return email.Outcome{Verdict: email.SenderFault, Err: err}
	}
	from := w.Config.Email.From
	m, err := email.Render(email.Message{From: from, Subject: l.Subject, Text: l.Text, HTML: l.HTML, Date: now.In(w.Config.Shop.Location), Checkpoint: w.checkpoint(ctx)})
	if err != nil {
		return email.Outcome{Verdict: email.SenderFault, Err: err}
	}
	id := email.MessageID(w.SiteKey, domainOf(from.Address), "question", fmt.Sprint(q.Expires.UnixMilli()), q.Email)
	to := email.Recipient{Address: q.Email, MessageID: id, ReturnPath: w.returnPath(q.Email)}
	msg, err := m.For(to)
	if err != nil {
		return email.Outcome{Verdict: email.Refused, Err: err}
	}
	return w.sender.Send(ctx, to.ReturnPath, to.Address, msg)
}

// askIn writes the question in the language that was asked for. A mistake in the
// site's own templates or words must not hold it up: the default ones serve.
func (w *Watcher) askIn(q question, now time.Time) (letter.Letter, error) {
	words, err := w.language(q.Language)
	r := letter.Request{
		Storefronts: q.Storefronts, UntilReopen: q.UntilReopen, Known: q.subscriber.Reachable(), Same: q.Same(q.subscriber),
		Confirm: w.Confirm(q.Pending), Leave: w.Leave(q.Email, q.Language), Expires: q.Expires, Now: now,
	}
	if err == nil {
		var l letter.Letter
		if l, err = letter.Ask(w.Theme, w.Config, words, r); err == nil {
			return l, nil
		}
	}
	w.Log.Error("the default form serves for a question, because the site's own has a mistake", "error", err)
	theme := templates.FS("")
	if words, err = locale.Load(theme, q.Language); err != nil {
		return letter.Letter{}, err
	}
	return letter.Ask(theme, w.Config, words, r)
}

// settleQuestion writes down what came of one. Who can't be written to is not
// asked again, until somebody asks for that.
func (w *Watcher) settleQuestion(tx *ledger.Tx, q question, out email.Outcome, now time.Time) error {
	switch out.Verdict {
	case email.Sent, email.BadAddress, email.Refused:
		return tx.PendingSent(q.Pending)
	}
	if !recipients(out) {
		w.Log.Warn("a question to a mailbox could not be sent; it is tried again", "error", out.Err)
		w.mail.askAfter = now.Add(questionRest)
	}
	return tx.PendingLater(q.Pending, now.Add(backoff(letterRetry, q.Attempts+1)))
}

// tidy forgets once an hour who has not confirmed in time, and what is left of an
// import that was broken off, and overwrites what was deleted.
func (w *Watcher) tidy(ctx context.Context, now time.Time) error {
	if now.Sub(w.mail.tidied).Abs() < tidyEvery {
		return nil
	}
	w.mail.tidied = now
	if err := w.Ledger.Update(ctx, func(tx *ledger.Tx) error { return tx.DropExpired(now) }); err != nil {
		return err
	}
	if err := w.Ledger.TidyImports(ctx); err != nil {
		return err
	}
	return w.Ledger.Scrub(ctx)
}
