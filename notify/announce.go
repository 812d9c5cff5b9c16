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
		wanted := owed(t, now, s.rules.remind)
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
		switch phase {
		case notice.Overdue:
			return append(owedUpdates(t), one(letter.Delayed)...)
		case notice.Closed, notice.Scheduled:
			return owedMeanwhile(t)
		case notice.Cancelled, notice.Draft: // moved ahead, and then called off
			return one(letter.Cancelled)
		}
	case string(letter.Delayed):
		switch phase {
		case notice.Overdue, notice.Closed, notice.Scheduled:
			return owedMeanwhile(t)
		case notice.Cancelled, notice.Draft:
			return one(letter.Cancelled)
		}
	}
	return nil
}

// owedMeanwhile is what becomes known between announcement and end: new times
// or storefronts, and updates.
func owedMeanwhile(t *tracked) []ledger.Campaign {
	told := t.row.Told
	moved := !told.Closes.Equal(t.Closes.Time) || !told.Reopens.Equal(t.Reopens.Time)
	if !moved && slices.Equal(told.Storefronts, t.Storefronts) {
		return owedUpdates(t)
	}
	return append([]ledger.Campaign{{Kind: string(letter.Changed), Storefronts: audience(t)}}, owedUpdates(t)...)
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
// storefronts, and of those it has just let go.
func audience(t *tracked) []string {
	told := t.row.Told
	if told.Kind == "" || len(t.Storefronts) == 0 {
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
		if t.CheckoutOn && t.Phase(now) == notice.Reopened && unfinished(t) {
			opened[t.Slug] = s.coveredBy(t)
		}
	}
	return opened
}

func (s *situation) lastEnded(storefront string, now time.Time) *tracked {
	var last *tracked
	for _, t := range s.notices {
		if !t.endedFor(storefront, now) || !unfinished(t) || slices.Contains(t.row.Told.Opened, storefront) {
			continue
		}
		if last == nil || t.Until().After(last.Until().Time) {
			last = t
		}
	}
	return last
}

// endedFor tells whether the notice closed the storefront, as its subscribers
// know, and is over.
func (t *tracked) endedFor(storefront string, now time.Time) bool {
	if t.CheckoutOn {
		return false
	}
	wasTold := len(t.row.Told.Storefronts) == 0 || slices.Contains(t.row.Told.Storefronts, storefront)
	return t.Phase(now) == notice.Reopened && wasTold
}

// unfinished tells whether the subscribers know of the closure, but not yet of
// its end.
func unfinished(t *tracked) bool { return t.row.Told.Kind != "" && t.row.Told.Kind != over }

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
		p.NotBefore = earlier(t.row.Accepted.Add(s.rules.settle), p.Created.Add(maxSettle))
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
		if s.rules.mail && p.NotBefore.After(now) {
			waiting = append(waiting, p)
			continue
		}
		s.tell(p, now)
		p.Fired = now
		c.fired = append(c.fired, p)
	}
	s.pending = waiting
}

// tell notes what the subscribers know once the campaign is out.
func (s *situation) tell(p *ledger.Campaign, now time.Time) {
	t := s.find(p.Slug)
	t.dirty = true
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
		switch t.Phase(now) {
		case notice.Scheduled:
			told.Kind = string(letter.Announced)
		case notice.Closed:
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
	told.Closes, told.Reopens, told.Storefronts = t.Closes.Time, t.Reopens.Time, t.Storefronts
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
	for _, t := range s.notices {
		if t.Slug != p.Slug && (t.CheckoutOn || t.Phase(now) != notice.Reopened || !unfinished(t)) {
			continue
		}
		t.dirty = true
		told := &t.row.Told
		told.Opened = append(told.Opened, p.Storefronts...)
		if s.openedAll(t) {
			told.Kind = over
		}
	}
}

func (s *situation) openedAll(t *tracked) bool {
	return !slices.ContainsFunc(s.coveredBy(t), func(id string) bool {
		return !slices.Contains(t.row.Told.Opened, id)
	})
}
