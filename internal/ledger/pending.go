package ledger

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Pending is who has asked to be told and has not confirmed it yet. A subscriber
// may be pending, too, who asked for something else.
type Pending struct {
	Email       string
	Storefronts []string // empty: all
	Language    string
	UntilReopen bool
	Expires     time.Time // when the link in the mail ends
	Attempts    int       // at sending that mail
	Owed        bool      // the mail is still to be sent
}

// Limits for one address, which anybody may type in.
const (
	mostMails = 3               // until what was asked last expires
	mailsGap  = 5 * time.Minute // from one to the next
)

const pendingColumns = "email, storefronts, language, until_reopen, expires, attempts, next_try > 0"

func scanPending(r scanner) (p Pending, err error) {
	var fronts string
	var expires int64
	err = r.Scan(&p.Email, &fronts, &p.Language, &p.UntilReopen, &expires, &p.Attempts, &p.Owed)
	p.Storefronts, p.Expires = strings.Fields(fronts), fromMillis(expires)
	return p, err
}

// Ask notes that somebody has asked for the address, and owes it one mail: none
// if it is suppressed, or has had as many as an address may. seals are its keyed
// hashes under every key there is. Of several requests the last counts.
func (t *Tx) Ask(p Pending, seals []string, now time.Time) error {
	s, err := t.Subscriber(p.Email)
	if err != nil || s.Suppressed != "" {
		return err
	}
	if suppressed, err := t.Suppressed(seals); suppressed || err != nil {
		return err
	}
	if s.ID != 0 {
		p.Email = s.Email // as whoever reads that mailbox wrote it
	}
	if _, err := t.exec("DELETE FROM pending WHERE lower(email) = lower($1) AND expires <= $2", p.Email, millis(now)); err != nil {
		return err
	}
	_, err = t.exec(fmt.Sprintf(`INSERT INTO pending (email, storefronts, language, until_reopen, asked, expires, mails, next_try)
		VALUES ($1, $2, $3, $4, $5, $6, 1, $7)
		ON CONFLICT (lower(email)) DO UPDATE SET email = excluded.email, storefronts = excluded.storefronts, language = excluded.language,
			until_reopen = excluded.until_reopen, asked = excluded.asked, expires = excluded.expires, mails = pending.mails + 1,
			attempts = 0, claim = 0, next_try = excluded.next_try
		WHERE pending.mails < %d AND pending.asked <= $8`, mostMails),
		p.Email, spaced(p.Storefronts), p.Language, flag(p.UntilReopen), millis(now), millis(p.Expires), millis(now), millis(now.Add(-mailsGap)))
	return err
}

// PendingFor gives what is asked for the address, or the zero Pending.
func (t *Tx) PendingFor(email string, now time.Time) (Pending, error) {
	p, err := scanPending(t.tx.QueryRowContext(t.ctx, "SELECT "+pendingColumns+" FROM pending WHERE lower(email) = lower($1) AND expires > $2",
		email, millis(now)))
	if isNone(err) {
		return Pending{}, nil
	}
	return p, err
}

// DuePending gives up to limit of those whose mail is due, the longest due first.
func (t *Tx) DuePending(now time.Time, limit int) ([]Pending, error) {
	return rows(t, scanPending, "SELECT "+pendingColumns+` FROM pending WHERE next_try > 0 AND next_try <= $1 AND expires > $2
		ORDER BY next_try, asked LIMIT $3`, millis(now), millis(now), limit)
}

// ClaimPending takes a mail that is due for the member to send, and tells whether
// it is the member's now. It belongs into Member.Claim.
func (t *Tx) ClaimPending(p Pending, now time.Time) (bool, error) {
	n, err := t.exec(`UPDATE pending SET claim = $1 WHERE lower(email) = lower($2) AND expires = $3 AND next_try > 0 AND next_try <= $4
		AND (claim = 0 OR `+t.gone("claim")+")", t.claimer, p.Email, millis(p.Expires), millis(now))
	return n > 0, err
}

// PendingSent notes that the mail went out, or never will. What was asked anew
// meanwhile is still owed its own.
func (t *Tx) PendingSent(p Pending) error {
	_, err := t.exec("UPDATE pending SET next_try = 0, claim = 0 WHERE lower(email) = lower($1) AND expires = $2", p.Email, millis(p.Expires))
	return err
}

// PendingLater puts the mail off.
func (t *Tx) PendingLater(p Pending, next time.Time) error {
	_, err := t.exec("UPDATE pending SET attempts = attempts + 1, claim = 0, next_try = $1 WHERE lower(email) = lower($2) AND expires = $3",
		millis(next), p.Email, millis(p.Expires))
	return err
}

// DropExpired forgets who has not confirmed in time.
func (t *Tx) DropExpired(now time.Time) error {
	_, err := t.exec("DELETE FROM pending WHERE expires <= $1", millis(now))
	return err
}

// Confirmation is what came of confirming.
type Confirmation int

const (
	NothingAsked Confirmation = iota // nobody has asked, or it is forgotten since
	Unchanged                        // confirmed before
	Confirmed                        // a new subscriber
	Rechosen                         // a subscriber who is told of something else from now on
)

// Confirm makes a subscriber of who has asked, with what p says. Whoever has left
// meanwhile has to ask again, and who is suppressed stays so.
func (t *Tx) Confirm(p Pending, seals []string, now time.Time) (Confirmation, error) {
	s, err := t.Subscriber(p.Email)
	if err != nil || s.Suppressed != "" {
		return NothingAsked, err
	}
	if suppressed, err := t.Suppressed(seals); suppressed || err != nil {
		return NothingAsked, err
	}
	asked, err := t.exec("DELETE FROM pending WHERE lower(email) = lower($1)", p.Email)
	switch {
	case err != nil || asked == 0 && s.ID == 0:
		return NothingAsked, err
	case s.ID == 0:
		_, err = t.AddSubscriber(Subscriber{Email: p.Email, Storefronts: p.Storefronts, Language: p.Language, UntilReopen: p.UntilReopen, Confirmed: now})
		return Confirmed, err
	case p.Same(s):
		return Unchanged, nil
	}
	_, err = t.exec("UPDATE subscribers SET storefronts = $1, language = $2, until_reopen = $3, confirmed = $4 WHERE id = $5",
		spaced(p.Storefronts), p.Language, flag(p.UntilReopen), millis(now), s.ID)
	return Rechosen, err
}

// Same tells whether that is what the subscriber has already.
func (p Pending) Same(s Subscriber) bool {
	return s.Reachable() && slices.Equal(slices.Sorted(slices.Values(p.Storefronts)), slices.Sorted(slices.Values(s.Storefronts))) &&
		p.Language == s.Language && p.UntilReopen == s.UntilReopen
}

// Forget leaves nothing of an address in the ledger. Where it is suppressed, the
// seal is left, a keyed hash: it would else be written to again. subscribed and
// asked tell what there was.
func (t *Tx) Forget(email, seal string) (subscribed, asked bool, err error) {
	s, err := t.Subscriber(email)
	if err != nil {
		return false, false, err
	}
	if s.Suppressed != "" {
		if _, err := t.exec("INSERT INTO suppressed (seal) VALUES ($1) ON CONFLICT (seal) DO NOTHING", seal); err != nil {
			return false, false, err
		}
	}
	n, err := t.exec("DELETE FROM pending WHERE lower(email) = lower($1)", email)
	if err != nil {
		return false, false, err
	}
	if err := t.dropUncounted(email); err != nil {
		return false, false, err
	}
	subscribed, err = t.RemoveSubscriber(email)
	return subscribed, n > 0, err
}

// Suppressed tells whether one of the seals is that of an address which was
// forgotten, and which nothing may be sent to all the same.
func (t *Tx) Suppressed(seals []string) (bool, error) {
	for _, seal := range seals {
		var found bool
		if err := t.row("SELECT EXISTS (SELECT 1 FROM suppressed WHERE seal = $1)", []any{seal}, &found); err != nil || found {
			return found, err
		}
	}
	return false, nil
}

// AllSuppressed gives the seals of all such addresses.
func (t *Tx) AllSuppressed() (map[string]bool, error) {
	seals, err := rows(t, func(s scanner) (seal string, err error) { err = s.Scan(&seal); return }, "SELECT seal FROM suppressed")
	all := map[string]bool{}
	for _, seal := range seals {
		all[seal] = true
	}
	return all, err
}
