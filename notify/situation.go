package notify

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/backsoon/backsoon/internal/config"
	"github.com/backsoon/backsoon/internal/ledger"
	"github.com/backsoon/backsoon/internal/notice"
	"github.com/backsoon/backsoon/internal/schedule"
)

// situation is everything that decides what is to be done: the accepted notices
// and what the ledger says was done of them. The watcher loads it from the
// ledger and writes what advance changed; the plan lets it advance in memory.
type situation struct {
	rules   rules
	notices []*tracked // by slug
	fronts  map[string]ledger.Storefront
	pending []*ledger.Campaign // not fired; ID 0: not written yet
	counted map[string]int     // how many follow those of pending that may begin, by audience; nil: all may
	steady  time.Time          // what it would be if the machine's clock had not jumped; zero: it has not
	anew    time.Time          // when the log was begun anew; zero: never. See unheard
}

// rules are the settings that decide.
type rules struct {
	storefronts []string
	shop        config.Shop
	settle      time.Duration
	remind      []time.Duration
	mail        bool // mail goes out at all
}

// tracked is one accepted notice with what the ledger knows of it. It is changed
// only through situation.change: older situations, and the pages, may have it too.
type tracked struct {
	*notice.Notice
	row    ledger.Notice
	past   past      // its versions, the one in force included
	worded time.Time // when a translation was last accepted; zero: never
	fresh  bool      // its first version was accepted in this round
	dirty  bool      // row is to be written; nobody else has it yet
}

// changes is what one advance asks to be written.
type changes struct {
	fronts  []ledger.Storefront // with a new state
	notices []ledger.Notice
	entries []ledger.Entry
	alerts  []alert
	dropped []*ledger.Campaign // pending ones that nobody needs any more
	fired   []*ledger.Campaign
}

// alert is a mail to the owner, or to a publisher.
type alert struct {
	subject, text string
	refused       []string // instead: why notices were refused; see digest
	to            []string // somebody else than the settings' alerts
}

// clone copies what advance changes; of the notices, it does when one changes.
func (s *situation) clone() *situation {
	c := &situation{rules: s.rules, fronts: maps.Clone(s.fronts), notices: slices.Clone(s.notices), anew: s.anew}
	for _, p := range s.pending {
		waiting := *p
		c.pending = append(c.pending, &waiting)
	}
	return c
}

// change gives the i-th notice to be changed, and written.
func (s *situation) change(i int) *tracked {
	if !s.notices[i].dirty {
		own := *s.notices[i]
		own.dirty = true
		s.notices[i] = &own
	}
	return s.notices[i]
}

// advance does the difference between what should be at now and what was done.
// It changes the situation and says what of it is to be written.
func (s *situation) advance(now time.Time) changes {
	var c changes
	states := s.states(now)
	s.moveStorefronts(states, now, &c)
	for fired := -1; fired < len(c.fired); { // what was told may leave more to tell
		fired = len(c.fired)
		s.trackNotices(now, &c)
		s.planMail(states, now, &c)
	}
	for _, t := range s.notices {
		if t.dirty {
			c.notices = append(c.notices, t.row)
			t.fresh, t.dirty = false, false
		}
	}
	return c
}

// states are what the storefronts should be at now. Where the clock has jumped, one
// that would be closed without that stays closed: nothing reopens by a clock that
// may be wrong.
func (s *situation) states(now time.Time) []schedule.State {
	states := schedule.At(s.plain(), s.rules.storefronts, now)
	if s.steady.IsZero() {
		return states
	}
	var held []*notice.Notice
	for _, t := range s.notices {
		if s.at(t.Notice, now).Equal(s.steady) {
			held = append(held, t.Notice)
		}
	}
	for i, otherwise := range schedule.At(held, s.rules.storefronts, s.steady) {
		if states[i].State == schedule.Open && otherwise.State != schedule.Open {
			states[i] = otherwise
		}
	}
	return states
}

// at is the moment that counts for a notice: now, unless that ends a closure only
// because the clock has jumped. What the owner says has ended has.
func (s *situation) at(n *notice.Notice, now time.Time) time.Time {
	said := !n.Reopened.IsZero() && !n.Reopened.After(now)
	if s.steady.IsZero() || said || n.InForce(now) {
		return now
	}
	if n.InForce(s.steady) || n.Over(now) && !n.Over(s.steady) {
		return s.steady
	}
	return now
}

// next is the first moment after now at which advance would do something by
// itself; zero: never.
func (s *situation) next(now time.Time) time.Time {
	var first time.Time
	consider := func(t time.Time) {
		if t.After(now) && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	consider(schedule.Boundary(s.plain(), now))
	for _, p := range s.pending {
		consider(p.NotBefore)
	}
	for _, t := range s.notices {
		for _, d := range s.rules.remind {
			if at := t.Closes.Add(-d); at.After(now) && t.Phase(now) == notice.Scheduled {
				consider(at)
			}
		}
	}
	return first
}

func (s *situation) plain() []*notice.Notice {
	ns := make([]*notice.Notice, len(s.notices))
	for i, t := range s.notices {
		ns[i] = t.Notice
	}
	return ns
}

func (s *situation) find(slug string) *tracked {
	if i, known := s.index(slug); known {
		return s.notices[i]
	}
	return nil
}

// index is the notice's place, or the one that it would have.
func (s *situation) index(slug string) (i int, known bool) {
	return slices.BinarySearchFunc(s.notices, slug, func(t *tracked, slug string) int { return strings.Compare(t.Slug, slug) })
}

// accept puts a new version in the place of the old one.
func (s *situation) accept(n *notice.Notice, v ledger.Version) {
	i, known := s.index(n.Slug)
	if known {
		t := s.change(i)
		t.Notice, t.row.Version, t.past = n.Translated(t.Translations), v, t.past.with(n, t.Notice, v.Accepted)
		return
	}
	first := &tracked{Notice: n, row: ledger.Notice{Version: v, First: v.Accepted}, past: past{}.with(n, nil, v.Accepted), fresh: true, dirty: true}
	s.notices = slices.Insert(s.notices, i, first)
}

// moveStorefronts gives each storefront the state that the schedule asks for.
func (s *situation) moveStorefronts(states []schedule.State, now time.Time, c *changes) {
	for _, want := range states {
		old, known := s.fronts[want.Storefront]
		f := s.front(want, old, now)
		switch {
		case !known || differs(f, old) || s.unheard(old):
			f.Revision = max(old.Revision+1, now.UnixMilli())
			c.entries = append(c.entries, s.transition(f, old, now))
		case f.State == old.State:
			continue
		}
		s.fronts[f.ID] = f
		c.fronts = append(c.fronts, f)
	}
}

// unheard tells whether receivers may obey a revision of the storefront that the
// ledger has lost: its own is from before the log was begun anew. It is told its
// state once more, under a revision of now.
func (s *situation) unheard(f ledger.Storefront) bool {
	return f.ID != "" && !s.anew.IsZero() && f.Revision < s.anew.UnixMilli()
}

// begins tells whether the first round has to tell storefronts what it can't know to
// be news, and so needs the whole folder.
func (s *situation) begins() bool {
	for _, f := range s.fronts {
		if s.unheard(f) {
			return true
		}
	}
	return len(s.fronts) == 0
}

// differs tells whether a storefront has to be told: whether its checkout,
// until, message or notices change.
func differs(a, b ledger.Storefront) bool {
	return a.Checkout != b.Checkout || !a.Until.Equal(b.Until) || a.Message != b.Message || !slices.Equal(a.Notices, b.Notices)
}

// front is the storefront's row as the schedule wants it.
func (s *situation) front(want schedule.State, old ledger.Storefront, now time.Time) ledger.Storefront {
	f := old
	f.ID, f.State, f.Checkout, f.Until, f.Notices = want.Storefront, want.State, want.Checkout(), want.Until, want.Notices
	if f.Checkout != old.Checkout {
		f.Since = since(want, old, now)
	}
	if f.Checkout == schedule.CheckoutOn && old.Checkout == schedule.CheckoutOn {
		return f // what once closed it is history: a word changed there is no news
	}
	if old.ID == "" && f.Checkout == schedule.CheckoutOn {
		f.URL = s.rules.shop.URL.String()
		return f // nor is what was over before anybody watched
	}
	f.Lead = want.Lead
	if f.Checkout == schedule.CheckoutOn && len(old.Notices) > 0 && !slices.Contains(old.Notices, want.Lead) {
		f.Lead = old.Lead // it no longer covers this storefront, and so ended here
	}
	f.URL = s.rules.shop.URL.String()
	if lead := s.find(f.Lead); lead != nil {
		f.Message, f.URL, f.By = lead.Title, s.rules.shop.ClosureURL(lead.Slug).String(), lead.row.By
	}
	return f
}

// onTime is how late a reopening may be and still count as done when planned.
const onTime = time.Minute

// since is when the checkout began to be as it is. A closure counts from the
// moment it announces, but not from before the last reopening. A reopening
// carried out late, or by an edit, counts from when it really came.
func since(want schedule.State, old ledger.Storefront, now time.Time) time.Time {
	late := want.State == schedule.Open && now.Sub(want.Since) > onTime
	if old.ID != "" && (late || want.Since.Before(old.Since)) {
		return now.Truncate(time.Second)
	}
	return want.Since
}

// transition is the audit entry of a storefront's new revision. What the clock
// does carries the publisher of the notice that set the time.
func (s *situation) transition(f, old ledger.Storefront, now time.Time) ledger.Entry {
	e := ledger.Entry{Time: now, Event: ledger.StorefrontClosed, Storefront: f.ID, Revision: f.Revision}
	if f.Checkout == schedule.CheckoutOn {
		e.Event = ledger.StorefrontOpened
	}
	if !f.Until.IsZero() {
		until := f.Until
		e.Until = &until
	}
	cause := s.find(f.Lead)
	if f.Checkout != old.Checkout && len(f.Notices) > 0 && !slices.Contains(f.Notices, f.Lead) {
		cause = s.find(f.Notices[0]) // the lead only prolongs what another one began
	}
	if cause != nil {
		by := cause.row.By
		e.Notice, e.By = cause.Slug, &by
		if f.Checkout == schedule.CheckoutOn {
			e.OpenSteps = cause.OpenSteps()
		}
	}
	return e
}

// trackNotices notes when each notice was carried out and when it ended, and
// tells the owner of a late reopening.
func (s *situation) trackNotices(now time.Time, c *changes) {
	for i, t := range s.notices {
		switch phase := t.Phase(s.at(t.Notice, now)); phase {
		case notice.Scheduled:
			s.trackAhead(i)
		case notice.Closed, notice.Overdue:
			s.trackInForce(i, phase, now, c)
		case notice.Reopened:
			s.trackEnd(i, now, c)
		}
	}
}

// trackAhead forgets what was done of an earlier date: the closure is to come,
// again or for the first time.
func (s *situation) trackAhead(i int) {
	if row := &s.notices[i].row; row.Closed.IsZero() && row.Ended.IsZero() && row.Told.Kind != over {
		return
	}
	row := &s.change(i).row
	row.Closed, row.Ended, row.Overdue = time.Time{}, time.Time{}, time.Time{}
	if row.Told.Kind == over {
		row.Told = ledger.Told{}
	}
}

func (s *situation) trackInForce(i int, phase notice.Phase, now time.Time, c *changes) {
	t := s.notices[i]
	if t.row.Closed.IsZero() {
		t = s.change(i)
		t.row.Closed = now
	}
	if !t.row.Ended.IsZero() || t.row.Told.Kind == over { // closed again after all
		t = s.change(i)
		t.row.Ended = time.Time{}
		t.row.Told = ledger.Told{Updates: t.row.Told.Updates}
	}
	if late := phase == notice.Overdue; late == !t.row.Overdue.IsZero() {
		return
	}
	t = s.change(i)
	if phase == notice.Closed {
		t.row.Overdue = time.Time{}
		return
	}
	t.row.Overdue = now
	c.entries = append(c.entries, ledger.Entry{Time: now, Event: ledger.NoticeOverdue, Notice: t.Slug, OpenSteps: t.OpenSteps(), By: &t.row.By})
	c.alerts = append(c.alerts, overdueAlert(t.Notice))
}

// trackEnd notes the end of a closure. One that was over when it was first seen
// is adopted in silence; one that came and went unwatched is logged as missed.
func (s *situation) trackEnd(i int, now time.Time, c *changes) {
	if !s.notices[i].row.Ended.IsZero() {
		return
	}
	t := s.change(i)
	t.row.Ended, t.row.Overdue = now, time.Time{}
	if t.row.Closed.IsZero() || !t.Reopened.IsZero() {
		t.row.Ended = t.End()
	}
	if !t.row.Closed.IsZero() {
		return
	}
	t.row.Told.Kind = over
	if !t.fresh {
		c.entries = append(c.entries, ledger.Entry{Time: now, Event: ledger.NoticeMissed, Notice: t.Slug, By: &t.row.By})
	}
}

func overdueAlert(n *notice.Notice) alert {
	return alert{
		subject: "Reopening delayed: " + n.Title,
		text: "The closure " + n.Slug + " was to end by now, but these steps of its reopening plan are not done:\n\n  " +
			strings.Join(n.OpenSteps(), "\n  ") + "\n\nIt stays closed. Write yes at each step in " + notice.Path(n.Slug) +
			" once it is done, or open all the same with:\n\n  backsoon reopen " + n.Slug + "\n",
	}
}
