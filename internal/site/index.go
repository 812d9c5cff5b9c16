package site

import (
	"slices"
	"strings"

	"github.com/backsoon/backsoon/internal/notice"
	"github.com/backsoon/backsoon/internal/schedule"
)

// statusPage is the index, or the page of one storefront.
type statusPage struct {
	frame
	Signs                 []sign
	StillOpen             []notice.Link // the storefronts that are open while others are closed
	Contact               []link
	Ongoing, Coming, Past []closure
	Only                  *storefrontLink  // the storefront that the page is about; nil: all of them
	Storefronts           []storefrontLink // the pages of each, where there are several
}

// storefrontLink leads to the page of one storefront.
type storefrontLink struct{ Name, Link string }

// index makes the page that answers for all storefronts.
func (b *builder) index() {
	b.add("index.html", func() ([]byte, error) {
		return b.statusPage("index.html", b.states, b.all, nil)
	})
}

// storefronts makes a page that answers for each storefront alone.
func (b *builder) storefronts() {
	for i, front := range b.site.cfg.Storefronts {
		path := storefrontPath(front.ID)
		b.add(path, func() ([]byte, error) {
			only := &storefrontLink{front.Name, "index.html"}
			return b.statusPage(path, b.states[i:i+1], b.all.of(front.ID), only)
		})
	}
}

func storefrontPath(id string) string { return "storefronts/" + id + "/index.html" }

func (b *builder) statusPage(path string, states []schedule.State, closures listing, only *storefrontLink) ([]byte, error) {
	signs := b.signs(states)
	f := b.frame(path, b.headline(signs, true))
	page := statusPage{
		frame: f, Signs: signs, StillOpen: b.stillOpen(states), Contact: b.contacts(closures.ongoing...),
		Ongoing: b.views(closures.ongoing, f.Root), Coming: b.views(closures.coming, f.Root),
		Past: b.views(closures.past[:min(latest, len(closures.past))], f.Root),
		Only: only,
	}
	page.Name = b.headline(signs, false)
	if fronts := b.site.cfg.Storefronts; len(fronts) > 1 {
		for _, front := range fronts {
			page.Storefronts = append(page.Storefronts, storefrontLink{front.Name, f.Root + storefrontPath(front.ID)})
		}
	}
	if only != nil {
		page.Storefront = states[0].Storefront
	}
	return b.voice.theme.render("index.html", page)
}

// Meantime tells whether there is anything to say about the time until all is open.
func (p statusPage) Meantime() bool {
	return len(p.StillOpen) > 0 || slices.ContainsFunc(p.Ongoing, func(c closure) bool { return len(c.Facts()) > 0 })
}

// sign is the answer for the storefronts that share it.
type sign struct {
	answer
	Storefronts []notice.Link
}

// signs gives each storefront its answer, one sign for those with the same.
func (b *builder) signs(states []schedule.State) []sign {
	var signs []sign
	for _, s := range states {
		front, _ := b.site.cfg.Storefront(s.Storefront)
		a := b.storefrontAnswer(s)
		i := slices.IndexFunc(signs, func(x sign) bool { return x.String() == a.String() })
		if i < 0 {
			i, signs = len(signs), append(signs, sign{answer: a})
		}
		signs[i].Storefronts = append(signs[i].Storefronts, notice.Link{Label: front.Name, URL: front.URL})
	}
	return signs
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
