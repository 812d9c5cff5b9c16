package site

import (
	"bytes"
	"slices"
	"strconv"
)

// year is one year of the history.
type year struct {
	Year  int
	Link  string
	Count int
}

type historyPage struct {
	Page
	Past  []closure
	Years []year // the latest first
}

type yearPage struct {
	Page
	Year int
	Past []closure
}

// history makes the page of the latest closures and one for each year.
func (b *builder) history() {
	var years []year
	for rest := b.all.past; len(rest) > 0; {
		number := rest[0].year
		n := slices.IndexFunc(rest, func(f *face) bool { return f.year != number })
		if n < 0 {
			n = len(rest)
		}
		b.yearPage(number, rest[:n])
		years = append(years, year{number, strconv.Itoa(number) + "/index.html", n})
		rest = rest[n:]
	}
	const path = "history/index.html"
	b.add(path, func(out *bytes.Buffer) error {
		f := b.frame(path, b.voice.Text("history.of", "Shop", b.site.cfg.Shop.Name))
		past := b.views(b.all.past[:min(latest, len(b.all.past))], f.Root)
		return b.voice.theme.render(out, "history.html", historyPage{f, past, years})
	})
}

func yearPath(number int) string { return "history/" + strconv.Itoa(number) + "/index.html" }

func (b *builder) yearPage(number int, faces []*face) {
	key := b.site.key(b.tags, number, b.site.keyOf(faces))
	name := strconv.Itoa(number)
	path := yearPath(number)
	r := b.reader
	b.keep(path, key, func(out *bytes.Buffer) error {
		f := r.frame(path, r.voice.Text("history.of-year", "Shop", r.site.cfg.Shop.Name, "Year", name))
		return r.voice.theme.render(out, "year.html", yearPage{f, number, r.views(faces, f.Root)})
	})
}
