package site

import (
	"bytes"
	"path"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/backsoon/backsoon/internal/notice"
)

// visible is what a reader sees of a page, in one line.
func visible(t testing.TB, page []byte) string {
	t.Helper()
	doc, err := html.Parse(bytes.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	var words []string
	var read func(*html.Node)
	read = func(n *html.Node) {
		if n.Type == html.TextNode {
			words = append(words, n.Data)
		}
		if !slices.Contains([]string{"style", "script", "template"}, n.Data) || n.Type == html.TextNode {
			for c := range n.ChildNodes() {
				read(c)
			}
		}
	}
	read(doc)
	return strings.Join(strings.Fields(strings.Join(words, "")), " ")
}

func TestThePageAnswersFirst(t *testing.T) {
	closure := func(closes, reopens string, change func(*notice.Notice)) []*notice.Notice {
		n := &notice.Notice{Slug: "c", Title: "C", Closes: at(t, closes)}
		if reopens != "" {
			n.Reopens = at(t, reopens)
		}
		if change != nil {
			change(n)
		}
		return []*notice.Notice{n}
	}
	tests := []struct {
		notices []*notice.Notice
		want    string
	}{
		{nil, "Online shop · Market stall Open How to reach us"},
		{closure("2026-12-24 18:00", "2027-01-02 09:00", nil), "Online shop · Market stall Closed. Reopens Sat 2 January, 09:00 (Lisbon)"},
		{closure("2026-12-24 18:00", "", nil), "Closed until further notice"},
		{closure("2026-12-24", "2027-01-02", nil), "Closed. Reopens Sat 2 January (Lisbon)"},
		{closure("2026-12-31 18:00", "2027-01-02 09:00", nil), "Open. Closing Thu 31 December, 18:00 (Lisbon)"},
		{closure("2026-12-31", "2027-01-02", nil), "Open. Closing Thu 31 December (Lisbon)"},
		{closure("2026-12-24 18:00", "2026-12-28 09:00", func(n *notice.Notice) { n.Reopening = []notice.Step{{Name: "x"}} }),
			"Reopening delayed. It was planned for Mon 28 December, 09:00 (Lisbon)"},
		{closure("2026-12-24 18:00", "2027-01-02 09:00", func(n *notice.Notice) { n.Storefronts = []string{"market"} }),
			"Online shop Open Market stall Closed. Reopens Sat 2 January, 09:00 (Lisbon)"},
		{closure("2026-12-24 18:00", "2027-01-02 09:00", func(n *notice.Notice) { n.CheckoutOn = true }), "Online shop · Market stall Open How"},
		{closure("2026-12-24 18:00", "2026-12-26", func(n *notice.Notice) { n.CheckoutOn, n.Reopening = true, []notice.Step{{Name: "x"}} }),
			"Online shop · Market stall Open How to reach us orders@harbourbooks.example Now C Delayed. The end was planned for Sat 26 December (Lisbon)"},
		{closure("2026-12-31 18:00", "2027-01-02 09:00", func(n *notice.Notice) { n.Cancelled = true }), "Online shop · Market stall Open How"},
	}
	for _, tt := range tests {
		t.Run(tt.want, func(t *testing.T) {
			in := input(t, "2026-12-29 11:00")
			in.Notices = tt.notices
			seen := visible(t, build(t, in)["index.html"])
			if i := strings.Index(seen, tt.want); i < 0 || i > 400 {
				t.Errorf("not at the top of: %s", seen)
			}
		})
	}
}

// Red is for what nobody could know of beforehand, and it says so in words.
func TestUnplannedClosure(t *testing.T) {
	for published, want := range map[string]bool{"2026-12-24 17:59": false, "2026-12-24 18:00": true, "2026-12-24 18:05": true, "": false} {
		in := input(t, "2026-12-29 11:00")
		n := &notice.Notice{Slug: "c", Title: "C", Closes: at(t, "2026-12-24 18:00"), Reopens: at(t, "2027-01-02 09:00")}
		if published != "" {
			n.Published = at(t, published)
		}
		in.Notices = []*notice.Notice{n}
		files := build(t, in)
		for _, name := range []string{"index.html", closurePath("c")} {
			red, seen := bytes.Contains(files[name], []byte(`class="sign unplanned"`)), visible(t, files[name])
			if said := strings.Contains(seen, "This closure was not planned."); red != want || said != want || !strings.Contains(seen, "Closed. Reopens Sat 2 January, 09:00 (Lisbon)") {
				t.Errorf("published %q: %s is red: %v, says so: %v", published, name, red, said)
			}
		}
	}
}

func TestPlannedBesideActual(t *testing.T) {
	in := input(t, "2026-12-29 11:00")
	in.Known = known(t)
	history := visible(t, build(t, in)["history/2026/index.html"])
	want := "Planned Closes Mon 3 August (Lisbon), reopens Mon 17 August (Lisbon) " +
		"Actual Closed Mon 3 August (Lisbon), reopened Sun 16 August, 21:30 (Lisbon)"
	if !strings.Contains(history, want) {
		t.Errorf("no %q in %s", want, history)
	}
	in.Known = nil
	if history = visible(t, build(t, in)["history/2026/index.html"]); strings.Contains(history, "16 August") {
		t.Error("an actual end that only the ledger knows, without a ledger")
	}
}

func TestUpdatesNewestFirstAndNoneAhead(t *testing.T) {
	page := visible(t, build(t, input(t, "2026-12-29 11:00"))["closures/winter-break/index.html"])
	if dry, gone := strings.Index(page, "The cellar is dry"), strings.Index(page, "Water is gone"); dry < 0 || gone < dry {
		t.Errorf("updates in the wrong order: %s", page)
	}
	page = visible(t, build(t, input(t, "2026-12-27 11:00"))["closures/winter-break/index.html"])
	if strings.Contains(page, "The cellar is dry") || !strings.Contains(page, "Water is gone") {
		t.Errorf("an update that lies ahead is shown, or one that doesn't isn't: %s", page)
	}
}

func TestContactAndFacts(t *testing.T) {
	page := html.UnescapeString(string(build(t, input(t, "2026-12-29 11:00"))["index.html"]))
	for _, want := range []string{
		`href="tel:+351210000000"`, `href="mailto:orders@harbourbooks.example"`,
		`<dt dir="auto">Last orders</dt> <dd dir="auto">Wed 23 December, 12:00</dd>`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("no %s", want)
		}
	}
	if l := newLink(notice.Link{Label: "x", URL: "javascript:alert(1)"}); l.URL != "" {
		t.Errorf("%s is passed through", l.URL)
	}
}

// A customer reads these pages: nothing in them may sound like a server room,
// fetch anything from elsewhere, or break a rule of HTML.
func TestEveryPageIsSound(t *testing.T) {
	in := input(t, "2026-12-29 11:00")
	in.Drafts, in.Known = true, known(t)
	for name, page := range build(t, in) {
		if !strings.HasSuffix(name, ".html") {
			continue
		}
		t.Run(name, func(t *testing.T) {
			seen := strings.ToLower(visible(t, page))
			for _, word := range []string{"incident", "resolved", "downtime", "maintenance", "<nil>", "%!", "zgotmpl"} {
				if strings.Contains(seen, word) {
					t.Errorf("says %q", word)
				}
			}
			checkTags(t, page)
			checkTimes(t, page)
		})
	}
}

var void = []string{"meta", "link", "br", "img", "hr", "input"}

// checkTags wants every element closed in its turn, ids that are unique, and
// nothing fetched.
func checkTags(t *testing.T, page []byte) {
	t.Helper()
	var open []string
	ids := map[string]bool{}
	z := html.NewTokenizer(bytes.NewReader(page))
	for z.Next() != html.ErrorToken {
		tok := z.Token()
		switch tok.Type {
		case html.StartTagToken:
			if !slices.Contains(void, tok.Data) {
				open = append(open, tok.Data)
			}
			for _, a := range tok.Attr {
				if a.Key == "id" && ids[a.Val] {
					t.Errorf("two elements with the id %s", a.Val)
				}
				ids[a.Val] = ids[a.Val] || a.Key == "id"
				if a.Key == "src" && !strings.HasPrefix(a.Val, "data:") || a.Key == "rel" && a.Val == "stylesheet" {
					t.Errorf("%s is not in the page itself", tok)
				}
			}
		case html.EndTagToken:
			if len(open) == 0 || open[len(open)-1] != tok.Data {
				t.Fatalf("</%s> closes %v", tok.Data, open)
			}
			open = open[:len(open)-1]
		}
	}
	if len(open) > 0 {
		t.Errorf("never closed: %v", open)
	}
}

// checkTimes wants the zone beside every time.
func checkTimes(t *testing.T, page []byte) {
	t.Helper()
	times := bytes.Count(page, []byte("<time datetime="))
	zoned := bytes.Count(page, []byte(`</time> <span class="zone">(Lisbon)</span>`))
	if times != zoned {
		t.Errorf("%d times, %d of them with a zone", times, zoned)
	}
}

// walk follows every link from index.html on. It gives the files it came to, and
// the links that lead nowhere. An address on the web counts as the file behind it.
func walk(t testing.TB, files Files, home string) (reached map[string]bool, dead []string) {
	t.Helper()
	reached = map[string]bool{}
	for queue := []string{"index.html"}; len(queue) > 0; queue = queue[1:] {
		name := queue[0]
		if reached[name] || !strings.HasSuffix(name, ".html") {
			continue
		}
		reached[name] = true
		for _, target := range targets(t, name, files[name], home) {
			if _, ok := files[target]; !ok {
				dead = append(dead, name+" -> "+target)
			}
			queue = append(queue, target)
		}
	}
	return reached, dead
}

// targets lists the files that the page called name links to.
func targets(t testing.TB, name string, page []byte, home string) (all []string) {
	t.Helper()
	doc, err := html.Parse(bytes.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	for n := range doc.Descendants() {
		for _, a := range n.Attr {
			link, _, _ := strings.Cut(a.Val, "#")
			inside, absolute := strings.CutPrefix(link, home)
			switch {
			case a.Key != "href" || link == "":
			case absolute && (inside == "" || strings.HasSuffix(inside, "/")):
				all = append(all, inside+"index.html")
			case absolute:
				all = append(all, inside)
			case !strings.Contains(link, ":"):
				all = append(all, path.Join(path.Dir(name), link))
			}
		}
	}
	return all
}

func TestLinksResolve(t *testing.T) {
	in := input(t, "2026-12-29 11:00")
	in.Notices = append(in.Notices, many(t, 120)...)
	in.Notices[0].Body = "No link of an owner's own."
	files := build(t, in)
	home := in.Config.Shop.URL.String()
	reached, dead := walk(t, files, home)
	for _, link := range dead {
		t.Error("dead:", link)
	}
	for name := range files {
		if strings.HasSuffix(name, "index.html") && !reached[name] {
			t.Error("nothing leads to", name)
		}
	}
	for _, target := range targets(t, "404.html", files["404.html"], home) {
		if files[target] == nil {
			t.Error("dead: 404.html ->", target)
		}
	}
}

func TestCanonicalAddresses(t *testing.T) {
	files := build(t, input(t, "2026-12-29 11:00"))
	for name, want := range map[string]string{
		"index.html":                "https://status.harbourbooks.example/open/",
		"history/2026/index.html":   "https://status.harbourbooks.example/open/history/2026/",
		closurePath("winter-break"): "https://status.harbourbooks.example/open/closures/winter-break/",
	} {
		if !bytes.Contains(files[name], []byte(`<link rel="canonical" href="`+want+`">`)) || !bytes.Contains(files["sitemap.xml"], []byte("<loc>"+want+"</loc>")) {
			t.Errorf("%s is not known as %s", name, want)
		}
	}
}

// 404.html is served at any depth: a relative link in it would lead anywhere.
func TestNotFoundPageHasNoRelativeLink(t *testing.T) {
	doc, err := html.Parse(bytes.NewReader(build(t, input(t, "2026-12-29 11:00"))["404.html"]))
	if err != nil {
		t.Fatal(err)
	}
	for n := range doc.Descendants() {
		for _, a := range n.Attr {
			if a.Key == "href" && !strings.HasPrefix(a.Val, "https://status.harbourbooks.example/open/") && !strings.HasPrefix(a.Val, "data:") {
				t.Errorf("links to %s", a.Val)
			}
		}
	}
}
