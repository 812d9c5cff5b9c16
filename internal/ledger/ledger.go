// Package ledger is the durable record of one site: the accepted versions of its
// notices, what each storefront should be, what each endpoint and subscriber has
// been told, and the append-only audit log. Nothing is done before it is written
// here; whatever is owed is found here after any crash.
//
// The statements are written once, in the SQL that SQLite and PostgreSQL share;
// what differs between the two stands behind the store interface.
package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/tlog"
)

// Ledger is an open ledger. Its methods may be called from several goroutines.
type Ledger struct {
	store   store
	writing sync.Mutex // lets this process's writers in by turns: SQLite's own queue is not fair
	notary  Notary     // see SignWith
}

// store is a database that can hold the ledger, and all that is peculiar to it.
type store interface {
	db() *sql.DB
	migrations() fs.FS // *.sql, applied in the order of their names
	version(ctx context.Context, tx *sql.Tx) (int, error)
	setVersion(ctx context.Context, tx *sql.Tx, v int) error
	reading() *sql.TxOptions                    // of a transaction that sees one moment
	turn(ctx context.Context, tx *sql.Tx) error // begins one that writes: no other writer is at work from here on
	shared() *sharing                           // nil: one watcher has it all to itself
	lock(lockName) (release func() error, err error)
	scrub(ctx context.Context) error // overwrites what was deleted, where it may still be read
	explain(error) error             // says what to do about an error of the disk; others stay as they are
	close() error
}

// lockName is what only one process at a time may do.
type lockName string

const (
	watching  lockName = "lock"
	importing lockName = "import"
)

// ErrMissing says that there is no ledger yet.
var ErrMissing = errors.New("there is no ledger yet; `backsoon watch` begins one")

// HeldError says that another process does what only one may do.
type HeldError struct {
	PID  int
	Host string // empty: this one
}

func (e *HeldError) Error() string {
	return "another watcher runs on this site (" + e.who() + ")"
}

func (e *HeldError) who() string {
	if e.Host == "" {
		return fmt.Sprintf("process %d", e.PID)
	}
	return fmt.Sprintf("process %d on %s", e.PID, e.Host)
}

// IsAddress tells a PostgreSQL ledger's address from a SQLite ledger's path.
func IsAddress(database string) bool {
	return strings.HasPrefix(database, "postgres://") || strings.HasPrefix(database, "postgresql://")
}

// Open opens the ledger at the path, or at the address postgres://…, and brings
// it to the present form, or begins one where create is set. Without it a missing
// ledger is ErrMissing. What is another program's is refused and left as it is.
// No error shows the address's password.
func Open(ctx context.Context, database string, create bool) (*Ledger, error) {
	name, open := database, openSQLite
	if IsAddress(database) {
		name, open = shownAddress(database), openPostgres
	}
	s, err := open(ctx, database, create)
	if err != nil {
		return nil, err
	}
	l := &Ledger{store: s}
	if err := l.migrate(ctx); err != nil {
		s.close()
		return nil, fmt.Errorf("ledger %s: %w", name, err)
	}
	return l, nil
}

// Close closes the ledger.
func (l *Ledger) Close() error { return l.store.close() }

// Scrub overwrites what was deleted, so that no address is left in the ledger's
// files. Whoever reads meanwhile may put it off until the next time.
func (l *Ledger) Scrub(ctx context.Context) error {
	l.writing.Lock()
	defer l.writing.Unlock()
	if err := l.store.scrub(ctx); err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	return nil
}

// Shared tells whether several watchers may have this ledger.
func (l *Ledger) Shared() bool { return l.store.shared() != nil }

// Update runs f in one transaction that writes: all of it is there after a
// crash, or nothing. Writers go in by turns, on both databases: the audit log has
// no gap, and what f reads stands until it is done.
func (l *Ledger) Update(ctx context.Context, f func(*Tx) error) error {
	t, err := l.inTurn(ctx, f)
	return t.tell(err)
}

func (l *Ledger) inTurn(ctx context.Context, f func(*Tx) error) (*Tx, error) {
	l.writing.Lock()
	defer l.writing.Unlock()
	return l.write(ctx, l.store.turn, f)
}

// claim runs f in one transaction that does no more than claim rows. Where several
// watchers share the ledger it waits for no writer's turn, nor for another claim.
func (l *Ledger) claim(ctx context.Context, f func(*Tx) error) error {
	shared := l.store.shared()
	if shared == nil {
		return l.Update(ctx, f)
	}
	t, err := l.write(ctx, shared.claim, f)
	return t.tell(err)
}

// write runs f in a transaction that begins as given.
func (l *Ledger) write(ctx context.Context, begin func(context.Context, *sql.Tx) error, f func(*Tx) error) (t *Tx, err error) {
	defer func() { err = l.store.explain(err) }()
	tx, err := l.store.db().BeginTx(ctx, nil)
	if err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	defer tx.Rollback()
	if err := begin(ctx, tx); err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	t = &Tx{ctx: ctx, tx: tx, shared: l.store.shared(), notary: l.notary}
	if err := f(t); err != nil {
		return nil, err
	}
	if err := t.seal(); err != nil {
		return nil, err
	}
	if err := tx.Commit(); err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	return t, nil
}

// View runs f in one transaction that only reads.
func (l *Ledger) View(ctx context.Context, f func(*Tx) error) (err error) {
	defer func() { err = l.store.explain(err) }()
	tx, err := l.store.db().BeginTx(ctx, l.store.reading())
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	defer tx.Rollback()
	return f(&Tx{ctx: ctx, tx: tx, shared: l.store.shared()})
}

// Tx is one transaction on the ledger.
type Tx struct {
	ctx     context.Context
	tx      *sql.Tx
	shared  *sharing
	claimer int64    // the member that claims; see Member.Claim
	written []func() // see AfterCommit
	notary  Notary
	leaves  []tlog.Hash // what was written to the log; see seal
	first   int64       // the index of the first of these
}

// AfterCommit has f called once the transaction is written: nothing is told
// before that. After a failed one it is not called.
func (t *Tx) AfterCommit(f func()) { t.written = append(t.written, f) }

// tell calls what waits for the transaction to be written, if it is.
func (t *Tx) tell(err error) error {
	if err != nil {
		return err
	}
	for _, f := range t.written {
		f()
	}
	return nil
}

func (t *Tx) exec(query string, args ...any) (int64, error) {
	res, err := t.tx.ExecContext(t.ctx, query, storable(args)...)
	if err != nil {
		return 0, fmt.Errorf("ledger: %w", err)
	}
	n, err := res.RowsAffected()
	return n, err
}

func (t *Tx) row(query string, args []any, dest ...any) error {
	return t.tx.QueryRowContext(t.ctx, query, storable(args)...).Scan(dest...)
}

// storable makes texts such as both databases keep: a mail server's answer may be
// in any encoding, and no transaction may fail by it.
func storable(args []any) []any {
	for i, a := range args {
		if s, ok := a.(string); ok {
			args[i] = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
		}
	}
	return args
}

// rows collects what scan makes of every row.
func rows[T any](t *Tx, scan func(scanner) (T, error), query string, args ...any) ([]T, error) {
	rs, err := t.tx.QueryContext(t.ctx, query, storable(args)...)
	if err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	defer rs.Close()
	var all []T
	for rs.Next() {
		v, err := scan(rs)
		if err != nil {
			return nil, fmt.Errorf("ledger: %w", err)
		}
		all = append(all, v)
	}
	return all, rs.Err()
}

type scanner interface{ Scan(dest ...any) error }

// migrate applies the migrations that this database has not seen. A database
// from a newer version is refused. Where there is nothing to do, as almost
// always, it only reads, and so waits for nobody.
func (l *Ledger) migrate(ctx context.Context) error {
	files, err := fs.Glob(l.store.migrations(), "*/*.sql")
	if err != nil {
		return err
	}
	upToDate := false
	err = l.View(ctx, func(t *Tx) error {
		have, err := l.store.version(ctx, t.tx)
		upToDate = have == len(files)
		return err
	})
	if err != nil || upToDate {
		return err
	}
	return l.Update(ctx, func(t *Tx) error { return l.apply(t, files) })
}

func (l *Ledger) apply(t *Tx, files []string) error {
	have, err := l.store.version(t.ctx, t.tx)
	if err != nil {
		return err
	}
	if have > len(files) {
		return errors.New("a newer backsoon has written it; install that version")
	}
	for _, name := range files[have:] {
		src, err := fs.ReadFile(l.store.migrations(), name)
		if err != nil {
			return err
		}
		if _, err := t.exec(string(src)); err != nil {
			return fmt.Errorf("migration %s: %w", path.Base(name), err)
		}
	}
	return l.store.setVersion(t.ctx, t.tx, len(files))
}

// millis is how times are kept; the zero time is 0.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func fromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// flag is how yes and no are kept.
func flag(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// encode keeps a value as JSON; only plain data comes here, which cannot fail.
func encode(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func decode(s string, v any) error {
	if err := json.Unmarshal([]byte(s), v); err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	return nil
}

// isNone tells whether a query found no row.
func isNone(err error) bool { return errors.Is(err, sql.ErrNoRows) }
