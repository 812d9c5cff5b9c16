package ledger

import (
	"context"
	"time"
)

// Storefront is what a storefront should be, as last written.
type Storefront struct {
	ID           string
	State        string // open, closed or overdue
	Checkout     string // on or off
	Revision     int64
	Since, Until time.Time // zero: none
	Message, URL string
	Notices      []string
	Lead         string
	By           By
}

// Storefronts gives every storefront that was ever written, by id.
func (t *Tx) Storefronts() (map[string]Storefront, error) {
	all, err := rows(t, func(s scanner) (f Storefront, err error) {
		var since, until int64
		var notices, by string
		err = s.Scan(&f.ID, &f.State, &f.Checkout, &f.Revision, &since, &until, &f.Message, &f.URL, &notices, &f.Lead, &by)
		if err != nil {
			return f, err
		}
		f.Since, f.Until = fromMillis(since), fromMillis(until)
		if err = decode(notices, &f.Notices); err == nil {
			err = decode(by, &f.By)
		}
		return f, err
	}, "SELECT id, state, checkout, revision, since, until, message, url, notices, lead, by FROM storefronts")
	byID := make(map[string]Storefront, len(all))
	for _, f := range all {
		byID[f.ID] = f
	}
	return byID, err
}

// SaveStorefront writes a storefront's new state. Where its revision is a new
// one, its endpoints are owed it at once.
func (t *Tx) SaveStorefront(f Storefront, now time.Time) error {
	_, err := t.exec(`UPDATE endpoints SET attempts = 0, sendings = 0, next_try = $1
		WHERE storefront = $2 AND acknowledged < $3 AND disabled = 0
		AND NOT EXISTS (SELECT 1 FROM storefronts WHERE id = $4 AND revision = $5)`, millis(now), f.ID, f.Revision, f.ID, f.Revision)
	if err != nil {
		return err
	}
	_, err = t.exec(`INSERT INTO storefronts (id, state, checkout, revision, since, until, message, url, notices, lead, by)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
		ON CONFLICT (id) DO UPDATE SET state = excluded.state, checkout = excluded.checkout, revision = excluded.revision,
			since = excluded.since, until = excluded.until, message = excluded.message, url = excluded.url,
			notices = excluded.notices, lead = excluded.lead, by = excluded.by`,
		f.ID, f.State, f.Checkout, f.Revision, millis(f.Since), millis(f.Until), f.Message, f.URL, encode(f.Notices), f.Lead, encode(f.By))
	return err
}

// Endpoint is what one webhook was last told, and what it is still owed.
type Endpoint struct {
	Storefront, URL string
	Acknowledged    int64     // the last revision it took
	Attempts        int       // at the present revision
	Sendings        int       // times the present revision went out under a new id
	Error           string    // of the last attempt
	NextTry         time.Time // zero with nothing owed
	Reassert        time.Time // when the newest state goes out once more; zero: not
	Failing         time.Time // since when; zero: not
	Alerted         bool
	Disabled        time.Time // since when; zero: not
	Busy            bool      // a watcher is sending to it; see ClaimEndpoint
	Abandoned       bool      // the watcher that was sending to it is gone
}

// Owed tells whether the endpoint is to be sent the storefront's state.
func (e Endpoint) Owed(f Storefront) bool {
	return e.Disabled.IsZero() && (e.Acknowledged < f.Revision || !e.Reassert.IsZero())
}

// Due is when the endpoint is next to be sent the state; zero: never. It is sent
// the state once more only when it has it: until then every retry does that.
func (e Endpoint) Due(f Storefront) time.Time {
	switch {
	case !e.Owed(f):
		return time.Time{}
	case e.Acknowledged < f.Revision:
		return e.NextTry
	}
	return e.Reassert
}

// Endpoints gives every endpoint, by storefront and URL.
func (t *Tx) Endpoints() ([]Endpoint, error) { return t.endpoints("true", "") }

// endpoints gives those that meet the condition.
func (t *Tx) endpoints(where, locking string, args ...any) ([]Endpoint, error) {
	return rows(t, func(s scanner) (e Endpoint, err error) {
		var next, reassert, failing, disabled int64
		err = s.Scan(&e.Storefront, &e.URL, &e.Acknowledged, &e.Attempts, &e.Sendings, &e.Error, &next, &reassert, &failing, &e.Alerted, &disabled, &e.Busy, &e.Abandoned)
		e.NextTry, e.Reassert = fromMillis(next), fromMillis(reassert)
		e.Failing, e.Disabled = fromMillis(failing), fromMillis(disabled)
		return e, err
	}, `SELECT storefront, url, acknowledged, attempts, sendings, error, next_try, reassert, failing, alerted, disabled,
		claim <> 0 AND NOT `+t.gone("claim")+`, claim <> 0 AND `+t.gone("claim")+`
		FROM endpoints WHERE `+where+` ORDER BY storefront, url`+locking, args...)
}

// ClaimEndpoint takes an endpoint for the member to send to, and gives it with its
// storefront's newest state; nil: it isn't due, or another watcher has it. What a
// watcher that is gone was sending may still arrive: the newest state goes out once
// more at the moment given for that. A watcher that is the only one knows by itself
// what it has under way, and writes nothing.
func (m *Member) ClaimEndpoint(ctx context.Context, storefront, url string, now, again time.Time) (e *Endpoint, f Storefront, err error) {
	begin := m.Claim
	if !m.ledger.Shared() {
		begin = m.ledger.View
	}
	err = begin(ctx, func(t *Tx) error {
		e, f, err = t.claimEndpoint(storefront, url, now, again)
		return err
	})
	return e, f, err
}

func (t *Tx) claimEndpoint(storefront, url string, now, again time.Time) (*Endpoint, Storefront, error) {
	free, err := t.endpoints("storefront = $1 AND url = $2 AND (claim = 0 OR "+t.gone("claim")+")", t.locking("FOR UPDATE SKIP LOCKED"), storefront, url)
	if err != nil || len(free) == 0 {
		return nil, Storefront{}, err
	}
	fronts, err := t.Storefronts()
	if err != nil {
		return nil, Storefront{}, err
	}
	e, f := free[0], fronts[storefront]
	if due := e.Due(f); due.IsZero() || due.After(now) {
		return nil, f, nil
	}
	if t.shared == nil {
		return &e, f, nil
	}
	if e.Abandoned {
		e.Reassert = again
	}
	_, err = t.exec("UPDATE endpoints SET claim = $1, reassert = $2 WHERE storefront = $3 AND url = $4", t.claimer, millis(e.Reassert), storefront, url)
	return &e, f, err
}

// ReleaseEndpoint ends the claim that the member made, and tells whether it still
// stood: if not, what came of the sending is no longer its to say.
func (t *Tx) ReleaseEndpoint(m *Member, storefront, url string) (bool, error) {
	if t.shared == nil {
		return true, nil
	}
	n, err := t.exec("UPDATE endpoints SET claim = 0 WHERE storefront = $1 AND url = $2 AND claim = $3", storefront, url, m.id)
	return n > 0, err
}

// SaveEndpoint writes an endpoint, be it new or known.
func (t *Tx) SaveEndpoint(e Endpoint) error {
	_, err := t.exec(`INSERT INTO endpoints (storefront, url, acknowledged, attempts, sendings, error, next_try, reassert, failing, alerted, disabled)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
		ON CONFLICT (storefront, url) DO UPDATE SET acknowledged = excluded.acknowledged, attempts = excluded.attempts,
			sendings = excluded.sendings, error = excluded.error, next_try = excluded.next_try, reassert = excluded.reassert,
			failing = excluded.failing, alerted = excluded.alerted, disabled = excluded.disabled`,
		e.Storefront, e.URL, e.Acknowledged, e.Attempts, e.Sendings, e.Error, millis(e.NextTry), millis(e.Reassert),
		millis(e.Failing), flag(e.Alerted), millis(e.Disabled))
	return err
}

// DropEndpoint forgets an endpoint that the settings no longer have.
func (t *Tx) DropEndpoint(e Endpoint) error {
	_, err := t.exec("DELETE FROM endpoints WHERE storefront = $1 AND url = $2", e.Storefront, e.URL)
	return err
}
