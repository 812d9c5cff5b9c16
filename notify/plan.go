package notify

import (
	"context"
	"errors"
	"time"

	"github.com/backsoon/backsoon/internal/ledger"
	"github.com/backsoon/backsoon/internal/schedule"
)

// Plan is what will happen by itself, as things stand.
type Plan struct {
	Now         time.Time    `json:"now"`
	Transitions []Transition `json:"transitions"`
	Mail        []Mailing    `json:"mail"`
	Refused     []string     `json:"-"` // what was not accepted, and why
}

// Transition is one new state of a storefront, and so one webhook to each of
// its endpoints.
type Transition struct {
	At         time.Time `json:"at"`
	Storefront string    `json:"storefront"`
	Checkout   string    `json:"checkout"`
	Notice     string    `json:"notice"`
}

// Mailing is one mail to all who follow.
type Mailing struct {
	At         time.Time `json:"at"`
	Kind       string    `json:"kind"`
	Notice     string    `json:"notice"`
	Recipients int       `json:"recipients"` // as subscribed now
}

// planSteps bounds a plan; no shop announces so many changes.
const planSteps = 10_000

// Plan tells what the watcher will do from now on if nobody changes anything
// more: it takes the folder as it is, and lets the very situation that Reconcile
// advances advance in memory. The ledger is left as it was.
func (w *Watcher) Plan(ctx context.Context, now time.Time) (Plan, error) {
	p := Plan{Now: now.UTC(), Transitions: []Transition{}, Mail: []Mailing{}}
	s, refused, err := w.foresee(ctx, now)
	if err != nil {
		return p, err
	}
	for _, a := range refused {
		p.Refused = append(p.Refused, digest{}.with(a.refused, now).alert().text)
	}
	firstSight := len(s.fronts) == 0
	var fired []*ledger.Campaign
	for at, steps := p.Now, 0; !at.IsZero() && steps < planSteps; steps++ {
		c := s.advance(at)
		p.addTransitions(c, at, firstSight && steps == 0)
		if s.rules.mail {
			fired = append(fired, c.fired...)
		}
		at = s.next(at)
	}
	return p, w.addMail(ctx, &p, fired)
}

// foresee gives the situation as it will be once the folder is accepted as it
// is, and what will be refused. What that writes is not kept.
func (w *Watcher) foresee(ctx context.Context, now time.Time) (s *situation, refused []alert, err error) {
	w.folder.whole = true
	_, lost := w.look(ctx, now)
	for _, seen := range w.folder.files {
		seen.ripe = now // nobody waits for a plan
	}
	if lost == nil {
		_, lost = w.look(ctx, now)
	}
	cs := w.candidates(now)
	for i := range cs {
		cs[i].stands = true
	}
	w.lostSince = now.Add(-quietRefuse)
	err = w.Ledger.Update(ctx, func(tx *ledger.Tx) error {
		if s, err = w.load(tx); err != nil {
			return err
		}
		if _, refused, err = w.take(tx, s, cs, lost, now); err != nil {
			return err
		}
		return errPlanned
	})
	if errors.Is(err, errPlanned) {
		err = nil
	}
	return s, refused, err
}

var errPlanned = errors.New("planned")

// addTransitions lists one step. On a ledger that knows no storefront yet, one
// that is open makes no transition: it was never anything else.
func (p *Plan) addTransitions(c changes, at time.Time, firstSight bool) {
	for _, e := range c.entries {
		switch {
		case e.Event == ledger.StorefrontClosed:
			p.Transitions = append(p.Transitions, Transition{at.UTC(), e.Storefront, schedule.CheckoutOff, e.Notice})
		case e.Event == ledger.StorefrontOpened && !firstSight:
			p.Transitions = append(p.Transitions, Transition{at.UTC(), e.Storefront, schedule.CheckoutOn, e.Notice})
		}
	}
}

// addMail lists the mails, with how many follow now. Many go to the same: each
// audience is counted once.
func (w *Watcher) addMail(ctx context.Context, p *Plan, fired []*ledger.Campaign) error {
	counts := map[string]int{}
	return w.Ledger.View(ctx, func(tx *ledger.Tx) (err error) {
		for _, m := range fired {
			audience := audienceOf(m)
			n, counted := counts[audience]
			if !counted {
				if n, err = tx.CountFollowers(*m); err != nil {
					return err
				}
				counts[audience] = n
			}
			p.Mail = append(p.Mail, Mailing{m.Fired.UTC(), m.Kind, m.Slug, n})
		}
		return nil
	})
}
