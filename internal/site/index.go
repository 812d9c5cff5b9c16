package site

import (
	"bytes"
	"html/template"
	"slices"
	"strings"
	"time"

	"github.com/backsoon/backsoon/internal/notice"
	"github.com/backsoon/backsoon/internal/schedule"
)

// statusPage is the index, or the page of one storefront.
type statusPage struct {
	Page
	Structured            template.JS // JSON-LD for search engines
	Signs                 []sign
	Turns                 []turn        // the signs at later moments, the nearest first
	StillOpen             []notice.Link // the storefronts that are open while others are closed
	Contact               []link
	Ongoing, Coming, Past []closure
	Almanac               almanac
	Follow                follow
	Only                  *storefrontLink  // the storefront that the page is about; nil: all of them
	Storefronts           []storefrontLink // the pages of each, where there are several
}

// storefrontLink leads to the page of one storefront.
type storefrontLink struct{ ID, Name, Link string }

// index makes the page that answers for all storefronts.
func (b *builder) index() {
	b.add("index.html", func(out *bytes.Buffer) error {
		return b.statusPage(out, "index.html", b.states, b.all, nil)
	})
}

// storefronts makes a page that answers for each storefront alone.
func (b *builder) storefronts() {
	for i, front := range b.site.cfg.Storefronts {
		path := storefrontPath(front.ID)
		b.add(path, func(out *bytes.Buffer) error {
			only := &storefrontLink{front.ID, front.Name, "index.html"}
			return b.statusPage(out, path, b.states[i:i+1], b.all.of(front.ID), only)
		})
	}
}

func storefrontPath(id string) string { return "storefronts/" + id + "/index.html" }

func (b *builder) statusPage(out *bytes.Buffer, path string, states []schedule.State, closures listing, only *storefrontLink) error {
	signs := b.signs(b.reader, states, closures)
	f := b.frame(path, b.headline(signs, true))
	closing := b.closing(closures)
	structured, err := b.structured(states, closing)
	if err != nil {
		return err
	}
	page := statusPage{
		Page: f, Structured: structured, Signs: signs, Turns: b.foresee(states, closures),
		StillOpen: b.stillOpen(states), Contact: b.contacts(closures.ongoing...),
		Ongoing: b.views(closures.ongoing, f.Root), Coming: b.views(closures.coming[:min(nearest, len(closures.coming))], f.Root),
		Past:    b.views(closures.past[:min(latest, len(closures.past))], f.Root),
		Almanac: b.almanac(states, closing), Follow: b.follow(f, only), Only: only,
	}
	page.Name = b.headline(signs, false)
	if fronts := b.site.cfg.Storefronts; len(fronts) > 1 {
		for _, front := range fronts {
			page.Storefronts = append(page.Storefronts, storefrontLink{front.ID, front.Name, f.Root + storefrontPath(front.ID)})
		}
	}
	if only != nil {
		page.Storefront = states[0].Storefront
		front, _ := b.site.cfg.Storefront(page.Storefront)
		page.Channel = b.link(storefrontChannel(front), f.Root)
	}
	return b.voice.theme.render(out, "index.html", page)
}

// Meantime tells whether there is anything to say about the time until all is open.
func (p statusPage) Meantime() bool {
	return len(p.StillOpen) > 0 || slices.ContainsFunc(p.Ongoing, func(c closure) bool { return len(c.Facts) > 0 })
}

// sign is the answer for the storefronts that share it.
type sign struct {
	answer
	Storefronts []notice.Link
}

// signs gives each storefront its answer at the reader's moment, one sign for
// those with the same.
func (b *builder) signs(r reader, states []schedule.State, closures listing) []sign {
	var signs []sign
	for _, s := range states {
		front, _ := b.site.cfg.Storefront(s.Storefront)
		a := r.storefrontAnswer(s, closures)
		i := slices.IndexFunc(signs, func(x sign) bool { return x.Tone == a.Tone && x.String() == a.String() })
		if i < 0 {
			i, signs = len(signs), append(signs, sign{answer: a})
		}
		signs[i].Storefronts = append(signs[i].Storefronts, notice.Link{Label: front.Name, URL: front.URL})
	}
	return signs
}

// turn is what the signs are from a moment on that lies ahead when the page is
// made: one that is left open turns them over by itself.
type turn struct {
	At    string // RFC 3339 in UTC
	Name  string // what a tab shows then
	Signs []sign
}

// mostTurns is how many changes a page knows beforehand. Whoever keeps it open
// for longer sees the last of them.
const mostTurns = 4

// foresee tells what the signs will be. It is the same function of the notices as the
// present: what has been put off is not opened by a clock.
func (b *builder) foresee(states []schedule.State, closures listing) (turns []turn) {
	ids := make([]string, len(states))
	for i, s := range states {
		ids[i] = s.Storefront
	}
	var notices []*notice.Notice // those that are over change nothing any more
	for _, f := range slices.Concat(closures.ongoing, closures.coming) {
		notices = append(notices, f.n)
	}
	shown := b.headline(b.signs(b.reader, states, closures), true)
	for _, t := range schedule.Boundaries(notices, b.now) {
		signs := b.signs(b.asOf(t), schedule.At(notices, ids, t), closures)
		if then := b.headline(signs, true); then != shown {
			shown = then
			turns = append(turns, turn{t.UTC().Format(time.RFC3339), b.headline(signs, false), signs})
		}
		if len(turns) == mostTurns {
			break
		}
	}
	return turns
}

// headline is all the answers in one line. A single answer needs no names,
// unless they are asked for.
func (b *builder) headline(signs []sign, names bool) string {
	if len(signs) == 1 && !names {
		return signs[0].String()
	}
	var parts []string
	for _, s := range signs {
		var who []string
		for _, l := range s.Storefronts {
			who = append(who, l.Label)
		}
		parts = append(parts, b.voice.Text("headline", "Storefronts", b.voice.List(who), "Answer", s.String()))
	}
	return strings.Join(parts, " · ")
}

func (b *builder) stillOpen(states []schedule.State) []notice.Link {
	var open []notice.Link
	for _, s := range states {
		if s.State == schedule.Open {
			front, _ := b.site.cfg.Storefront(s.Storefront)
			open = append(open, notice.Link{Label: front.Name, URL: front.URL})
		}
	}
	if len(open) == len(states) {
		return nil
	}
	return open
}
