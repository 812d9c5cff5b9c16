package notice

import (
	"bytes"
	"html/template"
	"net/url"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// markdown is CommonMark 0.31 with the tables, strikethrough and bare links of
// GitHub Flavored Markdown (https://github.github.com/gfm/).
var markdown = goldmark.New(goldmark.WithExtensions(extension.Table, extension.Strikethrough, extension.Linkify))

// Markdown renders an owner's text, for a page and a mail alike. Raw HTML is
// left out, and of a link or picture that leads anywhere but to http, https,
// mailto, tel, sms or within the site, only the words are kept.
type Markdown struct {
	Base *url.URL // what relative links are relative to; nil: they stay as they are
	Top  int      // the level of the first heading; 0: all stay as they are
}

// HTML renders Markdown as HTML.
func (m Markdown) HTML(source string) template.HTML { return m.Read(source).HTML() }

// Text is Markdown that has been read.
type Text struct {
	source []byte
	doc    ast.Node
}

// Read reads the source and puts its links and headings where they belong.
func (m Markdown) Read(source string) Text {
	t := Text{source: []byte(source)}
	t.doc = m.parse(t.source)
	return t
}

// HTML is the text as HTML.
func (t Text) HTML() template.HTML {
	var b sheet
	b.Grow(len(t.source) * 5 / 4) // which the tags of most texts fit into
	if err := markdown.Renderer().Render(&b, t.source, t.doc); err != nil {
		return template.HTML(template.HTMLEscapeString(string(t.source))) // a Buffer never fails
	}
	return template.HTML(b.String())
}

// sheet is a Buffer of the kind that the renderer writes to at once. Before any
// other writer it puts 4 KB of its own, more than most texts have.
type sheet struct{ bytes.Buffer }

// Buffered implements util.BufWriter.
func (*sheet) Buffered() int { return 0 }

// Flush implements util.BufWriter.
func (*sheet) Flush() error { return nil }

// parse reads the source and takes out what is unwelcome, so that page and mail
// see the same.
func (m Markdown) parse(source []byte) ast.Node {
	doc := markdown.Parser().Parse(text.NewReader(source))
	ranks := ranks{top: m.Top}
	var unwelcome []ast.Node
	_ = ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		if isUnwelcome(n, source) {
			unwelcome = append(unwelcome, n)
		}
		switch n := n.(type) {
		case *ast.Heading:
			n.Level = ranks.level(n.Level)
		case *ast.Link:
			n.Destination = m.absolute(n.Destination)
		case *ast.Image:
			n.Destination = m.absolute(n.Destination)
		}
		return ast.WalkContinue, nil
	})
	for _, n := range unwelcome {
		dissolve(n, source)
	}
	return doc
}

// ranks place headings from a level on, whatever levels they were written with, so
// that none is skipped: one who listens goes by them (WCAG 2.2, technique G141).
type ranks struct {
	top   int
	above []int // the written levels of the last heading, and of those that it stands under
}

// level is where the next heading belongs that was written with that level.
func (r *ranks) level(written int) int {
	if r.top == 0 {
		return written
	}
	for len(r.above) > 0 && r.above[len(r.above)-1] >= written {
		r.above = r.above[:len(r.above)-1]
	}
	r.above = append(r.above, written)
	return min(6, r.top+len(r.above)-1)
}

// absolute resolves a link (RFC 3986, section 5). What is no URL stays as it is.
func (m Markdown) absolute(link []byte) []byte {
	if m.Base == nil {
		return link
	}
	u, err := m.Base.Parse(string(link))
	if err != nil {
		return link
	}
	return []byte(u.String())
}

// isUnwelcome tells whether a node is raw HTML, or leads where it must not.
func isUnwelcome(n ast.Node, source []byte) bool {
	switch n := n.(type) {
	case *ast.RawHTML, *ast.HTMLBlock:
		return true
	case *ast.Link:
		return !welcome(address(n.Destination), "http", "https", "mailto", "tel", "sms", "")
	case *ast.Image:
		return !welcome(address(n.Destination), "http", "https", "")
	case *ast.AutoLink:
		return n.AutoLinkType == ast.AutoLinkURL && !welcome(string(n.URL(source)), "http", "https", "mailto", "tel", "sms")
	}
	return false
}

// dissolve takes a node out of the tree, but for its words.
func dissolve(n ast.Node, source []byte) {
	parent := n.Parent()
	switch n := n.(type) {
	case *ast.AutoLink:
		words := ast.NewString(n.Label(source))
		words.SetRaw(true)
		parent.InsertBefore(parent, n, words)
	case *ast.Link, *ast.Image:
		for c := n.FirstChild(); c != nil; c = n.FirstChild() {
			parent.InsertBefore(parent, n, c)
		}
	}
	parent.RemoveChild(parent, n)
}

// address is a link's destination as the renderer will write it, entities and
// escapes resolved: what is checked has to be what the browser gets.
func address(destination []byte) string {
	return string(util.URLEscape(destination, true))
}

// welcome tells whether the address has one of the schemes; "" is for an address
// without one, within the site.
func welcome(address string, schemes ...string) bool {
	scheme := ""
	if i := strings.IndexAny(address, ":/?#"); i >= 0 && address[i] == ':' {
		scheme = strings.ToLower(address[:i])
		if scheme == "" {
			return false
		}
	}
	for _, s := range schemes {
		if s == scheme {
			return true
		}
	}
	return false
}
