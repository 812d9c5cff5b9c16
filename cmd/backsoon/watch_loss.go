package main

import (
	"context"
	"errors"
	"time"

	"github.com/backsoon/backsoon/internal/checkpoint"
	"github.com/backsoon/backsoon/internal/ledger"
	"github.com/backsoon/backsoon/internal/verify"
)

// signOrBegin is signLog for the watcher. Where the log doesn't go on from what was
// published, or its key is lost, and the owner accepts that, it begins a new log.
func (s *site) signOrBegin(ctx context.Context, l *ledger.Ledger, acceptLoss bool, story func(ledger.Entry)) error {
	err := s.signLog(ctx, l)
	if !acceptLoss {
		return err
	}
	var loss *verify.LossError
	var other *ledger.OtherKeyError
	switch {
	case err == nil:
		return errors.New("nothing is lost: the log goes on from all that was published. Leave --accept-loss out")
	case errors.As(err, &loss):
		return s.beginLog(ctx, l, "the log did not go on from what was published: "+loss.Why, story)
	case errors.As(err, &other):
		return s.beginLog(ctx, l, "the key of the log before was lost", story)
	}
	return err
}

// beginLog begins a new log, which records how far the one before was published and
// how far the ledger has it. The watcher's first round then tells every storefront its
// state anew: receivers may have heard of revisions that the ledger doesn't know.
func (s *site) beginLog(ctx context.Context, l *ledger.Ledger, why string, story func(ledger.Entry)) error {
	key, err := s.logKey()
	if err != nil {
		return err
	}
	published, err := s.published()
	if err != nil {
		return err
	}
	err = l.Update(ctx, func(tx *ledger.Tx) error {
		before, err := tx.Logs()
		if err != nil {
			return err
		}
		e := ledger.Entry{Time: time.Now(), Event: ledger.LogBegun, Reason: why, Lost: furthest(published)}
		origin, last := checkpoint.Origin(s.cfg.Shop.URL), int64(1)
		for _, log := range before {
			origin, e.Found, last = log.Origin(), log.Checkpoint, max(last, log.Number)
		}
		if c, err := checkpoint.Read(e.Lost); err == nil {
			_, number := checkpoint.Numbered(c.Origin)
			origin, last = c.Origin, max(last, number)
		}
		if err := tx.BeginLog(last+1, checkpoint.Nth(origin, last+1), key); err != nil {
			return err
		}
		e, err = tx.Audit(e)
		tx.AfterCommit(func() { story(e) })
		return err
	})
	if err != nil {
		return err
	}
	return s.signLog(ctx, l)
}

// furthest is the checkpoint of the last log, and of most entries.
func furthest(published []verify.Kept) (signed string) {
	var number, size int64
	for _, k := range published {
		c, err := checkpoint.Read(k.Signed)
		if err != nil {
			continue
		}
		if _, n := checkpoint.Numbered(c.Origin); n > number || n == number && c.Size > size {
			signed, number, size = k.Signed, n, c.Size
		}
	}
	return signed
}
