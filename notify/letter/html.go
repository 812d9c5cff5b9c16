package letter

import (
	"html"
	htmltemplate "html/template"
	"strings"

	nethtml "golang.org/x/net/html"
)

// styles are for what Markdown makes, inline: many mailboxes drop style sheets.
var styles = map[string]string{
	"a":          "color:#1d4a86",
	"p":          "margin:0 0 16px",
	"ul":         "margin:0 0 16px;padding-left:24px",
	"ol":         "margin:0 0 16px;padding-left:24px",
	"li":         "margin:0 0 4px",
	"h3":         "margin:24px 0 8px;font-size:20px;line-height:1.3",
	"h4":         "margin:24px 0 8px;font-size:18px;line-height:1.3",
	"h5":         "margin:24px 0 8px;font-size:17px;line-height:1.3",
	"h6":         "margin:24px 0 8px;font-size:17px;line-height:1.3",
	"blockquote": "margin:0 0 16px;padding-left:16px;border-left:3px solid #c9c4b8",
	"pre":        "margin:0 0 16px;white-space:pre-wrap",
	"table":      "margin:0 0 16px;border-collapse:collapse",
	"th":         "padding:4px 16px 4px 0;text-align:left",
	"td":         "padding:4px 16px 4px 0",
}

// mirrored are the styles for text that runs from right to left. Many mailboxes
// know no inline-start.
var mirrored = mirror(styles)

func mirror(styles map[string]string) map[string]string {
	sides := strings.NewReplacer("-left", "-right", ":left", ":right", "4px 16px 4px 0", "4px 0 4px 16px")
	m := map[string]string{}
	for tag, style := range styles {
		m[tag] = sides.Replace(style)
	}
	return m
}

// forMail makes rendered Markdown fit for a mail: pictures become their words,
// since none may be fetched from afar; styles stand inline, for text of that
// direction.
func forMail(body htmltemplate.HTML, dir string) htmltemplate.HTML {
	styles := styles
	if dir == "rtl" {
		styles = mirrored
	}
	var b strings.Builder
	for z := nethtml.NewTokenizer(strings.NewReader(string(body))); z.Next() != nethtml.ErrorToken; {
		t := z.Token()
		if t.Type != nethtml.StartTagToken && t.Type != nethtml.SelfClosingTagToken {
			b.WriteString(t.String())
			continue
		}
		if t.Data == "img" {
			b.WriteString(html.EscapeString(attribute(t, "alt")))
			continue
		}
		if t.Data == "a" && dir == "rtl" { // an address as the text of a link keeps its order
			t.Attr = append(t.Attr, nethtml.Attribute{Key: "dir", Val: "auto"})
		}
		if style := styles[t.Data]; style != "" {
			t.Attr = append(t.Attr, nethtml.Attribute{Key: "style", Val: style})
		}
		b.WriteString(t.String())
	}
	return htmltemplate.HTML(b.String())
}

func attribute(t nethtml.Token, key string) string {
	for _, a := range t.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

// paragraph is plain text as HTML.
func paragraph(text string) htmltemplate.HTML {
	if text == "" {
		return ""
	}
	return htmltemplate.HTML(`<p style="` + styles["p"] + `">` + html.EscapeString(text) + `</p>`)
}
