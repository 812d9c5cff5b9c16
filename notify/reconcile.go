package notify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/backsoon/backsoon/internal/config"
	"github.com/backsoon/backsoon/internal/ledger"
	"github.com/backsoon/backsoon/internal/notice"
)

// Reconcile looks at the folder and the clock, and writes, in one transaction,
// what follows: versions accepted, storefronts that change, mail and webhooks
// owed, and the audit entry of each. It sends nothing. next is when it has to
// run again by itself; zero: when something changes.
func (w *Watcher) Reconcile(ctx context.Context, now time.Time) (next time.Time, err error) {
	w.folder.whole = true
	for {
		next, err = w.reconcile(ctx, now)
		if err != nil || !w.leads || w.shown == nil || !w.shown.waitsForCount(now) {
			return next, err
		}
	}
}

// reconcile is one round of Reconcile, with a look at no more of the folder than it
// asks for. Where next is now, a mail is to begin: its followers, who may be a
// million, are counted in the round that follows, and what this one asks of the
// checkouts goes out before.
func (w *Watcher) reconcile(ctx context.Context, now time.Time) (next time.Time, err error) {
	if leads, err := w.leading(ctx); err != nil {
		return now.Add(followEvery), err
	} else if !leads {
		return now.Add(followEvery), w.refresh(ctx)
	}
	wake, lost := w.look(ctx, now)
	if w.waitsToBegin(now) {
		return wake, nil
	}
	clocks := w.readClocks(now)
	cs := w.candidates(clocks.latest())
	if err := w.round(ctx, now, clocks, cs, lost); err != nil {
		return now.Add(time.Second), err
	}
	if !w.leads || w.shown.waitsForCount(now) {
		return now, nil
	}
	return soonest(wake, w.shown.next(now)), nil
}

// round writes one round into the ledger.
func (w *Watcher) round(ctx context.Context, now time.Time, clocks reading, cs []candidate, lost error) error {
	counted, err := w.countDue(ctx, now)
	if err != nil {
		return err
	}
	var r round
	err = w.member.Update(ctx, func(tx *ledger.Tx) error {
		r = round{Watcher: w, tx: tx, now: now, clocks: clocks, counted: counted}
		return r.run(cs, lost)
	})
	if errors.Is(err, ledger.ErrFenced) {
		w.yield(err)
		return nil
	}
	if w.unsure = err != nil; w.unsure {
		w.forgetParsed()
		return err
	}
	w.stale = w.stale || r.audited
	w.shown, w.begins = r.situation, false
	return nil
}

// countDue counts the followers of the campaigns that are to begin, by audience.
func (w *Watcher) countDue(ctx context.Context, now time.Time) (counted map[string]int, err error) {
	counted = map[string]int{}
	if w.shown == nil || w.unsure || !w.shown.waitsForCount(now) {
		return counted, nil
	}
	err = w.Ledger.View(ctx, func(tx *ledger.Tx) error {
		for _, p := range w.shown.pending {
			if _, known := counted[audienceOf(p)]; known || p.NotBefore.After(now) {
				continue
			}
			n, err := tx.CountFollowers(*p)
			if err != nil {
				return err
			}
			counted[audienceOf(p)] = n
		}
		return nil
	})
	return counted, err
}

// audienceOf is the same for campaigns that go to the same subscribers.
func audienceOf(p *ledger.Campaign) string { return fmt.Sprint(p.Kind, p.Storefronts) }

// forgetParsed lets go of versions that may be of a transaction that wasn't.
func (w *Watcher) forgetParsed() { w.parsed = map[int64]*notice.Notice{} }

// beginWithin is how long a site that was never carried out may wait for a file
// that is being written.
const beginWithin = 10 * time.Second

// waitsToBegin tells whether the first round of a new ledger has to wait for the
// whole folder: half of it would open what is closed.
func (w *Watcher) waitsToBegin(now time.Time) bool {
	if !w.begins || !w.unread() {
		return false
	}
	if w.beginsBy.IsZero() {
		w.beginsBy = now.Add(beginWithin)
	}
	return now.Before(w.beginsBy)
}

// round is one reconciling, inside its transaction.
type round struct {
	*Watcher
	tx        *ledger.Tx
	now       time.Time
	clocks    reading
	counted   map[string]int // see countDue
	situation *situation
	audited   bool // something was written to the log
}

func (r *round) run(cs []candidate, lost error) (err error) {
	if r.shown != nil && !r.unsure {
		r.situation = r.shown.clone()
	} else if r.situation, err = r.load(r.tx); err != nil {
		return err
	}
	cs = slices.DeleteFunc(cs, func(c candidate) bool { // accepted by a round that nobody knew to be written
		return c.sha != "" && r.versions[c.slug].SHA256 == c.sha
	})
	if err := r.syncEndpoints(); err != nil {
		return err
	}
	entries, alerts, err := r.guard()
	if err != nil {
		return err
	}
	taken, refused, err := r.take(r.tx, r.situation, cs, lost, r.now)
	if err != nil {
		return err
	}
	entries, alerts = append(entries, taken...), append(alerts, refused...)
	waiting := waitingBefore(r.situation)
	r.situation.steady, r.situation.counted = r.clocks.doubt(), r.counted
	c := r.situation.advance(r.now)
	if r.clocks.jumped != 0 {
		c.alerts = append(c.alerts, jumpAlert(r.clocks))
		r.tx.AfterCommit(func() { r.clock.told = true })
	}
	c.entries = append(entries, c.entries...)
	c.alerts = append(alerts, c.alerts...)
	return r.write(c, waiting)
}

// load reads the situation from the ledger. The watcher that leads is the only one
// to write it, so that the next round begins with what this one left, unless nobody
// knows whether its transaction was written.
func (w *Watcher) load(tx *ledger.Tx) (*situation, error) {
	s := &situation{rules: w.rules()}
	rows, err := tx.Notices()
	if err != nil {
		return nil, err
	}
	w.versions = make(map[string]Basis, len(rows))
	parsed := make(map[int64]*notice.Notice, len(rows))
	for _, row := range rows {
		n, err := w.version(tx, row)
		if err != nil {
			return nil, err
		}
		parsed[row.ID] = n
		s.notices = append(s.notices, &tracked{Notice: n, row: row})
		w.versions[row.Slug] = BasisOf(row.Version)
	}
	if err := w.loadTranslations(tx, s); err != nil {
		return nil, err
	}
	if err := w.loadPast(tx, s); err != nil {
		return nil, err
	}
	w.parsed = parsed // what is no longer in force is not kept
	if s.fronts, err = tx.Storefronts(); err != nil {
		return nil, err
	}
	if s.anew, err = tx.BegunAnew(); err != nil {
		return nil, err
	}
	open, err := tx.OpenCampaigns()
	for _, c := range open {
		if c.Fired.IsZero() {
			s.pending = append(s.pending, &c)
		}
	}
	return s, err
}

func (w *Watcher) rules() rules {
	r := rules{storefronts: w.Config.StorefrontIDs(), shop: w.Config.Shop}
	if e := w.Config.Email; e != nil {
		r.mail, r.settle, r.remind = true, e.Settle, e.Remind
	}
	if w.impatient {
		r.settle = 0
	}
	return r
}

// version gives an accepted notice as parsed; each version is parsed once.
func (w *Watcher) version(tx *ledger.Tx, row ledger.Notice) (*notice.Notice, error) {
	if n := w.parsed[row.ID]; n != nil {
		return n, nil
	}
	return parseAccepted(tx, row, w.Config)
}

func parseAccepted(tx *ledger.Tx, row ledger.Notice, cfg *config.Config) (*notice.Notice, error) {
	src, err := tx.Content(row.ID)
	if err != nil {
		return nil, err
	}
	n, problems := notice.Parse(notice.Path(row.Slug), row.Slug, src, cfg.Shop.Location)
	if n == nil {
		return nil, fmt.Errorf("the ledger's version of %s can't be read any more: %w", row.Slug, problems)
	}
	return n, nil
}

// Accepted gives every notice as the ledger has it in force, by slug.
func Accepted(tx *ledger.Tx, cfg *config.Config) (map[string]*notice.Notice, error) {
	rows, err := tx.Notices()
	if err != nil {
		return nil, err
	}
	accepted := make(map[string]*notice.Notice, len(rows))
	for _, row := range rows {
		if accepted[row.Slug], err = parseAccepted(tx, row, cfg); err != nil {
			return nil, err
		}
	}
	return accepted, nil
}

// syncEndpoints makes the ledger's endpoints those of the settings. One that is
// new is owed the present state.
func (r *round) syncEndpoints() error {
	rows, err := r.tx.Endpoints()
	if err != nil {
		return err
	}
	have := map[endpointKey]bool{}
	for _, e := range rows {
		have[keyOf(e)] = true
		if _, ok := r.endpoint(keyOf(e)); !ok {
			if err := r.tx.DropEndpoint(e); err != nil {
				return err
			}
		}
	}
	for _, f := range r.Config.Storefronts {
		for _, h := range f.Webhooks {
			if have[endpointKey{f.ID, h.URL}] {
				continue
			}
			if err := r.tx.SaveEndpoint(ledger.Endpoint{Storefront: f.ID, URL: h.URL, NextTry: r.now}); err != nil {
				return err
			}
		}
	}
	return nil
}

// waitingBefore copies the campaigns that wait, to write only what changes.
func waitingBefore(s *situation) map[int64]ledger.Campaign {
	before := map[int64]ledger.Campaign{}
	for _, p := range s.pending {
		before[p.ID] = *p
	}
	return before
}

// write writes what advance changed.
func (r *round) write(c changes, waiting map[int64]ledger.Campaign) error {
	for _, e := range c.entries {
		if err := r.audit(e); err != nil {
			return err
		}
	}
	for _, f := range c.fronts {
		if err := r.tx.SaveStorefront(f, r.now); err != nil {
			return err
		}
	}
	for _, n := range c.notices {
		if err := r.tx.SaveNotice(n); err != nil {
			return err
		}
	}
	if err := r.writeCampaigns(c, waiting); err != nil {
		return err
	}
	for _, a := range c.alerts {
		if err := r.alert(r.tx, a, r.now); err != nil {
			return err
		}
	}
	return nil
}

func (r *round) audit(e ledger.Entry) error {
	r.audited = true
	return r.Watcher.audit(r.tx, e)
}

func (r *round) writeCampaigns(c changes, waiting map[int64]ledger.Campaign) error {
	for _, p := range c.dropped {
		if err := r.tx.DropCampaign(p.ID); err != nil {
			return err
		}
	}
	for _, p := range r.situation.pending {
		before, known := waiting[p.ID]
		if known && p.NotBefore.Equal(before.NotBefore) && fmt.Sprint(p.Storefronts) == fmt.Sprint(before.Storefronts) {
			continue
		}
		if err := r.writeCampaign(p); err != nil {
			return err
		}
	}
	for _, p := range c.fired {
		if err := r.fire(p); err != nil {
			return err
		}
	}
	return nil
}

func (r *round) writeCampaign(p *ledger.Campaign) (err error) {
	if p.ID != 0 {
		return r.tx.PostponeCampaign(*p)
	}
	p.ID, err = r.tx.AddCampaign(*p)
	return err
}

// fire freezes a campaign: its words are written now, and do not change when
// the notice does.
func (r *round) fire(p *ledger.Campaign) error {
	if !r.situation.rules.mail {
		return r.tx.DropCampaign(p.ID)
	}
	if err := r.writeCampaign(p); err != nil {
		return err
	}
	words, err := r.words(p)
	if err != nil {
		return r.unwritable(p, err)
	}
	*p = p.In(words[0])
	p.Recipients = r.counted[audienceOf(p)]
	if err := r.tx.Fire(*p); err != nil {
		return err
	}
	for _, w := range words[1:] {
		if err := r.tx.AddWording(p.ID, w); err != nil {
			return err
		}
	}
	return r.audit(ledger.Entry{
		Time: r.now, Event: ledger.MailStarted, Notice: p.Slug, Kind: p.Kind, Counts: ledger.Counts{"recipients": p.Recipients},
	})
}

// unwritable gives a mail up that can't be put into words: no checkout waits for
// it, and the owner is told.
func (r *round) unwritable(p *ledger.Campaign, why error) error {
	if err := r.tx.DropCampaign(p.ID); err != nil {
		return err
	}
	e := ledger.Entry{Time: r.now, Event: ledger.MailFailed, Notice: p.Slug, Kind: p.Kind, Reason: why.Error()}
	if err := r.audit(e); err != nil {
		return err
	}
	text := fmt.Sprintf("The mail “%s” about %s could not be written, and is not sent: %v\n\nPage and checkout are not affected.\n", p.Kind, p.Slug, why)
	return r.alert(r.tx, alert{subject: "A mail could not be written", text: text}, r.now)
}

// audit appends to the log, and passes the entry on once it is written.
func (w *Watcher) audit(tx *ledger.Tx, e ledger.Entry) error {
	e, err := tx.Audit(e)
	if err == nil && w.Story != nil {
		tx.AfterCommit(func() { w.Story(e) })
	}
	return err
}

func soonest(a, b time.Time) time.Time {
	if a.IsZero() || (!b.IsZero() && b.Before(a)) {
		return b
	}
	return a
}
