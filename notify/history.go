package notify

import (
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
}

// with is the past once a version has been accepted.
func (p past) with(n *notice.Notice, at time.Time) past {
	p.versions++
	c := Change{at, n.Closes, n.Reopens, n.Storefronts, n.Cancelled}
	if !n.Draft && (len(p.changes) == 0 || p.changes[len(p.changes)-1].differs(c)) {
		p.changes = append(slices.Clip(p.changes), c)
	}
	return p
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
		t.past = t.past.with(n, v.Accepted)
	}
	return nil
}
