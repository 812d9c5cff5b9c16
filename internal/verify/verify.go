// Package verify tells whether the audit log holds: whether its entries are those
// that were signed, whether it goes on from every checkpoint that somebody kept, and
// whether it agrees with what else the ledger says.
//
// The hashes that the ledger keeps are believed as little as its entries: the tree
// is grown anew from the entries alone.
package verify

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/backsoon/backsoon/internal/checkpoint"
	"github.com/backsoon/backsoon/internal/ledger"
)

// Fault is the first entry of a log that doesn't hold, and why.
type Fault struct {
	Index int64     // of the entry; -1: it is about no entry
	Time  time.Time // of the entry; zero: not known
	Event string    // of the entry, as far as that is known
	Why   string
}

func (f *Fault) Error() string {
	if f.Index < 0 {
		return "the log does not hold: " + f.Why
	}
	var known []string
	if !f.Time.IsZero() {
		known = append(known, f.Time.UTC().Format(time.RFC3339))
	}
	if f.Event != "" {
		known = append(known, f.Event)
	}
	what := fmt.Sprint("entry ", f.Index)
	if len(known) > 0 {
		what += " (" + strings.Join(known, ", ") + ")"
	}
	return what + " does not hold: " + f.Why
}

// Kept is an earlier checkpoint that somebody kept, and where it is from.
type Kept struct {
	Name   string
	Signed string
}

// Report is what was verified of a ledger that holds.
type Report struct {
	Logs        []LogReport
	Revisions   int // of storefronts, one entry each
	Storefronts int
	Versions    int      // accepted, one entry each
	Accepted    []string // names of earlier checkpoints of what was lost, as a later log records
}

// LogReport is what was verified of one log.
type LogReport struct {
	ledger.Log
	From, To    time.Time // of its first and last entry; zero: it has none
	Checkpoints int       // kept in the ledger
	Trusted     bool      // the key is one that was given
	Agreeing    []string  // names of earlier checkpoints that it goes on from
	agreed      int64     // the size of the largest of these
}

// Ledger verifies all of a ledger's logs. keys are the verifier keys to believe: the
// last log's has to be among them; any other log's is only compared with what the
// ledger itself says, and reported as such. earlier are checkpoints kept elsewhere.
// What doesn't hold is a *Fault.
func Ledger(tx *ledger.Tx, keys []string, earlier []Kept) (Report, error) {
	v := verification{tx: tx, keys: keys, changes: newChanges()}
	logs, err := tx.Logs()
	if err != nil {
		return Report{}, err
	}
	if len(logs) == 0 {
		return Report{}, v.unsigned()
	}
	if err := v.nothingBefore(logs[0].First); err != nil {
		return Report{}, err
	}
	for i, log := range logs {
		end := int64(-1) // open
		if i+1 < len(logs) {
			end = logs[i+1].First
		}
		if err := v.log(log, end, i == len(logs)-1); err != nil {
			return Report{}, err
		}
	}
	if err := v.kept(earlier); err != nil {
		return Report{}, err
	}
	if err := v.changes.hold(tx); err != nil {
		return Report{}, err
	}
	v.report.Storefronts, v.report.Revisions, v.report.Versions = len(v.changes.revisions), v.changes.transitions, v.changes.versions
	return v.report, nil
}

// verification is what is known so far.
type verification struct {
	tx      *ledger.Tx
	keys    []string
	report  Report
	trees   []tree // of the logs of the report
	changes *changes
}

// tree is a log's tree as its entries make it.
type tree struct {
	hashes memory
	size   int64
	begun  *ledger.Entry // its first entry, if it says that the log before has ended
}

func (t tree) root(size int64) (tlog.Hash, error) { return tlog.TreeHash(size, t.hashes) }

// memory are all hashes of a tree in the order of tlog.StoredHashIndex.
type memory []tlog.Hash

// ReadHashes implements tlog.HashReader.
func (m memory) ReadHashes(places []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(places))
	for i, place := range places {
		hashes[i] = m[place]
	}
	return hashes, nil
}

// unsigned is about a ledger that has no log yet.
func (v *verification) unsigned() error {
	records, err := v.tx.Records(0, 1)
	if err != nil {
		return err
	}
	if len(records) > 0 {
		return &Fault{Index: -1, Why: "no checkpoint covers any entry. A ledger from before the log was signed is signed at the next start of `backsoon watch`; any other had its checkpoints removed"}
	}
	return nil
}

// nothingBefore: no entry stands before the first one, in no tree, where whoever
// lists the log would read it all the same.
func (v *verification) nothingBefore(first int64) error {
	records, err := v.tx.Records(math.MinInt64, 1)
	if err != nil || len(records) == 0 || records[0].Index >= first {
		return err
	}
	return &Fault{Index: -1, Why: fmt.Sprintf("an entry %d was put before the first one: %s", records[0].Index, records[0].Entry)}
}

// trusted tells whether the key is one of those to believe.
func (v *verification) trusted(verifier string) bool { return slices.Contains(v.keys, verifier) }

// kept holds the earlier checkpoints against the logs, the smallest first, so that
// the first one that doesn't agree tells the most.
func (v *verification) kept(earlier []Kept) error {
	size := func(k Kept) int64 {
		c, _ := checkpoint.Read(k.Signed) // what is wrong with it is told in its turn
		return c.Size
	}
	slices.SortStableFunc(earlier, func(a, b Kept) int { return cmp.Compare(size(a), size(b)) })
	for _, k := range earlier {
		if err := v.keptOne(k); err != nil {
			return err
		}
	}
	return nil
}

func (v *verification) keptOne(k Kept) error {
	i, c, err := v.open(k)
	if err != nil {
		return err
	}
	whole, err := v.whole(i, c)
	switch {
	case err != nil:
		return err
	case whole:
		log := &v.report.Logs[i]
		log.Agreeing, log.agreed = append(log.Agreeing, k.Name), c.Size
		return nil
	case v.accepted(i, c):
		v.report.Accepted = append(v.report.Accepted, k.Name)
		return nil
	case i < 0:
		return fmt.Errorf("%s is of the log %s, and this ledger has no log of that name", k.Name, c.Origin)
	}
	return v.report.Logs[i].fault(k, c)
}

// fault says what is wrong with a log that doesn't agree with a checkpoint.
func (l LogReport) fault(k Kept, c checkpoint.Checkpoint) *Fault {
	if c.Size > l.Size {
		return &Fault{Index: l.First + l.Size, Why: fmt.Sprintf("it is missing: %s says that the log had %d entries, and there are %d", k.Name, c.Size, l.Size)}
	}
	first, last := l.First+l.agreed, l.First+c.Size-1
	which := "it is"
	if first < last {
		which = fmt.Sprintf("one of the entries %d to %d is", first, last)
	}
	return &Fault{Index: first, Why: fmt.Sprintf("%s not what it was when %s was made. The ledger's own checkpoints were made to fit, which takes the log's key", which, k.Name)}
}

// open reads a checkpoint, and finds the log that it is of; -1: the ledger has none
// of that name.
func (v *verification) open(k Kept) (i int, c checkpoint.Checkpoint, err error) {
	if c, err = checkpoint.Read(k.Signed); err != nil {
		return 0, c, fmt.Errorf("%s %w", k.Name, err)
	}
	for i, log := range v.report.Logs {
		if log.Origin() != c.Origin {
			continue
		}
		if c, err = checkpoint.Open(k.Signed, log.Verifier); err != nil {
			return 0, c, fmt.Errorf("%s %w: it is no checkpoint of this log", k.Name, err)
		}
		return i, c, nil
	}
	return -1, c, nil
}

// whole tells whether the log begins with what the checkpoint is of.
func (v *verification) whole(i int, c checkpoint.Checkpoint) (bool, error) {
	if i < 0 || c.Size > v.trees[i].size {
		return false, nil
	}
	root, err := v.trees[i].root(c.Size)
	return root == c.Root, err
}

// accepted tells whether a later log records that what the checkpoint is of was lost.
func (v *verification) accepted(i int, c checkpoint.Checkpoint) bool {
	for _, later := range v.trees[i+1:] {
		if later.begun != nil && covers(later.begun.Lost, c) {
			return true
		}
	}
	return false
}

// covers tells whether the loss of all up to one checkpoint is the loss of another.
func covers(lost string, c checkpoint.Checkpoint) bool {
	l, err := checkpoint.Read(lost)
	if err != nil {
		return false
	}
	base, n := checkpoint.Numbered(l.Origin)
	of, m := checkpoint.Numbered(c.Origin)
	return base == of && (m < n || m == n && c.Size <= l.Size)
}
