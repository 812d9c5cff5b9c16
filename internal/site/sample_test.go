package site

import (
	"fmt"
	"io/fs"
	"net/url"
	"testing"
	"time"

	"github.com/backsoon/backsoon/internal/config"
	"github.com/backsoon/backsoon/internal/notice"
	"github.com/backsoon/backsoon/templates"
)

// sample is a site, and what an edition of it is made of.
type sample struct {
	Input
	Config *config.Config
	Theme  fs.FS
}

func input(t testing.TB, now string) sample {
	t.Helper()
	return sample{Input{Notices: notices(t), Now: at(t, now).Time}, shop(t), templates.FS("")}
}

// build makes the files of a site that has had no edition before.
func (in sample) build() (Files, error) {
	e, err := New(in.Config, in.Theme).Edition(in.Input)
	if err != nil {
		return nil, err
	}
	return e.Files()
}

func build(t testing.TB, in sample) Files {
	t.Helper()
	files, err := in.build()
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// rendered makes one file of such a site.
func rendered(t testing.TB, in sample, name string) []byte {
	t.Helper()
	e, err := New(in.Config, in.Theme).Edition(in.Input)
	if err != nil {
		t.Fatal(err)
	}
	content, err := e.Render(name)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// literal is an edition of the given files.
func literal(files Files) *Edition {
	e := &Edition{map[string]*file{}}
	for path, content := range files {
		e.files[path] = &file{path: path, render: exactly(content)}
	}
	return e
}

func lisbon(t testing.TB) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation("Europe/Lisbon")
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

// at reads "2026-12-24 18:00", or a bare date, on Lisbon's clocks.
func at(t testing.TB, text string) notice.Moment {
	t.Helper()
	if m, err := time.ParseInLocation(time.DateOnly, text, lisbon(t)); err == nil {
		return notice.Moment{Time: m, DateOnly: true}
	}
	m, err := time.ParseInLocation("2006-01-02 15:04", text, lisbon(t))
	if err != nil {
		t.Fatal(err)
	}
	return notice.Moment{Time: m}
}

func shop(t testing.TB) *config.Config {
	t.Helper()
	address, err := url.Parse("https://status.harbourbooks.example/open/")
	if err != nil {
		t.Fatal(err)
	}
	return &config.Config{
		Shop: config.Shop{
			Name: "Harbour Books", URL: address, Location: lisbon(t),
			Contact: []notice.Link{{Label: "orders@harbourbooks.example", URL: "mailto:orders@harbourbooks.example"}},
		},
		Storefronts: []config.Storefront{
			{ID: "web", Name: "Online shop", URL: "https://harbourbooks.example"},
			{ID: "market", Name: "Market stall"},
		},
	}
}

func winter(t testing.TB) *notice.Notice {
	t.Helper()
	return &notice.Notice{
		Slug: "winter-break", Title: "Closed for the winter break",
		Published: at(t, "2026-11-20 10:00"), Closes: at(t, "2026-12-24 18:00"), Reopens: at(t, "2027-01-02 09:00"),
		Storefronts: []string{"web"},
		Facts: []notice.Fact{
			{Label: "Last orders", Text: "Wed 23 December, 12:00"},
			{Label: "Orders in progress", Text: "sent out from 2 January"},
		},
		Contact:   &notice.Link{Label: "Helpline", URL: "tel:+351210000000"},
		Reopening: []notice.Step{{Name: "stock counted", Done: true}, {Name: "test order placed"}},
		Body: "We are closing for two weeks, and wish all our readers a quiet winter.\n\n" +
			"Orders placed before the 23rd are on their way. [Gift cards](/gift-cards) still work by mail: " +
			"write to us, and a book will be waiting under your name.",
		Updates: []notice.Update{
			{At: at(t, "2026-12-26 10:30").Time, Title: "Water is gone", Body: "A pipe burst in the cellar. No books were hurt, and the reopening stands."},
			{At: at(t, "2026-12-28 16:00").Time, Title: "The cellar is dry", Body: "Two fans and a *very* patient plumber later we are back to counting stock."},
		},
	}
}

// notices is a small shop's few years: one closure now, some ahead, some past.
func notices(t testing.TB) []*notice.Notice {
	t.Helper()
	return []*notice.Notice{
		winter(t),
		{Slug: "stocktaking", Title: "Stocktaking", Published: at(t, "2026-12-20 09:00"), Closes: at(t, "2027-02-01"), Reopens: at(t, "2027-02-03"),
			Body: "We count every book, twice."},
		{Slug: "fair", Title: "Book fair: only the market is closed", Closes: at(t, "2027-03-05 08:00"), Reopens: at(t, "2027-03-07 20:00"),
			Storefronts: []string{"market"}, Cancelled: true, Body: "The fair does not take place."},
		{Slug: "slow-post", Title: "The post is slow", CheckoutOn: true, Published: at(t, "2026-12-10 09:00"),
			Closes: at(t, "2026-12-10 09:00"), Reopens: at(t, "2027-01-08"), Body: "Parcels take three days longer than usual.",
			Updates: []notice.Update{{At: at(t, "2026-12-26 10:30").Time, Body: "Now it is four."}}},
		{Slug: "summer", Title: "Summer holidays", Published: at(t, "2026-06-01 09:00"), Closes: at(t, "2026-08-03"), Reopens: at(t, "2026-08-17"),
			Body: "Two weeks by the sea."},
		{Slug: "flood", Title: "The “big” flood & after", Published: at(t, "2026-03-02 07:10"), Closes: at(t, "2026-03-02 07:00"),
			Reopened: at(t, "2026-03-04 15:20"), Body: "Water in the shop. We close <b>at once</b>."},
		{Slug: "move", Title: "Moving to Rua do Cais", Published: at(t, "2025-09-01 09:00"), Closes: at(t, "2025-10-10 18:00"), Reopens: at(t, "2025-10-14 09:00"),
			Reopened: at(t, "2025-10-15 12:00"), Body: "New house, same books."},
		{Slug: "strike", Title: "Post strike", Published: at(t, "2025-04-01 09:00"), Closes: at(t, "2025-04-10"), Reopens: at(t, "2025-04-12"), Cancelled: true, Body: "We were to close for the strike."},
		{Slug: "plans", Title: "Maybe closed in May", Closes: at(t, "2027-05-01"), Draft: true, Body: "Nobody may know yet."},
	}
}

// many gives n past closures, 50 a year.
func many(t testing.TB, n int) []*notice.Notice {
	t.Helper()
	var ns []*notice.Notice
	for i := range n {
		closes := at(t, "2026-11-01 18:00").AddDate(0, 0, -7*i)
		ns = append(ns, &notice.Notice{
			Slug: fmt.Sprintf("closure-%05d", i), Title: fmt.Sprintf("Closure number %d", i),
			Published: notice.Moment{Time: closes.AddDate(0, -1, 0)}, Closes: notice.Moment{Time: closes},
			Reopens: notice.Moment{Time: closes.AddDate(0, 0, 3)}, Body: "We are closing, and *reopen* soon.",
			Updates: []notice.Update{{At: closes.AddDate(0, 0, 1), Title: "Still closed", Body: "As planned."}},
		})
	}
	return ns
}

// known is what a ledger would know of notices.
func known(t testing.TB) *Known {
	t.Helper()
	return &Known{
		Storefronts: map[string]Storefront{"web": {Revision: 1798135200123, Since: at(t, "2026-12-24 18:00").Time, Message: "Closed for the winter break"}, "market": {Revision: 1798135200001}},
		Notices: map[string]Facts{
			"winter-break": {Accepted: at(t, "2026-11-20 10:01").Time, Revised: at(t, "2026-12-28 16:01").Time, Versions: 4, Closed: at(t, "2026-12-24 18:00").Time},
			"summer":       {Closed: at(t, "2026-08-03 00:00").Time, Reopened: at(t, "2026-08-16 21:30").Time},
			"fair":         {Accepted: at(t, "2026-12-01 10:01").Time},
		},
		Changes: map[string][]Change{"winter-break": {
			{At: at(t, "2026-11-20 10:01").Time, Closes: at(t, "2026-12-24 18:00"), Reopens: at(t, "2026-12-31 09:00"), Storefronts: []string{"web"}},
			{At: at(t, "2026-12-10 16:20").Time, Closes: at(t, "2026-12-24 18:00"), Reopens: at(t, "2027-01-02 09:00"), Storefronts: []string{"web"}},
		}},
	}
}
