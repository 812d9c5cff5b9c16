package notify

import (
	"fmt"
	"strings"
	"time"

	"github.com/backsoon/backsoon/internal/ledger"
)

// How the owner hears of refusals. A single one is told at once. But a folder may
// fill with garbage: the more one alert tells of, the longer the next one waits,
// and gathers what comes meanwhile.
const (
	digestPause   = 10 * time.Second // after an alert, for each refusal in it
	longestPause  = 10 * time.Minute
	digestReasons = 20 // are written out; the others are counted
)

// digest is an alert about refusals, sent or still waiting to be.
type digest struct {
	ids     []int64   // of the alert, one for each of the owner's addresses
	reasons []string  // the first of them
	count   int       // of all
	due     time.Time // when it goes out
}

// with is the alert that tells of more reasons: the same one while it waits.
func (d digest) with(reasons []string, now time.Time) digest {
	if !now.Before(d.due) {
		pause := min(time.Duration(d.count)*digestPause, longestPause)
		due := now
		if again := d.due.Add(pause); again.After(now) {
			due = again
		}
		d = digest{due: due}
	}
	d.count += len(reasons)
	room := max(0, digestReasons-len(d.reasons))
	d.reasons = append(d.reasons[:len(d.reasons):len(d.reasons)], reasons[:min(room, len(reasons))]...)
	return d
}

// alert puts the digest into words.
func (d digest) alert() alert {
	subject := "A notice was not accepted"
	if d.count > 1 {
		subject = fmt.Sprintf("%d notices were not accepted", d.count)
	}
	text := strings.Join(d.reasons, "\n\n")
	if more := d.count - len(d.reasons); more > 0 {
		text += fmt.Sprintf("\n\nand %d more; `backsoon check` lists them all.", more)
	}
	return alert{subject: subject, text: text + "\n\nNothing was changed: what was accepted before stays in force, on the page and at the checkout.\n"}
}

// alertRefusals tells the owner why notices were refused.
func (w *Watcher) alertRefusals(tx *ledger.Tx, reasons []string, now time.Time) (err error) {
	d := w.digest.with(reasons, now)
	a := d.alert()
	if d.ids, err = w.writeDigest(tx, d, a, now); err != nil {
		return err
	}
	tx.AfterCommit(func() {
		if w.digest = d; d.count == len(reasons) { // the others are gathered
			w.Log.Warn(a.subject, "detail", a.text)
		}
	})
	return nil
}

// writeDigest writes the alert, in the place of one that waits.
func (w *Watcher) writeDigest(tx *ledger.Tx, d digest, a alert, now time.Time) (ids []int64, err error) {
	if w.Config.Email == nil {
		return nil, nil
	}
	for _, id := range d.ids {
		waits, err := tx.AmendAlert(id, w.subject(a), a.text)
		if err != nil {
			return nil, err
		}
		if waits {
			ids = append(ids, id)
		}
	}
	if len(ids) > 0 {
		return ids, nil
	}
	return tx.AddAlert(w.Config.Alerts, w.subject(a), a.text, now, d.due)
}
