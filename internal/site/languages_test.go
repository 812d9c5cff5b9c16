package site

import (
	"bytes"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/mmcdole/gofeed"
	"golang.org/x/net/html"

	"github.com/backsoon/backsoon/internal/locale"
	"github.com/backsoon/backsoon/internal/notice"
)

// wordless is the sample in every language there is, with notices that have no
// letters: each that a page has is one of the catalogue's, or of the settings'.
func wordless(t *testing.T) sample {
	t.Helper()
	in := input(t, "2026-12-29 11:00")
	in.Known = known(t)
	in.Config.Languages = append([]string{"en"}, slices.DeleteFunc(locale.Tags(), func(tag string) bool { return tag == "en" })...)
	in.Config.Shop.Name = "§"
	for i := range in.Config.Storefronts {
		in.Config.Storefronts[i].Name = "¶"
	}
	for i, n := range in.Notices {
		n.Title, n.Body, n.Facts = "…", "…", []notice.Fact{{Label: "…", Text: "…"}}
		n.Contact = nil
		for j := range n.Updates {
			n.Updates[j].Title, n.Updates[j].Body = "…", "…"
		}
		in.Notices[i] = n
	}
	return in
}

var unworded = regexp.MustCompile(`\[[a-z]+\.[a-z.-]+\]|{{|<no value>|%!`)

// TestEveryPageInEveryLanguage: no message is missing, each page says in which
// language it is, and a moment has its zone beside it.
func TestEveryPageInEveryLanguage(t *testing.T) {
	in := wordless(t)
	files := build(t, in)
	for name, content := range files {
		if bad := unworded.Find(content); bad != nil {
			t.Errorf("%s: %q", name, bad)
		}
		if path.Ext(name) != ".html" {
			continue
		}
		words := locale.BuiltIn(languageOf(in, name))
		if !bytes.Contains(content, []byte(`<html lang="`+words.Tag+`" dir="`+words.Dir+`"`)) {
			t.Errorf("%s is not in %s", name, words.Tag)
		}
		zone := words.Zone(in.Config.Shop.Location)
		if bytes.Contains(content, []byte("<time ")) && !strings.Contains(visible(t, content), zone) {
			t.Errorf("%s: no %q beside the times", name, zone)
		}
	}
}

// languageOf is that of a page, by its path.
func languageOf(in sample, name string) string {
	if tag, _, _ := strings.Cut(name, "/"); slices.Contains(in.Config.Languages, tag) {
		return tag
	}
	return in.Config.Language()
}

// latin are the words in Latin letters that a page in Arabic may have.
var latin = regexp.MustCompile(`Europe/Lisbon|[a-z.]+@[a-z.]+|SUMMARY|DESCRIPTION|NAME|RSS|Atom|JSON( Feed)?|iCal|Deutsch|English|Español|Français|Português|[A-Za-z]+\.(xml|json|ics)`)

// TestNoWordIsOutsideTheCatalogue: English that stands in a template or in the
// code would show on a page in Arabic.
func TestNoWordIsOutsideTheCatalogue(t *testing.T) {
	in := wordless(t)
	files := build(t, in)
	for name, content := range files {
		if languageOf(in, name) != "ar" {
			continue
		}
		var texts []string
		switch path.Ext(name) {
		case ".html":
			texts = said(t, content)
		case ".ics":
			texts = written.FindAllString(string(content), -1)
		}
		if strings.HasSuffix(name, "feed.xml") {
			texts = told(parsed(t, files, name))
		}
		for _, text := range texts {
			if word := regexp.MustCompile(`[A-Za-z]{2,}`).FindString(latin.ReplaceAllString(text, "")); word != "" {
				t.Errorf("%s: %q in %q", name, word, text)
			}
		}
	}
}

// written are the lines of a calendar that hold sentences, up to where they are
// folded.
var written = regexp.MustCompile(`(?m)^(?:SUMMARY|DESCRIPTION|NAME)[:;].*$`)

// told is all that a feed tells.
func told(feed *gofeed.Feed) []string {
	texts := []string{feed.Title, feed.Description}
	for _, item := range feed.Items {
		texts = append(texts, item.Title, item.Description)
	}
	return texts
}

// said is all that a page says to eyes, ears and search engines.
func said(t *testing.T, page []byte) (all []string) {
	t.Helper()
	doc, err := html.Parse(bytes.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	for n := range doc.Descendants() {
		if n.Type == html.TextNode && n.Parent.Data != "style" && n.Parent.Data != "script" {
			all = append(all, n.Data)
		}
		for _, a := range n.Attr {
			spoken := slices.Contains([]string{"aria-label", "title", "alt", "placeholder", "aria-description"}, a.Key)
			if spoken || a.Key == "content" && slices.ContainsFunc(n.Attr, isSentence) {
				all = append(all, a.Val)
			}
		}
	}
	return all
}

// isSentence tells whether the attribute names a <meta> that holds a sentence.
func isSentence(a html.Attribute) bool {
	return slices.Contains([]string{"description", "og:title", "og:description", "twitter:title", "twitter:description"}, a.Val)
}

// Words that wait for their translation stand on the page as what they are, and
// their links lead where the owner meant.
func TestUntranslatedWords(t *testing.T) {
	in := input(t, "2026-12-29 11:00")
	in.Config.Languages = []string{"en", "ar"}
	n := &notice.Notice{Slug: "c", Title: "New Year", Body: "See [the plan](plan.pdf).", Closes: at(t, "2026-12-24 18:00")}
	n.Updates = []notice.Update{{At: at(t, "2026-12-25 10:00").Time, Title: "Now", Body: "See [this](new.pdf)."}}
	n.Translations = []*notice.Translation{{Slug: "c", Language: "ar", Title: "سنة", Body: "[خطة](plan.ar.pdf)"}}
	plain := *n
	plain.Slug, plain.Translations = "d", nil
	in.Notices = []*notice.Notice{n, &plain}
	files := build(t, in)
	for page, wants := range map[string][]string{
		"ar/closures/c/index.html": {`<h1 lang="ar" dir="rtl">سنة`, `/open/ar/closures/c/plan.ar.pdf"`, `/open/closures/c/new.pdf"`, `<div class="prose" lang="en" dir="ltr">`},
		"ar/closures/d/index.html": {`<h1 lang="en" dir="ltr">New Year`, `/open/closures/d/plan.pdf"`},
		"ar/index.html":            {`/open/ar/closures/c/plan.ar.pdf"`, `/open/closures/d/plan.pdf"`},
		"ar/feed.xml":              {`/open/ar/closures/c/plan.ar.pdf"`, `/open/closures/c/new.pdf"`, `/open/closures/d/plan.pdf"`},
		"closures/c/index.html":    {`/open/closures/c/plan.pdf"`},
	} {
		for _, want := range wants {
			if !bytes.Contains(files[page], []byte(want)) {
				t.Errorf("%s: no %s", page, want)
			}
		}
	}
}
