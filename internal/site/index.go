package site

import (
	"slices"
	"strings"

	"github.com/backsoon/backsoon/internal/locale"
	"github.com/backsoon/backsoon/internal/notice"
	"github.com/backsoon/backsoon/internal/schedule"
)

type indexPage struct {
	frame
	Signs                 []sign
	StillOpen             []notice.Link // the storefronts that are open while others are closed
	Contact               []link
	Ongoing, Coming, Past []closure
}

func (b *builder) index() error {
	signs := b.signs()
	f := b.frame("index.html", headline(signs, true))
	return b.add("index.html", "index.html", indexPage{
		frame: f, Signs: signs, StillOpen: b.stillOpen(), Contact: b.contacts(b.ongoing...),
		Ongoing: b.views(b.ongoing, f.Root), Coming: b.views(b.coming, f.Root),
		Past: b.views(b.past[:min(latest, len(b.past))], f.Root),
	})
}

// Meantime tells whether there is anything to say about the time until all is open.
func (p indexPage) Meantime() bool {
	return len(p.StillOpen) > 0 || slices.ContainsFunc(p.Ongoing, func(c closure) bool { return len(c.Facts()) > 0 })
}

// Title answers too: it is all that a tab or a link preview shows.
func (p indexPage) Title() string { return headline(p.Signs, false) }

// sign is the answer for the storefronts that share it.
type sign struct {
	answer
	Storefronts []notice.Link
}

// Names lists the sign's storefronts: "Online shop and Market".
func (s sign) Names() string {
	var names []string
	for _, l := range s.Storefronts {
		names = append(names, l.Label)
	}
	return locale.List(names)
}

// signs gives each storefront its answer, one sign for those with the same.
func (b *builder) signs() []sign {
	var signs []sign
	for _, s := range b.states {
		front, _ := b.cfg.Storefront(s.Storefront)
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
func headline(signs []sign, names bool) string {
	if len(signs) == 1 && !names {
		return signs[0].String()
	}
	var parts []string
	for _, s := range signs {
		parts = append(parts, s.Names()+": "+s.String())
	}
	return strings.Join(parts, " · ")
}

func (b *builder) stillOpen() []notice.Link {
	var open []notice.Link
	for _, s := range b.states {
		if s.State == schedule.Open {
			front, _ := b.cfg.Storefront(s.Storefront)
			open = append(open, notice.Link{Label: front.Name, URL: front.URL})
		}
	}
	if len(open) == len(b.states) {
		return nil
	}
	return open
}
