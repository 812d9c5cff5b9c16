package site

import (
	"bytes"
	"encoding/xml"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/backsoon/backsoon/internal/notice"
)

// sitemap is what a search engine takes from a sitemap, or from an index of some.
type sitemap struct {
	XMLName xml.Name
	URLs    []struct {
		Loc        string `xml:"http://www.sitemaps.org/schemas/sitemap/0.9 loc"`
		LastMod    string `xml:"lastmod"`
		Alternates []struct {
			Rel      string `xml:"rel,attr"`
			Language string `xml:"hreflang,attr"`
			Href     string `xml:"href,attr"`
		} `xml:"http://www.w3.org/1999/xhtml link"`
	} `xml:"url"`
	Parts []string `xml:"sitemap>loc"`
}

func sitemapOf(t testing.TB, content []byte) (s sitemap) {
	t.Helper()
	if err := xml.Unmarshal(content, &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// Every page is in the sitemap once, in each language with its translations, and
// nothing else is: no draft, no page for a wrong address.
func TestSitemapHasEveryPage(t *testing.T) {
	inStates(t, func(t *testing.T, in sample, files Files) {
		seen := map[string]bool{}
		for _, u := range sitemapOf(t, files["sitemap.xml"]).URLs {
			path := strings.TrimPrefix(u.Loc, home) + "index.html"
			if seen[path] || files[path] == nil || strings.HasSuffix(path, closurePath("plans")) {
				t.Errorf("%s is there twice, or is no page to be found", u.Loc)
			}
			seen[path] = true
			if changed, err := time.Parse(time.RFC3339, u.LastMod); u.LastMod != "" && (err != nil || changed.After(in.Now)) {
				t.Errorf("%s was changed at %s", u.Loc, u.LastMod)
			}
			page := strings.TrimPrefix(u.Loc, home)
			page = strings.TrimPrefix(page, "pt/")
			if len(u.Alternates) != 2 || u.Alternates[0].Href != home+page || u.Alternates[1].Href != home+"pt/"+page ||
				u.Alternates[0].Language != "en" || u.Alternates[1].Language != "pt" || u.Alternates[0].Rel != "alternate" {
				t.Errorf("%s in other languages: %+v", u.Loc, u.Alternates)
			}
		}
		for name := range files {
			if strings.HasSuffix(name, "index.html") && !strings.HasSuffix(name, closurePath("plans")) && !seen[name] {
				t.Errorf("%s is not in the sitemap", name)
			}
		}
	})
}

func TestSitemapSaysWhenAPageChanged(t *testing.T) {
	in := input(t, "2026-12-29 11:00")
	in.Known = &Known{Notices: map[string]Facts{"stocktaking": {Revised: at(t, "2026-12-22 10:00").Time}}}
	want := map[string]string{"winter-break": "2026-12-28T16:00:00Z", "stocktaking": "2026-12-22T10:00:00Z", "fair": ""}
	for _, u := range sitemapOf(t, build(t, in)["sitemap.xml"]).URLs {
		slug := strings.Trim(strings.TrimPrefix(u.Loc, home+"closures/"), "/")
		if changed, ok := want[slug]; ok && u.LastMod != changed {
			t.Errorf("%s: %q, want %q", slug, u.LastMod, changed)
		}
		if len(u.Alternates) > 0 {
			t.Errorf("%s has other languages", u.Loc)
		}
	}
}

// A file holds at most 50,000 addresses; beyond that there is an index. What is
// full stays as it is when another closure comes.
func TestSitemapIsSplit(t *testing.T) {
	in := input(t, "2026-12-29 11:00")
	in.Notices = many(t, sitemapURLs)
	site := New(in.Config, in.Theme)
	e, err := site.Edition(in.Input)
	if err != nil {
		t.Fatal(err)
	}
	content := func(name string) []byte {
		content, err := e.Render(name)
		if err != nil || len(content) > sitemapBytes {
			t.Fatalf("%s: %d bytes, %v", name, len(content), err)
		}
		return content
	}
	index := sitemapOf(t, content("sitemap.xml"))
	if want := []string{home + "sitemap-1.xml", home + "sitemap-2.xml"}; index.XMLName.Local != "sitemapindex" || !slices.Equal(index.Parts, want) {
		t.Fatalf("index: %+v", index)
	}
	first, second := bytes.Count(content("sitemap-1.xml"), []byte("<url>")), bytes.Count(content("sitemap-2.xml"), []byte("<url>"))
	if pages := strings.Count(strings.Join(slices.Collect(maps.Keys(e.files)), "\n"), "index.html"); first != sitemapURLs || first+second != pages {
		t.Errorf("%d and %d addresses of %d pages", first, second, pages)
	}
	in.Notices = append(in.Notices, &notice.Notice{Slug: "next", Title: "N", Closes: at(t, "2027-01-10 10:00")})
	next, err := site.Edition(in.Input)
	if err != nil {
		t.Fatal(err)
	}
	if !e.Same(next, "sitemap-1.xml") || !e.Same(next, "sitemap.xml") || e.Same(next, "sitemap-2.xml") {
		t.Error("another closure changes another file than the last")
	}
}

// However long the addresses are, no file grows beyond its 50 MB.
func TestSitemapFitsWithLongAddresses(t *testing.T) {
	in := input(t, "2026-12-29 11:00")
	in.Config.Shop.URL = in.Config.Shop.URL.JoinPath(strings.Repeat("a&", 900), "/")
	in.Notices = nil
	site := New(in.Config, in.Theme)
	voices := []*voice{}
	for _, tag := range []string{"en", "pt", "de", "fr", "es", "ar"} {
		prefix := tag + "/"
		v, err := site.voice(tag, strings.TrimPrefix(prefix, "en/"))
		if err != nil {
			t.Fatal(err)
		}
		voices = append(voices, v)
	}
	r := reader{site, voices[0], voices, in.Now}
	n := r.pagesPerSitemap()
	var one bytes.Buffer
	r.urlset(&one, []*mappedPage{{path: closurePath(strings.Repeat("x", 80)), changed: in.Now}})
	if n < 100 || n*one.Len() > sitemapBytes {
		t.Errorf("%d pages of %d bytes each", n, one.Len())
	}
}

func TestRobots(t *testing.T) {
	if got, want := string(rendered(t, input(t, "2026-12-29 11:00"), "robots.txt")), "User-agent: *\nAllow: /\nSitemap: "+home+"sitemap.xml\n"; got != want {
		t.Errorf("got %q", got)
	}
}
