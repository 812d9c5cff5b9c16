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
	f       *face
	id      string // the anchor on the closure's page; never changes
	at      time.Time
	what    string // ends the entry's title
	summary string // plain text
	body    string // Markdown
}

// feeds makes feed.xml: RSS 2.0, https://www.rssboard.org/rss-specification.
func (b *builder) feeds() {
	b.add("feed.xml", b.feed)
}

func (b *builder) feed() ([]byte, error) {
	shop := b.site.cfg.Shop
	events := b.events(b.all.each())
	feed := &feeds.Feed{
		Title:       b.voice.Text("feed.title", "Shop", shop.Name),
		Link:        &feeds.Link{Href: shop.URL.String()},
		Description: b.voice.Text("feed.about", "Shop", shop.Name),
	}
	for _, e := range events {
		feed.Add(b.feedItem(e))
	}
	if len(events) > 0 {
		feed.Updated = events[0].at.UTC()
	}
	var out bytes.Buffer
	err := feed.WriteRss(&out)
	return out.Bytes(), err
}

func (b *builder) feedItem(e event) *feeds.Item {
	link := b.closureURL(e.f.n.Slug).String() + "#" + e.id
	return &feeds.Item{
		Title: b.voice.Text("feed.entry", "Title", e.f.n.Title, "What", e.what), Id: link, IsPermaLink: "false",
		Link: &feeds.Link{Href: link}, Created: e.at.UTC(), Description: e.summary,
		Content: strings.Map(xmlRune, string(b.markdown(e.f.n.Slug, 3).HTML(e.body))),
	}
}

// xmlRune drops what XML 1.0 has no way to hold. In CDATA nobody else looks.
func xmlRune(r rune) rune {
	if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF {
		return -1
	}
	return r
}

// events are the newest of all that has happened to the notices, newest first.
// None lies ahead. Only those notices are looked through that something happened
// to lately.
func (b *builder) events(faces []*face) []event {
	faces = slices.DeleteFunc(slices.Clone(faces), func(f *face) bool { return f.n.Draft })
	slices.SortFunc(faces, func(x, y *face) int {
		return cmp.Or(y.latest.Compare(x.latest), cmp.Compare(x.n.Slug, y.n.Slug))
	})
	var all []event
	for _, f := range faces[:min(feedLength, len(faces))] {
		all = append(all, b.eventsOf(f)...)
	}
	all = slices.DeleteFunc(all, func(e event) bool { return e.at.IsZero() || e.at.After(b.now) })
	slices.SortFunc(all, func(x, y event) int {
		return cmp.Or(y.at.Compare(x.at), cmp.Compare(x.f.n.Slug, y.f.n.Slug), cmp.Compare(x.id, y.id))
	})
	all = all[:min(feedLength, len(all))]
	for i := range all {
		all[i].summary = b.asOf(all[i].at).eventSummary(all[i])
	}
	return all
}

// eventsOf may give moments that are not known, or lie ahead.
func (r reader) eventsOf(f *face) []event {
	n := f.n
	es := []event{{f: f, id: "announced", at: f.announced, what: r.voice.Text("event.announced"), body: n.Body}}
	for _, u := range n.Updates {
		es = append(es, event{f: f, id: updateID(u), at: u.At, what: cmp.Or(u.Title, r.voice.Text("event.update")), body: u.Body})
	}
	closed := event{f: f, id: "closed", at: f.closed, what: r.voice.Text(either(n, "event.closed", "event.began")), body: n.Body}
	switch phase := f.basis.phase; {
	case f.facts.Missed: // nothing happened
	case phase == notice.Cancelled:
		es[0].what = r.voice.Text("event.cancelled")
	case phase == notice.Closed || phase == notice.Overdue:
		es = append(es, closed)
	case phase == notice.Reopened:
		end := event{f: f, id: "reopened", at: cmp.Or(f.reopened, n.End()), what: r.voice.Text(either(n, "event.reopened", "event.ended"))}
		es = append(es, closed, end)
	}
	return es
}

// eventSummary is worded for whoever reads it when it happens, so that it does
// not change as time goes by.
func (r reader) eventSummary(e event) string {
	switch {
	case e.id == "reopened":
		return r.voice.Text("event.is-over", "Title", e.f.n.Title)
	case e.id == "announced", e.id == "closed":
		return strings.TrimSpace(closure{r, e.f, ""}.Planned().String() + " " + notice.Summary(e.body))
	}
	return cmp.Or(notice.Summary(e.body), e.what)
}
