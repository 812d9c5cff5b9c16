package site

import (
	"slices"
	"strconv"

	"github.com/backsoon/backsoon/internal/notice"
)

// year is one year of the history.
type year struct {
	Year     int
	Link     string
	Closures []closure
}

type historyPage struct {
	frame
	Past  []closure
	Years []year // the latest first
}

type yearPage struct {
	frame
	year
}

// history makes the page of the latest closures and one for each year.
func (b *builder) history() error {
	f := b.frame("history/index.html", "Past closures of "+b.cfg.Shop.Name)
	page := historyPage{frame: f, Past: b.views(b.past[:min(latest, len(b.past))], f.Root)}
	for rest := b.past; len(rest) > 0; {
		number := b.year(rest[0])
		n := slices.IndexFunc(rest, func(n *notice.Notice) bool { return b.year(n) != number })
		if n < 0 {
			n = len(rest)
		}
		y, err := b.yearPage(number, rest[:n])
		if err != nil {
			return err
		}
		page.Years, rest = append(page.Years, y), rest[n:]
	}
	return b.add("history/index.html", "history.html", page)
}

func (b *builder) yearPage(number int, ns []*notice.Notice) (year, error) {
	name := strconv.Itoa(number)
	path := "history/" + name + "/index.html"
	f := b.frame(path, "Closures of "+b.cfg.Shop.Name+" in "+name)
	y := year{number, name + "/index.html", b.views(ns, f.Root)}
	return y, b.add(path, "year.html", yearPage{f, y})
}
