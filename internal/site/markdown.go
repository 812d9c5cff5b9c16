package site

import (
	"bytes"
	"html"
	"html/template"
	"net/url"
	"regexp"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/text"
)

// markdown is CommonMark with bare addresses made into links. Raw HTML and
// dangerous links are not passed through: goldmark leaves them out by default.
var markdown = goldmark.New(goldmark.WithExtensions(extension.Linkify))

// renderMarkdown gives the HTML of an owner's text that lies at base. Relative links are
// resolved against it, so that they hold in lists and feeds too, and no heading
// outranks the page's own, which go down to top-1.
func renderMarkdown(source string, base *url.URL, top int) template.HTML {
	src := []byte(source)
	doc := markdown.Parser().Parse(text.NewReader(src))
	_ = ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if entering {
			adapt(n, base, top)
		}
		return ast.WalkContinue, nil
	})
	withoutHTML(doc)
	return template.HTML(renderNode(doc, src))
}

func adapt(n ast.Node, base *url.URL, top int) {
	switch n := n.(type) {
	case *ast.Heading:
		n.Level = min(6, max(n.Level, top))
	case *ast.Link:
		n.Destination = resolve(n.Destination, base)
	case *ast.Image:
		n.Destination = resolve(n.Destination, base)
	}
}

// resolve makes a relative link absolute. What is no URL stays as it is.
func resolve(link []byte, base *url.URL) []byte {
	u, err := base.Parse(string(link))
	if err != nil {
		return link
	}
	return []byte(u.String())
}

// withoutHTML removes raw HTML, for which the renderer would leave a comment.
func withoutHTML(parent ast.Node) {
	for n := parent.FirstChild(); n != nil; {
		next := n.NextSibling()
		switch n.Kind() {
		case ast.KindHTMLBlock, ast.KindRawHTML:
			parent.RemoveChild(parent, n)
		default:
			withoutHTML(n)
		}
		n = next
	}
}

// summary is the first paragraph of an owner's text, as plain text on one line.
func summary(source string) string {
	src := []byte(source)
	doc := markdown.Parser().Parse(text.NewReader(src))
	for n := doc.FirstChild(); n != nil; n = n.NextSibling() {
		if n.Kind() == ast.KindParagraph {
			withoutHTML(n)
			return plain(renderNode(n, src))
		}
	}
	return ""
}

func renderNode(n ast.Node, src []byte) string {
	var out bytes.Buffer
	if err := markdown.Renderer().Render(&out, src, n); err != nil {
		panic(err) // a bytes.Buffer takes everything
	}
	return out.String()
}

var tag = regexp.MustCompile(`<[^>]*>`)

// plain is the text of rendered HTML, in which every other < and > is escaped.
func plain(rendered string) string {
	return strings.Join(strings.Fields(html.UnescapeString(tag.ReplaceAllString(rendered, ""))), " ")
}
