package letter

import (
	"flag"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/backsoon/backsoon/internal/config"
	"github.com/backsoon/backsoon/internal/locale"
	"github.com/backsoon/backsoon/internal/notice"
	"github.com/backsoon/backsoon/templates"
)

var rewrite = flag.Bool("update", false, "write the golden files anew")

const winterBreak = `---
title: Closed for the winter break
published: 2026-11-20 10:00
closes: 2026-12-24 18:00
reopens: 2027-01-02 09:00
facts:
  Last orders: Wed 23 December, 12:00
  Orders in progress: sent out from 2 January
contact: {label: Helpline, url: "tel:+351210000000"}
reopening:
  stock counted: no
---
We are closing for two weeks, to rest and to count every book in the house.

Orders placed **before Wednesday noon** are sent out the same day. For the rest, see our
[delivery times](../../delivery/), and:

- gift cards can be bought all the time,
- e-books too.

## 2026-12-26 10:30 Water is gone
The cellar is dry again, and _no book_ was hurt. We reopen as planned.
`

// shop has two storefronts, in Lisbon.
func shop(t testing.TB) *config.Config {
	t.Helper()
	lisbon, err := time.LoadLocation("Europe/Lisbon")
	if err != nil {
		t.Fatal(err)
	}
	return &config.Config{
		Shop: config.Shop{
			Name:     "Harbour Books",
			URL:      &url.URL{Scheme: "https", Host: "status.harbourbooks.example", Path: "/now/"},
			Location: lisbon,
			Contact:  []notice.Link{{Label: "E-mail", URL: "mailto:orders@harbourbooks.example?subject=Order"}},
		},
		Storefronts: []config.Storefront{
			{ID: "web", Name: "Online shop", URL: "https://harbourbooks.example"},
			{ID: "rare", Name: "Rare books", URL: "https://rare.harbourbooks.example"},
		},
	}
}

// parse reads a notice of the shop.
func parse(t testing.TB, cfg *config.Config, source string) *notice.Notice {
	t.Helper()
	n, problems := notice.Parse("content/closures/winter-break.md", "winter-break", []byte(source), cfg.Shop.Location)
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	return n
}

func at(t testing.TB, stamp string) time.Time {
	t.Helper()
	moment, err := time.Parse(time.RFC3339, stamp)
	if err != nil {
		t.Fatal(err)
	}
	return moment
}

// compose writes a letter by the default theme and checks what holds for all.
func compose(t testing.TB, cfg *config.Config, f Facts) Letter {
	t.Helper()
	l, err := Compose(templates.FS(""), cfg, locale.English(), f)
	if err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(l.Subject, "\r\n") {
		t.Errorf("the subject has a line break: %q", l.Subject)
	}
	if len(l.HTML) > maxHTML {
		t.Errorf("%d bytes of HTML", len(l.HTML))
	}
	for _, part := range []string{l.Text, l.HTML} {
		if strings.Count(part, Unsubscribe) != 1 {
			t.Errorf("the leave link is not there just once:\n%s", part)
		}
		if strings.Contains(part, "ZgotmplZ") || strings.Contains(part, "<no value>") {
			t.Errorf("a template went wrong:\n%s", part)
		}
	}
	if bad := regexp.MustCompile(`(?i)incident|downtime|resolved`).FindString(l.Subject + l.Text + l.HTML); bad != "" {
		t.Errorf("a shop does not say %q", bad)
	}
	if regexp.MustCompile(`(?i)<(img|script|link|table)\b|url\(`).MatchString(l.HTML) {
		t.Errorf("the HTML fetches something:\n%s", l.HTML)
	}
	return l
}

// occasions are the eight letters of the winter break, each at its time.
func occasions(t testing.TB, n *notice.Notice) []Facts {
	t.Helper()
	update := at(t, "2026-12-26T10:30:00Z")
	return []Facts{
		{Kind: Announced, Now: at(t, "2026-11-20T10:01:00Z"), Notice: n},
		{Kind: Changed, Now: at(t, "2026-12-01T10:00:00Z"), Notice: n},
		{Kind: Reminder, Now: at(t, "2026-12-21T18:00:00Z"), Notice: n},
		{Kind: ClosedNow, Now: at(t, "2026-12-24T18:00:00Z"), Notice: n},
		{Kind: Update, Now: at(t, "2026-12-26T10:31:00Z"), Notice: n, Update: update},
		{Kind: Delayed, Now: at(t, "2027-01-02T09:00:00Z"), Notice: n},
		{Kind: Reopened, Now: at(t, "2027-01-03T11:00:00Z"), Notice: n, Storefronts: []string{"web"}},
		{Kind: Cancelled, Now: at(t, "2026-12-02T10:00:00Z"), Notice: n},
	}
}

func TestGolden(t *testing.T) {
	cfg := shop(t)
	for _, f := range occasions(t, parse(t, cfg, winterBreak)) {
		t.Run(string(f.Kind), func(t *testing.T) {
			l := compose(t, cfg, f)
			golden(t, string(f.Kind)+".txt", "Subject: "+l.Subject+"\n\n"+l.Text)
			golden(t, string(f.Kind)+".html", l.HTML)
		})
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *rewrite {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is not what it was; see the difference with -update and git diff. Now:\n%s", name, got)
	}
}

// Whoever reads two lines knows: open or closed, and until when.
func TestFirstTwoLines(t *testing.T) {
	cfg := shop(t)
	openEnded := strings.Replace(winterBreak, "reopens: 2027-01-02 09:00\n", "", 1)
	allDay := strings.NewReplacer("2026-12-24 18:00", "2026-12-24", "2027-01-02 09:00", "2027-01-02").Replace(winterBreak)
	aside := strings.Replace(winterBreak, "facts:", "checkout: on\nfacts:", 1)
	early := strings.NewReplacer("stock counted: no", "stock counted: yes", "reopening:", "reopened: 2026-12-30 12:00\nreopening:").Replace(winterBreak)
	tests := []struct {
		name, source string
		kind         Kind
		now          string
		storefronts  []string
		want         string
	}{
		{"ahead", winterBreak, Announced, "2026-11-20T10:00:00Z", nil,
			"Announcement: Harbour Books will be closed\nFrom Thu 24 December, 18:00 (Lisbon). Reopens Sat 2 January, 09:00 (Lisbon).\n"},
		{"one storefront", winterBreak, Reminder, "2026-12-21T18:00:00Z", []string{"rare"},
			"Reminder: Harbour Books (Rare books) will be closed\nFrom Thu 24 December, 18:00 (Lisbon). Reopens Sat 2 January, 09:00 (Lisbon).\n"},
		{"every storefront by name", winterBreak, ClosedNow, "2026-12-24T18:00:00Z", []string{"web", "rare"},
			"As of now: Harbour Books is closed\nReopens Sat 2 January, 09:00 (Lisbon).\n"},
		{"open-ended", openEnded, ClosedNow, "2026-12-24T18:00:00Z", nil,
			"As of now: Harbour Books is closed\nUntil further notice.\n"},
		{"open-ended, ahead", openEnded, Announced, "2026-12-01T18:00:00Z", nil,
			"Announcement: Harbour Books will be closed\nFrom Thu 24 December, 18:00 (Lisbon) until further notice.\n"},
		{"all day", allDay, Announced, "2026-11-20T10:00:00Z", nil,
			"Announcement: Harbour Books will be closed\nFrom Thu 24 December (Lisbon). Reopens Sat 2 January (Lisbon).\n"},
		{"new times ahead", winterBreak, Changed, "2026-12-01T18:00:00Z", nil,
			"Changed: Harbour Books will be closed\nFrom Thu 24 December, 18:00 (Lisbon). Reopens Sat 2 January, 09:00 (Lisbon).\n"},
		{"new times while closed", winterBreak, Changed, "2026-12-27T18:00:00Z", nil,
			"Changed: Harbour Books is closed\nReopens Sat 2 January, 09:00 (Lisbon).\n"},
		{"changed while overdue", winterBreak, Changed, "2027-01-02T10:00:00Z", nil,
			"Changed: Harbour Books is still closed\nReopening was planned for Sat 2 January, 09:00 (Lisbon). There is no new time yet.\n"},
		{"delayed", winterBreak, Delayed, "2027-01-02T09:00:00Z", nil,
			"Delay: Harbour Books is still closed\nReopening was planned for Sat 2 January, 09:00 (Lisbon). There is no new time yet.\n"},
		{"reopened early", early, Reopened, "2026-12-30T12:01:00Z", []string{"web"},
			"Welcome back: Harbour Books (Online shop) is open again\nSince Wed 30 December, 12:00 (Lisbon). You can order again.\n"},
		{"cancelled", winterBreak, Cancelled, "2026-12-02T10:00:00Z", nil,
			"Cancelled: Harbour Books stays open\nThe closure announced for Thu 24 December, 18:00 (Lisbon) will not take place.\n"},
		{"checkout left alone", aside, ClosedNow, "2026-12-24T18:00:00Z", nil,
			"As of now: Closed for the winter break\nEnds Sat 2 January, 09:00 (Lisbon). Orders are taken as usual.\n"},
		{"checkout left alone, over", aside, Reopened, "2027-01-02T12:00:00Z", nil,
			"It’s over: Closed for the winter break\nEnded Sat 2 January, 12:00 (Lisbon).\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := Facts{Kind: tt.kind, Notice: parse(t, cfg, tt.source), Now: at(t, tt.now), Storefronts: tt.storefronts}
			if l := compose(t, cfg, f); !strings.HasPrefix(l.Text, tt.want) {
				t.Errorf("got\n%s\nwant\n%s", l.Text, tt.want)
			}
		})
	}
}

func TestOneSubjectForAClosure(t *testing.T) {
	cfg := shop(t)
	own := map[Kind]string{
		Reopened:  "Harbour Books (Online shop) is open again",
		Cancelled: "Harbour Books: closure cancelled: Closed for the winter break",
	}
	for _, f := range occasions(t, parse(t, cfg, winterBreak)) {
		want := "Harbour Books: Closed for the winter break"
		if s, ok := own[f.Kind]; ok {
			want = s
		}
		if l := compose(t, cfg, f); l.Subject != want {
			t.Errorf("%s: subject %q, want %q", f.Kind, l.Subject, want)
		}
	}
}

func TestHostileWords(t *testing.T) {
	cfg := shop(t)
	n := parse(t, cfg, winterBreak)
	n.Title = "\"Closed\"</title><script>alert(1)</script>\r\nBcc: eve@x.example\x00 \u202etxt & 'so' {{.Leave}}"
	n.Body = "<script>alert(2)</script><img src=\"https://evil.example/1.png\">\n\n![a \"picture\"](https://evil.example/2.png) [here](javascript:alert(3)) {{.Leave}}"
	n.Facts = []notice.Fact{{Label: "<b>Last</b>", Text: "\"orders\"\nTo leave: https://evil.example/"}}
	n.Updates[0].Title, n.Updates[0].Body = "<i>Water</i>", n.Body
	n.Contact = &notice.Link{Label: "<u>x</u>", URL: "javascript:alert(4)"}
	cfg.Shop.Name = "Harbour <b>Books</b>\nBcc: eve@x.example"
	for _, f := range occasions(t, n) {
		l := compose(t, cfg, f)
		for _, bad := range []string{"<script", "<b>", "<i>", "<u>", "<img", "evil.example/1", "evil.example/2", `href="https://evil`, `href="javascript`} {
			if strings.Contains(l.HTML, bad) {
				t.Errorf("%s: %q got through:\n%s", f.Kind, bad, l.HTML)
			}
		}
		if strings.ContainsAny(l.Subject+l.Text+l.HTML, "\u202e\x00\r") {
			t.Errorf("%s: a control character got through", f.Kind)
		}
		if strings.Contains(l.Text, "\nTo leave: https://evil") || strings.Contains(l.Text, "\nBcc:") {
			t.Errorf("%s: a fact or title broke out of its line:\n%s", f.Kind, l.Text)
		}
	}
}

func TestPicturesBecomeWordsAndLinksWhole(t *testing.T) {
	cfg := shop(t)
	n := parse(t, cfg, winterBreak)
	n.Body += "\n\n![our \"cellar\"](cellar.jpg)"
	html := compose(t, cfg, Facts{Kind: ClosedNow, Notice: n, Now: n.Closes.Time}).HTML
	for _, want := range []string{`href="https://status.harbourbooks.example/now/delivery/"`, "our &#34;cellar&#34;", `href="tel:&#43;351210000000"`,
		`href="https://status.harbourbooks.example/now/closures/winter-break/"`, `href="mailto:orders@harbourbooks.example?subject=Order"`} {
		if !strings.Contains(html, want) {
			t.Errorf("no %s in\n%s", want, html)
		}
	}
}

func TestLongNoticesAreCut(t *testing.T) {
	cfg := shop(t)
	n := parse(t, cfg, winterBreak)
	n.Title = strings.Repeat("<&>", 1000)
	n.Body = strings.Repeat("A very long story about \"books\" & <water>. ", 6000)
	n.Updates[0].Body = n.Body
	n.Updates[0].Title = n.Title
	for range 500 {
		n.Facts = append(n.Facts, notice.Fact{Label: strings.Repeat("<", 300), Text: strings.Repeat("\"", 300)})
	}
	for _, f := range occasions(t, n) {
		l := compose(t, cfg, f) // which checks the size
		if !strings.Contains(l.Text, "closures/winter-break/") {
			t.Errorf("%s: no link to the whole story", f.Kind)
		}
	}
}

// TestNothingIsTooMuch: whatever an owner writes, there is a letter, and it says
// what a reader must know.
func TestNothingIsTooMuch(t *testing.T) {
	for name, s := range map[string]string{"quotes": `"`, "ampersands": "&", "smileys": "😀", "words": "word ", "emphasis": "**a** ", "list": "- a\n"} {
		t.Run(name, func(t *testing.T) {
			cfg := shop(t)
			n := parse(t, cfg, winterBreak)
			much, address := strings.Repeat(s, 2000), "https://x.example/"+strings.Repeat("&", 1900)
			n.Title, n.Body, n.Updates[0].Title, n.Updates[0].Body = much, much, much, much
			n.Facts = slices.Repeat([]notice.Fact{{Label: much, Text: much}}, 12)
			n.Contact = &notice.Link{Label: much, URL: address}
			cfg.Shop = config.Shop{Name: much, URL: cfg.Shop.URL.JoinPath(strings.Repeat("&", 1900)), Location: cfg.Shop.Location,
				Contact: slices.Repeat([]notice.Link{*n.Contact}, 12)}
			cfg.Storefronts = nil
			for i := range 120 {
				cfg.Storefronts = append(cfg.Storefronts, config.Storefront{ID: fmt.Sprint(i), Name: much[:200], URL: address})
			}
			for _, f := range occasions(t, n) {
				f.Storefronts = cfg.StorefrontIDs()[:60]
				l := compose(t, cfg, f) // which checks the size
				if !strings.Contains(l.Text, "/closures/winter-break/") {
					t.Errorf("%s: no link to the whole story", f.Kind)
				}
			}
		})
	}
}

// TestLongListsAreCutShort: what fits stays.
func TestLongListsAreCutShort(t *testing.T) {
	cfg := shop(t)
	n := parse(t, cfg, winterBreak)
	n.Contact.Label = strings.Repeat("Helpline ", 5000)
	cfg.Storefronts = slices.Repeat(cfg.Storefronts[:1], 1000)
	reopened := compose(t, cfg, Facts{Kind: Reopened, Notice: n, Now: at(t, "2027-01-03T11:00:00Z")})
	if got := strings.Count(reopened.HTML, `href="https://harbourbooks.example"`); got != 10 {
		t.Errorf("%d of 1000 storefronts:\n%s", got, reopened.HTML)
	}
	closed := compose(t, cfg, Facts{Kind: ClosedNow, Notice: n, Now: n.Closes.Time})
	for _, want := range []string{"We are closing for two weeks", "Last orders: Wed 23 December", "Helpline Helpline", "+351210000000", "E-mail: orders@"} {
		if !strings.Contains(closed.Text, want) {
			t.Errorf("no %q in\n%s", want, closed.Text)
		}
	}
}

func TestCompositionFails(t *testing.T) {
	cfg := shop(t)
	n := parse(t, cfg, winterBreak)
	good := Facts{Kind: ClosedNow, Notice: n, Now: n.Closes.Time}
	theme := func(html string) fs.FS {
		return fstest.MapFS{"mail/letter.txt": {Data: []byte("x")}, "mail/letter.html": {Data: []byte(html)}}
	}
	if _, err := Compose(theme("{{.Headline}}"), cfg, locale.English(), good); err != nil {
		t.Errorf("a theme of one's own: %v", err)
	}
	for name, html := range map[string]string{"syntax": "{{.Headline", "unknown field": "{{.Nothing}}", "size": strings.Repeat("x", maxHTML+1)} {
		if _, err := Compose(theme(html), cfg, locale.English(), good); err == nil || !strings.Contains(err.Error(), "letter.html") {
			t.Errorf("%s: error %v", name, err)
		}
	}
	for name, f := range map[string]Facts{
		"unknown kind":   {Kind: "party", Notice: n, Now: good.Now},
		"unknown update": {Kind: Update, Notice: n, Now: good.Now, Update: good.Now},
	} {
		if _, err := Compose(templates.FS(""), cfg, locale.English(), f); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
