package ledger

import (
	"fmt"
	"strings"
	"time"
)

// Subscriber is a customer who asked to be told.
type Subscriber struct {
	ID          int64
	Email       string
	Storefronts []string // empty: all
	Language    string
	UntilReopen bool // one mail when it reopens, then forgotten
	Confirmed   time.Time
	Failures    int    // campaigns in a row that the address refused
	Suppressed  string // why nothing goes there any more; empty: all is well
}

// Reachable tells whether mail may go to the subscriber.
func (s Subscriber) Reachable() bool {
	return s.ID != 0 && !s.Confirmed.IsZero() && s.Suppressed == ""
}

// suppressAfter is how many campaigns in a row an address may refuse.
const suppressAfter = 3

const subscriberColumns = "id, email, storefronts, language, until_reopen, confirmed, failures, suppressed"

func scanSubscriber(r scanner) (s Subscriber, err error) {
	var fronts string
	var confirmed int64
	err = r.Scan(&s.ID, &s.Email, &fronts, &s.Language, &s.UntilReopen, &confirmed, &s.Failures, &s.Suppressed)
	s.Storefronts, s.Confirmed = strings.Fields(fronts), fromMillis(confirmed)
	return s, err
}

// subscriber gives the one that meets the condition, or the zero Subscriber.
func (t *Tx) subscriber(where string, args ...any) (Subscriber, error) {
	s, err := scanSubscriber(t.tx.QueryRowContext(t.ctx, "SELECT "+subscriberColumns+" FROM subscribers WHERE "+where+" AND "+counted, args...))
	if isNone(err) {
		return Subscriber{}, nil
	}
	return s, err
}

// Subscriber gives the one with that address, in whatever case; the zero
// Subscriber where there is none.
func (t *Tx) Subscriber(email string) (Subscriber, error) {
	return t.subscriber("lower(email) = lower($1)", email)
}

// Subscribers gives up to limit subscribers with an id above after, by id.
func (t *Tx) Subscribers(after int64, limit int) ([]Subscriber, error) {
	return rows(t, scanSubscriber, "SELECT "+subscriberColumns+" FROM subscribers WHERE id > $1 AND "+counted+" ORDER BY id LIMIT $2", after, limit)
}

// AddSubscriber adds a confirmed subscriber and tells whether the address is
// new. A known one is left as it is.
func (t *Tx) AddSubscriber(s Subscriber) (added bool, err error) {
	if err := t.dropUncounted(s.Email); err != nil {
		return false, err
	}
	n, err := t.exec(`INSERT INTO subscribers (email, storefronts, language, until_reopen, confirmed) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (lower(email)) DO NOTHING`, s.Email, spaced(s.Storefronts), s.Language, flag(s.UntilReopen), millis(s.Confirmed))
	return n > 0, err
}

// spaced is how a list of ids is kept so that LIKE '% id %' finds one.
func spaced(ids []string) string {
	if len(ids) == 0 {
		return ""
	}
	return " " + strings.Join(ids, " ") + " "
}

// RemoveSubscriber ends a subscription and tells whether there was one. Forget
// leaves no trace of it.
func (t *Tx) RemoveSubscriber(email string) (bool, error) {
	n, err := t.exec("DELETE FROM subscribers WHERE lower(email) = lower($1)", email)
	return n > 0, err
}

// Suppress sends nothing to the subscriber any more.
func (t *Tx) Suppress(id int64, reason string) error {
	_, err := t.exec("UPDATE subscribers SET suppressed = $1 WHERE id = $2", reason, id)
	return err
}

// CountFailure notes that the address refused a campaign; the third in a row
// suppresses it.
func (t *Tx) CountFailure(id int64, reason string) error {
	_, err := t.exec(fmt.Sprintf(`UPDATE subscribers SET failures = failures + 1,
		suppressed = CASE WHEN failures + 1 >= %d THEN $1 ELSE suppressed END WHERE id = $2`, suppressAfter), reason, id)
	return err
}

// Alert is a mail owed to the owner.
type Alert struct {
	ID                     int64
	Address, Subject, Text string
	Created                time.Time
	Attempts               int
}

// AddAlert writes an alert to each of the addresses, to be sent at the moment due
// or after. It gives the alerts' ids.
func (t *Tx) AddAlert(addresses []string, subject, text string, now, due time.Time) (ids []int64, err error) {
	for _, a := range addresses {
		var id int64
		err := t.row("INSERT INTO alerts (address, subject, text, created, next_try) VALUES ($1, $2, $3, $4, $5) RETURNING id",
			[]any{a, subject, text, millis(now), millis(due)}, &id)
		if err != nil {
			return nil, fmt.Errorf("ledger: %w", err)
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// AmendAlert gives an alert that nobody has tried to send yet other words. It
// tells whether there still was one.
func (t *Tx) AmendAlert(id int64, subject, text string) (bool, error) {
	n, err := t.exec("UPDATE alerts SET subject = $1, text = $2 WHERE id = $3 AND attempts = 0", subject, text, id)
	return n > 0, err
}

// DueAlerts gives the alerts that are due, oldest first.
func (t *Tx) DueAlerts(now time.Time) ([]Alert, error) {
	return rows(t, func(s scanner) (a Alert, err error) {
		var created int64
		err = s.Scan(&a.ID, &a.Address, &a.Subject, &a.Text, &created, &a.Attempts)
		a.Created = fromMillis(created)
		return a, err
	}, "SELECT id, address, subject, text, created, attempts FROM alerts WHERE next_try <= $1 ORDER BY id", millis(now))
}

// ClaimAlert takes an alert for the member to send, and tells whether it is the
// member's now. It belongs into Member.Claim.
func (t *Tx) ClaimAlert(id int64, now time.Time) (bool, error) {
	n, err := t.exec("UPDATE alerts SET claim = $1 WHERE id = $2 AND next_try <= $3 AND (claim = 0 OR "+t.gone("claim")+")", t.claimer, id, millis(now))
	return n > 0, err
}

// AlertDone forgets an alert that was sent or given up.
func (t *Tx) AlertDone(id int64) error {
	_, err := t.exec("DELETE FROM alerts WHERE id = $1", id)
	return err
}

// AlertLater puts an alert off.
func (t *Tx) AlertLater(id int64, next time.Time) error {
	_, err := t.exec("UPDATE alerts SET attempts = attempts + 1, claim = 0, next_try = $1 WHERE id = $2", millis(next), id)
	return err
}

// list is the slice as JSON wants it: never null.
func list(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}
