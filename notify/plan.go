package notify

import (
	"context"
	"errors"
	"time"

	"github.com/backsoon/backsoon/internal/ledger"
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
// more: it takes the folder as it is, and lets the very situation that
// Reconcile advances advance in memory. The ledger is left as it was.
func (w *Watcher) Plan(ctx context.Context, now time.Time) (Plan, error) {
	p := Plan{Now: now.UTC(), Transitions: []Transition{}, Mail: []Mailing{}}
	_, lost := w.folder.look(now, w.versions)
	for _, s := range w.folder.files {
		s.ripe = now // nobody waits for a plan
	}
	if lost == nil {
		_, lost = w.folder.look(now, w.versions)
	}
	cs := w.candidates(now)
	for i := range cs {
		cs[i].stands = true
	}
	w.lostSince = now.Add(-quietRefuse)
	err := w.Ledger.Update(ctx, func(tx *ledger.Tx) error {
		if err := w.planIn(tx, cs, lost, &p); err != nil {
			return err
		}
		return errPlanned // nothing of it is kept
	})
	if err == errPlanned {
		err = nil
	}
	return p, err
}

var errPlanned = errors.New("planned")

func (w *Watcher) planIn(tx *ledger.Tx, cs []candidate, lost error, p *Plan) error {
	s, err := w.load(tx)
	if err != nil {
		return err
	}
	_, alerts, err := w.take(tx, s, cs, lost, p.Now)
	if err != nil {
		return err
	}
	for _, a := range alerts {
		p.Refused = append(p.Refused, a.text)
	}
	known := s.fronts
	for now, steps := p.Now, 0; !now.IsZero() && steps < planSteps; steps++ {
		firstSight := len(known) == 0 && steps == 0
		c := s.advance(now)
		if !s.rules.mail {
			c.fired = nil
		}
		if err := p.add(tx, c, now, firstSight); err != nil {
			return err
		}
		now = s.next(now)
	}
	return nil
}

// add lists one step. A storefront that is seen for the first time and is open
// makes no transition.
func (p *Plan) add(tx *ledger.Tx, c changes, now time.Time, firstSight bool) error {
	for _, e := range c.entries {
		if e.Event != ledger.StorefrontClosed && e.Event != ledger.StorefrontOpened {
			continue
		}
		if firstSight && e.Event == ledger.StorefrontOpened {
			continue
		}
		checkout := "off"
		if e.Event == ledger.StorefrontOpened {
			checkout = "on"
		}
		p.Transitions = append(p.Transitions, Transition{now.UTC(), e.Storefront, checkout, e.Notice})
	}
	for _, m := range c.fired {
		n, err := tx.CountFollowers(*m)
		if err != nil {
			return err
		}
		p.Mail = append(p.Mail, Mailing{now.UTC(), m.Kind, m.Slug, n})
	}
	return nil
}
