package site

import (
	"bytes"
	"html/template"
	"slices"
	"strings"
)

// nearest is how many coming closures a status page lists, the nearest first. Feeds,
// calendar and sitemap know of the others.
const nearest = 12

// latest is how many past closures the index and the history's first page show.
// The years have them all.
const latest = 10

// Page is what every page has; layout.html looks at this alone.
type Page struct {
	Shop       string
	Name       string // what a tab shows; empty: the template says
	Style      template.CSS
	Lang, Dir  string
	Root       string // leads from the page to the top of its language
	Top        string // leads from the page to the top of public/
	Canonical  string // the page's address on the web; empty: search engines stay away
	Channel    channelLink
	Languages  []tongue // the page in every language of the site; empty where there is but one
	Summary    string   // for search engines and link previews
	Timezone   string   // Europe/Lisbon
	Zone       string   // the same as people call it: Lisbon
	Locale     area
	Favicon    template.URL
	Logo       template.URL // empty: there is none
	Picture    string       // the logo's address on the web; empty: it has none
	Script     template.JS  // keeps the page up with the clock
	Storefront string       // the id of the one that the page is about; may be empty
}

// tongue is the page in one of the site's languages.
type tongue struct {
	Tag, Name string
	Locale    area
	Link      string // from the page
	Address   string // on the web
	Here      bool   // it is the page itself
}

// area is a language with the country whose habits it follows, as link previews
// want it: en_GB.
type area string

// Dashed is the area as a language tag of BCP 47: en-GB.
func (a area) Dashed() string { return strings.ReplaceAll(string(a), "_", "-") }

// area is the catalogue's, if it has one of its own.
func (v *voice) area() area {
	if a := v.Text("language.locale"); strings.HasPrefix(a, v.Tag) {
		return area(a)
	}
	return area(v.Tag)
}

// frame describes the page at path, which is relative to its language.
func (r reader) frame(path, summary string) Page {
	cfg := r.site.cfg
	f := Page{
		Shop: cfg.Shop.Name, Style: r.voice.theme.style, Lang: r.voice.Tag, Dir: r.voice.Dir, Summary: summary,
		Root:      strings.Repeat("../", strings.Count(path, "/")),
		Top:       strings.Repeat("../", strings.Count(r.voice.prefix+path, "/")),
		Canonical: r.address(r.voice.prefix + path),
		Timezone:  cfg.Shop.Location.String(), Zone: r.voice.zone, Locale: r.voice.area(),
		Favicon: r.voice.theme.brand.favicon, Logo: r.voice.theme.brand.logo, Script: r.voice.theme.script,
	}
	if name := r.voice.theme.brand.picture; name != "" {
		f.Picture = r.address(name)
	}
	f.Channel = r.link(channel{}, f.Root)
	if len(r.voices) > 1 {
		for _, v := range r.voices {
			f.Languages = append(f.Languages, tongue{v.Tag, v.Name, v.area(), f.Top + v.prefix + path, r.address(v.prefix + path), v == r.voice})
		}
	}
	return f
}

// address is where the page at path, relative to public/, is on the web.
func (r reader) address(path string) string {
	return r.site.cfg.Shop.URL.String() + strings.TrimSuffix(path, "index.html")
}

// views makes notices visible to a page whose language lies under root.
func (r reader) views(faces []*face, root string) []closure {
	cs := make([]closure, len(faces))
	for i, f := range faces {
		cs[i] = r.closure(f, root)
	}
	return cs
}

type closurePage struct {
	Page
	Closure closure
	Body    template.HTML // the owner's text up to the first update, its headings from h2 on
	Contact []link
}

// closures makes a page for each notice: by far the most pages. Each is kept with
// its face.
func (b *builder) closures() {
	for _, f := range b.oldest {
		if f.page == nil || f.page.key != b.tags {
			r := b.reader // and not all of b: a page that stays as it is keeps what it is made of
			f.page = &file{b.voice.prefix + f.path, b.tags, func(out *bytes.Buffer) error { return r.closurePage(out, f) }}
		}
		b.edition.files[f.page.path] = f.page
	}
}

func (r reader) closurePage(out *bytes.Buffer, f *face) error {
	text := r.markdown(f.n.Slug, f.n.Language, 2).Read(f.n.Body)
	frame := r.frame(f.path, text.Gist())
	if f.n.Draft {
		frame.Canonical = ""
	}
	return r.voice.theme.render(out, "closure.html", closurePage{frame, r.closure(f, frame.Root), text.HTML(), r.contacts(f)})
}

// missing is the page for an address where there is none. It is shown at any
// depth, and so its links begin at the site's address.
func (b *builder) missing() {
	b.add("404.html", func(out *bytes.Buffer) error {
		f := b.frame("404.html", "")
		f.Root, f.Top, f.Canonical, f.Languages = b.site.cfg.Shop.URL.String(), b.site.cfg.Shop.URL.String(), "", nil
		f.Channel = b.link(channel{}, f.Root)
		return b.voice.theme.render(out, "404.html", struct{ Page }{f})
	})
}

// logo is the shop's logo as a file, for who previews a link.
func (b *builder) logo() {
	if name := b.voice.theme.brand.picture; name != "" {
		b.keep(name, b.site.key(name), exactly(b.site.cfg.Theme.Logo.Content))
	}
}

// contacts are the ways to reach the shop, those of the notices first.
func (r reader) contacts(faces ...*face) []link {
	var all []link
	for _, f := range faces {
		if f.n.Contact != nil {
			all = append(all, newLink(*f.n.Contact))
		}
	}
	for _, c := range r.site.cfg.Shop.Contact {
		all = append(all, newLink(c))
	}
	var distinct []link
	for _, l := range all {
		if !slices.Contains(distinct, l) {
			distinct = append(distinct, l)
		}
	}
	return distinct
}
