package notify

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/url"
	"time"

	"github.com/backsoon/backsoon/internal/config"
	"github.com/backsoon/backsoon/internal/ledger"
	"github.com/backsoon/backsoon/internal/schedule"
	"github.com/backsoon/backsoon/notify/webhook"
)

// How an endpoint that does not acknowledge is treated.
const (
	reassertAfter = 30 * time.Second // after an attempt that may still run late
	alertAfter    = 10 * time.Minute // of failing
)

var retryAfter = []time.Duration{5 * time.Second, 30 * time.Second, 2 * time.Minute, 5 * time.Minute}

type endpointKey struct{ storefront, url string }

func keyOf(e ledger.Endpoint) endpointKey { return endpointKey{e.Storefront, e.URL} }

// endpoint gives the settings of an endpoint; false: they no longer have it.
func (w *Watcher) endpoint(key endpointKey) (config.Webhook, bool) {
	f, _ := w.Config.Storefront(key.storefront)
	for _, h := range f.Webhooks {
		if h.URL == key.url {
			return h, true
		}
	}
	return config.Webhook{}, false
}

// SendWebhooks begins one attempt at every endpoint that is due and has none
// under way, each in a goroutine of its own, and gives the moment at which the
// next one is due; zero: none.
func (w *Watcher) SendWebhooks(ctx context.Context, now time.Time) (next time.Time, err error) {
	busy := w.busy() // before the rows are read: one that comes back meanwhile has changed its row
	var ends []ledger.Endpoint
	var fronts map[string]ledger.Storefront
	err = w.Ledger.View(ctx, func(tx *ledger.Tx) error {
		if ends, err = tx.Endpoints(); err != nil {
			return err
		}
		fronts, err = tx.Storefronts()
		return err
	})
	if err != nil {
		return now.Add(time.Second), err
	}
	for _, e := range ends {
		f := fronts[e.Storefront]
		if _, ok := w.endpoint(keyOf(e)); !ok {
			continue // the watcher that reconciles has other settings
		}
		if late(e, f, now) {
			if err := w.alertLate(ctx, keyOf(e), now); err != nil {
				return now.Add(time.Second), err
			}
		}
		switch due := e.Due(f); {
		case due.IsZero() || busy[keyOf(e)] || e.Busy: // its return wakes the loop, here or there
		case due.After(now):
			next = soonest(next, due)
		default:
			w.begin(ctx, keyOf(e), now)
		}
	}
	return next, nil
}

// busy tells which endpoints have an attempt under way.
func (w *Watcher) busy() map[endpointKey]bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.inFlight)
}

// begin makes an attempt in a goroutine. One that the watcher's end would cut
// off is given a little longer.
func (w *Watcher) begin(ctx context.Context, key endpointKey, now time.Time) {
	w.mu.Lock()
	w.inFlight[key] = true
	w.mu.Unlock()
	w.sending.Go(func() {
		finishing, cancel := outlive(ctx, atTheEnd)
		defer cancel()
		w.attempt(finishing, key, now)
		w.mu.Lock()
		delete(w.inFlight, key)
		w.mu.Unlock()
		w.wake()
	})
}

// attempt claims an endpoint, sends it the storefront's newest state once and writes
// down what came of it. One that is cut off all the same is written down by nobody,
// and made again.
func (w *Watcher) attempt(ctx context.Context, key endpointKey, now time.Time) {
	h, ok := w.endpoint(key)
	if !ok {
		return
	}
	e, f, err := w.member.ClaimEndpoint(ctx, key.storefront, key.url, now, now.Add(reassertAfter))
	if err != nil {
		w.Log.Error("a webhook can't be claimed; it is tried again", "error", err)
		sleep(ctx, time.Second)
	}
	if err != nil || e == nil {
		return
	}
	again := e.Acknowledged >= f.Revision
	if again {
		e.Sendings++
	}
	body, err := json.Marshal(payload(f))
	if err != nil {
		panic(err) // plain data
	}
	target := webhook.Endpoint{URL: h.URL, Secrets: h.Secrets, Private: h.Private}
	if !w.member.Alive() { // it slept on its claim: the state may be an old one
		w.insist(ctx, "that a webhook wasn't sent", func() error { return w.unclaim(ctx, key) })
		return
	}
	out := w.webhooks.Send(ctx, target, messageID(*e, f), w.Now(), body)
	if ctx.Err() != nil {
		return
	}
	w.insist(ctx, "a webhook's outcome", func() error { return w.noteAttempt(ctx, key, f.Revision, again, out) })
}

// unclaim gives an endpoint back that nothing was sent to.
func (w *Watcher) unclaim(ctx context.Context, key endpointKey) error {
	return w.Ledger.Update(ctx, func(tx *ledger.Tx) error {
		_, err := tx.ReleaseEndpoint(w.member, key.storefront, key.url)
		return err
	})
}

// sleep waits, unless the context ends.
func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// insist writes what has been done, again and again until it is written: what
// the ledger doesn't know would be done once more.
func (w *Watcher) insist(ctx context.Context, what string, write func() error) {
	for wait := time.Second; ; wait = min(2*wait, time.Minute) {
		err := write()
		if err == nil || ctx.Err() != nil {
			return
		}
		w.Log.Error(what+" can't be written; it is tried again", "error", err)
		sleep(ctx, wait)
	}
}

// payload is the storefront's whole state.
func payload(f ledger.Storefront) webhook.Payload {
	kind := webhook.TypeClosed
	if f.Checkout == schedule.CheckoutOn {
		kind = webhook.TypeOpened
	}
	return webhook.Payload{
		Type:      kind,
		Timestamp: time.UnixMilli(f.Revision).UTC().Truncate(time.Second), // a revision is the moment of the change
		Data: webhook.Data{
			Storefront: f.ID, Checkout: f.Checkout, Revision: f.Revision,
			Since: pointer(f.Since), Until: pointer(f.Until),
			Message: f.Message, URL: f.URL, Notices: f.Notices, PublishedBy: f.By.Name,
		},
	}
}

func pointer(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// messageID is the webhook-id: the same for every attempt at one sending of one
// revision, another for each sending.
func messageID(e ledger.Endpoint, f ledger.Storefront) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d %d %s", e.Storefront, f.Revision, e.Sendings, e.URL))
	return "msg_" + hex.EncodeToString(sum[:12])
}

// noteAttempt writes down what came of an attempt at the given revision. The
// storefront may have moved on meanwhile. Where another watcher has the endpoint
// since, it is no longer for this one to say.
func (w *Watcher) noteAttempt(ctx context.Context, key endpointKey, revision int64, again bool, out webhook.Outcome) error {
	now := w.Now()
	return w.Ledger.Update(ctx, func(tx *ledger.Tx) error {
		mine, err := tx.ReleaseEndpoint(w.member, key.storefront, key.url)
		if err != nil {
			return err
		}
		if !mine {
			w.Log.Warn("what came of a webhook is left out: another watcher has sent a newer one", "storefront", key.storefront)
			return nil
		}
		e, f, err := findEndpoint(tx, key)
		if err != nil || e == nil {
			return err
		}
		n := attemptNote{e: e, f: f, revision: revision, again: again, now: now}
		entry, a := n.note(out)
		if a != nil {
			err = w.alert(tx, *a, now)
		}
		if entry != nil && err == nil {
			err = w.audit(tx, *entry)
		}
		if err != nil {
			return err
		}
		return tx.SaveEndpoint(*e)
	})
}

// reassertAll has the endpoints that are behind sent their state twice: the
// watcher before this one may have died in the middle of a request, which may
// still run late.
func (w *Watcher) reassertAll(ctx context.Context, now time.Time) error {
	return w.Ledger.Update(ctx, func(tx *ledger.Tx) error {
		fronts, err := tx.Storefronts()
		if err != nil {
			return err
		}
		ends, err := tx.Endpoints()
		for _, e := range ends {
			if err == nil && e.Owed(fronts[e.Storefront]) && e.Reassert.IsZero() {
				e.Reassert = now.Add(reassertAfter)
				err = tx.SaveEndpoint(e)
			}
		}
		return err
	})
}

func findEndpoint(tx *ledger.Tx, key endpointKey) (*ledger.Endpoint, ledger.Storefront, error) {
	fronts, err := tx.Storefronts()
	if err != nil {
		return nil, ledger.Storefront{}, err
	}
	ends, err := tx.Endpoints()
	for _, e := range ends {
		if keyOf(e) == key {
			return &e, fronts[key.storefront], err
		}
	}
	return nil, ledger.Storefront{}, err
}

// attemptNote changes an endpoint's row by one attempt's outcome.
type attemptNote struct {
	e        *ledger.Endpoint
	f        ledger.Storefront
	revision int64 // that was sent
	again    bool  // it was the second sending after an ambiguous one
	now      time.Time
}

func (n attemptNote) note(out webhook.Outcome) (*ledger.Entry, *alert) {
	e := n.e
	if n.again {
		e.Sendings++
		e.Reassert = time.Time{}
	}
	if n.revision == n.f.Revision {
		e.Attempts++
	}
	if out.Ambiguous {
		e.Reassert = n.now.Add(reassertAfter)
	}
	switch {
	case out.Acknowledged:
		return n.acknowledged(), nil
	case out.Gone:
		return n.gone()
	}
	n.failed(out.Err)
	return nil, nil
}

func (n attemptNote) acknowledged() *ledger.Entry {
	e := n.e
	e.Error, e.Failing, e.Alerted = "", time.Time{}, false
	if n.revision <= e.Acknowledged {
		return nil
	}
	e.Acknowledged = n.revision
	return &ledger.Entry{Time: n.now, Event: ledger.WebhookAcknowledged, Storefront: e.Storefront, Revision: n.revision, URL: ShownURL(e.URL)}
}

func (n attemptNote) gone() (*ledger.Entry, *alert) {
	e := n.e
	e.Disabled, e.Reassert, e.Error = n.now, time.Time{}, "answered 410 Gone"
	text := fmt.Sprintf("%s of storefront %s answered 410 Gone, so nothing more is sent there: its checkout no longer follows. "+
		"If that is not what you want, put the receiver right and run:\n\n  backsoon deliveries retry\n", ShownURL(e.URL), e.Storefront)
	return &ledger.Entry{Time: n.now, Event: ledger.WebhookDisabled, Storefront: e.Storefront, Revision: n.revision, URL: ShownURL(e.URL), Reason: e.Error},
		&alert{subject: "The webhook of " + e.Storefront + " is disabled", text: text}
}

// failed puts the next attempt off. When the state moved on meanwhile the new
// one is due at once, as it was written.
func (n attemptNote) failed(why error) {
	e := n.e
	e.Error = why.Error()
	if n.revision == n.f.Revision {
		e.NextTry = n.now.Add(backoff(retryAfter, e.Attempts))
	}
	if n.again {
		e.Reassert = n.now.Add(max(reassertAfter, backoff(retryAfter, e.Attempts)))
	}
	if e.Failing.IsZero() {
		e.Failing = n.now
	}
}

// late tells whether the owner has to hear that the checkout does not follow.
func late(e ledger.Endpoint, f ledger.Storefront, now time.Time) bool {
	return e.Disabled.IsZero() && !e.Alerted && e.Acknowledged < f.Revision && !e.Failing.IsZero() && now.Sub(e.Failing) >= alertAfter
}

// alertLate tells the owner, once, that a checkout does not follow.
func (w *Watcher) alertLate(ctx context.Context, key endpointKey, now time.Time) error {
	return w.Ledger.Update(ctx, func(tx *ledger.Tx) error {
		e, f, err := findEndpoint(tx, key)
		if err != nil || e == nil || !late(*e, f, now) {
			return err
		}
		e.Alerted = true
		if err := tx.SaveEndpoint(*e); err != nil {
			return err
		}
		return w.alert(tx, lateAlert(*e, f, now), now)
	})
}

func lateAlert(e ledger.Endpoint, f ledger.Storefront, now time.Time) alert {
	return alert{subject: "The checkout of " + e.Storefront + " does not follow", text: fmt.Sprintf(
		"%s has not acknowledged for %s that storefront %s is to be %s. The last attempt: %s.\n\n"+
			"It is tried again every few minutes. Look at the checkout itself; once the receiver is right again, this sends at once:\n\n  backsoon deliveries retry\n",
		ShownURL(e.URL), lasting(now.Sub(e.Failing)), e.Storefront, checkoutWord(f), e.Error)}
}

func checkoutWord(f ledger.Storefront) string {
	if f.Checkout == schedule.CheckoutOn {
		return "open"
	}
	return "closed"
}

// backoff is the wait after the given number of failed attempts, with up to a
// tenth more, so that many endpoints of one server don't come back at once.
func backoff(steps []time.Duration, attempts int) time.Duration {
	d := steps[min(max(attempts, 1), len(steps))-1]
	return d + rand.N(d/10+1)
}

// ShownURL is the URL as it may be shown and logged: without user, password and query.
func ShownURL(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "(an address that can't be read)"
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return u.String()
}
