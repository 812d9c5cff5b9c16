package site

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/gorilla/feeds"

	"github.com/backsoon/backsoon/internal/notice"
)

// feedLength is how many of the newest entries the feed holds.
const feedLength = 50

// event is something that happened to a notice and that a feed tells.
type event struct {
	n       *notice.Notice
	id      string // the anchor on the closure's page; never changes
	at      time.Time
	what    string // ends the entry's title
	summary string // plain text
	body    string // Markdown
}

// feed makes feed.xml: RSS 2.0, https://www.rssboard.org/rss-specification.
func (b *builder) feed() error {
	events := b.events()
	feed := &feeds.Feed{
		Title:       b.cfg.Shop.Name + ": closures",
		Link:        &feeds.Link{Href: b.cfg.Shop.URL.String()},
		Description: "When " + b.cfg.Shop.Name + " closes and reopens",
	}
	for _, e := range events {
		feed.Add(b.feedItem(e))
	}
	if len(events) > 0 {
		feed.Updated = events[0].at.UTC()
	}
	var out bytes.Buffer
	if err := feed.WriteRss(&out); err != nil {
		return err
	}
	b.files["feed.xml"] = out.Bytes()
	return nil
}

func (b *builder) feedItem(e event) *feeds.Item {
	page := b.cfg.Shop.ClosureURL(e.n.Slug)
	link := page.String() + "#" + e.id
	return &feeds.Item{
		Title: e.n.Title + ": " + e.what, Id: link, IsPermaLink: "false",
		Link: &feeds.Link{Href: link}, Created: e.at.UTC(), Description: e.summary,
		Content: strings.Map(xmlRune, string(b.markdown(e.n.Slug, 3).HTML(e.body))),
	}
}

// xmlRune drops what XML 1.0 has no way to hold. In CDATA nobody else looks.
func xmlRune(r rune) rune {
	if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF {
		return -1
	}
	return r
}

// events are the newest of all that has happened, newest first. None lies ahead.
func (b *builder) events() []event {
	var all []event
	for _, n := range slices.Concat(b.ongoing, b.coming, b.past) {
		if !n.Draft {
			all = append(all, b.eventsOf(n)...)
		}
	}
	all = slices.DeleteFunc(all, func(e event) bool { return e.at.IsZero() || e.at.After(b.now) })
	slices.SortFunc(all, func(x, y event) int {
		return cmp.Or(y.at.Compare(x.at), cmp.Compare(x.n.Slug, y.n.Slug), cmp.Compare(x.id, y.id))
	})
	all = all[:min(feedLength, len(all))]
	for i := range all {
		all[i].summary = b.asOf(all[i].at).eventSummary(all[i])
	}
	return all
}

// eventsOf may give moments that are not known, or lie ahead.
func (b *builder) eventsOf(n *notice.Notice) []event {
	verbs := verbsOf(n)
	es := []event{{n: n, id: "announced", at: b.announced(n), what: "announced", body: n.Body}}
	for _, u := range n.Updates {
		es = append(es, event{n: n, id: updateID(u), at: u.At, what: cmp.Or(u.Title, "update"), body: u.Body})
	}
	switch phase := n.Phase(b.now); {
	case b.facts(n).Missed: // nothing happened
	case phase == notice.Cancelled:
		es[0].what = "cancelled"
	case phase == notice.Closed || phase == notice.Overdue:
		es = append(es, event{n: n, id: "closed", at: b.closed(n), what: strings.ToLower(verbs.Closed), body: n.Body})
	case phase == notice.Reopened:
		es = append(es, event{n: n, id: "closed", at: b.closed(n), what: strings.ToLower(verbs.Closed), body: n.Body},
			event{n: n, id: "reopened", at: cmp.Or(b.reopened(n), n.End()), what: verbs.Reopened})
	}
	return es
}

// eventSummary is worded for whoever reads it when it happens, so that it does
// not change as time goes by.
func (b *builder) eventSummary(e event) string {
	switch {
	case e.id == "reopened":
		return e.n.Title + " is over."
	case e.id == "announced", e.id == "closed":
		return strings.TrimSpace(closure{b, e.n, ""}.Planned().String() + " " + notice.Summary(e.body))
	}
	return cmp.Or(notice.Summary(e.body), e.what)
}
