package main

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/backsoon/backsoon/internal/ledger"
	"github.com/backsoon/backsoon/notify"
)

// folded tells entries that are shown in the row of what they are the outcome of: the
// acknowledgement of a storefront's state, and the end of a mail.
func folded(e ledger.Entry) bool {
	return e.Event == ledger.WebhookAcknowledged || e.Event == ledger.MailFinished
}

// state is one state of a storefront, or a mail: what an outcome belongs to.
type state struct {
	storefront string
	revision   int64
}

// outcomes are what came of storefronts' new states, and of mails.
type outcomes struct {
	acks      map[state][]ack
	last      map[string]int64             // the newest revision of each storefront
	endpoints map[string][]ledger.Endpoint // as they are now
	mails     map[int64]ledger.Entry       // how a mail ended, by the index of its beginning
}

type ack struct {
	url  string
	time time.Time
}

// outcomesFrom reads what came of all that was logged from the index on.
func outcomesFrom(tx *ledger.Tx, s *site, from int64) (outcomes, error) {
	o := outcomes{map[state][]ack{}, map[string]int64{}, map[string][]ledger.Endpoint{}, map[int64]ledger.Entry{}}
	endpoints, err := tx.Endpoints()
	if err != nil {
		return o, err
	}
	for _, e := range endpoints {
		e.URL = notify.ShownURL(e.URL)
		o.endpoints[e.Storefront] = append(o.endpoints[e.Storefront], e)
	}
	begun := map[string][]int64{} // mails that have not ended, by notice and kind
	events := []string{ledger.StorefrontClosed, ledger.StorefrontOpened, ledger.WebhookAcknowledged, ledger.MailStarted, ledger.MailFinished}
	for {
		entries, err := tx.EntriesOf(events, from, logPage)
		if err != nil || len(entries) == 0 {
			return o, err
		}
		for _, e := range entries {
			o.note(e, begun)
			from = e.Index + 1
		}
	}
}

func (o outcomes) note(e ledger.Entry, begun map[string][]int64) {
	mail := e.Notice + " " + e.Kind
	switch e.Event {
	case ledger.WebhookAcknowledged:
		at := state{e.Storefront, e.Revision}
		o.acks[at] = append(o.acks[at], ack{e.URL, e.Time})
	case ledger.MailStarted:
		begun[mail] = append(begun[mail], e.Index)
	case ledger.MailFinished:
		if waiting := begun[mail]; len(waiting) > 0 {
			o.mails[waiting[0]], begun[mail] = e, waiting[1:]
		}
	default:
		o.last[e.Storefront] = e.Revision
	}
}

// of says what came of an entry; empty: nothing was to.
func (o outcomes) of(e ledger.Entry) string {
	switch e.Event {
	case ledger.StorefrontClosed, ledger.StorefrontOpened:
		return o.carriedOut(e)
	case ledger.MailStarted:
		end, ended := o.mails[e.Index]
		if !ended {
			return "not finished yet"
		}
		text := fmt.Sprintf("sent to %d after %s", end.Counts["sent"], took(end.Time.Sub(e.Time)))
		if n := end.Counts["failed"]; n > 0 {
			text += fmt.Sprintf(", %d failed", n)
		}
		if n := end.Counts["passed"]; n > 0 {
			text += fmt.Sprintf(", %d passed over", n)
		}
		return text
	}
	return ""
}

// behind is of, as it follows a line.
func (o outcomes) behind(e ledger.Entry) string {
	if text := o.of(e); text != "" {
		return "; " + text
	}
	return ""
}

// carriedOut says whether the checkout followed, and how long that took.
func (o outcomes) carriedOut(e ledger.Entry) string {
	acks := o.acks[state{e.Storefront, e.Revision}]
	var parts []string
	for _, a := range acks {
		text := "carried out after " + took(a.time.Sub(e.Time))
		if len(acks) > 1 { // each has its own address
			text = a.url + ": " + text
		}
		parts = append(parts, text)
	}
	if o.last[e.Storefront] != e.Revision {
		if len(acks) == 0 && len(o.endpoints[e.Storefront]) > 0 {
			parts = append(parts, "not acknowledged before the next change")
		}
		return strings.Join(parts, "; ")
	}
	for _, end := range o.endpoints[e.Storefront] {
		if end.Acknowledged < e.Revision {
			parts = append(parts, still(end))
		}
	}
	return strings.Join(parts, "; ")
}

// still says how it stands with an endpoint that has not acknowledged.
func still(e ledger.Endpoint) string {
	switch {
	case !e.Disabled.IsZero():
		return "not acknowledged: " + e.URL + " is disabled"
	case e.Error != "":
		return fmt.Sprintf("not acknowledged yet: %s, %s: %s", e.URL, plural(e.Attempts, "attempt"), e.Error)
	}
	return "not acknowledged yet: " + e.URL
}

// took is a duration as a person says it: 0.4 s, 32 s, 5 min 10 s, 3 h 10 min.
func took(d time.Duration) string {
	switch {
	case d < 50*time.Millisecond:
		return "less than 0.1 s"
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", math.Round(d.Seconds()*10)/10)
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
	}
	return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
}
