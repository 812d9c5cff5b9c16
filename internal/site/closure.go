package site

import (
	"html/template"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/backsoon/backsoon/internal/config"
	"github.com/backsoon/backsoon/internal/locale"
	"github.com/backsoon/backsoon/internal/notice"
)

// closure is one notice as a template sees it, from a page that lies under root.
// Its methods are what a site's own templates may use.
type closure struct {
	b    *builder
	n    *notice.Notice
	root string
}

// closurePath is a closure's page relative to public/. Links name index.html so
// that they also hold where public/ is read from a disk.
func closurePath(slug string) string { return "closures/" + slug + "/index.html" }

// markdown renders a closure's text so that its relative links hold in lists and
// feeds too, and no heading outranks the page's own, which go down to top-1.
func (b *builder) markdown(slug string, top int) notice.Markdown {
	return notice.Markdown{Base: b.cfg.Shop.ClosureURL(slug), Top: top}
}

// Title is the owner's.
func (c closure) Title() string { return c.n.Title }

// Link leads to the closure's own page.
func (c closure) Link() string { return c.root + closurePath(c.n.Slug) }

// Answer says how the closure stands now.
func (c closure) Answer() answer { return c.b.noticeAnswer(c.n) }

// Storefronts names those that the notice is about.
func (c closure) Storefronts() string {
	var names []string
	for _, s := range c.b.cfg.Storefronts {
		if c.n.Covers(s.ID) {
			names = append(names, s.Name)
		}
	}
	return locale.List(names)
}

// Partial tells whether there are storefronts that the notice is not about.
func (c closure) Partial() bool {
	return slices.ContainsFunc(c.b.cfg.Storefronts, func(s config.Storefront) bool { return !c.n.Covers(s.ID) })
}

// period is the two ends of a closure with the verb for each.
type period struct {
	StartVerb, EndVerb string
	Start, End         *moment // no End: not foreseen, or not yet
}

// String is the period as a sentence: "Closes Thu 24 December, 18:00 (Lisbon),
// reopens Sat 2 January, 09:00 (Lisbon)."
func (p period) String() string {
	end := "until further notice"
	if p.End != nil {
		end = p.EndVerb + " " + p.End.String()
	}
	return p.StartVerb + " " + p.Start.String() + ", " + end + "."
}

// Planned is the closure as it was announced.
func (c closure) Planned() period {
	verbs := verbsOf(c.n)
	return period{verbs.Closes, verbs.Reopens, c.b.written(c.n.Closes), c.b.written(c.n.Reopens)}
}

// Actual is what came of a closure that is over, to the minute; nil where
// nobody said. Either end may be missing.
func (c closure) Actual() *period {
	b, n, verbs := c.b, c.n, verbsOf(c.n)
	closed, reopened := b.facts(n).Closed, b.reopened(n)
	if n.Phase(b.now) != notice.Reopened || b.facts(n).Missed || closed.IsZero() && reopened.IsZero() {
		return nil
	}
	p := &period{verbs.Closed, verbs.Reopened, b.seen(closed, n.Closes), nil}
	if p.Start == nil { // the second verb begins the line
		p.EndVerb = strings.ToUpper(p.EndVerb[:1]) + p.EndVerb[1:]
	}
	if !reopened.IsZero() {
		p.End = b.end(n)
	}
	return p
}

// Cancelled tells that it did not, and will not, take place.
func (c closure) Cancelled() bool { return c.n.Cancelled }

// Since is when it began.
func (c closure) Since() *moment { return c.b.seen(c.b.closed(c.n), c.n.Closes) }

// Announced is when the public could first know; nil where nobody said.
func (c closure) Announced() *moment {
	return c.b.moment(c.b.announced(c.n).Truncate(time.Minute), c.n.Published.DateOnly)
}

// Summary is the first paragraph as plain text.
func (c closure) Summary() string { return notice.Summary(c.n.Body) }

// Body is the owner's text up to the first update. Its headings rank from top on
// (2: h2), below that which it stands under.
func (c closure) Body(top int) template.HTML {
	return c.b.markdown(c.n.Slug, top).HTML(c.n.Body)
}

// Facts are in the owner's order.
func (c closure) Facts() []notice.Fact { return c.n.Facts }

// update is one update as a template sees it.
type update struct {
	ID    string // its anchor on the closure's page
	At    *moment
	Title string
	Body  template.HTML
}

// Updates come newest first, with headings as in Body.
func (c closure) Updates(top int) []update {
	var us []update
	for _, u := range c.b.updates(c.n) {
		us = append(us, update{
			ID: updateID(u), At: c.b.moment(u.At, false), Title: u.Title,
			Body: c.b.markdown(c.n.Slug, top).HTML(u.Body),
		})
	}
	return us
}

// updates gives those that are not dated ahead, newest first.
func (b *builder) updates(n *notice.Notice) []notice.Update {
	us := slices.DeleteFunc(slices.Clone(n.Updates), func(u notice.Update) bool { return u.At.After(b.now) })
	slices.SortStableFunc(us, func(x, y notice.Update) int { return y.At.Compare(x.At) })
	return us
}

// updateID is made of what an update is known by, and never changes.
func updateID(u notice.Update) string { return "update-" + u.At.UTC().Format("20060102T150405Z") }

// link is a way to reach the shop.
type link struct {
	Label string
	URL   template.URL
}

// newLink passes the schemes on that a notice may use. The template package
// would refuse tel: and sms:.
func newLink(l notice.Link) link {
	u, err := url.Parse(l.URL)
	if err != nil || !slices.Contains([]string{"http", "https", "mailto", "tel", "sms"}, u.Scheme) {
		return link{Label: l.Label}
	}
	return link{l.Label, template.URL(l.URL)}
}
