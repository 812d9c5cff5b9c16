package site

import (
	"bytes"
	"encoding/xml"
	"maps"
	"slices"
	"strings"
)

// crawlers makes what search engines ask for.
func (b *builder) crawlers() {
	b.keep("robots.txt", 1, func() ([]byte, error) { return b.robots(), nil })
	b.add("sitemap.xml", func() ([]byte, error) { return b.sitemap(), nil })
}

// robots makes robots.txt, RFC 9309: all may be read, and here is what there is.
func (r reader) robots() []byte {
	return []byte("User-agent: *\nAllow: /\nSitemap: " + r.address("sitemap.xml") + "\n")
}

// sitemap makes sitemap.xml, https://www.sitemaps.org/protocol.html, of every
// page but 404.html and the drafts.
func (b *builder) sitemap() []byte {
	drafts := map[string]bool{}
	for _, f := range b.all.coming {
		if f.n.Draft {
			for _, v := range b.reader.voices {
				drafts[v.prefix+closurePath(f.n.Slug)] = true
			}
		}
	}
	var out bytes.Buffer
	out.WriteString(xml.Header + `<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">` + "\n")
	for _, path := range slices.Sorted(maps.Keys(b.edition.files)) {
		if strings.HasSuffix(path, "index.html") && !drafts[path] {
			out.WriteString("<url><loc>")
			_ = xml.EscapeText(&out, []byte(b.address(path))) // a bytes.Buffer takes everything
			out.WriteString("</loc></url>\n")
		}
	}
	out.WriteString("</urlset>\n")
	return out.Bytes()
}
