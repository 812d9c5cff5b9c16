package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"

	"github.com/backsoon/backsoon/internal/checkpoint"
	"github.com/backsoon/backsoon/internal/ledger"
	pages "github.com/backsoon/backsoon/internal/site"
	"github.com/backsoon/backsoon/internal/verify"
)

// What was published of the log is remembered in a file beside its key, before it is
// published: a ledger that was put back from a backup, or replaced, doesn't go on
// from there, and that is noticed. The page itself, where there is one, is the
// second witness.

// openToWrite opens the site's ledger for what writes to its log.
func (s *site) openToWrite(ctx context.Context, create bool) (*ledger.Ledger, error) {
	l, err := s.openLedger(ctx, create)
	if err != nil {
		return nil, err
	}
	if err := s.signLog(ctx, l); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// signLog has the site's key sign what is written to the log, unless the log has fallen
// behind what was published: that is a *verify.LossError.
func (s *site) signLog(ctx context.Context, l *ledger.Ledger) error {
	key, err := s.keyOf(ctx, l)
	if err != nil {
		return explainLoss(err)
	}
	if err := s.goesOn(ctx, l, key); err != nil {
		return explainLoss(err)
	}
	if err := l.SignWith(ctx, checkpoint.Origin(s.cfg.Shop.URL), key); err != nil {
		return explainLoss(err)
	}
	return l.View(ctx, func(tx *ledger.Tx) error {
		_, verifier, err := tx.Checkpoint()
		if err != nil {
			return err
		}
		return s.handOut(verifier)
	})
}

// keyOf reads the key of the ledger's log, or makes one where there is no log yet.
func (s *site) keyOf(ctx context.Context, l *ledger.Ledger) (checkpoint.Key, error) {
	key, err := s.readLogKey()
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	err = l.View(ctx, func(tx *ledger.Tx) error {
		logs, err := tx.Logs()
		if err == nil && len(logs) > 0 {
			err = &ledger.OtherKeyError{Log: logs[len(logs)-1]}
		}
		return err
	})
	if err != nil {
		return key, err
	}
	return s.logKey()
}

// goesOn tells whether the ledger goes on from what was published.
func (s *site) goesOn(ctx context.Context, l *ledger.Ledger, key checkpoint.Key) error {
	published, err := s.published()
	if err != nil {
		return err
	}
	return l.View(ctx, func(tx *ledger.Tx) error {
		logs, err := tx.Logs()
		if err != nil {
			return err
		}
		for _, k := range published {
			if k.Name == statusFile && len(logs) > 0 && !signedBy(key, k.Signed) {
				continue // whoever wrote that page, this key has not
			}
			if err := verify.Published(tx, k); err != nil {
				return err
			}
		}
		return nil
	})
}

func signedBy(key checkpoint.Key, signed string) bool {
	c, err := checkpoint.Read(signed)
	if err == nil {
		_, err = checkpoint.Open(signed, key.Verifier(c.Origin))
	}
	return err == nil
}

// statusFile is where the page has the checkpoint.
const statusFile = "public/status.json"

// published gives the newest checkpoints that were published, as far as they are
// known: the file that remembers them, and the page of this shop.
func (s *site) published() (all []verify.Kept, err error) {
	text, err := os.ReadFile(s.publishedFile())
	switch {
	case err == nil:
		if _, err := checkpoint.Read(string(text)); err != nil {
			return nil, fmt.Errorf("%s is damaged: put it back from a backup, or remove it (that the ledger has fallen behind is then no longer noticed)", s.publishedFile())
		}
		all = append(all, verify.Kept{Name: "data/" + filepath.Base(s.publishedFile()), Signed: string(text)})
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	if signed := s.onThePage(); signed != "" {
		all = append(all, verify.Kept{Name: statusFile, Signed: signed})
	}
	return all, nil
}

// onThePage is the checkpoint in status.json, if there is one of this shop's log.
func (s *site) onThePage() string {
	var status struct{ Log struct{ Checkpoint string } }
	text, err := os.ReadFile(filepath.Join(s.public(), "status.json"))
	if err != nil || json.Unmarshal(text, &status) != nil {
		return ""
	}
	c, err := checkpoint.Read(status.Log.Checkpoint)
	if err != nil {
		return ""
	}
	if base, _ := checkpoint.Numbered(c.Origin); base != checkpoint.Origin(s.cfg.Shop.URL) {
		return "" // a copy of another site's page
	}
	return status.Log.Checkpoint
}

// explainLoss says what to do about a log that doesn't go on from what was published,
// or that has another key.
func explainLoss(err error) error {
	var loss *verify.LossError
	var other *ledger.OtherKeyError
	switch {
	case errors.As(err, &loss):
		return fmt.Errorf("the log has fallen behind what was published: %w. This ledger was put back from an older backup, or is another one. "+
			"Stop here, and put the newer ledger back. If that is lost for good: `backsoon watch --accept-loss` begins a new log, which records both", err)
	case errors.As(err, &other):
		return fmt.Errorf("data/log.key is not here, or not the right one: %w. Copy that file from the machine that has it, or from a backup. "+
			"If that key is lost for good: `backsoon watch --accept-loss` begins a new log, under another", err)
	}
	return err
}

// publication is what is published of a ledger's log. It may be used by several
// goroutines at once.
type publication struct {
	ledger *ledger.Ledger
	path   string // of the file that remembers it
	log    *slog.Logger

	mu   sync.Mutex
	last pages.Log
}

func (s *site) publication(l *ledger.Ledger, log *slog.Logger) *publication {
	return &publication{ledger: l, path: s.publishedFile(), log: log}
}

// newest gives the log's newest checkpoint, to be published: it is in the ledger, and
// remembered, to last. No page and no mail waits for it: where that can't be, the
// one that was published before stands; empty: there is none.
func (p *publication) newest(ctx context.Context) pages.Log {
	p.mu.Lock()
	defer p.mu.Unlock()
	var now pages.Log
	err := p.ledger.View(ctx, func(tx *ledger.Tx) (err error) {
		now.Checkpoint, now.Key, err = tx.Checkpoint()
		return err
	})
	if err == nil && now.Checkpoint != "" && now != p.last {
		err = overwrite(p.path, []byte(now.Checkpoint), 0o600)
	}
	if err != nil {
		p.log.Warn("the log's newest checkpoint can't be published yet", "error", err)
		return p.last
	}
	p.last = now
	return now
}
