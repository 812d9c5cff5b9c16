package site

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/backsoon/backsoon/internal/notice"
)

// marked reads a page's almanac: each day that stands out, by its class.
func marked(t *testing.T, page []byte) map[string]string {
	t.Helper()
	doc, err := html.Parse(bytes.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	days := map[string]string{}
	for table := range doc.Descendants() {
		if table.Data != "table" || table.Type != html.ElementNode || attribute(table.Parent, "class") != "year" {
			continue
		}
		caption := textOf(table.FirstChild)
		for cell := range table.Descendants() {
			if class := attribute(cell, "class"); cell.Data == "td" && class != "" {
				days[textOf(cell)+" "+caption] = class
			}
		}
	}
	return days
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func textOf(n *html.Node) (text string) {
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			text += d.Data
		}
	}
	return text
}

func TestAlmanac(t *testing.T) {
	n := func(closes, reopens string, change func(*notice.Notice)) *notice.Notice {
		n := &notice.Notice{Slug: closes[:7] + strings.ReplaceAll(closes[8:10], " ", ""), Title: "C", Closes: at(t, closes)}
		if reopens != "" {
			n.Reopens = at(t, reopens)
		}
		if change != nil {
			change(n)
		}
		return n
	}
	days := func(kind, month string, from, to int) map[string]string {
		all := map[string]string{}
		for d := from; d <= to; d++ {
			all[fmt.Sprint(d, " ", month)] = kind
		}
		return all
	}
	for _, test := range []struct {
		name, storefront string
		notices          []*notice.Notice
		want             []map[string]string
	}{
		{"nothing", "", nil, nil},
		{"whole days", "", []*notice.Notice{n("2027-02-01", "2027-02-03", nil)}, []map[string]string{days("whole", "February 2027", 1, 2)}},
		{"parts of days", "", []*notice.Notice{n("2027-01-30 18:00", "2027-02-02 09:00", nil)},
			[]map[string]string{days("part", "January 2027", 30, 30), days("whole", "January 2027", 31, 31), days("whole", "February 2027", 1, 1), days("part", "February 2027", 2, 2)}},
		{"two that meet make a whole day", "", []*notice.Notice{n("2027-01-10", "2027-01-10 12:00", nil), n("2027-01-10 12:00", "2027-01-11", func(n *notice.Notice) { n.Slug = "other" })},
			[]map[string]string{days("whole", "January 2027", 10, 10)}},
		{"one storefront of two", "", []*notice.Notice{n("2027-02-01", "2027-02-03", func(n *notice.Notice) { n.Storefronts = []string{"web"} })}, []map[string]string{days("part", "February 2027", 1, 2)}},
		{"one storefront's own page", "web", []*notice.Notice{n("2027-02-01", "2027-02-03", func(n *notice.Notice) { n.Storefronts = []string{"web"} })}, []map[string]string{days("whole", "February 2027", 1, 2)}},
		{"another storefront's page", "market", []*notice.Notice{n("2027-02-01", "2027-02-03", func(n *notice.Notice) { n.Storefronts = []string{"web"} })}, nil},
		{"the clocks go forward", "", []*notice.Notice{n("2027-03-28", "2027-03-29", nil)}, []map[string]string{days("whole", "March 2027", 28, 28)}},
		{"what does not close", "", []*notice.Notice{
			n("2027-02-01", "2027-02-03", func(n *notice.Notice) { n.CheckoutOn = true }), n("2027-03-01", "2027-03-03", func(n *notice.Notice) { n.Cancelled = true }),
		}, nil},
		{"over this month, early", "", []*notice.Notice{n("2026-12-02", "2026-12-05", func(n *notice.Notice) { n.Reopened = at(t, "2026-12-04 12:00") })},
			[]map[string]string{days("whole", "December 2026", 2, 3), days("part", "December 2026", 4, 4)}},
		{"beyond the months that are shown", "", []*notice.Notice{n("2027-12-01", "2027-12-03", nil)}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			in := input(t, "2026-12-29 11:00")
			in.Notices = test.notices
			page := "index.html"
			if test.storefront != "" {
				page = storefrontPath(test.storefront)
			}
			got := marked(t, build(t, in)[page])
			if got["29 December 2026"] != "today" {
				t.Errorf("today is %v", got["29 December 2026"])
			}
			delete(got, "29 December 2026")
			for _, days := range test.want {
				for day, kind := range days {
					if got[day] != kind {
						t.Errorf("%s is %q, want %q", day, got[day], kind)
					}
					delete(got, day)
				}
			}
			if len(got) > 0 {
				t.Errorf("stand out, too: %v", got)
			}
		})
	}
}

func TestAlmanacWithoutAnEnd(t *testing.T) {
	in := input(t, "2026-12-29 11:00")
	in.Notices = []*notice.Notice{{Slug: "c", Title: "C", Closes: at(t, "2026-12-28 10:00")}}
	page := build(t, in)["index.html"]
	days := marked(t, page)
	for day, want := range map[string]string{"28 December 2026": "part", "29 December 2026": "whole today", "30 December 2026": "unsure", "30 November 2027": "unsure", "27 December 2026": ""} {
		if days[day] != want {
			t.Errorf("%s is %q, want %q", day, days[day], want)
		}
	}
	for _, want := range []string{"Closed from Mon 28 December, 10:00 (Lisbon), until further notice", "1 day closed", "1 day partly closed"} {
		if seen := visible(t, page); !strings.Contains(seen, want) {
			t.Errorf("no %q in %s", want, seen)
		}
	}
}

// The almanac says in words what it shows.
func TestAlmanacInWords(t *testing.T) {
	seen := visible(t, build(t, input(t, "2026-12-29 11:00"))["index.html"])
	for _, want := range []string{
		"2 days closed", "10 days partly closed", "Online shop: Closed from Thu 24 December, 18:00 (Lisbon) until Sat 2 January, 09:00 (Lisbon)",
		"Closed from Mon 1 February (Lisbon) until Wed 3 February (Lisbon)",
	} {
		if !strings.Contains(seen, want) {
			t.Errorf("no %q in %s", want, seen)
		}
	}
	quiet := input(t, "2026-12-29 11:00")
	quiet.Notices = nil
	if seen := visible(t, build(t, quiet)["index.html"]); !strings.Contains(seen, "No closure is planned.") {
		t.Errorf("nothing is said of an empty year: %s", seen)
	}
}

// A day is one of 24 hours, or 23 or 25; in some zones it doesn't begin at 00:00.
func TestDaysFollowOneAnother(t *testing.T) {
	for _, zone := range []string{"Europe/Lisbon", "America/Sao_Paulo", "Asia/Beirut", "America/Asuncion", "Australia/Lord_Howe", "Africa/Cairo", "Pacific/Apia"} {
		loc, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		for day := startOf(2012, time.January, 1, loc); day.Year() < 2030; {
			next := midnight(day, 1)
			if length := next.Sub(day); length < 22*time.Hour || length > 26*time.Hour || next.Day() == day.Day() {
				t.Fatalf("%s: %s is followed by %s", zone, day, next)
			}
			if before := next.Add(-time.Second); before.Day() != day.Day() {
				t.Fatalf("%s: %s is not the first moment of its day", zone, next)
			}
			day = next
		}
	}
}

// What spans and their special hours say of a moment is what the schedule says.
func TestHoursAgreeWithSpans(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	start := at(t, "2027-03-20")
	moment := func(hours int) notice.Moment {
		m := start
		m.Time = m.Add(time.Duration(hours) * time.Hour)
		return m
	}
	for range 300 {
		var spans []span
		for from := random.IntN(40); from < 500 && len(spans) < 6; {
			length := 1 + random.IntN(90)
			spans = append(spans, span{moment(from), moment(from + length)})
			from += length + 1 + random.IntN(60)
		}
		hours := hoursOf(spans, start.Time)
		for h := range 600 {
			now := moment(h).Time
			closed := false
			for _, s := range spans {
				closed = closed || !now.Before(s.from.Time) && now.Before(s.to.Time)
			}
			if special, open := openAtHour(hours, now); special && open == closed || !special && closed {
				t.Fatalf("%s: closed is %v, the hours say open is %v (%v)\n%+v", now, closed, open, special, hours)
			}
		}
	}
}

// openAtHour reads special hours as a search engine does.
func openAtHour(hours []specialHours, now time.Time) (special, open bool) {
	day, clock := now.Format(time.DateOnly), now.Format("15:04")
	for _, h := range hours {
		if h.From <= day && (h.Through == "" || day <= h.Through) {
			special = true
			open = open || h.Opens != h.Closes && h.Opens <= clock && (clock < h.Closes || h.Closes == "23:59")
		}
	}
	return special, open
}
