package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/backsoon/backsoon/internal/ledger"
	"github.com/backsoon/backsoon/internal/notice"
)

const (
	minute   = time.Minute      // the look that misses no change, whatever events were lost
	glance   = time.Second      // at the ledger, which other commands may have changed
	atTheEnd = 10 * time.Second // for what is under way when the watcher stops
)

// Run watches until the context ends: it is what `backsoon watch` does.
func (w *Watcher) Run(ctx context.Context) error {
	events, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("the folder can't be watched: %w", err)
	}
	defer events.Close()
	var parts sync.WaitGroup
	defer parts.Wait()
	l := &loop{Watcher: w, events: events, pages: make(chan Snapshot, 1), mail: make(chan struct{}, 1)}
	parts.Go(func() { l.mailLoop(ctx) })
	parts.Go(func() { l.pagesLoop(ctx) })
	defer close(l.pages)
	if !w.Ledger.Shared() { // there each claim tells whose it was
		w.insist(ctx, "what an earlier watcher may have left under way", func() error { return w.reassertAll(ctx, w.Now()) })
	}
	l.run(ctx)
	return nil
}

// loop is the watcher's one loop. Everything that decides happens in it, one
// thing after the other; sending happens beside it.
type loop struct {
	*Watcher
	events      *fsnotify.Watcher
	pages       chan Snapshot // the newest that is to be shown
	mail        chan struct{} // there may be mail to send
	pagesFailed atomic.Bool
	wakeAt      time.Time
	lastLook    time.Time
	reconciling trouble
	looking     trouble
	overlooking trouble
	settings    trouble
	mailing     trouble // the mail loop's own
}

// trouble is an error that comes back each second until it is mended.
type trouble struct {
	text string
	at   time.Time // when it was last logged
}

// note logs an error when it is a new one, and once a minute while it lasts; and
// its end.
func (t *trouble) note(log *slog.Logger, what string, err error) {
	switch {
	case err == nil && t.text != "":
		log.Info("mended", "what", what, "error", t.text)
		*t = trouble{}
	case err != nil && (err.Error() != t.text || time.Since(t.at) >= minute):
		log.Error(what, "error", err)
		*t = trouble{err.Error(), time.Now()}
	}
}

func (l *loop) run(ctx context.Context) {
	for ctx.Err() == nil {
		l.once(ctx)
		l.wait(ctx)
	}
}

// once reconciles and starts what follows. An error is logged and tried again:
// a full disk must not end the watch.
func (l *loop) once(ctx context.Context) {
	now := l.Now()
	if now.Sub(l.lastLook) >= minute {
		l.lastLook, l.folder.whole = now, true
		l.follow()
	}
	began := time.Now()
	next, err := l.reconcile(ctx, now)
	if ctx.Err() == nil {
		l.Work.Reconciled(time.Since(began), err)
		l.reconciling.note(l.Log, "reconciling failed; it is tried again", err)
	}
	due, err := l.SendWebhooks(ctx, now)
	if ctx.Err() == nil {
		l.looking.note(l.Log, "webhooks could not be looked up; they are tried again", err)
	}
	if l.leads && l.lastLook.Equal(now) {
		l.overlooking.note(l.Log, "late mail could not be looked up; it is tried again", l.alertOverdue(ctx, now))
	}
	if l.lastLook.Equal(now) {
		l.settings.note(l.Log, "the settings could not be looked at; it is tried again", l.lookAtSettings(ctx, now))
	}
	nudge(l.mail)
	l.show(now)
	l.wakeAt = soonest(l.lastLook.Add(minute), soonest(next, due))
	l.followCheckout(now)
}

// follow watches the folder as it is now: it may have been replaced. The folders
// above tell when it comes back, and are watched first, so that nothing comes
// back unseen.
func (l *loop) follow() {
	folder := filepath.Join(l.Config.Dir, notice.Folder)
	l.followAll(l.Config.Dir, filepath.Dir(folder), folder)
	l.followAll(l.tip.folders...)
}

func (l *loop) followAll(folders ...string) {
	for _, dir := range folders {
		if err := l.events.Add(dir); err != nil && !errors.Is(err, os.ErrNotExist) {
			l.Log.Warn("the folder can't be watched; it is looked at every minute", "folder", dir, "error", err)
		}
	}
}

// followCheckout watches where the checkout around the site has its HEAD, which may
// have come to another branch.
func (l *loop) followCheckout(now time.Time) {
	if fresh := l.tip.follow(); len(fresh) > 0 {
		l.followAll(fresh...)
		l.wakeAt = now // something may have happened before
	}
}

// show hands the newest state to the pages, in the place of an older one that
// they have not come to: no checkout waits for a page.
func (l *loop) show(now time.Time) {
	l.stale = l.pagesFailed.Swap(false) || l.stale
	if l.Build == nil || !l.outdated(now) {
		return
	}
	select {
	case <-l.pages:
	default:
	}
	l.pages <- l.snapshot(now)
	l.stale, l.built = false, now
}

func (l *loop) pagesLoop(ctx context.Context) {
	var late latePages
	for snap := range l.pages {
		began := time.Now()
		err := l.Build(snap)
		l.Work.Built(time.Since(began), err)
		if err != nil {
			l.Log.Error("the pages could not be made; it is tried again", "error", err)
			l.pagesFailed.Store(true)
		}
		if err := late.note(ctx, l.Watcher, err, l.Now()); err != nil {
			l.Log.Error("the owner could not be told that the pages are not made; it is tried again", "error", err)
		}
	}
}

// wait returns when it is time to reconcile, or to stop. Events only bring that
// time nearer.
func (l *loop) wait(ctx context.Context) {
	glances := time.NewTicker(glance)
	defer glances.Stop()
	for {
		l.noteAll() // a write that is known of already must not lose to the clock
		left := l.wakeAt.Sub(l.Now())
		if left <= 0 {
			return
		}
		timer := time.NewTimer(left)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case e := <-l.events.Events:
			l.note(e)
		case err := <-l.events.Errors:
			l.Log.Warn("file events were lost; looking at everything", "error", err)
			l.wakeAt, l.folder.whole = l.Now(), true
		case <-l.poke:
			l.glance(ctx)
		case <-glances.C:
			l.glance(ctx)
		case <-timer.C:
		}
		timer.Stop()
	}
}

// noteAll takes the events that are there.
func (l *loop) noteAll() {
	for {
		select {
		case e := <-l.events.Events:
			l.note(e)
		default:
			return
		}
	}
}

// note takes one file event as a hint of when the file may be read.
func (l *loop) note(e fsnotify.Event) {
	now := l.Now()
	folder, name := filepath.Join(l.Config.Dir, notice.Folder), filepath.Base(e.Name)
	if l.tip.event(e.Name, now) {
		l.wakeAt = soonest(l.wakeAt, now.Add(quietRef))
		return
	}
	if filepath.Dir(e.Name) != folder {
		if e.Name == folder || e.Name == filepath.Dir(folder) { // it came or went
			l.follow()
			l.wakeAt, l.folder.whole = now, true
		}
		return
	}
	if of, is := notice.Signed(name); is && l.folder.signed { // the look sees it by the stamps
		l.folder.news[strings.TrimSuffix(of, ".md")] = true
		l.wakeAt = now
	}
	if !notice.IsName(name) {
		return
	}
	l.wakeAt = soonest(l.wakeAt, l.ripe(strings.TrimSuffix(name, ".md"), e, now))
}

func (l *loop) ripe(slug string, e fsnotify.Event, now time.Time) time.Time {
	switch {
	case movedHere(e):
		return l.folder.event(slug, 0, now)
	case e.Has(fsnotify.Create):
		return l.folder.event(slug, quietCreate, now)
	case e.Has(fsnotify.Write):
		return l.folder.event(slug, quietWrite, now)
	}
	l.folder.news[slug] = true
	return now
}

// movedHere tells a file that was renamed from where the watcher follows, and
// so is whole, from one that was made. Only the event's text has the old name.
func movedHere(e fsnotify.Event) bool {
	return e.Has(fsnotify.Create) && strings.Contains(e.String(), `" ← "`)
}

// glance looks whether there is something to send: a delivery came back, or
// another command has left work, such as `deliveries retry`.
func (l *loop) glance(ctx context.Context) {
	if l.lost.Load() && l.leads {
		l.wakeAt = l.Now()
		return
	}
	if next, err := l.SendWebhooks(ctx, l.Now()); err == nil {
		l.wakeAt = soonest(l.wakeAt, next)
	}
	nudge(l.mail)
}

func nudge(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// mailLoop sends mail, batch after batch, whenever it is nudged or due. What is
// under way when the context ends is finished.
func (l *loop) mailLoop(ctx context.Context) {
	for {
		finishing, cancel := outlive(ctx, atTheEnd)
		more, err := l.SendMail(finishing, l.Now())
		cancel()
		l.mailing.note(l.Log, "mail could not be looked up; it is tried again", err)
		if ctx.Err() != nil {
			return
		}
		if more && err == nil {
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-l.mail:
		}
	}
}

// outlive gives a context that ends a while after the given one.
func outlive(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(d, cancel) })
	return longer, func() { stop(); cancel() }
}

// Once does what is due now, as `backsoon watch --once` does: it reads what has
// come to rest, and makes one attempt at everything owed, whatever back-off or
// settling says. It fails if a notice is refused or anything is still owed.
func (w *Watcher) Once(ctx context.Context) error {
	w.impatient = true
	if err := w.mustLead(ctx); err != nil {
		return err
	}
	begun := w.Now()
	now := begun
	for {
		if _, err := w.Reconcile(ctx, now); err != nil {
			return err
		}
		if w.shown != nil && (!w.restless(now) || now.Sub(begun) > beginWithin) {
			break
		}
		select { // a file may be in the middle of being written
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(quietWrite):
		}
		now = w.Now()
	}
	if err := w.deliverOnce(ctx, now); err != nil {
		return err
	}
	if err := w.Pages(now); err != nil {
		return err
	}
	return w.unfinished(ctx)
}

// mustLead makes this watcher the one that reconciles; an error names another that
// does.
func (w *Watcher) mustLead(ctx context.Context) error {
	leads, err := w.leading(ctx)
	if err != nil || leads {
		return err
	}
	return w.Ledger.View(ctx, func(tx *ledger.Tx) error {
		place, err := tx.Leader()
		if err != nil {
			return err
		}
		return fmt.Errorf("another watcher runs on this ledger (%s), and carries this out", place)
	})
}

// deliverOnce makes everything owed due and attempts each of it once: what
// fails is put off, and so isn't due any more.
func (w *Watcher) deliverOnce(ctx context.Context, now time.Time) error {
	err := w.Ledger.Update(ctx, func(tx *ledger.Tx) error { return tx.MakeDue(now) })
	if err != nil {
		return err
	}
	if _, err := w.SendWebhooks(ctx, now); err != nil {
		return err
	}
	for more := true; more; {
		if more, err = w.SendMail(ctx, now); err != nil {
			return err
		}
	}
	w.sending.Wait()
	// What the attempts themselves gave rise to, such as an alert.
	_, err = w.SendMail(ctx, w.Now())
	return err
}

// unfinished says what is refused or still owed; nil: nothing.
func (w *Watcher) unfinished(ctx context.Context) error {
	var owed ledger.Owed
	err := w.Ledger.View(ctx, func(tx *ledger.Tx) (err error) {
		owed, err = tx.Owed()
		return err
	})
	switch {
	case err != nil:
		return err
	case w.refused > 0:
		return fmt.Errorf("%s not accepted; `backsoon check` says why", counted(w.refused, "notice"))
	case owed.Webhooks+owed.Mail > 0:
		return fmt.Errorf("still owed: %s, %s; `backsoon deliveries` lists them", counted(owed.Webhooks, "webhook"), counted(owed.Mail, "mail"))
	}
	return nil
}

// lasting puts a while into an owner's words, in the unit that says enough.
func lasting(d time.Duration) string {
	in := func(unit time.Duration) int { return int(d.Round(unit) / unit) }
	switch {
	case d < 2*time.Minute:
		return counted(in(time.Second), "second")
	case d < 2*time.Hour:
		return counted(in(time.Minute), "minute")
	case d < 48*time.Hour:
		return counted(in(time.Hour), "hour")
	}
	return counted(in(24*time.Hour), "day")
}

func counted(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}
