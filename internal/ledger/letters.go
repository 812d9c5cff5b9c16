package ledger

import (
	"fmt"
	"time"
)

// Letter is one mail owed to one subscriber.
type Letter struct {
	Campaign   int64
	Subscriber Subscriber
	Attempts   int
	claim      int64 // whose it is
}

// Claim takes up to limit letters that are due and that no other watcher has. They
// are the member's until it settles them, or is gone. Letters to those who have
// left meanwhile are passed over. It belongs into Member.Claim.
func (t *Tx) Claim(now time.Time, limit int) (claimed []Letter, err error) {
	for more := true; more && len(claimed) < limit; {
		var some []Letter
		if some, more, err = t.claimSome(now, limit-len(claimed)); err != nil {
			return nil, err
		}
		claimed = append(claimed, some...)
	}
	return claimed, nil
}

// claimSome looks at up to limit letters; more tells whether there may be others.
func (t *Tx) claimSome(now time.Time, limit int) (claimed []Letter, more bool, err error) {
	due, err := rows(t, func(s scanner) (Letter, error) {
		l := Letter{claim: t.claimer}
		err := s.Scan(&l.Campaign, &l.Subscriber.ID, &l.Attempts)
		return l, err
	}, "SELECT campaign, subscriber, attempts FROM letters WHERE next_try <= $1 AND (claim = 0 OR "+t.gone("claim")+
		") ORDER BY next_try, campaign, subscriber LIMIT $2"+t.locking("FOR UPDATE SKIP LOCKED"), millis(now), limit)
	if err != nil {
		return nil, false, err
	}
	subscribers, err := t.subscribersOf(due)
	if err != nil {
		return nil, false, err
	}
	for _, l := range due {
		id := l.Subscriber.ID
		if l.Subscriber = subscribers[id]; l.Subscriber.Reachable() {
			claimed = append(claimed, l)
		} else if err := t.passOver(l.Campaign, id); err != nil {
			return nil, false, err
		}
	}
	for campaign, ids := range byCampaign(claimed) {
		if _, err := t.exec("UPDATE letters SET claim = $1 WHERE campaign = $2 AND "+t.among("subscriber", "$3"), t.claimer, campaign, encode(ids)); err != nil {
			return nil, false, err
		}
	}
	return claimed, len(due) == limit, nil
}

// subscribersOf gives the letters' subscribers, by id; who has left is not among them.
func (t *Tx) subscribersOf(letters []Letter) (map[int64]Subscriber, error) {
	ids := []int64{}
	for _, l := range letters {
		ids = append(ids, l.Subscriber.ID)
	}
	all, err := rows(t, scanSubscriber, "SELECT "+subscriberColumns+" FROM subscribers WHERE "+t.among("id", "$1")+" AND "+counted, encode(ids))
	byID := make(map[int64]Subscriber, len(all))
	for _, s := range all {
		byID[s.ID] = s
	}
	return byID, err
}

// byCampaign gives the subscribers of letters.
func byCampaign(letters []Letter) map[int64][]int64 {
	ids := map[int64][]int64{}
	for _, l := range letters {
		ids[l.Campaign] = append(ids[l.Campaign], l.Subscriber.ID)
	}
	return ids
}

func (t *Tx) passOver(campaign, subscriber int64) error {
	if _, err := t.exec("UPDATE campaigns SET passed = passed + 1 WHERE id = $1", campaign); err != nil {
		return err
	}
	_, err := t.exec("DELETE FROM letters WHERE campaign = $1 AND subscriber = $2", campaign, subscriber)
	return err
}

// LetterUntried gives a claimed letter back that nobody tried to send.
func (t *Tx) LetterUntried(l Letter) error {
	_, err := t.exec("UPDATE letters SET claim = 0 WHERE campaign = $1 AND subscriber = $2 AND claim = $3", l.Campaign, l.Subscriber.ID, l.claim)
	return err
}

// LetterSent settles letters, whoever has claimed them since: it is a fact. Who
// asked only for the reopening is forgotten.
func (t *Tx) LetterSent(sent ...Letter) error {
	for campaign, ids := range byCampaign(sent) {
		n, err := t.exec("DELETE FROM letters WHERE campaign = $1 AND "+t.among("subscriber", "$2"), campaign, encode(ids))
		if err == nil && n > 0 { // the others were overtaken meanwhile: counted there
			_, err = t.exec("UPDATE campaigns SET sent = sent + $1 WHERE id = $2", n, campaign)
		}
		if err != nil {
			return err
		}
	}
	stay, leave := []int64{}, []int64{}
	for _, l := range sent {
		if l.Subscriber.UntilReopen {
			leave = append(leave, l.Subscriber.ID)
		} else {
			stay = append(stay, l.Subscriber.ID)
		}
	}
	if _, err := t.exec("DELETE FROM subscribers WHERE "+t.among("id", "$1"), encode(leave)); err != nil {
		return err
	}
	_, err := t.exec("UPDATE subscribers SET failures = 0 WHERE "+t.among("id", "$1")+" AND failures > 0", encode(stay))
	return err
}

// LetterFailed gives a letter up, unless another watcher has claimed it since.
func (t *Tx) LetterFailed(l Letter, reason string) error {
	mine, err := t.stillClaimed(l)
	if err != nil || !mine {
		return err
	}
	n, err := t.exec("DELETE FROM letters WHERE campaign = $1 AND subscriber = $2", l.Campaign, l.Subscriber.ID)
	if err != nil || n == 0 {
		return err
	}
	_, err = t.exec("UPDATE campaigns SET failed = failed + 1, error = CASE WHEN $1 = '' THEN error ELSE $2 END WHERE id = $3", reason, reason, l.Campaign)
	return err
}

// stillClaimed tells whether the letter is whose it was, and keeps it so.
func (t *Tx) stillClaimed(l Letter) (bool, error) {
	n, err := t.exec("UPDATE letters SET claim = $1 WHERE campaign = $2 AND subscriber = $3 AND claim = $4", l.claim, l.Campaign, l.Subscriber.ID, l.claim)
	return n > 0, err
}

// LetterLater puts a letter off, unless another watcher has claimed it since.
func (t *Tx) LetterLater(l Letter, next time.Time, reason string) error {
	n, err := t.exec("UPDATE letters SET attempts = attempts + 1, claim = 0, next_try = $1 WHERE campaign = $2 AND subscriber = $3 AND claim = $4",
		millis(next), l.Campaign, l.Subscriber.ID, l.claim)
	if err == nil && n > 0 && reason != "" {
		_, err = t.exec("UPDATE campaigns SET error = $1 WHERE id = $2", reason, l.Campaign)
	}
	return err
}

// LetterDue tells whether the letter is owed, and due.
func (t *Tx) LetterDue(l Letter, now time.Time) (due bool, err error) {
	err = t.row("SELECT EXISTS (SELECT 1 FROM letters WHERE campaign = $1 AND subscriber = $2 AND next_try <= $3)",
		[]any{l.Campaign, l.Subscriber.ID, millis(now)}, &due)
	if err != nil {
		return false, fmt.Errorf("ledger: %w", err)
	}
	return due, nil
}

// Waiting counts the letters that are owed to a subscriber.
func (t *Tx) Waiting(subscriber int64) (n int, err error) {
	err = t.row("SELECT COUNT(*) FROM letters WHERE subscriber = $1", []any{subscriber}, &n)
	return n, err
}

// Owed sums up what is owed.
type Owed struct {
	Webhooks int // endpoints behind their storefront's state
	Mail     int // letters, campaigns that wait for their moment, alerts, and questions whether somebody wants to be told

	SinceWebhooks time.Time // the oldest state that an endpoint has not taken; zero: none
	SinceMail     time.Time // when the oldest that could go out was written; zero: nothing could
}

// Owed counts what is owed: the endpoints behind their storefront's state, and
// the mail. A campaign not yet expanded counts all that it has still to reach.
func (t *Tx) Owed() (o Owed, err error) {
	if o.Webhooks, o.SinceWebhooks, err = t.owedWebhooks(); err != nil {
		return o, err
	}
	open, err := t.OpenCampaigns()
	if err != nil {
		return o, err
	}
	for _, c := range open {
		last := c.Last
		if c.Fired.IsZero() {
			last = 1 << 62
		}
		where, args := follows(c, c.Cursor, last)
		var n int
		if err := t.row("SELECT COUNT(*) FROM subscribers WHERE "+where, args, &n); err != nil {
			return o, err
		}
		o.Mail += n
	}
	var letters, alerts, pending int
	var fired, created int64
	err = t.row(`SELECT (SELECT COUNT(*) FROM letters), (SELECT COUNT(*) FROM alerts),
		(SELECT COUNT(*) FROM pending WHERE next_try > 0),
		(SELECT COALESCE(MIN(fired), 0) FROM campaigns WHERE finished = 0 AND fired > 0), (SELECT COALESCE(MIN(created), 0) FROM alerts)`,
		nil, &letters, &alerts, &pending, &fired, &created)
	o.Mail += letters + alerts + pending
	o.SinceMail = older(fromMillis(fired), fromMillis(created))
	return o, err
}

func (t *Tx) owedWebhooks() (n int, since time.Time, err error) {
	fronts, err := t.Storefronts()
	if err != nil {
		return 0, since, err
	}
	ends, err := t.Endpoints()
	for _, e := range ends {
		if f, ok := fronts[e.Storefront]; ok && e.Owed(f) {
			n++
			since = older(since, fromMillis(f.Revision)) // a revision is the moment of the change
		}
	}
	return n, since, err
}

// older is the older of two times, of which one that is zero is none.
func older(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// LettersOf counts what a campaign still owes of those that are written.
func (t *Tx) LettersOf(campaign int64) (n int, err error) {
	err = t.row("SELECT COUNT(*) FROM letters WHERE campaign = $1", []any{campaign}, &n)
	return n, err
}

// MakeDue makes all that is owed due now, whatever back-off says. What waits for
// its notice to settle goes on waiting.
func (t *Tx) MakeDue(now time.Time) error {
	ms := millis(now)
	for _, statement := range []string{
		"UPDATE letters SET next_try = $1 WHERE next_try > $2",
		"UPDATE alerts SET next_try = $1 WHERE next_try > $2",
		"UPDATE pending SET next_try = $1 WHERE next_try > $2",
		"UPDATE endpoints SET next_try = $1 WHERE next_try > $2",
	} {
		if _, err := t.exec(statement, ms, ms); err != nil {
			return err
		}
	}
	return nil
}
