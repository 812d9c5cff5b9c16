package site

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"html"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/feeds"
)

// feedLength is how many of the newest entries a feed holds.
const feedLength = 50

// feed is one channel's entries, whatever the format.
type feed struct {
	reader
	channel channel
	events  []event            // the newest first
	common  func() *feeds.Feed // what the formats share, made once; descriptions in it are plain text
}

// feeds makes a channel's feed in three formats:
//   - feed.xml: RSS 2.0, https://www.rssboard.org/rss-specification
//   - atom.xml: Atom, RFC 4287
//   - feed.json: JSON Feed 1.1, https://www.jsonfeed.org/version/1.1/
//
// They are made anew only when something has happened.
func (b *builder) feeds(c channel) {
	f := feed{reader: b.reader, channel: c, events: b.events(b.oldest, c, feedLength)}
	f.common = sync.OnceValue(f.make)
	var key uint64
	for _, e := range f.events {
		key = b.site.key(key, e.f.key, e.id, e.at.Unix())
	}
	key |= 1 // also where nothing has happened yet
	b.keep(c.dir+"feed.xml", key, f.rss)
	b.keep(c.dir+"atom.xml", key, f.atom)
	b.keep(c.dir+"feed.json", key, f.json)
}

// updated is when an entry last became another; the beginning of 1970 where there
// is none.
func (f feed) updated() time.Time {
	last := time.Unix(0, 0)
	for _, e := range f.events {
		last = later(last, e.updated(f.now))
	}
	return last.UTC()
}

func (f feed) make() *feeds.Feed {
	all := &feeds.Feed{
		Title: printable(f.title(f.channel)), Description: printable(f.about(f.channel)),
		Link: &feeds.Link{Href: f.page(f.channel)}, Author: &feeds.Author{Name: printable(f.site.cfg.Shop.Name)}, Updated: f.updated(),
	}
	for _, e := range f.events {
		all.Add(f.item(e))
	}
	return all
}

func (f feed) item(e event) *feeds.Item {
	link := f.closureURL(e.f.n.Slug).String() + "#" + e.id
	return &feeds.Item{
		Title: printable(f.voice.Text("feed.entry", "Title", e.f.n.Title, "What", e.what)),
		Id:    link, IsPermaLink: "false", Link: &feeds.Link{Href: link},
		Created: e.at.UTC(), Updated: e.updated(f.now).UTC(),
		Description: printable(f.summary(e)), Content: printable(f.content(e)),
	}
}

// self is the feed's own address.
func (f feed) self(name string) string { return f.address(f.voice.prefix + f.channel.dir + name) }

// document is an XML document as the feeds package wants it.
type document struct{ root any }

// FeedXml implements feeds.XmlFeed.
func (d document) FeedXml() any { return d.root }

func (d document) write(out *bytes.Buffer) error { return feeds.WriteXML(d, out) }

// rssDocument is RSS with the feed's own address in it, for which RSS itself has
// no element: https://www.rssboard.org/rss-profile#namespace-elements-atom-link
type rssDocument struct {
	XMLName xml.Name `xml:"rss"`
	Version string   `xml:"version,attr"`
	Content string   `xml:"xmlns:content,attr"`
	Atom    string   `xml:"xmlns:atom,attr"`
	Channel struct {
		Self rssLink
		*feeds.RssFeed
	}
}

type rssLink struct {
	XMLName xml.Name `xml:"atom:link"`
	Href    string   `xml:"href,attr"`
	Rel     string   `xml:"rel,attr"`
	Type    string   `xml:"type,attr"`
}

func (f feed) rss(out *bytes.Buffer) error {
	doc := rssDocument{Version: "2.0", Content: "http://purl.org/rss/1.0/modules/content/", Atom: "http://www.w3.org/2005/Atom"}
	doc.Channel.RssFeed = (&feeds.Rss{Feed: f.common()}).RssFeed()
	doc.Channel.Language, doc.Channel.ManagingEditor = f.voice.Tag, "" // which would have to be a mail address
	doc.Channel.Self = rssLink{Href: f.self("feed.xml"), Rel: "self", Type: mediaTypes["feed.xml"]}
	for _, i := range doc.Channel.Items {
		i.Description = html.EscapeString(i.Description) // RSS has HTML there
	}
	return document{doc}.write(out)
}

// atomDocument is Atom in a language, with the feed's own address in it.
type atomDocument struct {
	Lang            string `xml:"xml:lang,attr"`
	Links           []feeds.AtomLink
	*feeds.AtomFeed // with the entries, which come last
}

func (f feed) atom(out *bytes.Buffer) error {
	doc := atomDocument{AtomFeed: (&feeds.Atom{Feed: f.common()}).AtomFeed(), Lang: f.voice.Tag}
	self := f.self("atom.xml")
	doc.Id, doc.Link = self, nil
	doc.Links = []feeds.AtomLink{
		{Href: self, Rel: "self", Type: mediaTypes["atom.xml"]}, {Href: f.page(f.channel), Rel: "alternate", Type: "text/html"},
	}
	for i, e := range doc.Entries {
		e.Published, e.Summary.Type = f.events[i].at.UTC().Format(time.RFC3339), "text"
	}
	return document{doc}.write(out)
}

// jsonDocument is a JSON Feed whose items are there even when there are none.
type jsonDocument struct {
	*feeds.JSONFeed
	Items []*feeds.JSONItem `json:"items"`
}

func (f feed) json(out *bytes.Buffer) error {
	doc := jsonDocument{JSONFeed: (&feeds.JSON{Feed: f.common()}).JSONFeed()}
	doc.Items = append([]*feeds.JSONItem{}, doc.JSONFeed.Items...)
	doc.Language, doc.FeedUrl, doc.Author = f.voice.Tag, f.self("feed.json"), nil // Authors has it
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(doc)
}

// printable drops what XML 1.0 has no way to hold, for the other formats, too:
// nobody can see it. https://www.w3.org/TR/xml/#charsets
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0x7F || r == 0xFFFE || r == 0xFFFF {
			return -1
		}
		return r
	}, s)
}
