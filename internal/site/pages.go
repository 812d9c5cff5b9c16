package site

import (
	"html/template"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/backsoon/backsoon/internal/notice"
)

// latest is how many past closures the index and the history's first page show.
// The years have them all.
const latest = 10

// frame is what every page has.
type frame struct {
	Shop      string
	Style     template.CSS
	Root      string // leads from the page to the site's top
	Canonical string // the page's address on the web; empty: search engines stay away
	Summary   string // for search engines and link previews
	Timezone  string // Europe/Lisbon
}

// frame describes the page at path, which is relative to public/.
func (b *builder) frame(path, summary string) frame {
	return frame{
		Shop: b.cfg.Shop.Name, Style: b.theme.style, Summary: summary,
		Root:      strings.Repeat("../", strings.Count(path, "/")),
		Canonical: b.address(path),
		Timezone:  b.cfg.Shop.Location.String(),
	}
}

// address is where the page at path is on the web.
func (b *builder) address(path string) string {
	return b.cfg.Shop.URL.String() + strings.TrimSuffix(path, "index.html")
}

func (b *builder) pages() error {
	if err := b.closurePages(slices.Concat(b.ongoing, b.coming, b.past)); err != nil {
		return err
	}
	if err := b.history(); err != nil {
		return err
	}
	if err := b.index(); err != nil {
		return err
	}
	missing := b.frame("404.html", "")
	missing.Root, missing.Canonical = b.cfg.Shop.URL.String(), ""
	return b.add("404.html", "404.html", struct{ frame }{missing})
}

// add renders one page of the theme to path.
func (b *builder) add(path, page string, data any) (err error) {
	b.files[path], err = b.theme.render(page, data)
	return err
}

// views makes notices visible to the page at path.
func (b *builder) views(ns []*notice.Notice, root string) []closure {
	cs := make([]closure, len(ns))
	for i, n := range ns {
		cs[i] = closure{b, n, root}
	}
	return cs
}

type closurePage struct {
	frame
	Closure closure
	Contact []link
}

// closurePages renders on every processor: these are by far the most pages.
func (b *builder) closurePages(ns []*notice.Notice) error {
	pages, errs := make([][]byte, len(ns)), make([]error, len(ns))
	var taken atomic.Int64
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for i := taken.Add(1) - 1; i < int64(len(ns)); i = taken.Add(1) - 1 {
				pages[i], errs[i] = b.closurePage(ns[i])
			}
		})
	}
	workers.Wait()
	for i, n := range ns {
		if errs[i] != nil {
			return errs[i]
		}
		b.files[closurePath(n.Slug)] = pages[i]
	}
	return nil
}

func (b *builder) closurePage(n *notice.Notice) ([]byte, error) {
	f := b.frame(closurePath(n.Slug), notice.Summary(n.Body))
	if n.Draft {
		f.Canonical = ""
	}
	return b.theme.render("closure.html", closurePage{f, closure{b, n, f.Root}, b.contacts(n)})
}

// contacts are the ways to reach the shop, those of the notices first.
func (b *builder) contacts(ns ...*notice.Notice) []link {
	var all []link
	for _, n := range ns {
		if n.Contact != nil {
			all = append(all, newLink(*n.Contact))
		}
	}
	for _, c := range b.cfg.Shop.Contact {
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
