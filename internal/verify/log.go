package verify

import (
	"fmt"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/backsoon/backsoon/internal/checkpoint"
	"github.com/backsoon/backsoon/internal/ledger"
)

// page is how many rows are read at once.
const page = 1000

// reading is one log that is being read, entry after entry.
type reading struct {
	tx   *ledger.Tx
	log  ledger.Log
	tree tree

	stored      source[ledger.StoredHash]
	checkpoints source[ledger.KeptCheckpoint]
	signed      int64     // what the last good checkpoint covers
	from, to    time.Time // of the entries so far
}

// source gives the rows of a table one by one.
type source[T any] struct {
	read func(from int64) ([]T, error)
	rows []T
	seen int64 // rows taken so far
}

// peek gives the next row without taking it; nil: there is none.
func (s *source[T]) peek() (*T, error) {
	if len(s.rows) == 0 {
		var err error
		if s.rows, err = s.read(s.seen); err != nil || len(s.rows) == 0 {
			return nil, err
		}
	}
	return &s.rows[0], nil
}

func (s *source[T]) take() {
	s.rows = s.rows[1:]
	s.seen++
}

// log verifies one log, from its first entry to the one before end; -1: to the last.
func (v *verification) log(log ledger.Log, end int64, last bool) error {
	trusted := v.trusted(log.Verifier)
	if last && !trusted {
		return &Fault{Index: -1, Why: fmt.Sprintf("it is signed with another key than the one to believe: %s", log.Verifier)}
	}
	r := &reading{tx: v.tx, log: log}
	r.stored.read = func(from int64) ([]ledger.StoredHash, error) { return v.tx.StoredHashes(log.Number, from, page) }
	r.checkpoints.read = func(from int64) ([]ledger.KeptCheckpoint, error) { return v.tx.Checkpoints(log.Number, from, page) }
	if err := r.entries(end, v.changes); err != nil {
		return err
	}
	if err := r.end(); err != nil {
		return err
	}
	if err := v.follows(r); err != nil {
		return err
	}
	v.trees = append(v.trees, r.tree)
	v.report.Logs = append(v.report.Logs, LogReport{Log: log, From: r.from, To: r.to, Checkpoints: int(r.checkpoints.seen), Trusted: trusted})
	return nil
}

func (r *reading) entries(end int64, c *changes) error {
	for next := r.log.First; end < 0 || next < end; {
		limit := page
		if end >= 0 {
			limit = int(min(page, end-next))
		}
		records, err := r.tx.Records(next, limit)
		if err != nil {
			return err
		}
		for _, record := range records {
			if record.Index != next {
				return r.missing(next)
			}
			if err := r.entry(record, c); err != nil {
				return err
			}
			next++
		}
		if len(records) == 0 {
			if end >= 0 {
				return r.missing(next)
			}
			return nil
		}
	}
	return nil
}

func (r *reading) missing(index int64) error {
	why := "it is missing"
	if !r.to.IsZero() {
		why += fmt.Sprintf("; the one before is of %s", r.to.UTC().Format(time.RFC3339))
	}
	return &Fault{Index: index, Why: why}
}

// entry lets the tree grow by one entry and holds it against what is stored.
func (r *reading) entry(record ledger.Record, c *changes) error {
	fault := func(why string, args ...any) error {
		return &Fault{Index: record.Index, Time: record.Time, Event: record.Event, Why: fmt.Sprintf(why, args...)}
	}
	n := record.Index - r.log.First
	hashes, err := tlog.StoredHashes(n, []byte(record.Entry), r.tree.hashes)
	if err != nil {
		return err
	}
	for i, h := range hashes {
		stored, err := r.stored.peek()
		switch {
		case err != nil:
			return err
		case stored == nil || stored.Index != r.stored.seen:
			return fault("the tree has no place for it: it was put into the log by another program, or the tree is damaged")
		case stored.Hash != h && i == 0:
			return fault("its words are not those that were written")
		case stored.Hash != h:
			return fault("the tree's hash over it and the %d entries before it is another", 1<<i-1)
		}
		r.stored.take()
		r.tree.hashes = append(r.tree.hashes, h)
	}
	r.tree.size++
	e, err := record.Decode()
	if err != nil || e.Index != record.Index || !e.Time.Equal(record.Time) || e.Event != record.Event {
		return fault("its index, time or event in the database is another than in its words: %s", record.Entry)
	}
	if n == 0 && e.Event == ledger.LogBegun {
		r.tree.begun = &e
	}
	if r.from.IsZero() {
		r.from = e.Time
	}
	r.to = e.Time
	c.see(e)
	return r.checkpoint()
}

// checkpoint verifies the checkpoint that ends with the newest entry, if there is
// one.
func (r *reading) checkpoint() error {
	kept, err := r.checkpoints.peek()
	if err != nil || kept == nil {
		return err
	}
	first := r.log.First + r.signed
	switch {
	case kept.Number != r.checkpoints.seen:
		return &Fault{Index: first, Why: fmt.Sprintf("its checkpoint is missing: number %d of the log", r.checkpoints.seen)}
	case kept.Size > r.tree.size:
		return nil
	}
	c, err := checkpoint.Open(kept.Signed, r.log.Verifier)
	if err != nil || c.Size != kept.Size || c.Size != r.tree.size {
		return &Fault{Index: first, Why: fmt.Sprintf("its checkpoint, number %d of the log, is not one that was signed", kept.Number)}
	}
	root, err := r.tree.root(c.Size)
	if err != nil {
		return err
	}
	if root != c.Root {
		return &Fault{Index: first, Why: r.among(first) + " not what was signed, though the tree was made to fit"}
	}
	r.checkpoints.take()
	r.signed = c.Size
	return nil
}

// among says which entries a checkpoint is the first to cover.
func (r *reading) among(first int64) string {
	if last := r.log.First + r.tree.size - 1; last > first {
		return fmt.Sprintf("one of the entries %d to %d, which were signed together, is", first, last)
	}
	return "its words are"
}

// end finds what the ledger says of entries that are not there.
func (r *reading) end() error {
	next := r.log.First + r.tree.size
	kept, err := r.checkpoints.peek()
	if err != nil {
		return err
	}
	if kept != nil {
		return &Fault{Index: next, Why: fmt.Sprintf("it is missing: checkpoint %d was signed over %d entries, and there are %d", kept.Number, kept.Size, r.tree.size)}
	}
	stored, err := r.stored.peek()
	if err != nil {
		return err
	}
	if stored != nil {
		return &Fault{Index: next, Why: "it is missing: the tree has a place for it"}
	}
	if r.signed != r.tree.size {
		return &Fault{Index: r.log.First + r.signed, Why: "no checkpoint covers it: it is missing"}
	}
	return nil
}

// follows verifies that a log which is not the first says how the one before ended.
func (v *verification) follows(r *reading) error {
	if r.log.Number == 1 {
		return nil
	}
	fault := func(why string) error { return &Fault{Index: r.log.First, Time: r.from, Why: why} }
	if r.tree.begun == nil {
		return fault("a new log begins with it, and it doesn't say why")
	}
	if len(v.report.Logs) == 0 {
		return nil
	}
	if before := v.report.Logs[len(v.report.Logs)-1]; r.tree.begun.Found != before.Checkpoint {
		return fault("it says that the log " + before.Origin() + " had come to another checkpoint")
	}
	return nil
}
