package site

import (
	"cmp"
	"slices"
	"time"

	"github.com/backsoon/backsoon/internal/config"
	"github.com/backsoon/backsoon/internal/notice"
	"github.com/backsoon/backsoon/internal/schedule"
)

// builder is one build under way.
type builder struct {
	cfg     *config.Config
	theme   *theme
	now     time.Time
	known   *Known
	notices map[string]*notice.Notice
	states  []schedule.State // in the order of the settings
	next    time.Time        // when a state next changes; zero: not foreseen
	files   Files

	ongoing []*notice.Notice // in force: those that close the checkout, then the others; the oldest first
	coming  []*notice.Notice // the nearest first; drafts, and those cancelled ahead of time, among them
	past    []*notice.Notice // the latest first
}

func newBuilder(in Input, theme *theme) *builder {
	b := &builder{
		cfg: in.Config, theme: theme, now: in.Now, known: in.Known,
		notices: map[string]*notice.Notice{}, files: Files{},
	}
	var shown []*notice.Notice
	for _, n := range in.Notices {
		if !n.Draft || in.Drafts {
			shown = append(shown, n)
			b.notices[n.Slug] = n
		}
	}
	b.sort(shown)
	ids := b.cfg.StorefrontIDs()
	b.states = schedule.At(shown, ids, b.now)
	b.next, _ = schedule.Next(shown, ids, b.now)
	return b
}

// sort puts each notice on the list it belongs to. A closure that was cancelled
// ahead of time stays among those coming until its day has passed: that is where
// whoever remembers it looks.
func (b *builder) sort(shown []*notice.Notice) {
	slices.SortFunc(shown, func(x, y *notice.Notice) int {
		return cmp.Or(b.closed(x).Compare(b.closed(y)), cmp.Compare(x.Slug, y.Slug))
	})
	var alongside []*notice.Notice
	for _, n := range shown {
		phase := n.Phase(b.now)
		switch {
		case n.InForce(b.now) && n.CheckoutOn:
			alongside = append(alongside, n)
		case n.InForce(b.now):
			b.ongoing = append(b.ongoing, n)
		case phase == notice.Reopened, phase == notice.Cancelled && !b.now.Before(n.Closes.Time):
			b.past = append(b.past, n)
		default:
			b.coming = append(b.coming, n)
		}
	}
	b.ongoing = append(b.ongoing, alongside...)
	slices.Reverse(b.past)
}

// asOf words things as they would be read at t.
func (b *builder) asOf(t time.Time) *builder {
	then := *b
	then.now = t
	return &then
}

// facts is what the ledger knows of the notice; zero without a ledger.
func (b *builder) facts(n *notice.Notice) Facts {
	if b.known == nil {
		return Facts{}
	}
	return b.known.Notices[n.Slug]
}

// closed is when the closure began, or is to begin.
func (b *builder) closed(n *notice.Notice) time.Time {
	if at := b.facts(n).Closed; !at.IsZero() {
		return at
	}
	return n.Closes.Time
}

// reopened is when the closure ended: as the ledger saw it, or as the owner
// wrote it. Zero: nobody said.
func (b *builder) reopened(n *notice.Notice) time.Time {
	if at := b.facts(n).Reopened; !at.IsZero() {
		return at
	}
	return n.Reopened.Time
}

// announced is when the public could first know of the notice. Zero: nobody said.
func (b *builder) announced(n *notice.Notice) time.Time {
	if !n.Published.IsZero() {
		return n.Published.Time
	}
	return b.facts(n).Accepted
}

// year is the year in which the closure closed, on the shop's clocks.
func (b *builder) year(n *notice.Notice) int {
	return b.closed(n).In(b.cfg.Shop.Location).Year()
}
