package notice

import (
	"strings"
	"testing"
	"time"

	"github.com/backsoon/backsoon/internal/strictyaml"
)

const floodFile = "content/closures/flood.md"

func parse(t *testing.T, src string) (*Notice, strictyaml.Problems) {
	t.Helper()
	n, problems := Parse(floodFile, "flood", []byte(src), zone(t, "Europe/Lisbon"))
	inside(t, []byte(src), problems)
	return n, problems
}

func mustParse(t *testing.T, src string) *Notice {
	t.Helper()
	n, problems := parse(t, src)
	if n == nil {
		t.Fatalf("%v\nin:\n%s", problems, src)
	}
	return n
}

func TestParseWhole(t *testing.T) {
	lisbon := zone(t, "Europe/Lisbon")
	n, problems := parse(t, whole)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	want := &Notice{
		Slug: "flood", Title: "Closed for the winter break",
		Published:   Moment{Time: time.Date(2026, 11, 20, 10, 0, 0, 0, lisbon)},
		Closes:      Moment{Time: time.Date(2026, 12, 24, 18, 0, 0, 0, lisbon)},
		Reopens:     Moment{Time: time.Date(2027, 1, 2, 9, 0, 0, 0, lisbon)},
		Storefronts: []string{"web", "shop-2"},
		Facts:       []Fact{{"Last orders", "Wed 23 December, 12:00"}, {"Oddly: named", "010"}, {"Version", "1.10"}},
		Contact:     &Link{"Helpline", "tel:+351210000000"},
		Reopening:   []Step{{"stock counted", true}, {"test order placed", false}},
		Body:        "We are *closing* for [two weeks](https://example.org).\nSee https://example.org & <b>more</b>.",
		Updates: []Update{
			{At: time.Date(2026, 12, 26, 10, 30, 0, 0, lisbon), Title: "Water is gone",
				Body: "Every floor.\n\n- one\n- two\n\n## Not an update\n\n```\n## 2026-12-27 10:30 neither\n```"},
			{At: time.Date(2026, 12, 28, 9, 30, 15, 0, time.UTC).In(time.FixedZone("", 3600)), Body: "Soon."},
		},
	}
	if !same(n, want) {
		t.Errorf("got  %+v\nwant %+v", n, want)
	}
	if u := n.Updates[0]; u.line != 22 || u.column != 1 {
		t.Errorf("the first update is said to be in line %d, column %d", u.line, u.column)
	}
}

func TestLineEndsAndByteOrderMark(t *testing.T) {
	want := mustParse(t, whole)
	for name, src := range map[string]string{
		"CRLF":                   strings.ReplaceAll(whole, "\n", "\r\n"),
		"BOM":                    "\ufeff" + whole,
		"both":                   "\ufeff" + strings.ReplaceAll(whole, "\n", "\r\n"),
		"no newline at the end":  strings.TrimRight(whole, "\n"),
		"blanks after the fence": strings.ReplaceAll(whole, "---\n", "---  \n"),
	} {
		if got := mustParse(t, src); !same(got, want) {
			t.Errorf("%s: got %+v\nwant %+v", name, got, want)
		}
	}
}

// TestProblems holds the words for each mistake, and its place. A key set here
// replaces or joins those of a notice that is right.
func TestProblems(t *testing.T) {
	front := func(lines string) string { return "---\ntitle: Flood\npublished: 2026-11-20\n" + lines + "\n---\n" }
	closes := "closes: 2026-12-24 18:00\n"
	for _, test := range []struct{ name, src, want string }{
		{"empty file", "", `1:1: a notice begins with a line ---`},
		{"no front matter", "We are closed.\n", `1:1: a notice begins with a line ---`},
		{"not closed", "---\ntitle: Flood\n\nText\n", `1:1: the part that begins here with --- is never closed; write another line ---`},
		{"empty front matter", "---\n---\n", `2:1: title is missing; write title: Closed for the winter break`},
		{"not UTF-8", "---\ntitle: Fl\xffood\n---\n", `2:10: this character is not UTF-8; save the file as UTF-8`},
		{"Latin-1 behind UTF-8", "---\ntitle: é\xe9\n---\n", `2:9: this character is not UTF-8`},
		{"NUL", front(closes) + "a\x00", `7:2: this character is NUL`},
		{"CR alone", "---\rtitle: x\r---\r", `1:4: the line ends in CR alone`},
		{"300 KiB", front(closes) + strings.Repeat("word ", 60<<10), `1:1: the file is larger than it may be (256 KiB); shorten it`},
		{"tab", front("\tcloses: 2026-12-24"), `4:1: the line is indented with a tab; use spaces`},
		{"tab after spaces", front(closes + "facts:\n \ta: b"), `6:2: the line is indented with a tab; use spaces`},
		{"duplicate", front(closes + "closes: 2026-12-25"), `5:1: "closes" is written twice (first in line 4); keep one of them`},
		{"unknown", front("close: 2026-12-24"), `4:1: "close" is not a key here; did you mean closes?`},
		{"far from any", front(closes + "weather: wet"), `5:1: "weather" is not a key here; the keys are title, published, closes`},
		{"no time", front("closes: 24th"), `4:9: closes: "24th" is not a time; write 2026-12-24 18:00`},
		{"no such day", front("closes: 2026-02-30"), `4:9: closes: "2026-02-30" is not in the calendar`},
		{"no such year", front("closes: 0202-12-24"), `4:9: closes: the year 0202 must be a slip; write 2026-12-24 18:00`},
		{"no such offset", front("closes: 2026-12-24T18:00:00+99:00"), `4:9: closes: "+99:00" is not an offset`},
		{"empty value", front("closes:"), `4:8: closes: is empty; write closes: 2026-12-24 18:00`},
		{"list for text", front("closes: [a]"), `4:9: closes: one text belongs here, not a list; write closes: 2026-12-24 18:00`},
		{"colon in the title", "---\ntitle: Closed: flood\n---\n", `2:8: the text holds a colon, so it has to be in quotes: title: "Closed: flood"`},
		{"star", front(closes + "draft: *x"), `5:8: a text cannot begin with * here; put it in quotes`},
		{"anchor", front(closes + "draft: &x yes"), `5:8: a text cannot begin with & here`},
		{"tag", front(closes + "draft: !x yes"), `5:8: a text cannot begin with ! here`},
		{"braces", "---\n{title: Flood, closes: 2026-12-24}\n---\n", `2:1: write one key a line, without { and }`},
		{"no key", "---\nFlood\n---\n", `2:1: "Flood" has no key; write key: value, with a space after the colon`},
		{"reopens too early", front(closes + "reopens: 2026-12-24 18:00"), `5:10: reopens: 2026-12-24 18:00 is not after closes (2026-12-24 18:00)`},
		{"reopened too early", front(closes + "reopened: 2026-12-24"), `5:11: reopened: 2026-12-24 is before closes (2026-12-24 18:00)`},
		{"empty title", "---\ntitle: ' '\ncloses: 2026-12-24\n---\n", `2:8: title: is empty`},
		{"long title", "---\ntitle: " + strings.Repeat("é", 201) + "\ncloses: 2026-12-24\n---\n", `2:8: title: has 201 characters; a title may have 200`},
		{"two lines of title", "---\ntitle: \"a\\nb\"\ncloses: 2026-12-24\n---\n", `2:8: title: a title is one line`},
		{"escape in the title", "---\ntitle: \"a\\e[1mb\"\ncloses: 2026-12-24\n---\n", `2:8: the text holds a character that cannot be shown (U+001B); delete it`},
		{"no storefront", front(closes + "storefronts: []"), `5:14: storefronts: the list is empty`},
		{"one storefront", front(closes + "storefronts: web"), `5:14: storefronts: a list belongs here; write storefronts: [web]`},
		{"twice", front(closes + "storefronts: [web, web]"), `5:20: storefronts: "web" is written twice`},
		{"checkout", front(closes + "checkout: open"), `5:11: checkout: "open" is neither off nor on; write checkout: off`},
		{"step", front(closes + "reopening:\n  stock counted: maybe"), `6:18: reopening.stock counted: "maybe" is neither yes nor no; write stock counted: yes or stock counted: no`},
		{"steps as list", front(closes + "reopening: [a]"), `5:12: reopening: keys and values belong here`},
		{"fact without a name", front(closes + "facts: {\"\": x}"), `5:13: facts.: before the colon stands a name`},
		{"fact without a text", front(closes + "facts: {x: ' '}"), `5:12: facts.x: is empty; write Last orders`},
		{"step of two lines", front(closes + "reopening: {\"a\\nb\": yes}"), `5:21: reopening.a b: before the colon stands a name`},
		{"draft", front(closes + "draft: perhaps"), `5:8: draft: "perhaps" is neither yes nor no`},
		{"contact's label", front(closes + "contact: {label: " + strings.Repeat("é", 201) + ", url: \"tel:1\"}"), `5:18: contact.label: has 201 characters; a label may have 200`},
		{"contact's url", front(closes + "contact: {label: x, url: \"tel:" + strings.Repeat("1", 1997) + "\"}"), `5:26: contact.url: has 2001 characters; an address may have 2000`},
		{"telephone", front(closes + "contact: {label: x, url: \"tel:+351 210 000\"}"), `5:26: contact.url: an address has no spaces; write "tel:+351210000"`},
		{"spaces", front(closes + "contact: {label: x, url: \"https://a.example/b c\"}"), `5:26: contact.url: an address has no spaces; write "https://a.example/b%20c"`},
		{"contact", front(closes + "contact: {label: x, url: \"javascript:y\"}"), `5:26: contact.url: "javascript:y" is no way to reach you; begin it with https://`},
		{"contact without url", front(closes + "contact: {label: x}"), `5:10: contact.url is missing; write url: "tel:+351210000000"`},
		{"impossible update", front(closes) + "Text\n\n## 2026-13-45 10:30 x\n", `9:1: update: "2026-13-45 10:30" is not in the calendar`},
		{"update at 9:30", front(closes) + "## 2026-12-25 9:30 x\n", `7:1: update: "2026-12-25 9:30" is not a time; write 2026-12-24 18:00`},
		{"two at once", front(closes) + "## 2026-12-25 10:30 x\n\n## 2026-12-25T10:30:00Z y\n", `9:1: update: 2026-12-25T10:30:00Z is the time of the update in line 7, too`},
		{"deep quotes", front(closes) + strings.Repeat("> ", 60) + "a", `7:1: quotes or lists are nested more than 50 deep`},
		{"many links", front(closes) + strings.Repeat("[a](", 50000), `7:1: there are more than 3000 [ above here`},
		{"deep brackets", front(closes + "facts: " + strings.Repeat("[", 5000)), `nested too deeply`},
		{"deep lists", front(closes + "facts:\n  a: " + strings.Repeat("- ", 5000)), `nested too deeply`},
		{"deep colons", front(closes + strings.Repeat(": ", 5000)), `nested too deeply`},
	} {
		t.Run(test.name, func(t *testing.T) {
			n, problems := parse(t, test.src)
			if n != nil || problems.Err() == nil {
				t.Fatalf("accepted: %+v", n)
			}
			if got := problems.Error(); !strings.Contains(got, test.want) || !strings.HasPrefix(got, floodFile+":") {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestWarnings(t *testing.T) {
	for _, test := range []struct{ name, src, want string }{
		{"not published", "---\ntitle: x\ncloses: 2026-12-24\n---\n", `2:1: warning: published: is missing`},
		{"gap", "---\ntitle: x\npublished: 2026-01-01\ncloses: 2026-03-29 01:30\n---\n",
			`4:9: warning: closes: 2026-03-29 01:30 does not exist in Europe/Lisbon`},
		{"fold", "---\ntitle: x\npublished: 2026-01-01\ncloses: 2026-10-25 01:30\n---\n",
			`4:9: warning: closes: 2026-10-25 01:30 happens twice in Europe/Lisbon`},
		{"update without a time", minimal + "## 2026-12-25 Water\n", `6:1: warning: the heading begins with a date but no time, so it is no update; write ## 2026-12-25 10:30`},
		{"underlined", minimal + "a\n\n2026-12-25 10:30 Water\n---\n", `8:1: warning: an underlined heading is no update; write ## 2026-12-25 10:30 Water`},
		{"no space", minimal + "a\n##2026-12-25 10:30 Water\n", `7:1: warning: an update begins with ## and a space, so this is none; write ## 2026-12-25 10:30 Water`},
		{"a level too low", minimal + "### 2026-12-25 10:30 Water\n", `6:1: warning: an update begins with ## and a space, so this is none; write ## 2026-12-25 10:30 Water`},
		{"update in the fold", minimal + "## 2026-10-25 01:30 Water\n", `6:1: warning: update: 2026-10-25 01:30 happens twice`},
	} {
		t.Run(test.name, func(t *testing.T) {
			n, problems := parse(t, test.src)
			if n == nil || len(problems) != 1 || !strings.Contains(problems[0].String(), test.want) {
				t.Errorf("got  %v\nwant %s", problems, test.want)
			}
		})
	}
}

func TestAllProblemsAtOnce(t *testing.T) {
	src := "---\none: 1\ntwo: 2\nthree: 3\nfour: 4\nfive: 5\ntitle:\ncloses: soon\n---\n## 2026-13-45 10:30\n"
	_, problems := parse(t, src)
	if got := len(problems.Errors()); got != 8 {
		t.Errorf("8 mistakes gave %d problems:\n%v", got, problems)
	}
	for i := 1; i < len(problems); i++ {
		if problems[i].Line < problems[i-1].Line {
			t.Errorf("not in the file's order:\n%v", problems)
		}
	}
}

// TestBodyIsReadThough holds that a front matter which isn't YAML doesn't hide
// what is wrong below it.
func TestBodyIsReadThough(t *testing.T) {
	_, problems := parse(t, "---\ntitle: Closed: flood\n---\n## 2026-13-45 10:30\n")
	if len(problems.Errors()) != 2 {
		t.Errorf("got %v", problems)
	}
}

func TestWhichHeadingsAreUpdates(t *testing.T) {
	const h = "## 2026-12-26 10:30 Water"
	for _, test := range []struct {
		name, body string
		updates    int
	}{
		{"plain", h, 1},
		{"indented", "   " + h, 1},
		{"behind a paragraph", "text\n" + h, 1},
		{"closed", h + " ##", 1},
		{"code by indentation", "    " + h, 0},
		{"fence", "```\n" + h + "\n```", 0},
		{"open fence", "~~~\n" + h, 0},
		{"quote", "> " + h, 0},
		{"list", "- " + h, 0},
		{"within a list's item", "- a\n\n  " + h, 0},
		{"raw HTML", "<div>\n" + h + "\n</div>", 0},
		{"comment", "<!--\n\n" + h + "\n-->", 0},
		{"level 3", "#" + h, 0},
		{"level 1", h[1:], 0},
		{"no blank", "##2026-12-26 10:30 Water", 0},
		{"underlined", h[3:] + "\n---", 0},
		{"escaped", "\\" + h, 0},
		{"number", "## 2026-12-261 10:30", 0},
	} {
		n := mustParse(t, minimal+test.body+"\n")
		if len(n.Updates) != test.updates {
			t.Errorf("%s: %d updates, want %d", test.name, len(n.Updates), test.updates)
		}
		if test.updates == 1 && n.Updates[0].Title != "Water" {
			t.Errorf("%s: the title is %q", test.name, n.Updates[0].Title)
		}
	}
}

func TestIDsAndSlugs(t *testing.T) {
	for slug, valid := range map[string]bool{
		"flood": true, "winter-break-2026": true, "-": true, strings.Repeat("a", 80): true,
		"": false, "Flood": false, "a b": false, "é": false, "a/b": false, "..": false, strings.Repeat("a", 81): false,
	} {
		if ValidSlug(slug) != valid {
			t.Errorf("ValidSlug(%q) is %v", slug, !valid)
		}
		_, problems := Parse(floodFile, slug, []byte(minimal), time.UTC)
		if (problems.Err() == nil) != valid {
			t.Errorf("Parse as %q: %v", slug, problems)
		}
	}
	for title, slug := range map[string]string{
		"Closed for the winter break": "closed-for-the-winter-break",
		"Fermé — l’été à Évora!":      "ferme-lete-a-evora",
		"Größe & Łódź, Ærø":           "grosse-lodz-aero",
		"休業のお知らせ":                     "closure",
		"":                            "closure",
		"  --  ":                      "closure",
		strings.Repeat("a", 200):      strings.Repeat("a", 80),
		strings.Repeat("word ", 30):   strings.TrimSuffix(strings.Repeat("word-", 16), "-"),
	} {
		if got := Slug(title); got != slug || !ValidSlug(got) {
			t.Errorf("Slug(%q) is %q, want %q", title, got, slug)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	loc := zone(b, "Europe/Lisbon")
	for b.Loop() {
		if n, _ := Parse(floodFile, "flood", []byte(whole), loc); n == nil {
			b.Fatal("refused")
		}
	}
}
