package site

import (
	"net/url"
	"testing"
)

func TestMarkdown(t *testing.T) {
	base, err := url.Parse("https://status.example/open/closures/flood/")
	if err != nil {
		t.Fatal(err)
	}
	for source, want := range map[string]string{
		"Some *words*.":                        "<p>Some <em>words</em>.</p>\n",
		"Raw <b onclick=x>bold</b>.":           "<p>Raw bold.</p>\n",
		"<script>alert(1)</script>\n\nText":    "<p>Text</p>\n",
		"[x](javascript:alert(1))":             `<p><a href="">x</a></p>` + "\n",
		"[x](../winter/)":                      `<p><a href="https://status.example/open/closures/winter/">x</a></p>` + "\n",
		"[x](/gifts) [y](mailto:a@b.example)":  `<p><a href="https://status.example/gifts">x</a> <a href="mailto:a@b.example">y</a></p>` + "\n",
		"![x](mud.jpg)":                        `<p><img src="https://status.example/open/closures/flood/mud.jpg" alt="x"></p>` + "\n",
		"See https://example.org now":          `<p>See <a href="https://example.org">https://example.org</a> now</p>` + "\n",
		"# Top\n\n###### Low":                  "<h3>Top</h3>\n<h6>Low</h6>\n",
		"> <i>in</i> a quote\n>\n> <hr>\n>\n>": "<blockquote>\n<p>in a quote</p>\n</blockquote>\n",
	} {
		if got := string(renderMarkdown(source, base, 3)); got != want {
			t.Errorf("%q: got %q, want %q", source, got, want)
		}
	}
}

func TestSummary(t *testing.T) {
	for source, want := range map[string]string{
		"":                                       "",
		"One.\n\nTwo.":                           "One.",
		"# Heading\n\n- list\n\nThe *first* one": "The first one",
		"Two\nlines  \nand a [link](x), `code <`": "Two lines and a link, code <",
		`A & B &amp; C \* <b>D</b>`:               "A & B & C * D",
	} {
		if got := summary(source); got != want {
			t.Errorf("%q: got %q, want %q", source, got, want)
		}
	}
}
