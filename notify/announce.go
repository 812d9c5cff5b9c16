package notify

import (
	"slices"
	"time"

	"github.com/backsoon/backsoon/internal/ledger"
	"github.com/backsoon/backsoon/internal/notice"
	"github.com/backsoon/backsoon/internal/schedule"
	"github.com/backsoon/backsoon/notify/letter"
)

// over is the Told.Kind of a closure of which there is no more to say.
const over = "over"

// maxSettle is how long edits can keep a mail waiting.
const maxSettle = 10 * time.Minute

// planMail holds what the subscribers have been told of each notice against
// what they should know. What is missing waits as a campaign until the notice
// has been quiet; what nobody needs any more is dropped.
func (s *situation) planMail(states []schedule.State, now time.Time, c *changes) {
	opened := s.reopenings(states, now)
	waiting := map[string][]*ledger.Campaign{}
	for _, p := range s.pending {
		waiting[p.Slug] = append(waiting[p.Slug], p)
	}
	s.pending = nil
	for _, t := range s.notices {
		wanted := owed(t, s.at(t.Notice, now), s.rules.remind)
		if fronts := opened[t.Slug]; len(fronts) > 0 {
			wanted = append(wanted, ledger.Campaign{Kind: string(letter.Reopened), Storefronts: fronts})
		}
		s.syncPending(t, waiting[t.Slug], wanted, now, c)
	}
	s.fireDue(now, c)
}

// owed is what the subscribers should be told of the notice at now, but for its
// reopening, which goes by storefront.
func owed(t *tracked, now time.Time, remind []time.Duration) []ledger.Campaign {
	told, phase := t.row.Told, t.Phase(now)
	one := func(k letter.Kind) []ledger.Campaign {
		return []ledger.Campaign{{Kind: string(k), Storefronts: audience(t)}}
	}
	switch told.Kind {
	case "":
		switch phase {
		case notice.Scheduled:
			return one(letter.Announced)
		case notice.Closed, notice.Overdue:
			return one(letter.ClosedNow)
		}
	case string(letter.Announced):
		switch phase {
		case notice.Scheduled:
			if meanwhile := owedMeanwhile(t); len(meanwhile) > 0 {
				return meanwhile
			}
			return owedReminder(t, now, remind)
		case notice.Closed:
			return one(letter.ClosedNow)
		case notice.Overdue:
			return one(letter.Delayed)
		case notice.Cancelled, notice.Draft:
			return one(letter.Cancelled)
		}
	case string(letter.ClosedNow):
		switch {
		case told.CheckoutOn && !t.CheckoutOn && t.InForce(now): // it closes the checkout after all
			return one(letter.ClosedNow)
		case phase == notice.Overdue:
			return append(owedUpdates(t), one(letter.Delayed)...)
		case phase == notice.Closed:
			return owedMeanwhile(t)
		}
	case string(letter.Delayed):
		if t.InForce(now) {
			return owedMeanwhile(t)
		}
	}
	return nil
}

// owedMeanwhile is what becomes known between announcement and end: new times
// or storefronts, and updates. Storefronts that a closure in force lets go open
// again, and their followers hear just that.
func owedMeanwhile(t *tracked) []ledger.Campaign {
	told := t.row.Told
	moved := !told.Closes.Equal(t.Closes.Time) || !told.Reopens.Equal(t.Reopens.Time)
	changed := !slices.Equal(told.Storefronts, t.Storefronts)
	if told.Kind != string(letter.Announced) {
		changed = !within(t.Storefronts, told.Storefronts)
	}
	if !moved && !changed {
		return owedUpdates(t)
	}
	return append([]ledger.Campaign{{Kind: string(letter.Changed), Storefronts: audience(t)}}, owedUpdates(t)...)
}

// within tells whether all of the storefronts are among the others; none named
// stands for all of them.
func within(storefronts, others []string) bool {
	if len(others) == 0 {
		return true
	}
	return len(storefronts) > 0 && !slices.ContainsFunc(storefronts, func(id string) bool { return !slices.Contains(others, id) })
}

func owedUpdates(t *tracked) []ledger.Campaign {
	var cs []ledger.Campaign
	for _, u := range t.Updates {
		if !slices.ContainsFunc(t.row.Told.Updates, u.At.Equal) {
			cs = append(cs, ledger.Campaign{Kind: string(letter.Update), Item: u.At, Storefronts: audience(t)})
		}
	}
	return cs
}

// owedReminder is the latest reminder whose moment has come; older ones that
// were missed would only say the same.
func owedReminder(t *tracked, now time.Time, remind []time.Duration) []ledger.Campaign {
	var latest time.Time
	for _, d := range remind {
		if at := t.Closes.Add(-d); !at.After(now) && at.After(latest) {
			latest = at
		}
	}
	if latest.IsZero() || slices.ContainsFunc(t.row.Told.Reminders, latest.Equal) {
		return nil
	}
	return []ledger.Campaign{{Kind: string(letter.Reminder), Item: latest, Storefronts: audience(t)}}
}

// audience is whose followers a mail about the notice goes to: those of its
// storefronts, and, before it is in force, those of the ones it has just let go.
func audience(t *tracked) []string {
	told := t.row.Told
	if told.Kind != string(letter.Announced) || len(t.Storefronts) == 0 {
		return t.Storefronts
	}
	if len(told.Storefronts) == 0 {
		return nil
	}
	all := append(slices.Clone(t.Storefronts), told.Storefronts...)
	slices.Sort(all)
	return slices.Compact(all)
}

// reopenings gives, by the notice that ended last, the storefronts that are
// open again and whose followers have been told only that they close.
func (s *situation) reopenings(states []schedule.State, now time.Time) map[string][]string {
	opened := map[string][]string{}
	for _, st := range states {
		if st.State != schedule.Open {
			continue
		}
		if last := s.lastEnded(st.Storefront, now); last != nil {
			opened[last.Slug] = append(opened[last.Slug], st.Storefront)
		}
	}
	for _, t := range s.notices { // these never closed a storefront: they end by themselves
		if t.row.Told.CheckoutOn && t.Phase(s.at(t.Notice, now)) == notice.Reopened && unfinished(t) {
			opened[t.Slug] = s.coveredBy(t)
		}
	}
	return opened
}

func (s *situation) lastEnded(storefront string, now time.Time) *tracked {
	var last *tracked
	for _, t := range s.notices {
		if !t.endedFor(storefront, s.at(t.Notice, now)) {
			continue
		}
		if last == nil || t.Until().After(last.Until().Time) {
			last = t
		}
	}
	return last
}

// endedFor tells whether the storefront's followers know of the notice's
// closure, not of its end, and it no longer closes the storefront: it is over,
// was moved ahead, or has let the storefront go.
func (t *tracked) endedFor(storefront string, now time.Time) bool {
	told := t.row.Told
	if told.CheckoutOn || !unfinished(t) || slices.Contains(told.Opened, storefront) {
		return false
	}
	if told.Kind == string(letter.Announced) && t.Phase(now) != notice.Reopened {
		return false // it never closed, as far as they know
	}
	wasTold := len(told.Storefronts) == 0 || slices.Contains(told.Storefronts, storefront)
	closes := t.InForce(now) && !t.CheckoutOn && t.Covers(storefront)
	return wasTold && !closes
}

// unfinished tells whether the subscribers know of the closure, but not yet of
// its end.
func unfinished(t *tracked) bool { return t.row.Told.Kind != "" && t.row.Told.Kind != over }

// coveredBy lists the storefronts of the settings that the notice covers.
func (s *situation) coveredBy(t *tracked) []string {
	return slices.DeleteFunc(slices.Clone(s.rules.storefronts), func(id string) bool { return !t.Covers(id) })
}

// syncPending makes the notice's waiting campaigns those that are wanted. Each
// waits until the notice has been quiet for the time of settling, counted from
// its last version, but not for ever.
func (s *situation) syncPending(t *tracked, waiting []*ledger.Campaign, wanted []ledger.Campaign, now time.Time, c *changes) {
	first := now
	var kept []*ledger.Campaign
	for _, p := range waiting {
		if p.Created.Before(first) {
			first = p.Created
		}
		i := slices.IndexFunc(wanted, func(w ledger.Campaign) bool { return w.Kind == p.Kind && w.Item.Equal(p.Item) })
		if i < 0 {
			c.dropped = append(c.dropped, p)
			continue
		}
		p.Storefronts = wanted[i].Storefronts
		wanted = slices.Delete(wanted, i, i+1)
		kept = append(kept, p)
	}
	for _, w := range wanted {
		w.Slug, w.Created = t.Slug, first
		kept = append(kept, &w)
	}
	for _, p := range kept {
		p.NotBefore = earlier(later(t.row.Accepted, t.worded).Add(s.rules.settle), p.Created.Add(maxSettle))
	}
	s.pending = append(s.pending, kept...)
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// fireDue takes out the campaigns whose moment has come and notes that their
// subscribers know.
func (s *situation) fireDue(now time.Time, c *changes) {
	var waiting []*ledger.Campaign
	for _, p := range s.pending {
		if s.rules.mail && (p.NotBefore.After(now) || !s.mayBegin(p)) {
			waiting = append(waiting, p)
			continue
		}
		s.tell(p, now)
		p.Fired = now
		c.fired = append(c.fired, p)
	}
	s.pending = waiting
}

// mayBegin tells whether the campaign is written and its followers are counted.
func (s *situation) mayBegin(p *ledger.Campaign) bool {
	_, counted := s.counted[audienceOf(p)]
	return s.counted == nil || counted && p.ID != 0
}

// waitsForCount tells whether there is a campaign that could begin, were its
// followers counted.
func (s *situation) waitsForCount(now time.Time) bool {
	return s.rules.mail && slices.ContainsFunc(s.pending, func(p *ledger.Campaign) bool { return !p.NotBefore.After(now) })
}

// tell notes what the subscribers know once the campaign is out.
func (s *situation) tell(p *ledger.Campaign, now time.Time) {
	i, _ := s.index(p.Slug)
	t := s.change(i)
	now = s.at(t.Notice, now)
	told := &t.row.Told
	switch letter.Kind(p.Kind) {
	case letter.Update:
		told.Updates = append(told.Updates, p.Item)
	case letter.Reminder:
		told.Reminders = append(told.Reminders, p.Item)
	case letter.Reopened:
		s.tellReopened(p, now)
	case letter.Cancelled:
		told.Kind = over
	case letter.Changed:
		if t.Phase(now) == notice.Closed {
			told.Kind = string(letter.ClosedNow)
		}
		s.tellTimes(t, now)
	case letter.ClosedNow:
		told.Kind = p.Kind
		if t.Phase(now) == notice.Overdue { // the letter says so itself
			told.Kind = string(letter.Delayed)
		}
		s.tellTimes(t, now)
	default: // announced, delayed
		told.Kind = p.Kind
		s.tellTimes(t, now)
	}
}

// tellTimes notes that a letter with the notice's times and updates is out. The
// reminders whose moment has passed would say nothing new.
func (s *situation) tellTimes(t *tracked, now time.Time) {
	told := &t.row.Told
	told.Closes, told.Reopens, told.Storefronts, told.CheckoutOn = t.Closes.Time, t.Reopens.Time, t.Storefronts, t.CheckoutOn
	told.Updates = nil
	for _, u := range t.Updates {
		told.Updates = append(told.Updates, u.At)
	}
	for _, d := range s.rules.remind {
		if at := t.Closes.Add(-d); !at.After(now) {
			told.Reminders = append(told.Reminders, at)
		}
	}
}

// tellReopened notes that followers of the campaign's storefronts know that
// these are open again, whichever closure had told them of the closing.
func (s *situation) tellReopened(p *ledger.Campaign, now time.Time) {
	for i, t := range s.notices {
		now := s.at(t.Notice, now)
		ended := slices.DeleteFunc(slices.Clone(p.Storefronts), func(id string) bool { return !t.endedFor(id, now) })
		if t.Slug != p.Slug && len(ended) == 0 {
			continue
		}
		t = s.change(i)
		told := &t.row.Told
		told.Opened = append(told.Opened, ended...)
		switch {
		case slices.ContainsFunc(s.rules.storefronts, func(id string) bool { return t.endedFor(id, now) }):
			// another closure keeps some of them closed
		case t.InForce(now): // it goes on for the others, or as a mere notice
			told.Storefronts, told.CheckoutOn, told.Opened = t.Storefronts, t.CheckoutOn, nil
		default:
			told.Kind = over
		}
	}
}

// facts are what the letter of a campaign is about.
func (s *situation) facts(p *ledger.Campaign, now time.Time) letter.Facts {
	n := s.find(p.Slug).Notice
	f := letter.Facts{Kind: letter.Kind(p.Kind), Notice: n, Update: p.Item, Storefronts: n.Storefronts, Now: now}
	if f.Kind == letter.Reopened {
		f.Storefronts = p.Storefronts
		if n.CheckoutOn && n.InForce(now) { // it was closed by it, and no longer is
			closing := *n
			closing.CheckoutOn = false
			f.Notice = &closing
		}
		return f
	}
	for _, id := range s.rules.storefronts {
		if !n.Covers(id) && (len(p.Storefronts) == 0 || slices.Contains(p.Storefronts, id)) {
			f.Spared = append(f.Spared, id)
		}
	}
	f.Notice = s.withRun(n, now)
	return f
}

// withRun is the notice with the end of the unbroken run of closures in the
// place of its own, where all its storefronts stay closed beyond that: nobody is
// to read "reopens" before a locked door.
func (s *situation) withRun(n *notice.Notice, now time.Time) *notice.Notice {
	at := now
	if n.Closes.After(now) {
		at = n.Closes.Time
	}
	if n.CheckoutOn || n.Phase(at) != notice.Closed {
		return n
	}
	lead := ""
	for i, st := range schedule.At(s.plain(), s.coveredBy(&tracked{Notice: n}), at) {
		if i > 0 && st.Lead != lead {
			return n // each storefront has its own end
		}
		lead = st.Lead
	}
	if lead == "" || lead == n.Slug {
		return n
	}
	longer := *n
	longer.Reopens = s.find(lead).Reopens
	return &longer
}
