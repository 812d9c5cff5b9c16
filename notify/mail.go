package notify

import (
	"context"
	"slices"
	"time"

	"github.com/backsoon/backsoon/internal/ledger"
	"github.com/backsoon/backsoon/notify/email"
)

// How mail is sent.
const (
	expandBatch = 1000                   // letters written at once: a checkout waits for no more
	expandWhile = 250 * time.Millisecond // before letters are sent again
	sendBatch   = 50                     // letters claimed and not settled: at most so many are repeated after a crash
	sendWhile   = 250 * time.Millisecond // before alerts, questions and new letters have their turn
	batchTime   = 3 * time.Second        // for a batch, where there is a rate
	overtakeAge = 15 * time.Minute       // from then on a newer mail of the same closure replaces an older one
	giveUpAfter = 5 * 24 * time.Hour     // as RFC 5321, 4.5.4.1 suggests
)

var letterRetry = []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour}

// mailState is what the mail's one goroutine remembers.
type mailState struct {
	rendered map[int64]*renderedCampaign // by campaign
	rest     rest
	askAfter time.Time // no question goes out before that
	tidied   time.Time
}

// SendMail sends some of what is due: alerts first, then a few questions,
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
	sending, err := w.sendForAWhile(ctx, now)
	resting := now.Before(w.mail.rest.until)
	return (asking || expanding || sending) && !resting, err
}

// batch is how many letters may be in flight.
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

// sendForAWhile claims letters, sends them over all connections at once, and writes
// down what came of each: half a batch, while the other half is in flight. Only a
// crash in between repeats letters, a batch at most. more tells whether there may be
// more of them.
func (w *Watcher) sendForAWhile(ctx context.Context, now time.Time) (more bool, err error) {
	f := w.takeOff(ctx)
	defer f.close()
	for end := time.Now().Add(sendWhile); ; {
		batch := w.batch()
		room := batch - f.aloft
		var letters []ledger.Letter
		letters, err = w.claimLetters(ctx, now, room)
		f.send(letters)
		if more = len(letters) == room; err != nil || !more || !time.Now().Before(end) {
			break
		}
		w.settleAll(ctx, f.receive((batch+1)/2))
		if f.halted.Load() || w.mail.rest.pauses > 0 {
			break
		}
	}
	w.settleAll(ctx, f.receive(f.aloft))
	return more, err
}

// claimLetters claims letters that are due, and renders their campaigns.
func (w *Watcher) claimLetters(ctx context.Context, now time.Time, limit int) (letters []ledger.Letter, err error) {
	err = w.member.Claim(ctx, func(tx *ledger.Tx) error {
		if letters, err = tx.Claim(now, limit); err != nil {
			return err
		}
		return w.render(ctx, tx, letters)
	})
	if err != nil {
		return nil, err
	}
	return letters, nil
}

// settleAll writes down what came of letters, and closes the campaigns that owe
// nothing more.
func (w *Watcher) settleAll(ctx context.Context, back []*sending) {
	if len(back) == 0 {
		return
	}
	for _, s := range back {
		if s.outcome.Verdict != "" { // it was tried
			w.Work.Mailed(string(s.outcome.Verdict))
		}
	}
	writing := context.WithoutCancel(ctx)
	w.insist(ctx, "what came of a batch of mail", func() error {
		return w.Ledger.Update(writing, func(tx *ledger.Tx) error {
			if err := w.settleEach(tx, back); err != nil {
				return err
			}
			return w.finish(tx, w.Now())
		})
	})
}

func (w *Watcher) settleEach(tx *ledger.Tx, back []*sending) error {
	now := w.Now()
	rest, why := w.mail.rest.after(back, now)
	var sent []ledger.Letter
	for _, s := range back {
		if s.outcome.Verdict == email.Sent {
			sent = append(sent, s.letter)
		} else if err := w.settle(tx, s, now, rest.until); err != nil {
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
func (w *Watcher) settle(tx *ledger.Tx, s *sending, now, rested time.Time) error {
	l, out, why := s.letter, s.outcome, ""
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
