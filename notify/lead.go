package notify

import (
	"context"
	"sync"
	"time"

	"github.com/backsoon/backsoon/internal/ledger"
)

// Of the watchers that share a ledger one leads: it reads its folder, judges and
// reconciles. The others follow: they show what the ledger has accepted, deliver as
// well, and try each second to lead. On SQLite the only watcher leads from the
// first round on.

// followEvery is how often one that follows looks whether there is something new,
// and whether it can lead.
const followEvery = time.Second

// join makes the watcher one of the ledger's, for as long as it gives signs of life.
func (w *Watcher) join(ctx context.Context) (err error) {
	if w.member, err = w.Ledger.Join(ctx, w.Place, w.SiteKey); err != nil {
		return err
	}
	signing, stop := context.WithCancel(context.WithoutCancel(ctx)) // on to the end of what is under way
	var signs sync.WaitGroup
	if w.Ledger.Shared() {
		signs.Go(func() { w.giveSigns(signing) })
	}
	w.leave = sync.OnceValue(func() error {
		stop()
		signs.Wait()
		leaving, cancel := context.WithTimeout(context.Background(), ledger.LeaseTime)
		defer cancel()
		return w.member.Leave(leaving)
	})
	return nil
}

func (w *Watcher) giveSigns(ctx context.Context) {
	each := time.NewTicker(ledger.RenewEvery)
	defer each.Stop()
	var silence trouble
	for {
		select {
		case <-ctx.Done():
			return
		case <-each.C:
		}
		inTime, cancel := context.WithTimeout(ctx, ledger.LeaseTime)
		lost, err := w.member.Renew(inTime)
		cancel()
		if ctx.Err() == nil {
			silence.note(w.Log, "the ledger takes no sign of life; another watcher may take over", err)
		}
		if lost && !w.lost.Swap(true) {
			w.wake() // the next transaction tells, and is refused
		}
	}
}

// leading tells whether this watcher reconciles, and makes it the one that does
// where there is none.
func (w *Watcher) leading(ctx context.Context) (bool, error) {
	if w.leads {
		return true, nil
	}
	led, elsewhere, err := w.member.Lead(ctx)
	if err != nil || !led {
		return false, err
	}
	if err := w.refresh(ctx); err != nil { // what a look at the folder is held against
		w.Log.Error("the ledger can't be read; it is tried again", "error", err)
	}
	w.leads, w.unsure, w.guarded, w.folder.elsewhere = true, true, false, elsewhere
	w.lost.Store(false)
	if w.Ledger.Shared() {
		w.Log.Info("this watcher reconciles from now on", "elsewhere before", elsewhere)
	}
	return true, nil
}

// yield makes a follower of a watcher whose transaction was refused. It forgets all
// that it had in memory: the other one has gone on since.
func (w *Watcher) yield(why error) {
	w.member.Follow()
	w.leads, w.unsure, w.refused = false, true, 0
	w.forgetParsed()
	w.forgetFiles()
	w.Log.Warn("this watcher follows from now on", "refused", why)
}

// refresh loads what the ledger has accepted, where that is other than what is
// loaded already.
func (w *Watcher) refresh(ctx context.Context) error {
	if !w.Ledger.Shared() {
		return nil // nobody else writes it
	}
	return w.Ledger.View(ctx, func(tx *ledger.Tx) error {
		edition, err := tx.Edition()
		if err != nil || edition == w.edition && !w.unsure {
			return err
		}
		s, err := w.load(tx)
		if err != nil {
			return err
		}
		w.edition, w.unsure, w.begins = edition, false, s.begins()
		if len(s.fronts) > 0 { // else there is nothing to show yet
			w.shown, w.stale = s, true
		}
		return nil
	})
}
