package notify

import (
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

// faultRow counts deferred recipients in a row.
type faultRow struct {
	n       int
	domains map[string]bool
}

// add counts one outcome and tells whether the row is now the sender's fault.
func (f *faultRow) add(verdict email.Verdict, domain string) bool {
	switch verdict {
	case email.Sent:
		*f = faultRow{}
	case email.Deferred:
		if f.domains == nil {
			f.domains = map[string]bool{}
		}
		f.n++
		f.domains[domain] = true
	}
	return f.n >= faultsInARow && len(f.domains) >= faultDomains
}

// notePause rests the mail where a batch shows that no recipient is to blame:
// the server refuses us, or can't be reached at all. The owner hears of it once
// until mail flows again.
func (w *Watcher) notePause(tx *ledger.Tx, outcomes []email.Outcome, letters []ledger.Letter, now time.Time) error {
	var why error
	sent, unreachable, fault := false, false, false
	for i, out := range outcomes {
		sent = sent || out.Verdict == email.Sent
		row := w.mail.faults.add(out.Verdict, domainOf(letters[i].Subscriber.Email))
		if row || out.Verdict == email.SenderFault {
			fault, why = true, out.Err
		}
		if out.Verdict == email.Retry && out.Code == 0 {
			unreachable = true
			if why == nil {
				why = out.Err
			}
		}
	}
	if !fault && (sent || !unreachable) {
		w.mail.pauses = 0
		return nil
	}
	w.mail.pauses++
	w.mail.paused = now.Add(backoff(pauseFor, w.mail.pauses))
	if fault {
		w.mail.paused = now.Add(pauseFor[len(pauseFor)-1])
	}
	// A server that is only away for a moment is nobody's worry.
	if (fault && w.mail.pauses > 1) || (!fault && w.mail.pauses != len(pauseFor)+1) {
		return nil
	}
	return w.alertPause(tx, why, now)
}

func (w *Watcher) alertPause(tx *ledger.Tx, why error, now time.Time) error {
	text := "Mail to the subscribers rests, because the mail server does not take it: " + why.Error() +
		".\n\nNothing is lost; it is tried again every few minutes. To see what the server says, run:\n\n  backsoon test mail " +
		w.Config.Email.From.Address + "\n"
	if _, err := tx.Audit(ledger.Entry{Time: now, Event: ledger.MailPaused, Reason: why.Error()}); err != nil {
		return err
	}
	return w.alert(tx, alert{"Mail to the subscribers rests", text}, now)
}
