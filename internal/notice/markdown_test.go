package notice

import (
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestHTML(t *testing.T) {
	for _, test := range []struct{ source, want string }{
		{"*a* **b** ~~c~~ `d`", "<p><em>a</em> <strong>b</strong> <del>c</del> <code>d</code></p>\n"},
		{"# a\n\n## b", "<h1>a</h1>\n<h2>b</h2>\n"},
		{"|a|b|\n|-|-|\n|c|d|", "<table>\n<thead>\n<tr>\n<th>a</th>\n<th>b</th>\n</tr>\n</thead>\n<tbody>\n<tr>\n<td>c</td>\n<td>d</td>\n</tr>\n</tbody>\n</table>\n"},
		{"https://example.org", "<p><a href=\"https://example.org\">https://example.org</a></p>\n"},
		{"[a](/b) [c](mailto:d@e.f) [g](tel:+1)", "<p><a href=\"/b\">a</a> <a href=\"mailto:d@e.f\">c</a> <a href=\"tel:+1\">g</a></p>\n"},
		{"<b>a</b> & <script>alert(1)</script>", "<p>a &amp; alert(1)</p>\n"},
		{"<div onclick=x>a</div>\n\nb", "<p>b</p>\n"},
		{"[*a*](javascript:alert(1))", "<p><em>a</em></p>\n"},
		{"[a](JavaScript:x) [b](data:text/html,x) [c](vbscript:x) [d](file:///etc)", "<p>a b c d</p>\n"},
		{"[a](&#106;avascript:x) [b](javascript&colon;x) [c](&#x6a;avascript&#58;x) [d](:x)", "<p>a b c d</p>\n"},
		{"<javascript:x> <data:x>", "<p>javascript:x data:x</p>\n"},
		{"![a](data:image/png;base64,x) ![b](/c.png)", "<p>a <img src=\"/c.png\" alt=\"b\"></p>\n"},
		{"[a][r]\n\n[r]: javascript:x", "<p>a</p>\n"},
		{"[![a](javascript:x)](javascript:y)", "<p>a</p>\n"},
		{`"quoted" <`, "<p>&quot;quoted&quot; &lt;</p>\n"},
	} {
		if got := string((Markdown{}).HTML(test.source)); got != test.want {
			t.Errorf("%q\ngot  %q\nwant %q", test.source, got, test.want)
		}
	}
}

// TestPlaced resolves relative links.
func TestPlaced(t *testing.T) {
	base, err := url.Parse("https://status.example/open/closures/flood/")
	if err != nil {
		t.Fatal(err)
	}
	m := Markdown{Base: base, Top: 3}
	for source, want := range map[string]string{
		"[x](../winter/)":                     `<p><a href="https://status.example/open/closures/winter/">x</a></p>` + "\n",
		"[x](/gifts) [y](mailto:a@b.example)": `<p><a href="https://status.example/gifts">x</a> <a href="mailto:a@b.example">y</a></p>` + "\n",
		"![x](mud.jpg)":                       `<p><img src="https://status.example/open/closures/flood/mud.jpg" alt="x"></p>` + "\n",
	} {
		if got := string(m.HTML(source)); got != want {
			t.Errorf("%q: got %q, want %q", source, got, want)
		}
	}
	if got, want := m.PlainText("[delivery](../delivery/)"), "delivery (https://status.example/open/closures/delivery/)"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Headings begin at the level that they are to have, and none is skipped.
func TestHeadingLevels(t *testing.T) {
	for written, want := range map[string]string{
		"3": "2", "1 6": "2 3", "3 2 3": "2 2 3", "2 4 3 4 2": "2 3 3 4 2", "1 2 3 4 5 6": "2 3 4 5 6 6", "6 1 6 6": "2 2 3 3",
	} {
		var source strings.Builder
		for level := range strings.FieldsSeq(written) {
			source.WriteString(strings.Repeat("#", int(level[0]-'0')) + " x\n\n")
		}
		got := strings.NewReplacer("<h", "", ">x", "", "</h2>\n", " ", "</h3>\n", " ", "</h4>\n", " ", "</h5>\n", " ", "</h6>\n", " ").
			Replace(string(Markdown{Top: 2}.HTML(source.String())))
		if strings.Join(strings.Fields(got), " ") != want {
			t.Errorf("%s: got %s, want %s", written, got, want)
		}
	}
}

func TestPlainText(t *testing.T) {
	for _, test := range []struct{ source, want string }{
		{"a *b*\nc", "a b c"},
		{"a  \nb\\\nc", "a\nb\nc"},
		{"# a\n\nb", "a\n\nb"},
		{"- a\n- b\n  - c\n", "- a\n- b\n  - c"},
		{"9. a\n10. b\n\n    c\n", "9. a\n\n10. b\n\n    c"},
		{"> a\n>\n> b", "> a\n>\n> b"},
		{"```\na  b\n  c\n```", "    a  b\n      c"},
		{"[Our page](https://example.org/a?b=c&d) and <https://example.org>", "Our page (https://example.org/a?b=c&d) and https://example.org"},
		{"[a@b.c](mailto:a@b.c) a@b.c [+1 2](tel:+12)", "a@b.c a@b.c +1 2"},
		{"[a](javascript:x) <b>c</b> ![d](/e)", "a c d"},
		{`\*a\* &amp; &eacute; \&amp;`, "*a* & é &amp;"},
		{"|a|b|\n|-|-|\n|c|d|", "a | b\nc | d"},
		{"a\n\n---\n\nb", "a\n\n---\n\nb"},
		{"<div>a</div>\n\nb", "b"},
		{"", ""},
	} {
		if got := (Markdown{}).PlainText(test.source); got != test.want {
			t.Errorf("%q\ngot  %q\nwant %q", test.source, got, test.want)
		}
	}
}

func TestSummary(t *testing.T) {
	for body, want := range map[string]string{
		"We are\n*closing* [here](https://a.b).\n\nMore.": "We are closing here (https://a.b).",
		"# Heading\n\n- list\n\nThen  \ntext":             "Then text",
		"![](/a.png)\n\nText":                             "Text",
		"See [b](/b), [c](c#d), [e](//f.g) and [h](?i).":  "See b, c, e and h.", // which lead nowhere from a mail or a calendar
		"<div>a</div>": "",
		"":             "",
	} {
		if got := Summary(body); got != want {
			t.Errorf("%q: got %q, want %q", body, got, want)
		}
	}
	if got := (Markdown{}).Read("Closed [here](https://a.b), and <https://c.d>.").Gist(); got != "Closed here, and https://c.d." {
		t.Errorf("the gist is %q", got)
	}
}

// TestHardMarkdown holds that what Parse lets through is rendered in no time: a
// page must not keep the watcher from the checkout. The limit is far above what
// it takes, and far below what it took without the check (20 s).
func TestHardMarkdown(t *testing.T) {
	for _, unit := range []string{"[", "[a](", "![", "*a ", "**_a ", "`a``b", "<", "<!-- ", "> ", "- ", "1. ", "a|", "\\", "&", "~a~~", "www.", "[a]: b\n", "a\n=\n", "- a\n"} {
		body := strings.Repeat(unit, (100<<10)/len(unit))
		n, _ := Parse("x.md", "x", []byte(minimal+body), zone(t, "UTC"))
		if n != nil {
			within(t, unit, func() { Markdown{}.HTML(n.Body); Markdown{}.PlainText(n.Body) })
		}
	}
}

func within(t *testing.T, what string, f func()) {
	t.Helper()
	begin := time.Now()
	f()
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("%q: %v", what, took)
	}
}
