package site

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mmcdole/gofeed"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/net/html"

	"github.com/backsoon/backsoon/internal/notice"
)

const home = "https://status.harbourbooks.example/open/"

var feedFiles = []string{"feed.xml", "atom.xml", "feed.json"}

// parsed reads a feed as a feed reader does, in any format.
func parsed(t testing.TB, files Files, name string) *gofeed.Feed {
	t.Helper()
	feed, err := gofeed.NewParser().Parse(bytes.NewReader(files[name]))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return feed
}

// feedsIn lists the feeds among the files.
func feedsIn(files Files) (names []string) {
	for name := range files {
		if slices.Contains(feedFiles, path.Base(name)) {
			names = append(names, name)
		}
	}
	return names
}

func ids(feed *gofeed.Feed) (all []string) {
	for _, i := range feed.Items {
		all = append(all, strings.TrimPrefix(i.GUID, home+"closures/"))
	}
	return all
}

// changed is a notice that was first announced for other times, and for the web
// alone.
func changed(t testing.TB) (*notice.Notice, []Change) {
	t.Helper()
	n := winter(t)
	n.Reopens, n.Storefronts = at(t, "2027-01-04 09:00"), []string{"market"}
	first := Change{At: at(t, "2026-11-20 10:01").Time, Closes: n.Closes, Reopens: at(t, "2027-01-02 09:00"), Storefronts: []string{"web"}}
	second, third := first, first
	second.At, second.Reopens = at(t, "2026-12-20 12:00").Time, n.Reopens
	third.At, third.Reopens, third.Storefronts = at(t, "2026-12-21 12:00").Time, n.Reopens, n.Storefronts
	return n, []Change{first, second, third}
}

// inStates builds the sample at several moments, with and without a ledger, in
// two languages.
func inStates(t *testing.T, check func(t *testing.T, in sample, files Files)) {
	for _, now := range []string{"2025-01-01 00:00", "2026-12-24 18:00", "2026-12-29 11:00", "2027-01-05 11:00", "2036-01-01 00:00"} {
		for _, ledger := range []bool{false, true} {
			t.Run(fmt.Sprint(now, ledger), func(t *testing.T) {
				in := input(t, now)
				in.Drafts, in.Config.Languages = true, []string{"en", "pt"}
				in.Notices[1].Translations = []*notice.Translation{{Slug: "stocktaking", Language: "pt", Title: "Inventário", Body: "Contamos."}}
				if ledger {
					n, changes := changed(t)
					in.Notices[0], in.Known = n, known(t)
					in.Known.Changes = map[string][]Change{n.Slug: changes}
				}
				check(t, in, build(t, in))
			})
		}
	}
}

func TestFeedsAreSound(t *testing.T) {
	inStates(t, func(t *testing.T, in sample, files Files) {
		names := feedsIn(files)
		if want := len(feedFiles) * 3 * 2; len(names) != want {
			t.Fatalf("%d feeds, want %d", len(names), want)
		}
		for _, name := range names {
			feed := parsed(t, files, name)
			language := "en"
			if strings.HasPrefix(name, "pt/") {
				language = "pt"
			}
			if feed.FeedLink != home+name || feed.Link != home+strings.TrimSuffix(name, path.Base(name)) || feed.Language != language || feed.Title == "" {
				t.Errorf("%s: %s %s %s %s", name, feed.FeedLink, feed.Link, feed.Language, feed.Title)
			}
			checkItems(t, name, feed, in.Now)
			for _, i := range feed.Items {
				checkAnchor(t, files, i.Link)
				checkAbsolute(t, i.Content)
			}
			if first := parsed(t, files, path.Join(path.Dir(name), "feed.xml")); !slices.Equal(ids(feed), ids(first)) {
				t.Errorf("%s tells something else than RSS", name)
			}
		}
	})
}

// checkItems wants entries that are whole, the newest first, each of its own
// moment, and none of it ahead. The feed is as new as the entry that became another
// last.
func checkItems(t *testing.T, name string, feed *gofeed.Feed, now time.Time) {
	t.Helper()
	seen, last := map[string]bool{}, now
	updated := time.Unix(0, 0)
	for _, i := range feed.Items {
		if date := i.PublishedParsed; date == nil || date.After(last) || i.UpdatedParsed != nil && (i.UpdatedParsed.Before(*date) || i.UpdatedParsed.After(now)) {
			t.Fatalf("%s: %s of %v, updated %v, after %v", name, i.GUID, date, i.UpdatedParsed, last)
		}
		if seen[i.GUID] || i.Title == "" || i.Description == "" || i.Content == "" {
			t.Errorf("%s: %+v", name, i)
		}
		seen[i.GUID], last = true, *i.PublishedParsed
		updated = later(updated, *cmp.Or(i.UpdatedParsed, i.PublishedParsed))
	}
	if len(feed.Items) > feedLength || feed.FeedType == "atom" && !feed.UpdatedParsed.Equal(updated) {
		t.Errorf("%s: %d entries, updated %v, the last one %v", name, len(feed.Items), feed.UpdatedParsed, updated)
	}
}

// checkAnchor wants the link to lead to an element of one of the pages.
func checkAnchor(t *testing.T, files Files, link string) {
	t.Helper()
	page, anchor, ok := strings.Cut(strings.TrimPrefix(link, home), "#")
	if !ok || !strings.Contains(string(files[page+"index.html"]), `id="`+anchor+`"`) {
		t.Errorf("%s leads nowhere", link)
	}
}

// checkAbsolute wants links that lead to the same place wherever they are read.
func checkAbsolute(t *testing.T, content string) {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	for n := range doc.Descendants() {
		for _, a := range n.Attr {
			if (a.Key == "href" || a.Key == "src") && !strings.Contains(a.Val, ":") {
				t.Errorf("a link to %q", a.Val)
			}
		}
	}
}

func TestFeedTellsWhatHappened(t *testing.T) {
	in := input(t, "2027-01-04 11:00")
	w := winter(t)
	w.Reopening, in.Notices = nil, []*notice.Notice{w}
	got := strings.Join(ids(parsed(t, build(t, in), "feed.xml")), " ")
	want := "winter-break/#reopened winter-break/#update-20261228T160000Z winter-break/#update-20261226T103000Z " +
		"winter-break/#closed winter-break/#announced"
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// What was announced stays as it was announced; what became of it is told apart,
// also to those whom it no longer concerns.
func TestFeedTellsOfChanges(t *testing.T) {
	in := input(t, "2026-12-29 11:00")
	n, changes := changed(t)
	in.Notices, in.Known = []*notice.Notice{n}, &Known{Changes: map[string][]Change{n.Slug: changes}}
	files := build(t, in)
	for _, name := range []string{"atom.xml", "storefronts/web/atom.xml", "storefronts/market/atom.xml"} {
		told := map[string]string{}
		for _, i := range parsed(t, files, name).Items {
			told[strings.TrimPrefix(i.GUID, home+"closures/winter-break/#")] = i.Description
		}
		for id, want := range map[string]string{
			"announced":                    "Closes Thu 24 December, 18:00 (Lisbon), reopens Sat 2 January, 09:00 (Lisbon). We are closing",
			"changed-20261220T120000.000Z": "Now reopens Mon 4 January, 09:00 (Lisbon); it was planned for Sat 2 January, 09:00 (Lisbon).",
			"changed-20261221T120000.000Z": "Now it is about Market stall.",
			"closed":                       "Closes Thu 24 December, 18:00 (Lisbon), reopens Mon 4 January, 09:00 (Lisbon). We are closing",
		} {
			if !strings.HasPrefix(told[id], want) {
				t.Errorf("%s, %s: got %q, want %q…", name, id, told[id], want)
			}
		}
	}
}

func TestChangesInWords(t *testing.T) {
	old := Change{At: at(t, "2026-12-01 10:00").Time, Closes: at(t, "2026-12-24"), Reopens: at(t, "2027-01-02")}
	change := func(change func(c *Change)) Change {
		c := old
		c.At = c.At.Add(time.Hour)
		change(&c)
		return c
	}
	openEnded := change(func(c *Change) { c.Reopens = notice.Moment{} })
	off := change(func(c *Change) { c.Cancelled = true })
	for want, versions := range map[string][2]Change{
		"Now closes Wed 23 December (Lisbon); it was planned for Thu 24 December (Lisbon).":     {old, change(func(c *Change) { c.Closes = at(t, "2026-12-23") })},
		"Now reopens Sat 2 January, 09:00 (Lisbon); it was planned for Sat 2 January (Lisbon).": {old, change(func(c *Change) { c.Reopens = at(t, "2027-01-02 09:00") })},
		"Now until further notice; it was planned for Sat 2 January (Lisbon).":                  {old, openEnded},
		"Now reopens Sat 2 January (Lisbon); it was until further notice.":                      {openEnded, old},
		"It is cancelled.":             {old, off},
		"It takes place after all.":    {off, old},
		"Now it is about Online shop.": {old, change(func(c *Change) { c.Storefronts = []string{"web"} })},
		"":                             {old, change(func(*Change) {})},
	} {
		in := input(t, "2026-12-29 11:00")
		e := New(in.Config, in.Theme)
		v, err := e.voice("en", "")
		if err != nil {
			t.Fatal(err)
		}
		r := reader{e, v, []*voice{v}, in.Now}
		if got := paragraph(r.change(winter(t), versions[0], versions[1])); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// A version that says the same of times and storefronts is no change; two within
// a second are two, the later one first.
func TestChangesAreDistinct(t *testing.T) {
	in := input(t, "2026-12-20 10:00")
	n := &notice.Notice{Slug: "c", Title: "C", Published: at(t, "2026-12-01 10:00"), Closes: at(t, "2026-12-22"), Storefronts: []string{"web", "market"}}
	first := Change{At: at(t, "2026-12-01 10:00").Time, Closes: at(t, "2026-12-24"), Storefronts: n.Storefronts}
	same, slip, right := first, first, first
	same.At, same.Storefronts = first.At.Add(time.Hour), []string{"market", "web"}
	slip.At, slip.Closes = in.Now.Add(200*time.Millisecond), at(t, "2026-12-23")
	right.At, right.Closes = in.Now.Add(900*time.Millisecond), n.Closes
	in.Notices, in.Known = []*notice.Notice{n}, &Known{Changes: map[string][]Change{"c": {first, same, slip, right}}}
	files := build(t, in)
	feed := parsed(t, files, "atom.xml")
	if got := strings.Join(ids(feed), " "); got != "c/#changed-20261220T100000.900Z c/#changed-20261220T100000.200Z c/#announced" {
		t.Errorf("got %s", got)
	}
	checkItems(t, "atom.xml", feed, in.Now)
	checkAnchor(t, files, feed.Items[0].Link)
}

func TestFeedKeepsAnyTitle(t *testing.T) {
	in := input(t, "2026-12-29 11:00")
	title := "“Quotes” \"plain\" & <tags> ]]> – Наводнение 洪水 🌊"
	in.Notices = []*notice.Notice{{Slug: "c", Title: title + "\a", Closes: at(t, "2026-12-28 10:00"), Body: "`]]>` & <b>a</b> \x0bbell\a.\x01"}}
	for _, name := range feedsIn(build(t, in)) {
		feed := parsed(t, build(t, in), name)
		i := feed.Items[0]
		if i.Title != title+": closed" {
			t.Errorf("%s: title %q", name, i.Title)
		}
		if !strings.HasSuffix(i.Content, "<p><code>]]&gt;</code> &amp; a bell.</p>\n") {
			t.Errorf("%s: content %q", name, i.Content)
		}
		summary := "]]> & a bell."
		if path.Base(name) == "feed.xml" { // where it is HTML
			summary = html.EscapeString(summary)
		}
		if !strings.HasSuffix(i.Description, summary) {
			t.Errorf("%s: summary %q", name, i.Description)
		}
	}
}

// An announcement whose date nobody knows is left out, rather than dated wrong.
func TestFeedAnnouncementNeedsADate(t *testing.T) {
	in := input(t, "2026-12-01 11:00")
	in.Notices = []*notice.Notice{{Slug: "c", Title: "C", Closes: at(t, "2027-01-01 10:00")}}
	if got := ids(parsed(t, build(t, in), "feed.xml")); len(got) > 0 {
		t.Errorf("got %v", got)
	}
	accepted := at(t, "2026-11-30 08:00").Time
	in.Known = &Known{Notices: map[string]Facts{"c": {Accepted: accepted}}}
	items := parsed(t, build(t, in), "feed.xml").Items
	if len(items) != 1 || !items[0].PublishedParsed.Equal(accepted) {
		t.Errorf("got %+v", items)
	}
}

// An announcement that is dated ahead is told when its moment comes, by a site
// that has long known of it.
func TestFeedTellsWhatWasDatedAhead(t *testing.T) {
	in := input(t, "2026-12-01 11:00")
	in.Notices = []*notice.Notice{{Slug: "c", Title: "C", Published: at(t, "2026-12-05 10:00"), Closes: at(t, "2027-01-01 10:00")}}
	site := New(in.Config, in.Theme)
	for now, want := range map[string]int{"2026-12-01 11:00": 0, "2026-12-05 10:00": 1} {
		in.Now = at(t, now).Time
		e, err := site.Edition(in.Input)
		if err != nil {
			t.Fatal(err)
		}
		files, err := e.Files()
		if err != nil {
			t.Fatal(err)
		}
		if got := len(parsed(t, files, "atom.xml").Items); got != want {
			t.Errorf("at %s: %d entries", now, got)
		}
	}
}

func TestFeedIDsAndDatesStay(t *testing.T) {
	in := input(t, "2026-12-29 11:00")
	n, changes := changed(t)
	in.Notices[0], in.Known = n, &Known{Changes: map[string][]Change{n.Slug: changes}}
	dates := map[string]string{}
	for _, i := range parsed(t, build(t, in), "atom.xml").Items {
		dates[i.GUID] = i.Updated + i.Description
	}
	in.Now = in.Now.AddDate(2, 0, 0)
	in.Notices[0].Facts, in.Notices[0].Contact = nil, nil
	in.Known.Changes[n.Slug] = append(changes, Change{At: in.Now.AddDate(-1, 0, 0), Closes: n.Closes, Reopens: at(t, "2027-01-05"), Storefronts: n.Storefronts})
	later := map[string]string{}
	for _, i := range parsed(t, build(t, in), "atom.xml").Items {
		later[i.GUID] = i.Updated + i.Description
	}
	for id, date := range dates {
		if later[id] != date {
			t.Errorf("%s: was %s, is %q", id, date, later[id])
		}
	}
}

// Words that the owner edits later are told by updated alone; what was published
// when, and in which order, stands. Of translated words nobody knows.
func TestFeedTellsOfEditedWords(t *testing.T) {
	in := input(t, "2027-01-04 11:00")
	w := winter(t)
	news := w.Updates[0].At
	w.Translations = []*notice.Translation{{Slug: w.Slug, Language: "pt", Title: "Inverno", Body: "Fechamos.", Updates: []notice.Update{{At: news, Body: "Notícias."}}}}
	in.Notices = []*notice.Notice{w}
	in.Known = &Known{Reworded: map[string]map[time.Time]time.Time{w.Slug: {
		{}: at(t, "2026-12-23 10:00").Time, news.UTC(): at(t, "2027-01-03 10:00").Time,
	}}}
	files := build(t, in)
	for _, name := range []string{"atom.xml", "feed.json"} {
		feed := parsed(t, files, name)
		if got := feed.Updated; name == "atom.xml" && got != "2027-01-03T10:00:00Z" {
			t.Errorf("%s: updated %s", name, got)
		}
		for _, i := range feed.Items {
			want := i.Published
			switch i.GUID[strings.LastIndexByte(i.GUID, '#'):] {
			case "#announced":
				want = at(t, "2026-12-23 10:00").UTC().Format(time.RFC3339)
			case "#" + updateID(w.Updates[0]):
				want = at(t, "2027-01-03 10:00").UTC().Format(time.RFC3339)
			}
			if i.Updated != want {
				t.Errorf("%s, %s of %s: updated %s, want %s", name, i.GUID, i.Published, i.Updated, want)
			}
		}
	}
	for _, i := range parsed(t, files, "pt/atom.xml").Items {
		if i.Updated != i.Published {
			t.Errorf("in Portuguese, %s of %s: updated %s", i.GUID, i.Published, i.Updated)
		}
	}
}

func TestFeedHoldsTheNewest(t *testing.T) {
	in := input(t, "2026-12-29 11:00")
	in.Notices = many(t, 200)
	for i, n := range in.Notices {
		n.Storefronts = []string{[]string{"web", "market"}[i%2]}
	}
	files := build(t, in)
	for _, name := range feedsIn(files) {
		feed := parsed(t, files, name)
		want := map[string]string{"storefronts/market": "closure-00001"}[path.Dir(name)]
		if want == "" {
			want = "closure-00000"
		}
		if len(feed.Items) != feedLength || !strings.Contains(feed.Items[0].GUID, want) {
			t.Errorf("%s: %d entries, the first %s", name, len(feed.Items), feed.Items[0].GUID)
		}
	}
}

// Whoever read of a closure must learn that it is off.
// On the day of the flood one minute may hold all of a closure.
func TestFeedOrderWithinOneMoment(t *testing.T) {
	in := input(t, "2026-12-29 11:00")
	moment := at(t, "2026-03-02 07:00")
	in.Notices = []*notice.Notice{{Slug: "flood", Title: "Flood", Published: moment, Closes: moment, Reopened: moment}}
	if got, want := ids(parsed(t, build(t, in), "atom.xml")), []string{"flood/#reopened", "flood/#closed", "flood/#announced"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestFeedTellsOfCancelling(t *testing.T) {
	in := input(t, "2026-12-29 11:00")
	n := &notice.Notice{Slug: "c", Title: "C", Published: at(t, "2026-12-01 10:00"), Closes: at(t, "2027-01-01 10:00"), Cancelled: true}
	in.Notices = []*notice.Notice{n}
	if items := parsed(t, build(t, in), "feed.xml").Items; len(items) != 1 || items[0].Title != "C: cancelled" {
		t.Errorf("got %+v", items)
	}
	first := Change{At: n.Published.Time, Closes: n.Closes}
	off := Change{At: at(t, "2026-12-20 10:00").Time, Closes: n.Closes, Cancelled: true}
	in.Known = &Known{Changes: map[string][]Change{"c": {first, off}}}
	items := parsed(t, build(t, in), "feed.xml").Items
	if len(items) != 2 || items[0].Title != "C: cancelled" || !items[0].PublishedParsed.Equal(off.At) || items[1].Title != "C: announced" {
		t.Errorf("got %+v", items)
	}
}

// A feed is what has happened: as long as nothing does, it is the same.
func TestFeedsAreMadeAnewOnlyWhenSomethingHappened(t *testing.T) {
	in := input(t, "2026-12-27 11:00")
	site := New(in.Config, in.Theme)
	edition := func(now string) *Edition {
		in.Now = at(t, now).Time
		e, err := site.Edition(in.Input)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	before, hourLater, afterUpdate := edition("2026-12-27 11:00"), edition("2026-12-27 12:00"), edition("2026-12-28 16:00")
	for _, name := range append(feedFiles, "closures.ics", "sitemap.xml") {
		if !before.Same(hourLater, name) {
			t.Errorf("%s is made anew though nothing happened", name)
		}
		if hourLater.Same(afterUpdate, name) {
			t.Errorf("%s does not tell of the update", name)
		}
		if name := "storefronts/market/" + name; before.Has(name) && !hourLater.Same(afterUpdate, name) {
			t.Errorf("%s is made anew for another storefront's update", name)
		}
	}
}

// jsonFeedSchema is that of testdata/schemas.
func jsonFeedSchema(t testing.TB) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	schema, err := c.Compile("testdata/schemas/jsonfeed-1.1.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func TestJSONFeedFollowsItsSchema(t *testing.T) {
	schema := jsonFeedSchema(t)
	inStates(t, func(t *testing.T, _ sample, files Files) {
		for name, content := range files {
			if path.Base(name) != "feed.json" {
				continue
			}
			if err := schema.Validate(decoded(t, content)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
	sound := string(build(t, input(t, "2026-12-29 11:00"))["feed.json"])
	for what, broken := range map[string]string{
		"no items":   strings.Replace(sound, `"items"`, `"entries"`, 1),
		"no content": strings.Replace(sound, `"content_html"`, `"content"`, 1),
		"no date":    strings.Replace(sound, `"date_published": "2026`, `"date_published": "26`, 1),
	} {
		if broken == sound || schema.Validate(decoded(t, []byte(broken))) == nil {
			t.Errorf("%s: passes", what)
		}
	}
}

func decoded(t testing.TB, content []byte) (document any) {
	t.Helper()
	if err := json.Unmarshal(content, &document); err != nil {
		t.Fatal(err)
	}
	return document
}

// Every page leads to the feeds and the calendar: a storefront's to its own.
func TestPagesLeadToTheirFeeds(t *testing.T) {
	in := input(t, "2026-12-29 11:00")
	in.Config.Languages = []string{"en", "pt"}
	files := build(t, in)
	for page, want := range map[string]string{
		"index.html": "", "history/index.html": "", closurePath("summer"): "", "pt/index.html": "pt/",
		"storefronts/web/index.html": "storefronts/web/", "pt/storefronts/web/index.html": "pt/storefronts/web/",
	} {
		linked := map[string]string{}
		doc, err := html.Parse(bytes.NewReader(files[page]))
		if err != nil {
			t.Fatal(err)
		}
		for n := range doc.Descendants() {
			attr := map[string]string{}
			for _, a := range n.Attr {
				attr[a.Key] = a.Val
			}
			if n.Data == "link" && attr["rel"] == "alternate" && attr["type"] != "" {
				linked[attr["type"]] = path.Join(path.Dir(page), attr["href"])
			}
		}
		for _, name := range append(feedFiles, "closures.ics") {
			if got := linked[mediaTypes[name]]; got != want+name || files[got] == nil {
				t.Errorf("%s: %s leads to %q", page, mediaTypes[name], got)
			}
		}
	}
}

func TestContentTypes(t *testing.T) {
	for name, want := range map[string]string{
		"index.html": "text/html; charset=utf-8", "pt/closures.ics": "text/calendar; charset=utf-8", "feed.xml": "application/rss+xml",
		"storefronts/web/atom.xml": "application/atom+xml", "/feed.json": "application/feed+json", "status.json": "application/json",
		"strange": "application/octet-stream",
	} {
		if got := ContentType(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}
