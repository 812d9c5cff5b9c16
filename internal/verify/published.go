package verify

import (
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/backsoon/backsoon/internal/checkpoint"
	"github.com/backsoon/backsoon/internal/ledger"
)

// LossError says that a log doesn't go on from what was published of it.
type LossError struct {
	Published Kept
	Found     string // the newest checkpoint that the ledger has; empty: it has no log
	Why       string
}

func (e *LossError) Error() string { return e.Why }

// Published tells whether the ledger goes on from a checkpoint that was published, by
// the hashes that it keeps. A *LossError says that it doesn't, and that no later log
// of it records the loss.
func Published(tx *ledger.Tx, k Kept) error {
	c, err := checkpoint.Read(k.Signed)
	if err != nil {
		return fmt.Errorf("%s %w", k.Name, err)
	}
	logs, err := tx.Logs()
	if err != nil {
		return err
	}
	loss := &LossError{Published: k, Why: fmt.Sprintf("%s says that the log %s had %d entries, and this ledger has no such log", k.Name, c.Origin, c.Size)}
	for _, log := range logs {
		loss.Found = log.Checkpoint
		if covered, err := begunAfter(tx, log, c); err != nil || covered {
			return err
		}
		if log.Origin() != c.Origin {
			continue
		}
		goesOn, why, err := goesOnFrom(tx, log, c)
		if err != nil || goesOn {
			return err
		}
		loss.Why = k.Name + " " + why
	}
	return loss
}

// begunAfter tells whether the log was begun because what the checkpoint is of was
// lost.
func begunAfter(tx *ledger.Tx, log ledger.Log, c checkpoint.Checkpoint) (bool, error) {
	first, err := tx.Entries(log.First, 1)
	if err != nil || len(first) == 0 {
		return false, err
	}
	return first[0].Event == ledger.LogBegun && covers(first[0].Lost, c), nil
}

func goesOnFrom(tx *ledger.Tx, log ledger.Log, c checkpoint.Checkpoint) (goesOn bool, why string, err error) {
	if c.Size > log.Size {
		return false, fmt.Sprintf("says that the log %s had %d entries, and in this ledger it has %d", c.Origin, c.Size, log.Size), nil
	}
	root, err := tlog.TreeHash(c.Size, tx.Tree(log.Number))
	if err != nil {
		return false, "", err
	}
	return root == c.Root, fmt.Sprintf("is of the first %d entries of the log %s, and in this ledger they are others", c.Size, c.Origin), nil
}
