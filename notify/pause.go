package notify

import (
	"context"
	"maps"
	"time"

	"github.com/backsoon/backsoon/internal/ledger"
	"github.com/backsoon/backsoon/notify/email"
)

// pauseFor is how long mail rests when the fault is not a recipient's.
var pauseFor = []time.Duration{5 * time.Second, 30 * time.Second, 2 * time.Minute, 5 * time.Minute}

// A row of recipients whose servers have something against the sender is the
// sender's fault once it is this long, over this many domains.
const (
	faultsInARow = 20
	faultDomains = 3
)

// rest is why and until when no mail goes out.
type rest struct {
	until   time.Time
	since   time.Time     // the first pause of this row
	on      ledger.Letter // that failed; put off until the rest's end, unless somebody makes it due
	pauses  int           // in a row
	alerted bool          // the owner knows
	row     int           // deferred recipients in a row
	domains map[string]bool
}

// recipients tells whether the outcome says something of a recipient, not of
// the server or of us.
func recipients(out email.Outcome) bool {
	away := out.Verdict == email.Retry && (out.Code == 0 || out.Code == 421)
	return out.Verdict != email.SenderFault && !away
}

// after is the rest that follows from letters that are back. why is set where the owner has to
// hear of it: at once where the server refuses us, and after ten minutes where
// it can't be reached; once until mail flows again.
func (r rest) after(back []*sending, now time.Time) (next rest, why error) {
	r.domains = maps.Clone(r.domains)
	var fault, unreachable error
	for _, s := range back {
		switch out := s.outcome; {
		case out.Verdict == email.Sent:
			r = rest{}
			fault, unreachable = nil, nil
		case out.Verdict == email.SenderFault:
			fault, r.on = out.Err, s.letter
		case out.Verdict == email.Deferred && r.deferred(domainOf(s.letter.Subscriber.Email)):
			fault, r.on = out.Err, s.letter
		case out.Verdict == email.Retry && !recipients(out):
			unreachable, r.on = out.Err, s.letter
		}
	}
	switch {
	case fault != nil:
		r.pause(pauseFor[len(pauseFor)-1], now)
		why = fault
	case unreachable != nil:
		r.pause(backoff(pauseFor, r.pauses+1), now)
		if now.Sub(r.since) >= alertAfter {
			why = unreachable
		}
	}
	if r.alerted {
		return r, nil
	}
	r.alerted = why != nil
	return r, why
}

func (r *rest) pause(d time.Duration, now time.Time) {
	if r.since.IsZero() {
		r.since = now
	}
	r.pauses++
	r.until = now.Add(d)
}

// deferred counts a recipient whose server has something against the sender, and
// tells whether the row is now the sender's fault.
func (r *rest) deferred(domain string) bool {
	if r.domains == nil {
		r.domains = map[string]bool{}
	}
	r.row++
	r.domains[domain] = true
	return r.row >= faultsInARow && len(r.domains) >= faultDomains
}

// resting tells whether no mail goes out at now. `deliveries retry` ends a rest:
// the letter that it began with is then due.
func (w *Watcher) resting(ctx context.Context, now time.Time) (bool, error) {
	r := &w.mail.rest
	if !now.Before(r.until) {
		return false, nil
	}
	due := false
	err := w.Ledger.View(ctx, func(tx *ledger.Tx) (err error) {
		due, err = tx.LetterDue(r.on, now)
		return err
	})
	if due {
		r.until = now
	}
	return !due, err
}

// notePause rests the mail where a batch shows that no recipient is to blame.
func (w *Watcher) notePause(tx *ledger.Tx, next rest, why error, now time.Time) error {
	tx.AfterCommit(func() { w.mail.rest = next })
	if why == nil {
		return nil
	}
	if err := w.audit(tx, ledger.Entry{Time: now, Event: ledger.MailPaused, Reason: why.Error()}); err != nil {
		return err
	}
	text := "Mail to the subscribers rests, because the mail server does not take it: " + why.Error() +
		".\n\nNothing is lost; it is tried again every few minutes. To see what the server says, run:\n\n  backsoon test mail " +
		w.Config.Email.From.Address + "\n"
	return w.alert(tx, alert{subject: "Mail to the subscribers rests", text: text}, now)
}
