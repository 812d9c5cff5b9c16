package site

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/backsoon/backsoon/internal/config"
	"github.com/backsoon/backsoon/internal/notice"
	"github.com/backsoon/backsoon/templates"
)

// svg is a badge as a program reads it.
type svg struct {
	Role  string `xml:"role,attr"`
	Label string `xml:"aria-label,attr"`
	Lang  string `xml:"lang,attr"`
	Title string `xml:"title"`
	Texts []struct {
		Text string `xml:",chardata"`
		Fill string `xml:"fill,attr"`
	} `xml:"g>text"`
}

func readBadge(t *testing.T, content []byte) (b svg) {
	t.Helper()
	if err := xml.Unmarshal(content, &b); err != nil {
		t.Fatalf("%v in %s", err, content)
	}
	return b
}

func TestBadgeWords(t *testing.T) {
	closure := func(closes, reopens string, change func(*notice.Notice)) *notice.Notice {
		n := &notice.Notice{Slug: "c" + closes[:10], Title: "C", Closes: at(t, closes)}
		if reopens != "" {
			n.Reopens = at(t, reopens)
		}
		if change != nil {
			change(n)
		}
		return n
	}
	market := func(n *notice.Notice) { n.Storefronts = []string{"market"} }
	web := func(n *notice.Notice) { n.Storefronts = []string{"web"} }
	for _, c := range []struct {
		notices     []*notice.Notice
		all, market string
	}{
		{nil, "Open", "Open"},
		{[]*notice.Notice{closure("2026-12-24 18:00", "2027-01-02 09:00", nil)}, "Closed until Sat 2 January", "Closed until Sat 2 January"},
		{[]*notice.Notice{closure("2026-12-24", "2027-01-02", nil)}, "Closed until Sat 2 January", "Closed until Sat 2 January"},
		{[]*notice.Notice{closure("2026-12-24 18:00", "2027-11-02 09:00", nil)}, "Closed until Tue 2 November 2027", "Closed until Tue 2 November 2027"},
		{[]*notice.Notice{closure("2026-12-24 18:00", "2026-12-29 15:00", nil)}, "Closed until Tue 29 December, 15:00 (Lisbon)", "Closed until Tue 29 December, 15:00 (Lisbon)"},
		{[]*notice.Notice{closure("2026-12-24 18:00", "", nil)}, "Closed", "Closed"},
		{[]*notice.Notice{closure("2026-12-31 18:00", "2027-01-02 09:00", nil)}, "Open", "Open"},
		{[]*notice.Notice{closure("2026-12-24 18:00", "2027-01-02 09:00", func(n *notice.Notice) { n.CheckoutOn = true })}, "Open", "Open"},
		{[]*notice.Notice{closure("2026-12-24 18:00", "2027-01-02 09:00", market)}, "Partly closed", "Closed until Sat 2 January"},
		{[]*notice.Notice{closure("2026-12-24 18:00", "2027-01-02 09:00", web)}, "Partly closed", "Open"},
		{[]*notice.Notice{closure("2026-12-24 18:00", "2027-01-02 09:00", market), closure("2026-12-25 18:00", "2027-01-04 09:00", web)}, "Closed", "Closed until Sat 2 January"},
		{[]*notice.Notice{closure("2026-12-24 18:00", "2026-12-28 09:00", func(n *notice.Notice) { n.Reopening = []notice.Step{{Name: "x"}} })}, "Reopening delayed", "Reopening delayed"},
	} {
		in := input(t, "2026-12-29 11:00")
		in.Notices = c.notices
		files := build(t, in)
		for name, want := range map[string]string{"badge.svg": "Harbour Books: " + c.all, "storefronts/market/badge.svg": "Market stall: " + c.market} {
			b := readBadge(t, files[name])
			if b.Title != want || b.Label != want || b.Role != "img" || b.Lang != "en" {
				t.Errorf("%s: %+v, want %q", name, b, want)
			}
			if shown := b.Texts[0].Text + ": " + b.Texts[1].Text; shown != want {
				t.Errorf("%s shows %q, and says %q", name, shown, want)
			}
		}
	}
}

// shade is a colour by its hexadecimal digits.
func shade(t *testing.T, text string) (c config.Colour) {
	t.Helper()
	if _, err := fmt.Sscanf(text, "#%02x%02x%02x", &c.R, &c.G, &c.B); err != nil {
		t.Fatalf("%s is no colour: %v", text, err)
	}
	return c
}

func TestBadgeContrast(t *testing.T) {
	for name, p := range paints {
		if c := contrast(shade(t, p.Fill), shade(t, p.Ink)); c < readable {
			t.Errorf("%s: %.1f", name, c)
		}
	}
	if c := contrast(shade(t, "#343a42"), white); c < readable { // the name's
		t.Errorf("the name: %.1f", c)
	}
	in := input(t, "2026-12-29 11:00")
	in.Config.Theme.Colours = map[string]config.Colour{"planned": {R: 0xff, G: 0xdd}}
	if badge := string(build(t, in)["badge.svg"]); !strings.Contains(badge, `fill="#ffdd00"`) || !strings.Contains(badge, `fill="#000000"`) {
		t.Errorf("the site's own colour isn't used, or can't be read: %s", badge)
	}
}

// Whatever the shop is called, the badge stays small, and is one that every
// program can read.
func TestBadgeTakesEveryName(t *testing.T) {
	for _, name := range []string{`Fish & "Chips" <b> ' +`, strings.Repeat("W", 200), strings.Repeat("😀", 200), strings.Repeat("&", 200), "مكتبة الميناء", "港の本屋", "ﷺ", "e\u0301\u0301\u0301", "x"} {
		in := input(t, "2026-12-29 11:00")
		in.Config.Shop.Name = name
		content := build(t, in)["badge.svg"]
		if len(content) >= 2048 {
			t.Errorf("%q: %d bytes", name, len(content))
		}
		d := xml.NewDecoder(bytes.NewReader(content))
		for {
			if _, err := d.Token(); err == io.EOF {
				break
			} else if err != nil {
				t.Fatalf("%q: %v in %s", name, err, content)
			}
		}
		shown := readBadge(t, content).Texts[0].Text
		if name != shown && !strings.HasPrefix(name, strings.TrimSuffix(shown, "…")) {
			t.Errorf("%q is shown as %q", name, shown)
		}
	}
}

// A badge is drawn anew only when it shows something else.
func TestBadgeIsKept(t *testing.T) {
	in := input(t, "2026-12-29 11:00")
	s := New(in.Config, in.Theme)
	before, err := s.Edition(in.Input)
	if err != nil {
		t.Fatal(err)
	}
	in.Notices = append(in.Notices, many(t, 3)...)
	after, err := s.Edition(in.Input)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"badge.svg", "storefronts/web/badge.svg", "banner.js", "banner.data.js", "status.schema.json"} {
		if !before.Same(after, name) {
			t.Errorf("%s was made again", name)
		}
	}
	if before.Same(after, "api/v2/scheduled-maintenances.json") {
		t.Error("the list of maintenances lacks the new ones")
	}
}

// The widths that a badge reckons with are about those that a browser sets, so
// that no text has to be squeezed or drawn out by much.
func TestBadgeFitsItsText(t *testing.T) {
	dir := t.TempDir()
	words := "language: {name: العربية, direction: rtl}\nbadge: {open: مفتوح, closed-until: \"مغلق حتى {{.At}}\", partly: مغلق جزئيا}\n"
	if err := os.MkdirAll(filepath.Join(dir, "templates/words"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "templates/words/ar.yaml"), []byte(words), 0o644); err != nil {
		t.Fatal(err)
	}
	in := input(t, "2026-12-29 11:00")
	in.Theme, in.Config.Languages = templates.FS(dir), []string{"en", "ar"}
	in.Config.Storefronts[0].Name = "Bücher, Karten & Schreibwaren ÄÖÜ"
	files := build(t, in)
	tab := newTab(t)
	for _, name := range []string{"badge.svg", "storefronts/web/badge.svg", "storefronts/market/badge.svg", "ar/badge.svg", "ar/storefronts/web/badge.svg"} {
		picture := "data:image/svg+xml;base64," + base64.StdEncoding.EncodeToString(files[name])
		if err := chromedp.Do(tab, chromedp.Navigate(picture)); err != nil {
			t.Fatal(err)
		}
		got := run[[]float64](t, tab, `[...document.querySelectorAll("text")].map((e) => {
			const fitted = e.getAttribute("textLength"), box = e.getBBox(), width = document.documentElement.width.baseVal.value;
			if (box.x < 4 || box.x + box.width > width - 4) return -1;
			e.removeAttribute("textLength");
			return e.getComputedTextLength() / fitted;
		})`)
		if slices.Min(got) < 0.75 || slices.Max(got) > 1.3 {
			t.Errorf("%s: the texts' own widths are %.2f of those reckoned with", name, got)
		}
		if side := run[bool](t, tab, `document.querySelectorAll("text")[0].getBBox().x < document.querySelectorAll("text")[1].getBBox().x`); side == strings.HasPrefix(name, "ar/") {
			t.Errorf("%s reads the wrong way round", name)
		}
	}
}
