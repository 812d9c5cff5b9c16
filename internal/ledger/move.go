package ledger

import (
	"context"
	"database/sql"
	"fmt"
)

// moved are the ledger's tables, those that others refer to first. Leases are not
// among them: nobody watches a ledger that is moved.
var moved = []string{"versions", "notices", "translations", "refusals", "storefronts", "endpoints", "campaigns", "wordings",
	"letters", "imports", "subscribers", "bounces", "pending", "suppressed", "alerts", "logs", "hashes", "checkpoints", "audit"}

// numbered are the tables whose ids the database gives: the next one has to be
// higher than any that ever was, gone ones included, since cursors stand on them.
var numbered = []string{"versions", "campaigns", "imports", "subscribers", "alerts"}

// moveBatch is how many rows are read and written at once.
const moveBatch = 1000

// Copied is how many rows of a table were copied.
type Copied struct {
	Table string
	Rows  int
}

// Move copies the SQLite ledger at the path into an empty PostgreSQL one, in one
// transaction there: all of it, or nothing. The caller has the lock on the path, so
// that no watcher is at work; other commands wait with what they write. Nobody has
// anything under way afterwards: that is owed again.
func Move(ctx context.Context, path, address string) (all []Copied, err error) {
	from, err := Open(ctx, path, false)
	if err != nil {
		return nil, err
	}
	defer from.Close()
	to, err := Open(ctx, address, true)
	if err != nil {
		return nil, err
	}
	defer to.Close()
	err = from.Update(ctx, func(source *Tx) error {
		return to.Update(ctx, func(target *Tx) error {
			if err := target.mustBeEmpty(); err != nil {
				return err
			}
			for _, table := range moved {
				n, err := copyTable(source, target, table)
				if err != nil {
					return err
				}
				all = append(all, Copied{table, n})
			}
			if err := continueIDs(source, target); err != nil {
				return err
			}
			return target.analyze(moved...)
		})
	})
	return all, err
}

// mustBeEmpty refuses a ledger that has something in it.
func (t *Tx) mustBeEmpty() error {
	for _, table := range moved {
		n, err := t.countRows(table)
		if err != nil {
			return err
		}
		if n > 0 {
			return fmt.Errorf("the ledger to copy into is not empty: its table %s has %d rows; name an empty database", table, n)
		}
	}
	return nil
}

func (t *Tx) countRows(table string) (n int, err error) {
	if err = t.row("SELECT COUNT(*) FROM "+table, nil, &n); err != nil {
		return 0, fmt.Errorf("ledger: %s: %w", table, err)
	}
	return n, nil
}

// copyTable copies all rows of a table and counts them on both sides.
func copyTable(source, target *Tx, table string) (int, error) {
	rs, err := source.tx.QueryContext(source.ctx, "SELECT * FROM "+table)
	if err != nil {
		return 0, fmt.Errorf("ledger: %w", err)
	}
	defer rs.Close()
	columns, err := rs.Columns()
	if err != nil {
		return 0, fmt.Errorf("ledger: %w", err)
	}
	for more := true; more; {
		var lines [][]any
		if lines, err = take(rs, columns, moveBatch); err != nil {
			return 0, fmt.Errorf("ledger: %s: %w", table, err)
		}
		if _, err := target.insert(table, columns, lines, ""); err != nil {
			return 0, fmt.Errorf("%s: %w", table, err)
		}
		more = len(lines) == moveBatch
	}
	was, err := source.countRows(table)
	if err != nil {
		return 0, err
	}
	is, err := target.countRows(table)
	if err == nil && is != was {
		err = fmt.Errorf("ledger: %d of the %d rows of %s arrived; nothing was copied", is, was, table)
	}
	return is, err
}

// take reads up to n rows. Nobody has claimed anything in them.
func take(rs *sql.Rows, columns []string, n int) (lines [][]any, err error) {
	for len(lines) < n && rs.Next() {
		line := make([]any, len(columns))
		into := make([]any, len(columns))
		for i := range line {
			into[i] = &line[i]
		}
		if err := rs.Scan(into...); err != nil {
			return nil, err
		}
		for i, column := range columns {
			if column == "claim" {
				line[i] = 0
			}
		}
		lines = append(lines, line)
	}
	return lines, rs.Err()
}

// continueIDs has the target number on from where the source is.
func continueIDs(source, target *Tx) error {
	for _, table := range numbered {
		var last int64
		err := source.row("SELECT COALESCE(MAX(seq), 0) FROM (SELECT seq FROM sqlite_sequence WHERE name = $1 UNION ALL SELECT MAX(id) FROM "+table+")", []any{table}, &last)
		if err != nil {
			return fmt.Errorf("ledger: %w", err)
		}
		if last == 0 {
			continue
		}
		if _, err := target.exec("SELECT setval(pg_get_serial_sequence($1, 'id'), $2)", table, last); err != nil {
			return err
		}
	}
	return nil
}
