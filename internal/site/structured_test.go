package site

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/backsoon/backsoon/internal/config"
	"github.com/backsoon/backsoon/internal/notice"
)

var dataBlock = regexp.MustCompile(`(?s)<script type="application/ld\+json">(.*?)</script>`)

func structuredOf(t *testing.T, page []byte) (data structured) {
	t.Helper()
	blocks := dataBlock.FindAllSubmatch(page, -1)
	if len(blocks) != 1 {
		t.Fatalf("%d blocks of data", len(blocks))
	}
	d := json.NewDecoder(bytes.NewReader(blocks[0][1]))
	d.DisallowUnknownFields()
	if err := d.Decode(&data); err != nil {
		t.Fatalf("%v in %s", err, blocks[0][1])
	}
	return data
}

func TestSearchEnginesLearnTheHours(t *testing.T) {
	in := input(t, "2026-12-29 11:00")
	in.Config.Shop.Name = `Harbour "Books" </script><b>`
	files := build(t, in)
	data := structuredOf(t, files["index.html"])
	if len(data.Graph) != 2 || data.Context != "https://schema.org" {
		t.Fatalf("%+v", data)
	}
	web := data.Graph[0]
	if web.Name != "Online shop" || web.URL != "https://harbourbooks.example" || web.Parent.Name != in.Config.Shop.Name ||
		web.ID != "https://status.harbourbooks.example/open/storefronts/web/" {
		t.Errorf("%+v", web)
	}
	want := []specialHours{
		{"OpeningHoursSpecification", "00:00", "00:00", "2026-12-29", "2027-01-01"},
		{"OpeningHoursSpecification", "09:00", "23:59", "2027-01-02", "2027-01-02"},
		{"OpeningHoursSpecification", "00:00", "00:00", "2027-02-01", "2027-02-02"},
	}
	if len(web.Hours) != len(want) {
		t.Fatalf("%+v", web.Hours)
	}
	for i, h := range web.Hours {
		if h != want[i] {
			t.Errorf("got %+v, want %+v", h, want[i])
		}
	}
	market := structuredOf(t, files[storefrontPath("market")])
	if len(market.Graph) != 1 || len(market.Graph[0].Hours) != 1 || market.Graph[0].URL != market.Graph[0].ID {
		t.Errorf("%+v", market)
	}
	in.Config.Storefronts = in.Config.Storefronts[:1]
	if single := structuredOf(t, build(t, in)["index.html"]).Graph[0]; single.Name != in.Config.Shop.Name || single.Parent != nil {
		t.Errorf("%+v", single)
	}
}

func TestSearchEnginesLearnThatNobodyKnows(t *testing.T) {
	in := input(t, "2026-12-29 11:00")
	in.Notices = []*notice.Notice{{Slug: "c", Title: "C", Closes: at(t, "2026-12-29 10:00")}}
	hours := structuredOf(t, build(t, in)["index.html"]).Graph[0].Hours
	if len(hours) != 2 || hours[0] != (specialHours{"OpeningHoursSpecification", "00:00", "10:00", "2026-12-29", "2026-12-29"}) ||
		hours[1] != (specialHours{"OpeningHoursSpecification", "00:00", "00:00", "2026-12-30", ""}) {
		t.Errorf("%+v", hours)
	}
}

func TestLinkPreviews(t *testing.T) {
	in := input(t, "2026-12-29 11:00")
	in.Config.Languages = []string{"en", "pt"}
	in.Config.Theme.Logo = &config.Picture{Type: "image/png", Content: []byte("\x89PNG")}
	files := build(t, in)
	index := string(files["pt/index.html"])
	for _, want := range []string{
		`<meta property="og:type" content="website">`, `<meta property="og:locale" content="pt`, `<meta property="og:locale:alternate" content="en_GB">`,
		`<meta property="og:url" content="https://status.harbourbooks.example/open/pt/">`, `<meta name="twitter:card" content="summary">`,
		`<meta property="og:image" content="https://status.harbourbooks.example/open/logo.png">`,
		`<link rel="alternate" hreflang="x-default" href="https://status.harbourbooks.example/open/">`,
		`<link rel="alternate" hreflang="pt" href="https://status.harbourbooks.example/open/pt/">`,
		`<img src="data:image/png;base64,iVBORw==" alt=""`,
	} {
		if !strings.Contains(index, want) {
			t.Errorf("no %s", want)
		}
	}
	if string(files["logo.png"]) != "\x89PNG" {
		t.Error("the logo is not there as a file")
	}
	in.Config.Theme.Logo = nil
	in.Config.Languages = nil
	plain := string(build(t, in)["index.html"])
	if strings.Contains(plain, "og:image") || strings.Contains(plain, "hreflang") {
		t.Error("the page speaks of a logo or of languages that there aren't")
	}
}

func TestFollow(t *testing.T) {
	in := input(t, "2026-12-29 11:00")
	s := New(in.Config, in.Theme)
	e, err := s.Edition(in.Input)
	if err != nil {
		t.Fatal(err)
	}
	page, err := e.Render("index.html")
	if err != nil || bytes.Contains(page, []byte("<form")) {
		t.Errorf("a form that nobody answers (%v)", err)
	}
	s.Subscribe = in.Config.Shop.URL.JoinPath("subscribe")
	if e, err = s.Edition(in.Input); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string][]string{
		"index.html": {`<form method="post" action="https://status.harbourbooks.example/open/subscribe">`, `autocomplete="email"`,
			`<input type="checkbox" name="storefronts" value="web" checked>`, `<input type="checkbox" name="storefronts" value="market" checked>`,
			`name="until_reopen"`, `<input type="hidden" name="language" value="en">`, `<p hidden><label for="remark">`},
		storefrontPath("market"): {`<input type="hidden" name="storefronts" value="market">`},
	} {
		page, err := e.Render(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range want {
			if !bytes.Contains(page, []byte(part)) {
				t.Errorf("%s: no %s", path, part)
			}
		}
	}
}
