package ledger

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"time"
)

// sharing is what a database has that several watchers may use at once.
type sharing struct {
	clock string                                      // its own time in Unix milliseconds: no watcher's clock is believed
	claim func(ctx context.Context, tx *sql.Tx) error // begins a transaction that claims
}

// How long a watcher is believed to be there after its last sign of life. What a
// dead one had is another's within LeaseTime and a second or two.
const (
	LeaseTime  = 6 * time.Second
	RenewEvery = 2 * time.Second
)

// reconciling is the lease of the one watcher that reconciles.
const reconciling = "reconcile"

// ErrFenced refuses a transaction of a watcher that no longer reconciles.
var ErrFenced = errors.New("another watcher has taken over; what this one was about to write is refused")

// Member is a watcher of a ledger. On SQLite it is the only one, which the file's
// lock makes sure of. On PostgreSQL it has a lease, on the database's clock, for as
// long as it shows that it is there; what it has claimed is others' after that. One
// of the members has a second lease, to reconcile. The token of that grows with
// each takeover, and is looked at in each transaction that reconciles: a watcher
// that was stopped for a while, and doesn't know, writes nothing.
type Member struct {
	ledger *Ledger
	id     int64  // what its claims carry
	place  string // the machine and the folder
	seal   string // tells its site key from another

	mu    sync.Mutex
	token int64     // of the lease to reconcile; 0: another has it, or nobody
	until time.Time // its claims stand until then, whatever has become of it
}

// Join makes the caller one of the ledger's watchers. place is what tells its
// machine and folder from others, across restarts; the caller has the lock on the
// folder, so that whoever was in that place before is no longer there. A watcher
// whose site key is another than that of those who are there is refused: a letter
// that both send would have two ids.
func (l *Ledger) Join(ctx context.Context, place string, siteKey []byte) (*Member, error) {
	m := &Member{ledger: l, id: 1 + rand.Int64N(math.MaxInt64-1), place: place, seal: fmt.Sprintf("%.8x", sha256.Sum256(siteKey))}
	err := l.Update(ctx, func(t *Tx) error {
		dead := "(holder = $1 OR until <= " + t.clock() + ")"
		if t.shared == nil {
			dead = "(holder = $1 OR true)" // the file has one watcher
		}
		if _, err := t.exec("DELETE FROM leases WHERE name <> 'reconcile' AND "+dead, place); err != nil {
			return err
		}
		if _, err := t.exec("UPDATE leases SET until = 0 WHERE name = 'reconcile' AND "+dead, place); err != nil {
			return err
		}
		if err := m.sameKey(t); err != nil {
			return err
		}
		return m.sign(t)
	})
	return m, err
}

func (m *Member) sameKey(t *Tx) error {
	var other string
	err := t.row("SELECT holder FROM leases WHERE name <> 'reconcile' AND seal <> $1 LIMIT 1", []any{m.seal}, &other)
	if isNone(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	return fmt.Errorf("data/site.key is another than in %s, whose watcher shares this ledger; copy that file here", other)
}

// clock is the database's own time, in Unix milliseconds, as SQL.
func (t *Tx) clock() string {
	if t.shared == nil {
		return "0"
	}
	return t.shared.clock
}

// locking is a clause by which rows are locked, as SQL. On SQLite writers go by
// turns anyway.
func (t *Tx) locking(clause string) string {
	if t.shared == nil {
		return ""
	}
	return " " + clause
}

// among is the condition, as SQL, for a column to be one of the whole numbers that
// the parameter lists as JSON.
func (t *Tx) among(column, parameter string) string {
	if t.shared == nil {
		return column + " IN (SELECT value FROM json_each(" + parameter + "))"
	}
	return column + " IN (SELECT value::bigint FROM json_array_elements_text(" + parameter + "::text::json))"
}

// leaseEnd is when a lease that is given now ends, as SQL: on SQLite never.
func (t *Tx) leaseEnd() string { return fmt.Sprintf("%s + %d", t.clock(), LeaseTime.Milliseconds()) }

// gone is the condition, as SQL, for a claim to be nobody's: the watcher that made
// it is no longer there.
func (t *Tx) gone(claim string) string {
	return fmt.Sprintf("NOT EXISTS (SELECT 1 FROM leases WHERE token = %s AND name <> '%s' AND until > %s)", claim, reconciling, t.clock())
}

// sign is the member's sign of life.
func (m *Member) sign(t *Tx) error {
	began := time.Now()
	_, err := t.exec(`INSERT INTO leases (name, holder, seal, token, until) VALUES ($1, $2, $3, $4, `+t.leaseEnd()+`)
		ON CONFLICT (name) DO UPDATE SET until = excluded.until`, fmt.Sprint("watcher ", m.id), m.place, m.seal, m.id)
	if err != nil {
		return err
	}
	t.AfterCommit(func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.until = began.Add(LeaseTime)
	})
	return nil
}

// Renew keeps what the member has; it is to be called each RenewEvery. lost tells
// that another watcher reconciles since.
func (m *Member) Renew(ctx context.Context) (lost bool, err error) {
	if !m.ledger.Shared() {
		return false, nil
	}
	token := m.held()
	err = m.ledger.claim(ctx, func(t *Tx) error {
		if err := m.sign(t); err != nil || token == 0 {
			return err
		}
		n, err := t.exec("UPDATE leases SET until = "+t.leaseEnd()+" WHERE name = $1 AND token = $2", reconciling, token)
		lost = n == 0
		return err
	})
	return lost, err
}

// Alive tells whether what the member has claimed is still its own, for all it can
// know: a process that was stopped has slept through its lease.
func (m *Member) Alive() bool {
	if !m.ledger.Shared() {
		return true
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	return now.Before(m.until) && now.Round(0).Before(m.until.Round(0)) // one of the clocks goes on while the machine sleeps
}

// Lead takes the lease to reconcile, if nobody has it. elsewhere tells that a
// watcher in another place had it before: this one's folder may be an older copy.
func (m *Member) Lead(ctx context.Context) (led, elsewhere bool, err error) {
	var token int64
	var before string
	err = m.ledger.claim(ctx, func(t *Tx) error {
		// The row is locked against those who reconcile, whose transactions are
		// short. A renewal changes no token, and waits for nobody.
		err := t.row("SELECT token + 1, holder FROM leases WHERE name = $1 AND until <= "+t.clock()+t.locking("FOR UPDATE"), []any{reconciling}, &token, &before)
		if err != nil {
			return err
		}
		_, err = t.exec("UPDATE leases SET holder = $1, token = $2, until = "+t.leaseEnd()+" WHERE name = $3", m.place, token, reconciling)
		return err
	})
	if isNone(err) {
		return false, false, nil
	}
	if err != nil {
		return false, false, fmt.Errorf("ledger: %w", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.token = token
	return true, m.ledger.Shared() && before != "" && before != m.place, nil
}

func (m *Member) held() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.token
}

// Follow notes that the member no longer reconciles.
func (m *Member) Follow() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.token = 0
}

// Update is Ledger.Update for who reconciles. Where another has taken over since it
// is ErrFenced, and nothing is written. Nobody takes over before it is done.
func (m *Member) Update(ctx context.Context, f func(*Tx) error) error {
	token := m.held()
	return m.ledger.Update(ctx, func(t *Tx) error {
		var mine bool
		err := t.row("SELECT true FROM leases WHERE name = $1 AND token = $2"+t.locking("FOR KEY SHARE"), []any{reconciling, token}, &mine)
		if token == 0 || isNone(err) {
			return ErrFenced
		}
		if err != nil {
			return fmt.Errorf("ledger: %w", err)
		}
		return f(t)
	})
}

// Claim runs f in one transaction that claims for the member. Where several share
// the ledger it waits for no writer, and passes by what another is just claiming.
func (m *Member) Claim(ctx context.Context, f func(*Tx) error) error {
	return m.ledger.claim(ctx, func(t *Tx) error {
		t.claimer = m.id
		return f(t)
	})
}

// Leave gives all up that the member has, for others to take at once.
func (m *Member) Leave(ctx context.Context) error {
	token := m.held()
	m.Follow()
	return m.ledger.claim(ctx, func(t *Tx) error {
		if _, err := t.exec("UPDATE leases SET until = 0 WHERE name = $1 AND token = $2", reconciling, token); err != nil {
			return err
		}
		_, err := t.exec("DELETE FROM leases WHERE name = $1", fmt.Sprint("watcher ", m.id))
		return err
	})
}

// Leader names the place of the watcher that reconciles; empty: none does.
func (t *Tx) Leader() (place string, err error) {
	err = t.row("SELECT holder FROM leases WHERE name = $1 AND until > "+t.clock(), []any{reconciling}, &place)
	if isNone(err) {
		return "", nil
	}
	return place, err
}

// Edition tells one state of what the pages show from another, at little cost.
func (t *Tx) Edition() (edition string, err error) {
	var log, notices int64
	err = t.row(`SELECT (SELECT COALESCE(MAX(idx), -1) FROM audit),
		(SELECT CAST(COALESCE(SUM(version + closed + ended + overdue), 0) AS BIGINT) FROM notices)`, nil, &log, &notices)
	return fmt.Sprint(log, notices), err
}
