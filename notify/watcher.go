// Package notify is the companion watcher: it accepts notices from the folder,
// holds what should be against what the ledger says was done, and delivers the
// difference as webhooks and mail.
//
// Whatever wakes it (a file event, the clock, the minute's look), it does one
// thing: Reconcile. A missed event or a crash costs time, never the outcome.
package notify

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/backsoon/backsoon/internal/config"
	"github.com/backsoon/backsoon/internal/ledger"
	"github.com/backsoon/backsoon/internal/locale"
	"github.com/backsoon/backsoon/internal/notice"
	"github.com/backsoon/backsoon/internal/schedule"
	"github.com/backsoon/backsoon/notify/email"
	"github.com/backsoon/backsoon/notify/webhook"
)

// Watcher carries out the notices of one site. The exported fields are set once,
// before the first call; those marked optional may be nil.
type Watcher struct {
	Config  *config.Config
	Ledger  *ledger.Ledger
	Theme   fs.FS  // the templates of letters
	SiteKey []byte // seals message ids and the links in letters
	Now     func() time.Time
	Log     *slog.Logger

	Who   func(path string, src []byte) ledger.By                      // who wrote a notice's bytes; path is relative to the site
	Judge func(Publication, time.Time) (by []ledger.By, refused error) // who signed it, if they may; nil: no signature is asked for, and Who tells
	Leave func(address, language string) string                        // the link by which a subscriber leaves; may give ""
	// LeaveToken is what a mail has in its subject by which the subscriber leaves.
	LeaveToken func(address string) string
	Confirm    func(ledger.Pending) string // the link by which somebody confirms that they want mail; optional
	Build      func(Snapshot) error        // makes the pages; optional
	Story      func(ledger.Entry)          // hears of every audit entry once it is written, from several goroutines; optional
	Uptime     func() time.Duration        // see Uptime; nil: the machine's clock is believed
	Work       Observer                    // hears of the work, from several goroutines; optional
	Place      string                      // the machine and the folder, as others that share the ledger have another; may be empty

	// Checkpoint gives the newest checkpoint of the audit log, once it is remembered to be
	// published; empty: there is none. It is called from several goroutines; optional.
	Checkpoint func(context.Context) string

	member    *ledger.Member
	leads     bool        // it reconciles; on a shared ledger it may be one that follows
	lost      atomic.Bool // the lease to reconcile: another watcher has it since
	edition   string      // of the ledger, as last loaded by one that follows
	leave     func() error
	impatient bool // `watch --once`: mistakes are told at once
	folder    *folder
	tip       *tip                     // of the checkout around the site
	versions  map[string]Basis         // what is accepted, by slug
	parsed    map[int64]*notice.Notice // by version
	refused   int                      // files that are refused as things stand
	guarded   bool                     // the settings' publishers were held against the log
	replaced  bool                     // they are ones that the log has as replaced
	edited    edited
	clock     clock
	overdue   map[int64]bool // the campaigns of which the owner knows that they take too long
	digest    digest         // of refusals, that the owner was told last or is to be told
	lostSince time.Time      // since when the folder can't be read; zero: it can
	begins    bool           // nothing was ever carried out before, or nobody knows what was
	beginsBy  time.Time      // when the first round waits no longer
	shown     *situation     // as of the last Reconcile
	unsure    bool           // the last transaction failed: the ledger is to be read anew
	stale     bool           // something changed since the pages were made
	built     time.Time      // the moment that the pages show; zero: none yet
	webhooks  *webhook.Client
	sender    *email.Sender
	mail      mailState

	reading    sync.Mutex                  // letters are written in the loop, questions beside it
	languages  map[string]*locale.Language // as far as mails were written in them
	themeStamp string                      // of the theme that their words are from

	mu       sync.Mutex
	inFlight map[endpointKey]bool
	sending  sync.WaitGroup
	poke     chan struct{} // a delivery came back: look again
}

// Snapshot is what the pages show, as plain data.
type Snapshot struct {
	Now         time.Time
	Notices     []*notice.Notice // by slug
	Rows        []*ledger.Notice // what the ledger knows of each
	Versions    []int            // how many versions of each were accepted
	Changes     [][]Change       // what became of each before
	Reworded    []Reworded       // and of the words of each
	Storefronts map[string]ledger.Storefront
}

// Init readies the watcher for its first Reconcile: it joins the others, if there
// are any, and reads what was accepted. Close has to follow.
func (w *Watcher) Init(ctx context.Context) error {
	w.inFlight, w.overdue = map[endpointKey]bool{}, map[int64]bool{}
	w.poke = make(chan struct{}, 1)
	w.webhooks = webhook.NewClient()
	w.mail.rendered = map[int64]*renderedCampaign{}
	if w.Config.Email != nil {
		w.Sender()
	}
	if err := w.join(ctx); err != nil {
		return err
	}
	if w.Work == nil {
		w.Work = unobserved{}
	}
	if err := w.Ledger.View(ctx, func(tx *ledger.Tx) error { return w.startClock(tx, w.Now()) }); err != nil {
		return err
	}
	return w.Look(ctx)
}

// Look readies the watcher to plan, which changes nothing: it reads what was
// accepted.
func (w *Watcher) Look(ctx context.Context) error {
	w.forgetFiles()
	w.parsed = map[int64]*notice.Notice{}
	return w.Ledger.View(ctx, func(tx *ledger.Tx) error {
		s, err := w.load(tx)
		if err == nil {
			w.begins = s.begins()
		}
		return err
	})
}

// forgetFiles lets go of all that is known of the files.
func (w *Watcher) forgetFiles() {
	w.folder, w.tip = newFolder(w.Config.Dir, w.Judge != nil), newTip(w.Config.Dir, w.Judge != nil)
}

// Sender is the way out for mail, which the settings must have.
func (w *Watcher) Sender() *email.Sender {
	if w.sender == nil {
		w.sender = email.NewSender(*w.Config.Email)
	}
	return w.sender
}

// Close ends the connections. Deliveries under way are waited for, and what is left
// is others' at once.
func (w *Watcher) Close() error {
	w.sending.Wait()
	var err error
	if w.leave != nil {
		err = w.leave()
	}
	if w.sender != nil {
		err = errors.Join(err, w.sender.Close())
	}
	return err
}

// Pages has the pages made where they no longer show what is so at now.
func (w *Watcher) Pages(now time.Time) error {
	if w.Build == nil || !w.outdated(now) {
		return nil
	}
	if err := w.Build(w.snapshot(now)); err != nil {
		return fmt.Errorf("the pages could not be made: %w", err)
	}
	w.stale, w.built = false, now
	return nil
}

func (w *Watcher) snapshot(now time.Time) Snapshot {
	n := len(w.shown.notices)
	snap := Snapshot{
		Now: now, Notices: w.shown.plain(), Storefronts: w.shown.fronts,
		Rows: make([]*ledger.Notice, n), Versions: make([]int, n), Changes: make([][]Change, n), Reworded: make([]Reworded, n),
	}
	for i, t := range w.shown.notices {
		snap.Rows[i], snap.Versions[i], snap.Changes[i], snap.Reworded[i] = &t.row, t.past.versions, t.past.changes, t.past.reworded
	}
	return snap
}

func (w *Watcher) outdated(now time.Time) bool {
	if w.shown == nil {
		return false
	}
	if w.stale || w.built.IsZero() {
		return true
	}
	due := schedule.Boundary(w.shown.plain(), w.built)
	return !due.IsZero() && !due.After(now)
}

// checkpoint is the newest checkpoint that may be published; empty: there is none.
func (w *Watcher) checkpoint(ctx context.Context) string {
	if w.Checkpoint == nil {
		return ""
	}
	return w.Checkpoint(ctx)
}

// wake makes the loop look again soon, from any goroutine.
func (w *Watcher) wake() {
	select {
	case w.poke <- struct{}{}:
	default:
	}
}
