package site

import (
	"cmp"
	"mime"
	"path"
	"slices"

	"github.com/backsoon/backsoon/internal/config"
)

// channel is what can be followed: the whole shop, or one storefront of it.
type channel struct {
	dir   string            // where its feeds and its calendar lie, relative to the language
	front config.Storefront // zero: all of them
}

// channels are the shop and each of its storefronts.
func (r reader) channels() []channel {
	all := []channel{{}}
	for _, front := range r.site.cfg.Storefronts {
		all = append(all, storefrontChannel(front))
	}
	return all
}

func storefrontChannel(front config.Storefront) channel {
	return channel{"storefronts/" + front.ID + "/", front}
}

// covers tells whether the notice is about the channel's storefront.
func (c channel) covers(f *face) bool { return c.front.ID == "" || f.n.Covers(c.front.ID) }

// concerns tells whether it is, or once was: whoever follows a storefront hears
// that a closure is no longer about it.
func (c channel) concerns(f *face) bool {
	return c.covers(f) || slices.ContainsFunc(f.changes, func(v Change) bool {
		return len(v.Storefronts) == 0 || slices.Contains(v.Storefronts, c.front.ID)
	})
}

// title is what the channel is called: "Harbour Books: closures".
func (r reader) title(c channel) string {
	if c.front.ID == "" {
		return r.voice.Text("feed.title", "Shop", r.site.cfg.Shop.Name)
	}
	return r.voice.Text("feed.title-of", "Shop", r.site.cfg.Shop.Name, "Storefront", c.front.Name)
}

// about says what the channel tells.
func (r reader) about(c channel) string {
	if c.front.ID == "" {
		return r.voice.Text("feed.about", "Shop", r.site.cfg.Shop.Name)
	}
	return r.voice.Text("feed.about-of", "Shop", r.site.cfg.Shop.Name, "Storefront", c.front.Name)
}

// page is the address of the channel's page on the web.
func (r reader) page(c channel) string { return r.address(r.voice.prefix + c.dir) }

// channelLink leads from a page to its channel.
type channelLink struct {
	Title string // Harbour Books: closures
	Root  string // leads from the page to where feed.xml, atom.xml, feed.json and closures.ics lie
}

// link leads to the channel from a page whose language lies under root.
func (r reader) link(c channel, root string) channelLink {
	return channelLink{r.title(c), root + c.dir}
}

// mediaTypes are those that a file's extension alone does not tell.
var mediaTypes = map[string]string{
	"feed.xml":     "application/rss+xml",
	"atom.xml":     "application/atom+xml",  // RFC 4287, section 7
	"feed.json":    "application/feed+json", // JSON Feed 1.1
	"closures.ics": "text/calendar",         // RFC 5545, section 8.1
}

// ContentType is the media type of the file of that name or path, for an HTTP
// server.
func ContentType(name string) string {
	kind := cmp.Or(mediaTypes[path.Base(name)], mime.TypeByExtension(path.Ext(name)), "application/octet-stream")
	if kind == "text/calendar" {
		kind += "; charset=utf-8"
	}
	return kind
}

// subscriptions makes the feeds and the calendar of each channel.
func (b *builder) subscriptions() {
	for _, c := range b.channels() {
		b.feeds(c)
		b.calendar(c)
	}
}
