package notify

import (
	"maps"
	"slices"
	"time"

	"github.com/backsoon/backsoon/internal/ledger"
	"github.com/backsoon/backsoon/internal/notice"
)

// Change is what one accepted version of a notice says of when and where it is
// in force. A notice's changes are in the order of acceptance; the first is the
// notice as it was first accepted, and each later one differs from the one
// before. Drafts are none of them.
type Change struct {
	At          time.Time     // when the version was accepted
	Closes      notice.Moment // as planned from then on
	Reopens     notice.Moment // as planned from then on; zero: until further notice
	Storefronts []string      // the storefronts' ids; empty: all of them
	Cancelled   bool
}

// past is what became of a notice before, version by version.
type past struct {
	versions int
	changes  []Change
	reworded Reworded
}

// Reworded is when words of a notice last became others than they were: those of an
// update under its time in UTC, title and text under the zero time. Words that are as
// they were first accepted are not in it.
type Reworded map[time.Time]time.Time

// with is the past once a version has been accepted in the place of the one before;
// nil: it is the first.
func (p past) with(n, before *notice.Notice, at time.Time) past {
	p.versions++
	p.reworded = p.reworded.with(n, before, at)
	c := Change{at, n.Closes, n.Reopens, n.Storefronts, n.Cancelled}
	if !n.Draft && (len(p.changes) == 0 || p.changes[len(p.changes)-1].differs(c)) {
		p.changes = append(slices.Clip(p.changes), c)
	}
	return p
}

func (r Reworded) with(n, before *notice.Notice, at time.Time) Reworded {
	if before == nil || before.Draft {
		return r
	}
	r = maps.Clone(r)
	old := wordsOf(before)
	for of, text := range wordsOf(n) {
		if was, there := old[of]; there && was != text {
			if r == nil {
				r = Reworded{}
			}
			r[of] = at
		}
	}
	return r
}

// wordsOf are the owner's, as Reworded has them.
func wordsOf(n *notice.Notice) map[time.Time]string {
	all := map[time.Time]string{{}: n.Title + "\n" + n.Body}
	for _, u := range n.Updates {
		all[u.At.UTC()] = u.Title + "\n" + u.Body
	}
	return all
}

func (c Change) differs(o Change) bool {
	return !same(c.Closes, o.Closes) || !same(c.Reopens, o.Reopens) || !slices.Equal(c.Storefronts, o.Storefronts) || c.Cancelled != o.Cancelled
}

func same(a, b notice.Moment) bool { return a.Equal(b.Time) && a.DateOnly == b.DateOnly }

// loadPast reads the past of every notice. Most have one version, which is
// parsed already.
func (w *Watcher) loadPast(tx *ledger.Tx, s *situation) error {
	versions, err := tx.Versions()
	if err != nil {
		return err
	}
	before := map[string]*notice.Notice{} // the version read last, by slug
	for _, v := range versions {
		t := s.find(v.Slug)
		if t == nil {
			continue // a translation
		}
		n := t.Notice
		if v.ID != t.row.ID {
			if n, err = parseAccepted(tx, ledger.Notice{Version: v}, w.Config); err != nil {
				return err
			}
		}
		t.past = t.past.with(n, before[v.Slug], v.Accepted)
		before[v.Slug] = n
	}
	return nil
}
