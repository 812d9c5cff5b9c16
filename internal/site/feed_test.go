package site

import (
	"encoding/xml"
	"strings"
	"testing"
	"time"

	"github.com/backsoon/backsoon/internal/notice"
)

// rss is what a feed reader takes from a feed.
type rss struct {
	Version string `xml:"version,attr"`
	Title   string `xml:"channel>title"`
	Link    string `xml:"channel>link"`
	Items   []item `xml:"channel>item"`
}

type item struct {
	Title       string `xml:"title"`
	Link        string `xml:"link"`
	Description string `xml:"description"`
	Content     string `xml:"http://purl.org/rss/1.0/modules/content/ encoded"`
	PubDate     string `xml:"pubDate"`
	GUID        struct {
		ID        string `xml:",chardata"`
		PermaLink string `xml:"isPermaLink,attr"`
	} `xml:"guid"`
}

func feedOf(t testing.TB, files Files) rss {
	t.Helper()
	var feed rss
	if err := xml.Unmarshal(files["feed.xml"], &feed); err != nil {
		t.Fatal(err)
	}
	return feed
}

func ids(feed rss) []string {
	var all []string
	for _, i := range feed.Items {
		all = append(all, strings.TrimPrefix(i.GUID.ID, "https://status.harbourbooks.example/open/closures/"))
	}
	return all
}

func TestFeedTellsWhatHappened(t *testing.T) {
	in := input(t, "2027-01-04 11:00")
	w := winter(t)
	w.Reopening, in.Notices = nil, []*notice.Notice{w}
	got := strings.Join(ids(feedOf(t, build(t, in))), " ")
	want := "winter-break/#reopened winter-break/#update-20261228T160000Z winter-break/#update-20261226T103000Z " +
		"winter-break/#closed winter-break/#announced"
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestFeedIsValidAndNeverAhead(t *testing.T) {
	in := input(t, "2026-12-27 11:00")
	in.Known = known(t)
	files := build(t, in)
	feed := feedOf(t, files)
	if feed.Version != "2.0" || feed.Title == "" || feed.Link != "https://status.harbourbooks.example/open/" {
		t.Errorf("channel: %+v", feed)
	}
	seen, last := map[string]bool{}, in.Now
	for _, i := range feed.Items {
		date, err := time.Parse(time.RFC1123Z, i.PubDate)
		if err != nil || date.After(last) {
			t.Errorf("%s: %s %v, after %v", i.GUID.ID, i.PubDate, err, last)
		}
		if seen[i.GUID.ID] || i.GUID.PermaLink != "false" || i.Title == "" || i.Description == "" {
			t.Errorf("item: %+v", i)
		}
		seen[i.GUID.ID], last = true, date
		checkAnchor(t, files, i.Link)
	}
}

// checkAnchor wants the link to lead to an element of one of the pages.
func checkAnchor(t *testing.T, files Files, link string) {
	t.Helper()
	page, anchor, ok := strings.Cut(strings.TrimPrefix(link, "https://status.harbourbooks.example/open/"), "#")
	if !ok || !strings.Contains(string(files[page+"index.html"]), `id="`+anchor+`"`) {
		t.Errorf("%s leads nowhere", link)
	}
}

func TestFeedKeepsAnyTitle(t *testing.T) {
	in := input(t, "2026-12-29 11:00")
	title := "“Quotes” \"plain\" & <tags> ]]> – Наводнение 洪水 🌊"
	in.Notices = []*notice.Notice{{Slug: "c", Title: title, Closes: at(t, "2026-12-28 10:00"), Body: "`]]>` and a bell\a."}}
	i := feedOf(t, build(t, in)).Items[0]
	if i.Title != title+": closed" {
		t.Errorf("got %q", i.Title)
	}
	if i.Content != "<p><code>]]&gt;</code> and a bell.</p>\n" {
		t.Errorf("got %q", i.Content)
	}
}

// An announcement whose date nobody knows is left out, rather than dated wrong.
func TestFeedAnnouncementNeedsADate(t *testing.T) {
	in := input(t, "2026-12-01 11:00")
	in.Notices = []*notice.Notice{{Slug: "c", Title: "C", Closes: at(t, "2027-01-01 10:00")}}
	if got := ids(feedOf(t, build(t, in))); len(got) > 0 {
		t.Errorf("got %v", got)
	}
	accepted := at(t, "2026-11-30 08:00").Time
	in.Known = &Known{Notices: map[string]Facts{"c": {Accepted: accepted}}}
	items := feedOf(t, build(t, in)).Items
	if len(items) != 1 || items[0].PubDate != accepted.UTC().Format(time.RFC1123Z) {
		t.Errorf("got %+v", items)
	}
}

func TestFeedIDsAndDatesStay(t *testing.T) {
	in := input(t, "2026-12-29 11:00")
	dates := map[string]string{}
	for _, i := range feedOf(t, build(t, in)).Items {
		dates[i.GUID.ID] = i.PubDate
	}
	in.Now = in.Now.AddDate(2, 0, 0)
	in.Notices[0].Title, in.Notices[0].Updates[0].Body = "Another title", "Other words."
	later := map[string]string{}
	for _, i := range feedOf(t, build(t, in)).Items {
		later[i.GUID.ID] = i.PubDate
	}
	for id, date := range dates {
		if later[id] != date {
			t.Errorf("%s: was of %s, is of %q", id, date, later[id])
		}
	}
}

func TestFeedHoldsTheNewest(t *testing.T) {
	in := input(t, "2026-12-29 11:00")
	in.Notices = many(t, 200)
	feed := feedOf(t, build(t, in))
	if len(feed.Items) != feedLength || !strings.Contains(feed.Items[0].GUID.ID, "closure-00000") {
		t.Errorf("%d items, the first %s", len(feed.Items), feed.Items[0].GUID.ID)
	}
}

// Whoever read of a closure must learn that it is off.
func TestFeedTellsOfCancelling(t *testing.T) {
	in := input(t, "2026-12-29 11:00")
	in.Notices = []*notice.Notice{{Slug: "c", Title: "C", Published: at(t, "2026-12-01 10:00"), Closes: at(t, "2027-01-01 10:00"), Cancelled: true}}
	if items := feedOf(t, build(t, in)).Items; len(items) != 1 || items[0].Title != "C: cancelled" {
		t.Errorf("got %+v", items)
	}
}
