package site

import (
	"bytes"
	"encoding/xml"
	"maps"
	"slices"
	"strings"
)

// robots makes robots.txt, RFC 9309: all may be read, and here is what there is.
func (b *builder) robots() []byte {
	return []byte("User-agent: *\nAllow: /\nSitemap: " + b.address("sitemap.xml") + "\n")
}

// sitemap makes sitemap.xml, https://www.sitemaps.org/protocol.html, of every
// page but 404.html and the drafts.
func (b *builder) sitemap() []byte {
	var out bytes.Buffer
	out.WriteString(xml.Header + `<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">` + "\n")
	for _, path := range slices.Sorted(maps.Keys(b.files)) {
		if strings.HasSuffix(path, "index.html") && !b.isDraft(path) {
			out.WriteString("<url><loc>")
			_ = xml.EscapeText(&out, []byte(b.address(path))) // a bytes.Buffer takes everything
			out.WriteString("</loc></url>\n")
		}
	}
	out.WriteString("</urlset>\n")
	return out.Bytes()
}

func (b *builder) isDraft(path string) bool {
	slug, ok := strings.CutPrefix(path, "closures/")
	n := b.notices[strings.TrimSuffix(slug, "/index.html")]
	return ok && n != nil && n.Draft
}
