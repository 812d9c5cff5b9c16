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
	lines   int
}

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
	if err := l.Update(ctx, (*Tx).forgetImport); err != nil {
		_ = release()
		return nil, err
	}
	return i, nil
}

// Add puts confirmed subscribers down for Finish, in one transaction.
func (i *Import) Add(ctx context.Context, subs []Subscriber) error {
	lines := make([][]any, len(subs))
	for k, s := range subs {
		lines[k] = []any{s.Email, spaced(s.Storefronts), s.Language, flag(s.UntilReopen), millis(s.Confirmed)}
	}
	err := i.ledger.Update(ctx, func(t *Tx) error {
		return t.insert("imported", []string{"email", "storefronts", "language", "until_reopen", "confirmed"}, lines)
	})
	if err == nil {
		i.lines += len(subs)
	}
	return err
}

// Finish makes subscribers of all that were added, with an entry in the log, in
// one transaction; a known address is left as it is, and of several lines with
// the same the first counts. refused is how many lines of the list were no
// subscribers. The entry counts what was added, known and refused.
func (i *Import) Finish(ctx context.Context, refused int, now time.Time) (e Entry, err error) {
	err = i.ledger.Update(ctx, func(t *Tx) error {
		// In the order of their index a million are in after seconds; in no order
		// it takes three times as long, and the checkout would wait.
		added, err := t.exec(`INSERT INTO subscribers (email, storefronts, language, until_reopen, confirmed)
			SELECT email, storefronts, language, until_reopen, confirmed FROM imported WHERE true ORDER BY lower(email), id
			ON CONFLICT (lower(email)) DO NOTHING`)
		if err != nil {
			return err
		}
		counts := Counts{"added": int(added), "known": i.lines - int(added), "refused": refused}
		if e, err = t.Audit(Entry{Time: now, Event: SubscribersImported, Counts: counts}); err != nil {
			return err
		}
		if err := t.analyze("subscribers"); err != nil {
			return err
		}
		return t.forgetImport()
	})
	return e, err
}

// Close lets the next import begin. What was added and not finished is
// forgotten, there and then if that is possible.
func (i *Import) Close() error {
	err := i.ledger.Update(context.Background(), (*Tx).forgetImport)
	return errors.Join(err, i.release())
}

func (t *Tx) forgetImport() error {
	_, err := t.exec("DELETE FROM imported")
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

// insertMost is how many values one statement takes: both databases take more.
const insertMost = 4000

// insert writes rows of the columns, many to a statement: over a network each
// statement costs a round trip.
func (t *Tx) insert(table string, columns []string, lines [][]any) error {
	for some := range slices.Chunk(lines, max(1, insertMost/len(columns))) {
		var rows []string
		var args []any
		for _, line := range some {
			var params []string
			for _, v := range line {
				args = append(args, v)
				params = append(params, fmt.Sprintf("$%d", len(args)))
			}
			rows = append(rows, "("+strings.Join(params, ", ")+")")
		}
		_, err := t.exec("INSERT INTO "+table+" ("+strings.Join(columns, ", ")+") VALUES "+strings.Join(rows, ", "), args...)
		if err != nil {
			return err
		}
	}
	return nil
}
