package notify

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/backsoon/backsoon/internal/address"
	"github.com/backsoon/backsoon/internal/ledger"
	"github.com/backsoon/backsoon/notify/email"
)

// How mail is sent.
const (
	expandBatch = 1000                   // letters written at once: a checkout waits for no more
	expandWhile = 250 * time.Millisecond // before letters are sent again
	sendBatch   = 50                     // letters claimed at once: at most so many are repeated after a crash
	batchTime   = 3 * time.Second        // for a batch, where there is a rate
	overtakeAge = 15 * time.Minute       // from then on a newer mail of the same closure replaces an older one
	giveUpAfter = 5 * 24 * time.Hour     // as RFC 5321, 4.5.4.1 suggests
)

var letterRetry = []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour}

// mailState is what the mail's one goroutine remembers between batches.
type mailState struct {
	rendered map[int64]*renderedCampaign // by campaign
	rest     rest
	askAfter time.Time // no question goes out before that
	tidied   time.Time
}

// SendMail sends one batch of what is due: alerts first, then a few questions,
// then letters, so that neither holds the other up. more tells whether there is
// more to do at once.
func (w *Watcher) SendMail(ctx context.Context, now time.Time) (more bool, err error) {
	if w.sender == nil {
		return false, nil
	}
	if err := w.tidy(ctx, now); err != nil {
		return false, err
	}
	if resting, err := w.resting(ctx, now); resting || err != nil {
		return false, err
	}
	if err := w.sendAlerts(ctx, now); err != nil {
		return false, err
	}
	asking, err := w.sendQuestions(ctx, now)
	if err != nil {
		return false, err
	}
	if mailing, err := w.mailing(ctx); !mailing || err != nil {
		return asking, err
	}
	expanding, err := w.expandForAWhile(ctx, now)
	if err != nil {
		return false, err
	}
	limit := w.batch()
	sent, err := w.sendBatch(ctx, now, limit)
	resting := now.Before(w.mail.rest.until)
	return (asking || expanding || sent == limit) && !resting, err
}

// batch is how many letters are sent before it is written down what came of them.
// Where the settings slow the mail down that is often all the same.
func (w *Watcher) batch() int {
	if w.mail.rest.pauses > 0 {
		return 1 // one letter shows whether the server takes them again
	}
	if rate := w.Config.Email.Rate; rate > 0 {
		return max(1, min(sendBatch, int(rate*batchTime.Seconds())))
	}
	return sendBatch
}

// mailing tells whether there are subscribers to be written to. It is asked each
// second, and only reads: no checkout waits for the answer.
func (w *Watcher) mailing(ctx context.Context) (mailing bool, err error) {
	err = w.Ledger.View(ctx, func(tx *ledger.Tx) error {
		mailing, err = tx.Mailing()
		return err
	})
	return mailing, err
}

// expandForAWhile writes letters down, a batch after the other, and sends none
// meanwhile: a million are written within seconds, and sent within minutes.
func (w *Watcher) expandForAWhile(ctx context.Context, now time.Time) (more bool, err error) {
	for end := time.Now().Add(expandWhile); ; {
		more, err = w.expand(ctx, now)
		if err != nil || !more || !time.Now().Before(end) {
			return more, err
		}
	}
}

// expand writes the next letters of the campaigns that have fired, ends those
// that a newer one replaces, and closes those that owe nothing more.
func (w *Watcher) expand(ctx context.Context, now time.Time) (more bool, err error) {
	err = w.Ledger.Update(ctx, func(tx *ledger.Tx) error {
		open, err := tx.OpenCampaigns()
		if err != nil {
			return err
		}
		w.forgetFinished(open)
		if err := tx.Overtake(open, now.Add(-overtakeAge)); err != nil {
			return err
		}
		for _, c := range open {
			if c.Fired.IsZero() || c.Cursor >= c.Last || more {
				continue
			}
			written, err := tx.Expand(c, expandBatch)
			if err != nil {
				return err
			}
			more = written == expandBatch
			tx.AfterCommit(func() { w.Work.Expanded(written) })
		}
		return w.finish(tx, now)
	})
	return more, err
}

// forgetFinished drops the bytes of campaigns that another watcher has finished.
func (w *Watcher) forgetFinished(open []ledger.Campaign) {
	for id := range w.mail.rendered {
		if !slices.ContainsFunc(open, func(c ledger.Campaign) bool { return c.ID == id }) {
			delete(w.mail.rendered, id)
		}
	}
}

// finish closes the campaigns that owe nothing any more, with their counts.
func (w *Watcher) finish(tx *ledger.Tx, now time.Time) error {
	open, err := tx.OpenCampaigns()
	if err != nil {
		return err
	}
	for _, c := range open {
		if c.Fired.IsZero() || c.Cursor < c.Last {
			continue
		}
		done, err := tx.Finish(c.ID, now)
		if err != nil {
			return err
		}
		if !done {
			continue
		}
		delete(w.mail.rendered, c.ID)
		err = w.audit(tx, ledger.Entry{Time: now, Event: ledger.MailFinished, Notice: c.Slug, Kind: c.Kind,
			Counts: ledger.Counts{"recipients": c.Done(), "sent": c.Sent, "failed": c.Failed, "passed": c.Passed}})
		if err != nil {
			return err
		}
	}
	return nil
}

// sendBatch claims letters, sends them over all connections at once, and writes
// down what came of each. Only a crash in between repeats them.
func (w *Watcher) sendBatch(ctx context.Context, now time.Time, limit int) (n int, err error) {
	var letters []ledger.Letter
	err = w.member.Claim(ctx, func(tx *ledger.Tx) error {
		if letters, err = tx.Claim(now, limit); err != nil {
			return err
		}
		return w.render(ctx, tx, letters)
	})
	if err != nil || len(letters) == 0 {
		return 0, err
	}
	outcomes := w.sendAll(ctx, letters)
	for _, out := range outcomes {
		if out.Verdict != "" { // it was tried
			w.Work.Mailed(string(out.Verdict))
		}
	}
	writing := context.WithoutCancel(ctx)
	w.insist(ctx, "what came of a batch of mail", func() error {
		return w.Ledger.Update(writing, func(tx *ledger.Tx) error {
			if err := w.settleAll(tx, letters, outcomes); err != nil {
				return err
			}
			return w.finish(tx, w.Now())
		})
	})
	return len(letters), nil
}

// sendAll sends the letters at once; the sender bounds the connections. Where
// one shows that no recipient is to blame, the others are left for later. An
// outcome without a verdict was never tried.
func (w *Watcher) sendAll(ctx context.Context, letters []ledger.Letter) []email.Outcome {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	outcomes := make([]email.Outcome, len(letters))
	var each sync.WaitGroup
	free := make(chan struct{}, max(1, w.Config.Email.Connections))
	for i, l := range letters {
		free <- struct{}{}
		if ctx.Err() != nil || !w.member.Alive() { // it slept on its claim: they may be another's
			break
		}
		each.Go(func() {
			outcomes[i] = w.sendLetter(context.WithoutCancel(ctx), l)
			if !recipients(outcomes[i]) {
				stop()
			}
			<-free
		})
	}
	each.Wait()
	return outcomes
}

func (w *Watcher) sendLetter(ctx context.Context, l ledger.Letter) email.Outcome {
	r := w.mail.rendered[l.Campaign].suiting(l.Subscriber)
	if r.err != nil {
		return email.Outcome{Verdict: email.SenderFault, Err: r.err}
	}
	to := w.recipient(r, l.Subscriber)
	msg, err := r.message.For(to)
	if err != nil && address.Check(to.Address) == nil {
		return email.Outcome{Verdict: email.SenderFault, Err: err} // it is something else of ours
	}
	if err != nil {
		return email.Outcome{Verdict: email.Refused, Err: err}
	}
	return w.sender.Send(ctx, to.ReturnPath, to.Address, msg)
}

// settleAll writes down what came of each letter.
func (w *Watcher) settleAll(tx *ledger.Tx, letters []ledger.Letter, outcomes []email.Outcome) error {
	now := w.Now()
	rest, why := w.mail.rest.after(outcomes, letters, now)
	var sent []ledger.Letter
	for i, l := range letters {
		if outcomes[i].Verdict == email.Sent {
			sent = append(sent, l)
		} else if err := w.settle(tx, l, outcomes[i], now, rest.until); err != nil {
			return err
		}
	}
	if err := tx.LetterSent(sent...); err != nil {
		return err
	}
	return w.notePause(tx, rest, why, now)
}

// settle follows the table of what a server's answer means where it didn't take the
// letter. What is tried again waits for the end of the mail's rest, if there is one.
func (w *Watcher) settle(tx *ledger.Tx, l ledger.Letter, out email.Outcome, now, rested time.Time) error {
	why := ""
	if out.Err != nil {
		why = out.Err.Error()
	}
	switch out.Verdict {
	case "": // never tried
		return tx.LetterUntried(l)
	case email.BadAddress:
		if err := tx.Suppress(l.Subscriber.ID, why); err != nil {
			return err
		}
		return tx.LetterFailed(l, why)
	case email.Refused:
		if err := tx.CountFailure(l.Subscriber.ID, why); err != nil {
			return err
		}
		return tx.LetterFailed(l, why)
	}
	if r := w.mail.rendered[l.Campaign]; r != nil && now.Sub(r.fired) > giveUpAfter {
		return tx.LetterFailed(l, why)
	}
	next := now.Add(backoff(letterRetry, l.Attempts+1))
	if next.Before(rested) {
		next = rested
	}
	return tx.LetterLater(l, next, why)
}
