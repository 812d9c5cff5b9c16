package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/backsoon/backsoon/internal/checkpoint"
)

// covered checks, without the tree that the ledger keeps, that the newest
// checkpoint is the one over all entries of the last log, and gives that log.
func covered(t testing.TB, l *Ledger) Log {
	t.Helper()
	return read(t, l, func(tx *Tx) (Log, error) {
		log, err := tx.log()
		if err != nil {
			return log, err
		}
		records, err := tx.Records(log.First, 1_000_000)
		if err != nil {
			return log, err
		}
		c, err := checkpoint.Open(log.Checkpoint, log.Verifier)
		if err != nil {
			return log, err
		}
		if int(c.Size) != len(records) || c.Root != rootOf(records) {
			t.Errorf("%d entries, and the checkpoint of %d", len(records), c.Size)
		}
		return log, nil
	})
}

// rootOf is the root of a tree over the records, as RFC 6962, section 2.1, defines it.
func rootOf(records []Record) tlog.Hash {
	if len(records) == 1 {
		return tlog.RecordHash([]byte(records[0].Entry))
	}
	half := 1
	for half*2 < len(records) {
		half *= 2
	}
	return tlog.NodeHash(rootOf(records[:half]), rootOf(records[half:]))
}

// logged writes so many entries in one transaction.
func logged(t testing.TB, l *Ledger, n int) {
	t.Helper()
	update(t, l, func(tx *Tx) error {
		for i := range n {
			if _, err := tx.Audit(Entry{Time: t0, Event: NoticeAccepted, Notice: fmt.Sprint("closure-", i)}); err != nil {
				return err
			}
		}
		return nil
	})
}

// TestEveryTransactionIsSigned: whatever a transaction writes, it leaves a
// checkpoint of all that there is, and keeps those of before.
func TestEveryTransactionIsSigned(t *testing.T) {
	l := newLedger(t)
	var sizes []int64
	total := int64(0)
	for _, n := range []int{1, 1, 2, 3, 1, 7, 300, 1, 1} {
		logged(t, l, n)
		total += int64(n)
		sizes = append(sizes, total)
		covered(t, l)
	}
	update(t, l, func(tx *Tx) error { return tx.Refuse(Refusal{Slug: "party", At: t0}) }) // nothing for the log
	kept := read(t, l, func(tx *Tx) ([]KeptCheckpoint, error) { return tx.Checkpoints(1, 0, 100) })
	var got []int64
	for i, c := range kept {
		records := read(t, l, func(tx *Tx) ([]Record, error) { return tx.Records(0, int(c.Size)) })
		opened, err := checkpoint.Open(c.Signed, key.Verifier(origin))
		if err != nil || opened.Root != rootOf(records) || c.Number != int64(i) {
			t.Errorf("checkpoint %d of %d entries: %v", c.Number, c.Size, err)
		}
		got = append(got, c.Size)
	}
	if !slices.Equal(got, sizes) {
		t.Errorf("checkpoints of %v, want %v", got, sizes)
	}
}

// TestFailedTransactionSignsNothing: what is rolled back was never signed.
func TestFailedTransactionSignsNothing(t *testing.T) {
	l := newLedger(t)
	logged(t, l, 3)
	before := covered(t, l)
	err := l.Update(context.Background(), func(tx *Tx) error {
		return errors.Join(must(tx.Audit(Entry{Time: t0, Event: NoticeAccepted})), errInjected)
	})
	if !errors.Is(err, errInjected) || covered(t, l) != before {
		t.Errorf("%v, %+v", err, covered(t, l))
	}
}

// TestUnsigned: nothing is written to the log without anybody to sign it.
func TestUnsigned(t *testing.T) {
	l := openUnsigned(t, newPlace(t))
	err := l.Update(context.Background(), func(tx *Tx) error { return must(tx.Audit(Entry{Time: t0, Event: NoticeAccepted})) })
	if !errors.Is(err, errUnsigned) || count(t, l, "SELECT COUNT(*) FROM audit") != 0 {
		t.Errorf("%v", err)
	}
}

// TestEntriesOfBeforeAreSigned: a ledger from before there were trees comes to have
// one when it is first opened to be written to, by several at once.
func TestEntriesOfBeforeAreSigned(t *testing.T) {
	place := newPlace(t)
	old := openUnsigned(t, place)
	update(t, old, func(tx *Tx) error {
		for i := range 2345 {
			if err := must(tx.exec("INSERT INTO audit (idx, time, event, entry) VALUES ($1, 1, 'notice.accepted', $2)", i, fmt.Sprintf(`{"index":%d, "é":1}`, i))); err != nil {
				return err
			}
		}
		return nil
	})
	var all sync.WaitGroup
	for range 4 {
		l := openUnsigned(t, place)
		all.Go(func() {
			if err := l.SignWith(context.Background(), origin, key); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if log := covered(t, old); log.Size != 2345 || log.checkpoints != 1 || log.Origin() != origin {
		t.Errorf("%+v", log)
	}
	l := openAt(t, place)
	logged(t, l, 2)
	covered(t, l)
}

// TestOtherKeyIsRefused: no log is ever signed with two keys.
func TestOtherKeyIsRefused(t *testing.T) {
	place := newPlace(t)
	logged(t, openAt(t, place), 1)
	l := openUnsigned(t, place)
	var other *OtherKeyError
	if err := l.SignWith(context.Background(), origin, checkpoint.NewKey()); !errors.As(err, &other) || !strings.Contains(err.Error(), key.Verifier(origin)) {
		t.Errorf("%v", err)
	}
	if err := l.Update(context.Background(), func(tx *Tx) error { return must(tx.Audit(Entry{Time: t0})) }); !errors.As(err, &other) {
		t.Errorf("it is written all the same: %v", err)
	}
	covered(t, l)
	// The shop may move: its log keeps the name that it began with.
	if err := l.SignWith(context.Background(), "moved.example/log", key); err != nil {
		t.Error(err)
	}
	logged(t, l, 1)
	if log := covered(t, l); log.Origin() != origin {
		t.Errorf("it is called %s now", log.Origin())
	}
}

// TestTreeIsAppendOnly: the program cannot change what it has signed.
func TestTreeIsAppendOnly(t *testing.T) {
	l := newLedger(t)
	logged(t, l, 3)
	for _, statement := range []string{
		"UPDATE hashes SET hash = hash", "DELETE FROM hashes", "UPDATE checkpoints SET size = 1", "DELETE FROM checkpoints",
		"UPDATE logs SET first = 1", "DELETE FROM logs WHERE number = 7 OR true",
	} {
		if err := l.Update(context.Background(), func(tx *Tx) error { return must(tx.exec(statement)) }); err == nil || !strings.Contains(err.Error(), "append-only") {
			t.Errorf("%s: %v", statement, err)
		}
	}
	covered(t, l)
}

// TestNewLog: a log that begins anew is a tree of its own, and the one before stays
// as it was signed.
func TestNewLog(t *testing.T) {
	l := newLedger(t)
	logged(t, l, 5)
	first := covered(t, l)
	update(t, l, func(tx *Tx) error {
		if err := tx.BeginLog(3, origin+"/3", key); err != nil {
			return err
		}
		return must(tx.Audit(Entry{Time: t0, Event: LogBegun, Lost: "…", Found: first.Checkpoint}))
	})
	logged(t, l, 2)
	if log := covered(t, l); log.Number != 3 || log.First != 5 || log.Size != 3 || log.Origin() != origin+"/3" {
		t.Errorf("%+v", log)
	}
	logs := read(t, l, (*Tx).Logs)
	if len(logs) != 2 || logs[0] != first {
		t.Errorf("%+v", logs)
	}
	if e := read(t, l, func(tx *Tx) ([]Entry, error) { return tx.Entries(5, 1) }); len(e) != 1 || e[0].Event != LogBegun || e[0].Found != first.Checkpoint {
		t.Errorf("%+v", e)
	}
}

// TestChangedLogIsNotSigned: what somebody else has put into the log, or taken out,
// is never made part of a tree that is signed.
func TestChangedLogIsNotSigned(t *testing.T) {
	for _, statement := range []string{
		"INSERT INTO audit (idx, time, event, entry) VALUES (3, 1, 'notice.accepted', '{}')",
		"DELETE FROM audit WHERE idx = 2",
	} {
		l := newLedger(t)
		logged(t, l, 3)
		unlocked(t, l, statement)
		err := l.Update(context.Background(), func(tx *Tx) error { return must(tx.Audit(Entry{Time: t0, Event: NoticeAccepted})) })
		if err == nil || !strings.Contains(err.Error(), "backsoon log verify") {
			t.Errorf("after %s: %v", statement, err)
		}
	}
}

// unlocked runs a statement as somebody can who has the database in hand.
func unlocked(t testing.TB, l *Ledger, statement string) {
	t.Helper()
	update(t, l, func(tx *Tx) error {
		off, on := "DROP TRIGGER audit_is_not_deleted", "CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END"
		if onPostgres(t) {
			off, on = "ALTER TABLE audit DISABLE TRIGGER USER", "ALTER TABLE audit ENABLE TRIGGER USER"
		}
		for _, s := range []string{off, statement, on} {
			if _, err := tx.exec(s); err != nil {
				return err
			}
		}
		return nil
	})
}

// TestEndlessReason: an entry stays as long as a tile has room for, and is signed as
// it is stored.
func TestEndlessReason(t *testing.T) {
	l := newLedger(t)
	for _, letter := range []string{"x", "é", "\x01"} {
		update(t, l, func(tx *Tx) error {
			return must(tx.Audit(Entry{Time: t0, Event: NoticeRefused, Reason: strings.Repeat(letter, 300_000)}))
		})
	}
	covered(t, l)
	for _, r := range read(t, l, func(tx *Tx) ([]Record, error) { return tx.Records(0, 10) }) {
		if e, err := r.Decode(); len(r.Entry) > longest || len(r.Entry) < longest/2 || err != nil || !strings.HasSuffix(e.Reason, "…") {
			t.Errorf("%d bytes, %v", len(r.Entry), err)
		}
	}
}
