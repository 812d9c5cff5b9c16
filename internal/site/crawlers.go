package site

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A sitemap's limits, https://www.sitemaps.org/protocol.html#index.
const (
	sitemapURLs  = 50_000
	sitemapBytes = 50 << 20
)

// crawlers makes what search engines ask for.
func (b *builder) crawlers() {
	b.keep("robots.txt", 1, exactly(b.robots()))
	b.sitemap(b.mapped(), b.pagesPerSitemap())
}

// robots makes robots.txt, RFC 9309: all may be read, and here is what there is.
func (r reader) robots() []byte {
	return []byte("User-agent: *\nAllow: /\nSitemap: " + r.address("sitemap.xml") + "\n")
}

// mappedPage is a page that search engines may show.
type mappedPage struct {
	path    string    // relative to each language
	changed time.Time // zero: nobody knows
	hash    uint64    // of both
}

func (s *Site) mappedPage(path string, changed time.Time) *mappedPage {
	return &mappedPage{path, changed, s.key(path, changed.Unix())}
}

// mapped lists every page but 404.html and the drafts. New closures come last, so
// that the first parts of a long list stay as they are.
func (b *builder) mapped() []*mappedPage {
	pages := make([]*mappedPage, 0, len(b.oldest)+100)
	list := func(path string) { pages = append(pages, b.site.mappedPage(path, time.Time{})) }
	list("index.html")
	list("history/index.html")
	for _, front := range b.site.cfg.Storefronts {
		list(storefrontPath(front.ID))
	}
	for i, f := range b.all.past {
		if i == 0 || b.all.past[i-1].year != f.year {
			list(yearPath(f.year))
		}
	}
	for _, f := range b.oldest {
		if !f.n.Draft {
			pages = append(pages, f.mappedPage)
		}
	}
	return pages
}

// sitemap makes sitemap.xml, https://www.sitemaps.org/protocol.html, with every
// page in every language (https://developers.google.com/search/docs/specialty/international/localized-versions#sitemap).
// Where one file may not hold that many it is an index of sitemap-1.xml and so on.
func (b *builder) sitemap(pages []*mappedPage, perFile int) {
	parts := slices.Collect(slices.Chunk(pages, perFile))
	if len(parts) == 1 {
		b.sitemapPart("sitemap.xml", pages)
		return
	}
	b.keep("sitemap.xml", b.site.key(len(parts)), exactly(b.sitemapIndex(len(parts))))
	for i, part := range parts {
		b.sitemapPart(sitemapName(i), part)
	}
}

func sitemapName(i int) string { return fmt.Sprintf("sitemap-%d.xml", i+1) }

func (b *builder) sitemapPart(name string, pages []*mappedPage) {
	var key uint64
	for _, p := range pages {
		key = key*31 + p.hash // a hash is as good as random, and so is this; the order counts
	}
	r := b.reader
	b.keep(name, b.site.key(b.tags, key), func(out *bytes.Buffer) error {
		r.urlset(out, pages)
		return nil
	})
}

// pagesPerSitemap is how many pages, each in every language, one file may hold
// whatever their addresses are.
func (r reader) pagesPerSitemap() int {
	const longestPath, markup = 150, 100
	entries := len(r.voices)
	entry := (entries + 1) * (len(escape(r.address(""))) + longestPath + markup)
	return min(sitemapURLs, sitemapBytes/entry) / entries
}

func (r reader) sitemapIndex(parts int) []byte {
	var out bytes.Buffer
	out.WriteString(xml.Header + `<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">` + "\n")
	for i := range parts {
		out.WriteString("<sitemap><loc>" + escape(r.address(sitemapName(i))) + "</loc></sitemap>\n")
	}
	out.WriteString("</sitemapindex>\n")
	return out.Bytes()
}

func (r reader) urlset(out *bytes.Buffer, pages []*mappedPage) {
	out.WriteString(xml.Header + `<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:xhtml="http://www.w3.org/1999/xhtml">` + "\n")
	for _, p := range pages {
		alternates := r.translations(p.path)
		for _, v := range r.voices {
			out.WriteString("<url><loc>" + escape(r.address(v.prefix+p.path)) + "</loc>")
			if !p.changed.IsZero() {
				out.WriteString("<lastmod>" + p.changed.UTC().Format(time.RFC3339) + "</lastmod>")
			}
			out.WriteString(alternates + "</url>\n")
		}
	}
	out.WriteString("</urlset>\n")
}

// translations names the page in each language, itself included; none where there
// is but one.
func (r reader) translations(path string) string {
	if len(r.voices) == 1 {
		return ""
	}
	var links strings.Builder
	for _, v := range r.voices {
		links.WriteString(`<xhtml:link rel="alternate" hreflang="` + v.Tag + `" href="` + escape(r.address(v.prefix+path)) + `"/>`)
	}
	return links.String()
}

// escape is text as XML has it.
func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a strings.Builder takes everything
	return b.String()
}
