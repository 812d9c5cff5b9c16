package ledger

import "time"

// bounceMemory is how long a letter that came back counts: long enough for a shop
// that closes once a year and writes four letters each time.
const bounceMemory = 2 * 365 * 24 * time.Hour

// CountBounce notes that a letter to the subscriber came back, although the mail
// server had taken it, and tells whether that was news. The third letter
// suppresses the address. It is counted apart from the failures that the server
// itself tells of: those end with the next letter that it takes.
func (t *Tx) CountBounce(id int64, letter, reason string, now time.Time) (fresh bool, err error) {
	if _, err := t.exec("DELETE FROM bounces WHERE subscriber = $1 AND seen < $2", id, millis(now.Add(-bounceMemory))); err != nil {
		return false, err
	}
	n, err := t.exec("INSERT INTO bounces (subscriber, letter, seen) VALUES ($1, $2, $3) ON CONFLICT (subscriber, letter) DO NOTHING", id, letter, millis(now))
	if err != nil || n == 0 {
		return false, err
	}
	bounces, err := t.Bounces(id)
	if err != nil || bounces < suppressAfter {
		return true, err
	}
	return true, t.Suppress(id, reason)
}

// Bounces counts the letters to the subscriber that came back, as far as they are
// remembered.
func (t *Tx) Bounces(id int64) (n int, err error) {
	err = t.row("SELECT COUNT(*) FROM bounces WHERE subscriber = $1", []any{id}, &n)
	return n, err
}

// Bar keeps questions and imports from an address that is not subscribed, by its
// seal alone, and drops what it was to be asked.
func (t *Tx) Bar(email, seal string) error {
	if err := t.dropUncounted(email); err != nil {
		return err
	}
	if _, err := t.exec("DELETE FROM pending WHERE lower(email) = lower($1)", email); err != nil {
		return err
	}
	_, err := t.exec("INSERT INTO suppressed (seal) VALUES ($1) ON CONFLICT (seal) DO NOTHING", seal)
	return err
}
