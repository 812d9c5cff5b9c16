package site

import (
	"bytes"
	"html/template"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/backsoon/backsoon/internal/config"
	"github.com/backsoon/backsoon/internal/notice"
	"github.com/backsoon/backsoon/internal/schedule"
)

// closure is one notice as a template sees it, from a page whose language lies
// under root. What is exported is what a site's own templates may use: fields, where
// nothing has to be made for them, since a template takes long to find a method.
type closure struct {
	reader
	f    *face
	root string

	Title        string // the owner's
	Lang         string // of the owner's words
	Dir          string // how the owner's words are written: ltr or rtl
	Untranslated bool   // the owner's words are not in the page's language
	Cancelled    bool   // it did not, and will not, take place
	Facts        []notice.Fact
}

func (r reader) closure(f *face, root string) closure {
	n, words := f.n, r.speaker(f.n.Language)
	return closure{r, f, root, n.Title, words.Tag, words.Dir, words != r.voice, n.Cancelled, n.Facts}
}

// closurePath is a closure's page relative to its language. Links name index.html
// so that they also hold where public/ is read from a disk.
func closurePath(slug string) string { return "closures/" + slug + "/index.html" }

// markdown renders a closure's text so that its relative links lead, in lists and
// feeds too, where they lead on its page in the language of the text, and its
// headings follow on the page's own, which go down to top-1.
func (r reader) markdown(slug, language string, top int) notice.Markdown {
	r.voice = r.speaker(language)
	return notice.Markdown{Base: r.closureURL(slug), Top: top}
}

// closureURL is where the closure's page is on the web, in the reader's language.
func (r reader) closureURL(slug string) *url.URL {
	return r.site.cfg.Shop.URL.JoinPath(r.voice.prefix, "closures", slug+"/")
}

// speaker is the voice of words which say, or don't, that they were translated.
func (r reader) speaker(language string) *voice {
	i := slices.IndexFunc(r.voices, func(v *voice) bool { return v.Tag == language })
	return r.voices[max(0, i)]
}

// Link leads to the closure's own page.
func (c closure) Link() string { return c.root + c.f.path }

// Entry is the closure in a list: what the theme's part of that name makes of it.
func (c closure) Entry(part string) (template.HTML, error) {
	before := c.f.listed.Load()
	for l := before; l != nil; l = l.others {
		if l.part == part && l.root == c.root {
			return l.entry, nil
		}
	}
	var content bytes.Buffer // not a Builder, which would keep more than the entry has
	if err := c.voice.theme.part(&content, part, c); err != nil {
		return "", err
	}
	entry := template.HTML(content.String())
	c.f.listed.Store(&listed{part, c.root, entry, before}) // of two at a time one is kept
	return entry, nil
}

// Answer says how the closure stands now, and for which storefronts.
func (c closure) Answer() answer {
	a := c.noticeAnswer(c.f)
	a.Storefronts = c.Storefronts()
	return a
}

// foreseen is how a closure will stand from a moment on.
type foreseen struct {
	At     string // RFC 3339 in UTC
	Answer answer
}

// Foreseen is how the closure will stand, each time that this changes by itself.
func (c closure) Foreseen() (all []foreseen) {
	for _, t := range schedule.Boundaries([]*notice.Notice{c.f.n}, c.now) {
		then := c
		then.reader = c.asOf(t)
		all = append(all, foreseen{t.UTC().Format(time.RFC3339), then.Answer()})
	}
	return all
}

// Storefronts names those that the notice is about.
func (c closure) Storefronts() string { return c.voice.List(c.storefrontNames(c.f.n)) }

// storefrontNames names those that the notice is about.
func (r reader) storefrontNames(n *notice.Notice) (names []string) {
	for _, s := range r.site.cfg.Storefronts {
		if n.Covers(s.ID) {
			names = append(names, s.Name)
		}
	}
	return names
}

// Partial tells whether there are storefronts that the notice is not about.
func (c closure) Partial() bool {
	return slices.ContainsFunc(c.site.cfg.Storefronts, func(s config.Storefront) bool { return !c.f.n.Covers(s.ID) })
}

// period is the two ends of a closure, each with its verb. An end that isn't
// foreseen is said in words; either may be left out.
type period []phrase

// String is the period as a sentence: "Closes Thu 24 December, 18:00 (Lisbon),
// reopens Sat 2 January, 09:00 (Lisbon)."
func (p period) String() string {
	ends := make([]string, len(p))
	for i, end := range p {
		ends[i] = end.String()
	}
	return strings.Join(ends, "") + "."
}

// HTML is the period on a page.
func (p period) HTML() template.HTML {
	html := template.HTML(`<span class="period">`)
	for _, end := range p {
		html += "<span>" + end.HTML() + "</span>"
	}
	return html + "</span>"
}

// Planned is the closure as it is to be.
func (c closure) Planned() period { return c.planned(c.f.n, c.f.n.Closes, c.f.n.Reopens) }

func (r reader) planned(n *notice.Notice, closes, reopens notice.Moment) period {
	id := either(n, "period.planned.", "period.planned-on.")
	if reopens.IsZero() {
		return period{r.phrase(id+"start", r.written(closes)), r.phrase("period.open-ended", nil)}
	}
	return period{r.phrase(id+"start", r.written(closes)), r.phrase(id+"end", r.written(reopens))}
}

// Actual is what came of a closure that is over, to the minute; nil where
// nobody said. Either end may be missing.
func (c closure) Actual() period {
	f := c.f
	closed, reopened := f.facts.Closed, f.reopened
	if f.basis.phase != notice.Reopened || f.facts.Missed {
		return nil
	}
	id := either(f.n, "period.actual.", "period.actual-on.")
	switch {
	case closed.IsZero() && reopened.IsZero():
		return nil
	case closed.IsZero():
		return period{c.phrase(id+"end-alone", c.end(f))}
	case reopened.IsZero():
		return period{c.phrase(id+"start", c.seen(closed, f.n.Closes))}
	}
	return period{c.phrase(id+"start", c.seen(closed, f.n.Closes)), c.phrase(id+"end", c.end(f))}
}

// Over tells that it has had its time: the page stays as it is.
func (c closure) Over() bool { return c.f.n.Over(c.now) }

// Since is when it began.
func (c closure) Since() phrase {
	return c.phrase("closure.since", c.seen(c.f.closed, c.f.n.Closes))
}

// Announced is when the public could first know; nil where nobody said.
func (c closure) Announced() *phrase {
	at := c.moment(c.f.announced.Truncate(time.Minute), c.f.n.Published.DateOnly)
	if at == nil {
		return nil
	}
	p := c.phrase("closure.announced", at)
	return &p
}

// Summary is the first paragraph as plain text, for a page on which the title
// leads to the whole of it.
func (c closure) Summary() string { return notice.Markdown{}.Read(c.f.n.Body).Gist() }

// Body is the owner's text up to the first update. Its headings rank from top on
// (2: h2), below that which it stands under.
func (c closure) Body(top int) template.HTML {
	return c.markdown(c.f.n.Slug, c.f.n.Language, top).HTML(c.f.n.Body)
}

// update is one update as a template sees it.
type update struct {
	ID    string // its anchor on the closure's page
	At    *moment
	Title string
	Body  template.HTML
	Lang  string // of the title and the text
	Dir   string
}

// Updates come newest first, with headings as in Body.
func (c closure) Updates(top int) []update { return c.told(c.updates(c.f.n), top) }

// A status page stays quick to load, however much there is to say of a closure: it
// shows so many updates, and of each text so many bytes of Markdown. The
// closure's page has all of them.
const (
	recent = 3
	brief  = 1000
)

// Brief is Body, cut where it is long.
func (c closure) Brief(top int) template.HTML {
	return c.markdown(c.f.n.Slug, c.f.n.Language, top).HTML(cut(c.f.n.Body))
}

// Long tells that Brief is not all of Body.
func (c closure) Long() bool { return len(c.f.n.Body) > brief }

// Recent are the first of Updates, each cut where it is long.
func (c closure) Recent(top int) []update {
	us := c.updates(c.f.n)
	us = us[:min(recent, len(us))]
	for i := range us {
		us[i].Body = cut(us[i].Body)
	}
	return c.told(us, top)
}

// Earlier tells that Recent are not all of Updates, or not whole.
func (c closure) Earlier() bool {
	us := c.updates(c.f.n)
	return len(us) > recent || slices.ContainsFunc(us, func(u notice.Update) bool { return len(u.Body) > brief })
}

// cut keeps the paragraphs of a text that fit into a status page, or as many words as
// do where these would be few.
func cut(text string) string {
	if len(text) <= brief {
		return text
	}
	if end := strings.LastIndex(text[:brief], "\n\n"); end > brief/2 {
		return text[:end] + "\n\n…"
	}
	end := strings.LastIndexAny(text[:brief], " \n")
	if end < 0 {
		end = brief
	}
	return strings.ToValidUTF8(text[:end], "") + " …"
}

func (c closure) told(updates []notice.Update, top int) []update {
	var us []update
	for _, u := range updates {
		words := c.speaker(u.Language)
		us = append(us, update{
			ID: updateID(u), At: c.moment(u.At, false), Title: u.Title,
			Body: c.markdown(c.f.n.Slug, u.Language, top).HTML(u.Body), Lang: words.Tag, Dir: words.Dir,
		})
	}
	return us
}

// updates gives those that are not dated ahead, newest first.
func (r reader) updates(n *notice.Notice) []notice.Update {
	us := slices.DeleteFunc(slices.Clone(n.Updates), func(u notice.Update) bool { return u.At.After(r.now) })
	slices.SortStableFunc(us, func(x, y notice.Update) int { return y.At.Compare(x.At) })
	return us
}

// updateID is made of what an update is known by, and never changes.
func updateID(u notice.Update) string { return "update-" + u.At.UTC().Format("20060102T150405Z") }

// link is a way to reach the shop.
type link struct {
	Label string
	URL   template.URL
	To    string // the address as people write it, for paper; empty: the label says it
}

// newLink passes the schemes on that a notice may use. The template package
// would refuse tel: and sms:.
func newLink(l notice.Link) link {
	u, err := url.Parse(l.URL)
	if err != nil || !slices.Contains([]string{"http", "https", "mailto", "tel", "sms"}, u.Scheme) {
		return link{Label: l.Label}
	}
	to := l.Written()
	if to == l.Label {
		to = ""
	}
	return link{l.Label, template.URL(l.URL), to}
}
