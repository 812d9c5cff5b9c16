package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/backsoon/backsoon/internal/notice"
)

// story is one closure, from the first order to the last mail, as an owner, two
// customers and three subscribers see it.
type story struct {
	*demonstration
	first, second customer
}

// The closure.
const (
	storySlug  = "burst-pipe"
	storyTitle = "Closed after a burst pipe"
	updateText = "The water is off"
)

var storyFile = notice.Path(storySlug)

func newStory(d *demonstration) (*story, error) {
	first, err := newCustomer(d.at.shop)
	if err != nil {
		return nil, err
	}
	second, err := newCustomer(d.at.shop)
	return &story{d, first, second}, err
}

func (s *story) steps() []step {
	return []step{
		{"The watcher has told the shop's checkout that it is open", nil, s.connected},
		{"The page and status.json say open", nil, s.published("open", "on", "Open. Closing")},
		{"A customer orders", nil, s.ordered(s.first)},
		{"Another customer fills a basket", nil, s.second.fill},
		{"The owner saves " + storyFile + ", and an order is refused", s.close, s.refused(s.first)},
		{"The basket filled before can't be paid either", nil, s.refusedBasket},
		{"The page and status.json say closed", nil, s.published("closed", "off", "Closed. Reopens")},
		{"Each subscriber has the mail “closed”", nil, s.mailed("closed", "is closed")},
		{"The owner adds an update, and each subscriber has it by mail", s.update, s.mailed("update", updateText)},
		{"The page shows the update", nil, s.updated},
		{"The owner writes reopened, and the basket filled before is paid", s.reopen, s.second.pay},
		{"The page and status.json say open again", nil, s.published("open", "on", "Open. Closing")},
		{"Each subscriber has the mail “reopened”", nil, s.mailed("reopened", "is open again")},
		{"All mails of the closure are one thread", nil, s.threaded},
		{"One click in the mail's link leaves the list", s.leave, s.left},
		{"A visitor of the status page asks for mail, and is asked by mail", s.ask, s.askedByMail},
		{"One button confirms it, and not a look at it", s.confirm, s.joined},
		{"The log tells all of it, and who", nil, s.logged},
	}
}

// close writes the notice as an owner would.
func (s *story) close() error {
	now := time.Now().In(s.site.cfg.Shop.Location)
	minute := notice.Moment{Time: now.Truncate(time.Minute)}
	morning := notice.Moment{Time: time.Date(now.Year(), now.Month(), now.Day()+1, 9, 0, 0, 0, now.Location())}
	return s.save(fmt.Appendf(nil, `---
title: %s
published: %s
closes: %s
reopens: %s
facts:
  Orders in progress: sent out as soon as the floor is dry
contact: {label: Helpline, url: "tel:+351210000000"}
---
Water runs through the shop. Your orders are safe on the upper shelves; new ones have to wait.
`, storyTitle, minute, minute, morning))
}

// update adds to the notice what has become known since.
func (s *story) update() error {
	src, err := os.ReadFile(s.file())
	if err != nil {
		return err
	}
	return s.save(fmt.Appendf(src, "\n## %s %s\nThe plumber has found the leak, and we are mopping.\n", s.now(), updateText))
}

// reopen writes the actual end into the notice.
func (s *story) reopen() error {
	src, err := os.ReadFile(s.file())
	if err != nil {
		return err
	}
	if src, err = notice.SetKey(src, "reopened", s.now().String()); err != nil {
		return err
	}
	return s.save(src)
}

func (s *story) save(src []byte) error { return os.WriteFile(s.file(), src, 0o644) }

func (s *story) file() string { return filepath.Join(s.site.dir, filepath.FromSlash(storyFile)) }

// now has seconds: the closure lasts for less than a minute.
func (s *story) now() notice.Moment {
	return notice.Moment{Time: time.Now().In(s.site.cfg.Shop.Location).Truncate(time.Second)}
}
