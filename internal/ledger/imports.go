package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Import is a list of subscribers on its way in. Its lines are put down in short
// transactions, so that nobody waits for a long list, and none of them counts
// before Finish.
type Import struct {
	ledger  *Ledger
	release func() error
	id      int64
	lines   int
	added   int
}

// lastImport is the last import that was finished, as SQL. They are finished in the
// order in which they began.
const lastImport = "(SELECT COALESCE(MAX(id), 0) FROM imports WHERE finished > 0)"

// counted is the condition for a row of subscribers to be one, as SQL: it is not of
// an import that is under way, or was broken off.
const counted = "imported <= " + lastImport

// BeginImport begins the one import of its time, and forgets what is left of one
// that was broken off. It is an error while another is under way.
func (l *Ledger) BeginImport(ctx context.Context) (*Import, error) {
	release, err := l.store.lock(importing)
	var held *HeldError
	if errors.As(err, &held) {
		return nil, fmt.Errorf("another import is under way (%s); wait until it is done", held.who())
	}
	if err != nil {
		return nil, err
	}
	i := &Import{ledger: l, release: release}
	if err = l.forgetUnfinished(ctx); err == nil {
		err = l.Update(ctx, i.begin)
	}
	if err != nil {
		return nil, errors.Join(err, release())
	}
	return i, nil
}

func (i *Import) begin(t *Tx) error {
	err := t.row("INSERT INTO imports (after, finished) SELECT COALESCE(MAX(id), 0), 0 FROM subscribers RETURNING id", nil, &i.id)
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	return nil
}

// Add puts confirmed subscribers down for Finish, in one transaction. A known
// address is left as it is, and of several lines with the same the first counts.
// It is quick where they are in the order of their addresses, in which the ledger
// keeps them.
func (i *Import) Add(ctx context.Context, subs []Subscriber) error {
	lines := make([][]any, len(subs))
	for k, s := range subs {
		lines[k] = []any{s.Email, spaced(s.Storefronts), s.Language, flag(s.UntilReopen), millis(s.Confirmed), s.Suppressed, i.id}
	}
	var added int64
	err := i.ledger.Update(ctx, func(t *Tx) (err error) {
		if err := i.mark(t, time.Time{}); err != nil {
			return err
		}
		added, err = t.insert("subscribers", []string{"email", "storefronts", "language", "until_reopen", "confirmed", "suppressed", "imported"}, lines,
			" ON CONFLICT (lower(email)) DO NOTHING")
		return err
	})
	if err == nil {
		i.lines += len(subs)
		i.added += int(added)
	}
	return err
}

// Finish lets all that were added count, with an entry in the log, in one short
// transaction. refused is how many lines of the list were no subscribers. The
// entry counts what was added, known and refused.
func (i *Import) Finish(ctx context.Context, refused int, now time.Time) (e Entry, err error) {
	// Before they count, and without a writer's turn: it takes a while.
	if err := i.ledger.claim(ctx, func(t *Tx) error { return t.analyze("subscribers") }); err != nil {
		return e, err
	}
	err = i.ledger.Update(ctx, func(t *Tx) error {
		if err := i.mark(t, now); err != nil {
			return err
		}
		counts := Counts{"added": i.added, "known": i.lines - i.added, "refused": refused}
		e, err = t.Audit(Entry{Time: now, Event: SubscribersImported, Counts: counts})
		return err
	})
	return e, err
}

// mark writes when the import was finished, unless another has taken its place: the
// connection by which it had its lock may have broken.
func (i *Import) mark(t *Tx, finished time.Time) error {
	n, err := t.exec("UPDATE imports SET finished = $1 WHERE id = $2 AND finished = 0", millis(finished), i.id)
	if err == nil && n == 0 {
		err = errors.New("another import has begun meanwhile; begin this one again")
	}
	return err
}

// Close lets the next import begin. What was added and not finished is forgotten.
func (i *Import) Close() error {
	return errors.Join(i.ledger.forgetUnfinished(context.Background()), i.release())
}

// TidyImports forgets what is left of an import that was broken off, unless one is
// under way.
func (l *Ledger) TidyImports(ctx context.Context) error {
	if left, _, err := l.unfinished(ctx); left == 0 || err != nil {
		return err
	}
	release, err := l.store.lock(importing)
	var held *HeldError
	if errors.As(err, &held) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(l.forgetUnfinished(ctx), release())
}

// forgetBatch is how many are forgotten at once.
const forgetBatch = 5000

// forgetUnfinished forgets the import that was broken off, if one was, and all whom
// it had added. The caller has the lock.
func (l *Ledger) forgetUnfinished(ctx context.Context) error {
	id, after, err := l.unfinished(ctx)
	for more := id != 0; more && err == nil; {
		err = l.Update(ctx, func(t *Tx) (err error) {
			more, err = t.forgetSome(id, after)
			return err
		})
	}
	return err
}

func (t *Tx) forgetSome(id, after int64) (more bool, err error) {
	n, err := t.exec(`DELETE FROM subscribers WHERE id IN
		(SELECT id FROM subscribers WHERE id > $1 AND imported = $2 ORDER BY id LIMIT $3)`, after, id, forgetBatch)
	if n == forgetBatch || err != nil {
		return true, err
	}
	_, err = t.exec("DELETE FROM imports WHERE id = $1", id)
	return false, err
}

// unfinished gives the import that is under way or was broken off; 0: none.
func (l *Ledger) unfinished(ctx context.Context) (id, after int64, err error) {
	err = l.View(ctx, func(t *Tx) error {
		err := t.row("SELECT id, after FROM imports WHERE finished = 0", nil, &id, &after)
		if isNone(err) {
			return nil
		}
		return err
	})
	return id, after, err
}

// dropUncounted takes an address out of an import that doesn't count yet.
func (t *Tx) dropUncounted(email string) error {
	_, err := t.exec("DELETE FROM subscribers WHERE lower(email) = lower($1) AND NOT "+counted, email)
	return err
}

// analyze has PostgreSQL look at what many new rows have made of the tables: until
// it does so by itself, each batch of a mail to a million would read all of them.
func (t *Tx) analyze(tables ...string) error {
	if t.shared == nil {
		return nil
	}
	_, err := t.exec("ANALYZE " + strings.Join(tables, ", "))
	return err
}

// insertMost is how many values one statement takes: over a network each statement
// costs a round trip, but SQLite looks for each name like $7 through all before it,
// and with thousands of them does little else.
const insertMost = 500

// insert writes rows of the columns, many to a statement, and tells how many there
// are of them now. otherwise says what becomes of those that can't be.
func (t *Tx) insert(table string, columns []string, lines [][]any, otherwise string) (written int64, err error) {
	into := "INSERT INTO " + table + " (" + strings.Join(columns, ", ") + ") VALUES "
	most := max(1, insertMost/len(columns))
	whole := len(lines) - len(lines)%most
	for _, part := range [][][]any{lines[:whole], lines[whole:]} {
		n, err := t.insertBy(into+places(min(most, len(part)), len(columns))+otherwise, part, most)
		if err != nil {
			return 0, fmt.Errorf("ledger: %w", err)
		}
		written += n
	}
	return written, nil
}

// insertBy writes rows by a statement that takes n of them, prepared once.
func (t *Tx) insertBy(statement string, lines [][]any, n int) (written int64, err error) {
	switch {
	case len(lines) == 0:
		return 0, nil
	case len(lines) <= n: // once: over a network to prepare it is one more round trip
		return t.exec(statement, slices.Concat(lines...)...)
	}
	insert, err := t.tx.PrepareContext(t.ctx, statement)
	if err != nil {
		return 0, err
	}
	defer insert.Close()
	for some := range slices.Chunk(lines, n) {
		res, err := insert.ExecContext(t.ctx, storable(slices.Concat(some...))...)
		if err != nil {
			return 0, err
		}
		some, err := res.RowsAffected()
		if err != nil {
			return 0, err
		}
		written += some
	}
	return written, nil
}

// places stands for the values of n rows: ($1, $2), ($3, $4).
func places(n, columns int) string {
	rows := make([]string, n)
	for i := range rows {
		params := make([]string, columns)
		for j := range params {
			params[j] = fmt.Sprintf("$%d", i*columns+j+1)
		}
		rows[i] = "(" + strings.Join(params, ", ") + ")"
	}
	return strings.Join(rows, ", ")
}
