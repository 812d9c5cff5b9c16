package site

import (
	"html/template"
	"strings"
)

// follow is the ways to hear of closures.
type follow struct {
	Subscribe string       // where the form for mail goes; empty: nobody answers it
	Feeds     []feedLink   // of what the page is about
	Calendar  template.URL // webcal:, which calendar programs subscribe to
	File      string       // the same calendar as a link; empty: there is none
}

// feedLink leads to a feed in one of its formats.
type feedLink struct{ Name, Type, Link string }

// feedFormats are the formats in the order in which they are offered. Their names
// are the same in every language.
var feedFormats = []struct{ file, name, mime string }{
	{"feed.xml", "RSS", "application/rss+xml"},
	{"atom.xml", "Atom", "application/atom+xml"},
	{"feed.json", "JSON Feed", "application/feed+json"},
}

// follow lists the ways to follow the storefront, or all where only is nil, from
// the page of that frame: those that the edition has.
func (b *builder) follow(f Page, only *storefrontLink) (ways follow) {
	folder := ""
	if only != nil {
		folder = "storefronts/" + only.ID + "/"
	}
	has := func(file string) bool { return b.edition.Has(b.voice.prefix + folder + file) }
	for _, format := range feedFormats {
		if has(format.file) {
			ways.Feeds = append(ways.Feeds, feedLink{format.name, format.mime, f.Root + folder + format.file})
		}
	}
	if has("closures.ics") {
		ways.File = f.Root + folder + "closures.ics"
		_, rest, _ := strings.Cut(b.address(b.voice.prefix+folder+"closures.ics"), ":")
		ways.Calendar = template.URL("webcal:" + rest)
	}
	if to := b.site.Subscribe; to != nil {
		ways.Subscribe = to.String()
	}
	return ways
}
