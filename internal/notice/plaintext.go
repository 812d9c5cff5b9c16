package notice

import (
	"bufio"
	"fmt"
	"html"
	"regexp"
	"strings"

	"github.com/yuin/goldmark/ast"
	extast "github.com/yuin/goldmark/extension/ast"
	render "github.com/yuin/goldmark/renderer/html"
)

// PlainText renders Markdown for a reader of plain text, such as a mail without
// HTML: paragraphs and headings as lines, lists with their markers, links as
// "label (url)". Lines are not wrapped.
func (m Markdown) PlainText(source string) string {
	src := []byte(source)
	p := plain{source: src}
	return strings.Join(p.blocks(m.parse(src), false), "\n")
}

// Summary is the first paragraph as one line of plain text; it is empty where
// there is none.
func Summary(source string) string { return Markdown{}.Read(source).Summary() }

// Summary is the first paragraph as one line of plain text; it is empty where
// there is none.
func (t Text) Summary() string { return t.first(plain{source: t.source}) }

// Gist is Summary without the addresses of its links: for where the whole text is
// one click away.
func (t Text) Gist() string { return t.first(plain{source: t.source, bare: true}) }

func (t Text) first(p plain) string {
	for c := t.doc.FirstChild(); c != nil; c = c.NextSibling() {
		if c.Kind() == ast.KindParagraph {
			if s := oneLine(p.inline(c)); s != "" {
				return s
			}
		}
	}
	return ""
}

// plain renders the nodes of one source.
type plain struct {
	source []byte
	bare   bool // links are their words alone
}

// blocks gives the lines of a node's children, with a blank line between two of
// them unless they are tight.
func (p plain) blocks(parent ast.Node, tight bool) []string {
	var lines []string
	for c := parent.FirstChild(); c != nil; c = c.NextSibling() {
		b := p.block(c)
		if len(b) == 0 {
			continue
		}
		if len(lines) > 0 && !tight {
			lines = append(lines, "")
		}
		lines = append(lines, b...)
	}
	return lines
}

func (p plain) block(n ast.Node) []string {
	switch n := n.(type) {
	case *ast.List:
		return p.list(n)
	case *ast.Blockquote:
		return hang(p.blocks(n, false), "> ", "> ")
	case *ast.CodeBlock, *ast.FencedCodeBlock:
		return hang(strings.Split(strings.TrimRight(string(n.Lines().Value(p.source)), "\n"), "\n"), "    ", "    ")
	case *ast.ThematicBreak:
		return []string{"---"}
	case *extast.Table:
		return p.table(n)
	}
	text := strings.TrimSpace(p.inline(n))
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

func (p plain) list(l *ast.List) []string {
	var lines []string
	number := l.Start
	for item := l.FirstChild(); item != nil; item = item.NextSibling() {
		marker := "- "
		if l.IsOrdered() {
			marker = fmt.Sprintf("%d. ", number)
			number++
		}
		if len(lines) > 0 && !l.IsTight {
			lines = append(lines, "")
		}
		lines = append(lines, hang(p.blocks(item, l.IsTight), marker, strings.Repeat(" ", len(marker)))...)
	}
	return lines
}

func (p plain) table(t *extast.Table) []string {
	var lines []string
	for row := t.FirstChild(); row != nil; row = row.NextSibling() {
		var cells []string
		for cell := row.FirstChild(); cell != nil; cell = cell.NextSibling() {
			cells = append(cells, oneLine(p.inline(cell)))
		}
		lines = append(lines, strings.Join(cells, " | "))
	}
	return lines
}

// hang puts first before the first line and rest before the others.
func hang(lines []string, first, rest string) []string {
	if len(lines) == 0 {
		lines = []string{""}
	}
	hung := make([]string, len(lines))
	for i, line := range lines {
		prefix := rest
		if i == 0 {
			prefix = first
		}
		hung[i] = strings.TrimRight(prefix+line, " ")
	}
	return hung
}

// inline gives the text within a node, line breaks only where the owner forced
// them.
func (p plain) inline(parent ast.Node) string {
	var b strings.Builder
	for c := parent.FirstChild(); c != nil; c = c.NextSibling() {
		switch c := c.(type) {
		case *ast.Text:
			b.WriteString(p.text(c))
		case *ast.String:
			b.Write(c.Value)
		case *ast.AutoLink:
			b.Write(c.Label(p.source))
		case *ast.Link:
			b.WriteString(p.link(c))
		default: // emphasis, code, the words for a picture
			b.WriteString(p.inline(c))
		}
	}
	return b.String()
}

// hasScheme is how an address begins that is the same wherever it is written (RFC
// 3986, section 3.1).
var hasScheme = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*:`)

func (p plain) text(t *ast.Text) string {
	words := string(t.Value(p.source))
	if !t.IsRaw() {
		words = unescape(words)
	}
	switch {
	case t.HardLineBreak():
		return words + "\n"
	case t.SoftLineBreak():
		return words + " "
	}
	return words
}

// link has the address behind its words, but for one that leads somewhere from a
// page alone.
func (p plain) link(l *ast.Link) string {
	label, url := p.inline(l), unescape(string(l.Destination))
	if p.bare || !hasScheme.MatchString(url) || label == url || "mailto:"+label == url || "tel:"+strings.ReplaceAll(label, " ", "") == url {
		return label
	}
	return label + " (" + url + ")"
}

// unescape resolves backslashes and entities as the renderer to HTML does, by
// asking it.
func unescape(s string) string {
	if !strings.ContainsAny(s, `&\`) {
		return s
	}
	var b strings.Builder
	w := bufio.NewWriter(&b)
	render.DefaultWriter.Write(w, []byte(s))
	_ = w.Flush() // a Builder never fails
	return html.UnescapeString(b.String())
}
