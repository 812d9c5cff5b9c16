package main

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/backsoon/backsoon/internal/ledger"
	"github.com/backsoon/backsoon/internal/locale"
	"github.com/backsoon/backsoon/internal/subscribe"
	"github.com/backsoon/backsoon/notify"
	"github.com/backsoon/backsoon/templates"
)

// customerDesk does for customers what its pages promise: it notes who asks for
// mail, and makes subscribers of those who confirm.
type customerDesk struct {
	*site
	watcher *notify.Watcher
	keys    subscribe.Keys
	inbox   *subscribe.Inbox
	left    chan struct{} // has room for one: somebody has left since the ledger was scrubbed
}

func newCustomerDesk(s *site, w *notify.Watcher, keys subscribe.Keys) *customerDesk {
	return &customerDesk{s, w, keys, subscribe.NewInbox(), make(chan struct{}, 1)}
}

// handler serves what customers reach.
func (d *customerDesk) handler(log *slog.Logger) *subscribe.Handler {
	h := &subscribe.Handler{
		Links: d.links(d.keys), Theme: templates.FS(d.cfg.Dir), Shop: d.cfg.Shop.Name, Voices: d.voices(log),
		Limits: subscribe.NewLimits(), Proxies: d.cfg.TrustedProxies, Now: time.Now, Log: log,
		Confirm: d.confirm, Remove: d.remove,
	}
	for _, front := range d.cfg.Storefronts {
		h.Storefronts = append(h.Storefronts, subscribe.Storefront{ID: front.ID, Name: front.Name})
	}
	if d.cfg.Subscribe() != nil {
		h.Ask = d.inbox.Put
	}
	return h
}

// voices are the languages that the site's mails may be in, the notices' own first.
// A mistake in the site's own words is no reason not to watch: the default ones
// serve.
func (s *site) voices(log *slog.Logger) []subscribe.Voice {
	var voices []subscribe.Voice
	for _, tag := range s.cfg.Surroundings().Languages {
		words, err := locale.Load(templates.FS(s.cfg.Dir), tag)
		if err != nil {
			log.Error("the default words serve, because the site's own have a mistake", "error", err)
			words = locale.BuiltIn(tag)
		}
		status := s.cfg.Shop.URL // where the settings leave it open, there may be no pages in it
		if slices.Contains(s.cfg.Languages, tag) {
			status = s.cfg.Home(tag)
		}
		voices = append(voices, subscribe.Voice{Language: words, Status: status.String()})
	}
	return voices
}

// write notes what customers have asked for. Each address gets a question by
// mail, unless the ledger knows a reason against it.
func (d *customerDesk) write(ctx context.Context, choices []subscribe.Choice) error {
	now := time.Now()
	return d.watcher.Ledger.Update(ctx, func(tx *ledger.Tx) error {
		for _, c := range choices {
			p := pendingOf(c)
			p.Expires = now.Add(subscribe.Valid).Truncate(time.Second) // as the link has it
			if err := tx.Ask(p, d.keys.Seals(c.Address), now); err != nil {
				return err
			}
		}
		return nil
	})
}

// confirm makes a subscriber of who has asked. That somebody has confirmed is
// logged, not who.
func (d *customerDesk) confirm(ctx context.Context, c subscribe.Choice) (done bool, err error) {
	now := time.Now()
	err = d.watcher.Ledger.Update(ctx, func(tx *ledger.Tx) error {
		came, err := tx.Confirm(pendingOf(c), d.keys.Seals(c.Address), now)
		done = came != ledger.NothingAsked
		if count := map[ledger.Confirmation]string{ledger.Confirmed: "confirmed", ledger.Rechosen: "rechosen"}[came]; count != "" && err == nil {
			err = d.log(tx, ledger.Entry{Time: now, Event: ledger.SubscriberConfirmed, Counts: ledger.Counts{count: 1}})
		}
		return err
	})
	return done, err
}

func (d *customerDesk) remove(ctx context.Context, address string) error {
	return d.watcher.Ledger.Update(ctx, func(tx *ledger.Tx) error {
		subscribed, _, err := tx.Forget(address, d.keys.Seals(address)[0])
		if subscribed && err == nil {
			err = d.log(tx, removedEntry())
			tx.AfterCommit(func() {
				select {
				case d.left <- struct{}{}:
				default: // it is known already
				}
			})
		}
		return err
	})
}

// scrub overwrites what is left in the ledger's files of those who have left, soon
// after they did and not more often than each second, until the context ends.
func (d *customerDesk) scrub(ctx context.Context, log *slog.Logger) {
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
			return
		case <-d.left:
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
		if err := d.watcher.Ledger.Scrub(context.WithoutCancel(ctx)); err != nil {
			log.Warn("what is left in the ledger's files of who has left is overwritten later", "error", err)
		}
	}
}

// log appends to the audit log, and has the story told once it is written.
func (d *customerDesk) log(tx *ledger.Tx, e ledger.Entry) error {
	e, err := tx.Audit(e)
	if err == nil && d.watcher.Story != nil {
		tx.AfterCommit(func() { d.watcher.Story(e) })
	}
	return err
}

// removedEntry says that somebody has left, not who.
func removedEntry() ledger.Entry {
	return ledger.Entry{Time: time.Now(), Event: ledger.SubscriberRemoved, Counts: ledger.Counts{"removed": 1}}
}

// confirmLink gives the link in the mail to somebody who has asked.
func (s *site) confirmLink(keys subscribe.Keys) func(ledger.Pending) string {
	return func(p ledger.Pending) string {
		return s.links(keys).Confirm(subscribe.Choice{Address: p.Email, Storefronts: p.Storefronts, Language: p.Language, UntilReopen: p.UntilReopen}, p.Expires)
	}
}

func pendingOf(c subscribe.Choice) ledger.Pending {
	return ledger.Pending{Email: c.Address, Storefronts: c.Storefronts, Language: c.Language, UntilReopen: c.UntilReopen}
}
