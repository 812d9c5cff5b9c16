package notice

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/backsoon/backsoon/internal/strictyaml"
)

func FuzzParse(f *testing.F) {
	loc := zone(f, "Europe/Lisbon")
	for _, seed := range seeds {
		f.Add([]byte(seed))
		f.Add([]byte("\ufeff" + strings.ReplaceAll(seed, "\n", "\r\n")))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		n, problems := Parse("x.md", "x", src, loc)
		inside(t, src, problems)
		if (n == nil) != (problems.Err() != nil) {
			t.Fatalf("notice %v with problems:\n%v", n, problems)
		}
		if n == nil {
			return
		}
		printed := n.Format()
		again, problems := Parse("x.md", "x", printed, loc)
		if again == nil {
			t.Fatalf("what is printed has problems:\n%v\n%s", problems, printed)
		}
		if !same(n, again) {
			t.Fatalf("printed and parsed again it differs:\n%+v\n%+v\n%s", n, again, printed)
		}
		if !bytes.Equal(printed, again.Format()) {
			t.Fatalf("printed again it differs:\n%s\n%s", printed, again.Format())
		}
		tame := string(Markdown{}.HTML(n.Body))
		if strings.Contains(tame, "<script") || strings.Contains(tame, `="javascript:`) || strings.Contains(tame, `="data:`) {
			t.Fatalf("it got through: %s", tame)
		}
		Markdown{}.PlainText(n.Body)
		if strings.Contains(Summary(n.Body), "\n") {
			t.Fatalf("a summary of two lines: %q", Summary(n.Body))
		}
	})
}

func FuzzUpdateHeading(f *testing.F) {
	loc := zone(f, "Europe/Lisbon")
	for _, seed := range headingSeeds {
		f.Add(seed, "Water is gone.")
	}
	f.Add("2026-12-26 10:30 x", "```\n## 2026-12-26 10:31 y")
	f.Fuzz(func(t *testing.T, heading, body string) {
		src := []byte(minimal + "## " + heading + "\n" + body + "\n")
		n, problems := Parse("x.md", "x", src, loc)
		inside(t, src, problems)
		if n == nil {
			return
		}
		again, problems := Parse("x.md", "x", n.Format(), loc)
		if again == nil || !same(n, again) {
			t.Fatalf("printed and parsed again it differs: %v\n%+v\n%+v\n%s", problems, n, again, n.Format())
		}
	})
}

func FuzzFields(f *testing.F) {
	loc := zone(f, "Europe/Lisbon")
	f.Add("Closed", "Last orders", "Wed 23 December, 12:00", "web", "tel:+351", "2026-12-24 18:00", "Text")
	f.Add("it's: a #1", "a: b", "- x\ny", "b, c", "https://a.b/?c=d", "2026-10-25T01:30:00+01:00", "a\n\n    b\n\t\n")
	f.Add("*", "null", "~", "[", "mailto:a@b", "2026-12-24", "---\n# a\n## b ##\n> c")
	f.Fuzz(func(t *testing.T, title, label, text, id, url, closes, body string) {
		q := strictyaml.Quote
		src := "---\ntitle: " + q(title) + "\npublished: " + q(closes) + "\ncloses: " + q(closes) + "\nstorefronts: [x, " + q(id) + "]\nfacts:\n  " + q(label) + ": " + q(text) +
			"\ncontact: {label: " + q(label) + ", url: " + q(url) + "}\nreopening:\n  " + q(text) + ": yes\n  " + q(label) + ": no\n---\n" + body
		n, problems := Parse("x.md", "x", []byte(src), loc)
		inside(t, []byte(src), problems)
		if n == nil {
			return
		}
		again, problems := Parse("x.md", "x", n.Format(), loc)
		if again == nil || !same(n, again) {
			t.Fatalf("printed and parsed again it differs: %v\n%+v\n%+v\n%s", problems, n, again, n.Format())
		}
	})
}

func FuzzSetKey(f *testing.F) {
	for _, seed := range seeds {
		for _, key := range []string{"reopened", "closes", "facts", "title"} {
			f.Add([]byte(seed), key)
			f.Add([]byte("\ufeff"+strings.ReplaceAll(seed, "\n", "\r\n")), key)
		}
	}
	f.Fuzz(func(t *testing.T, src []byte, key string) {
		if strings.Trim(key, "abcdefghijklmnopqrstuvwxyz") != "" || key == "" {
			return
		}
		const value = "2027-01-01 12:00"
		before, p, err := readFront(src)
		if err != nil {
			return
		}
		edited, err := SetKey(src, key, value)
		if err != nil {
			t.Fatalf("%s: %v\n%q", key, err, src)
		}
		after, _, err := readFront(edited)
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := after.Get(key).Text(""); got != value {
			t.Fatalf("%s is %q in %q", key, got, edited)
		}
		othersKept(t, before, after, key)
		if e, _, found := entry(before, key); found {
			linesKept(t, src, edited, e.Line-1)
		} else if got := len(edited) - len(src); got < len(key+": "+value+"\n") || !bytes.HasSuffix(edited, p.body) {
			t.Fatalf("more than a line was added: %q", edited)
		}
	})
}

// linesKept checks that before and behind the key's own lines all bytes stayed.
func linesKept(t *testing.T, src, edited []byte, line int) {
	t.Helper()
	a, b := bytes.SplitAfter(src, newline), bytes.SplitAfter(edited, newline)
	gone := len(a) - len(b)
	if gone < 0 || !reflect.DeepEqual(a[:line], b[:line]) || !reflect.DeepEqual(a[line+1+gone:], b[line+1:]) {
		t.Fatalf("other lines changed:\n%q\n%q", src, edited)
	}
}

func othersKept(t *testing.T, before, after strictyaml.Value, key string) {
	t.Helper()
	var a, b []string
	for _, e := range before.Entries("") {
		if e.Key != key {
			a = append(a, e.Key+"="+contents(e.Value))
		}
	}
	for _, e := range after.Entries("") {
		if e.Key != key {
			b = append(b, e.Key+"="+contents(e.Value))
		}
	}
	if !reflect.DeepEqual(a, b) {
		t.Fatalf("other keys changed:\n%q\n%q", a, b)
	}
}

func contents(v strictyaml.Value) string {
	switch {
	case v.IsMap():
		s := "{"
		for _, e := range v.Entries("") {
			s += e.Key + "=" + contents(e.Value) + ","
		}
		return s + "}"
	case v.IsList():
		s := "["
		for _, item := range v.List("") {
			s += contents(item) + ","
		}
		return s + "]"
	}
	text, _ := v.Text("")
	return text
}

// inside checks that an editor can jump to each problem.
func inside(t *testing.T, src []byte, problems strictyaml.Problems) {
	t.Helper()
	lines := bytes.Split(src, newline)
	for _, p := range problems {
		if p.Line < 1 || p.Line > len(lines) {
			t.Fatalf("line %d of %d: %v", p.Line, len(lines), p)
		}
		if width := utf8.RuneCount(lines[p.Line-1]); p.Column < 1 || p.Column > width+1 {
			t.Fatalf("column %d of %d: %v", p.Column, width, p)
		}
		if strings.ContainsAny(p.Text, "\n\r") || p.Text == "" {
			t.Fatalf("not one line: %q", p.Text)
		}
	}
}

// same compares notices, but not their places in the file.
func same(a, b *Notice) bool {
	return reflect.DeepEqual(bare(a), bare(b))
}

func bare(n *Notice) Notice {
	c := *n
	c.where = nil
	for _, m := range []*Moment{&c.Published, &c.Closes, &c.Reopens, &c.Reopened} {
		m.Time = plainTime(m.Time)
	}
	c.Updates = nil
	for _, u := range n.Updates {
		c.Updates = append(c.Updates, Update{At: plainTime(u.At), Title: u.Title, Body: u.Body})
	}
	return c
}

// plainTime has the same instant and offset, and no pointer to a zone.
func plainTime(t time.Time) time.Time {
	_, offset := t.Zone()
	return time.Unix(t.Unix(), int64(t.Nanosecond())).UTC().Add(time.Duration(offset) * time.Nanosecond)
}

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

const minimal = "---\ntitle: Closed\npublished: 2026-11-20 10:00\ncloses: 2026-12-24 18:00\n---\n"

const whole = `---
# our winter break
title: Closed for the winter break
published: 2026-11-20 10:00        # when we told
closes: 2026-12-24 18:00
reopens: 2027-01-02 09:00
storefronts: [web, shop-2]
checkout: off
facts:
  Last orders: Wed 23 December, 12:00
  "Oddly: named": 010

  Version: 1.10
contact: {label: Helpline, url: "tel:+351210000000"}
reopening:
  stock counted: yes
  test order placed: no
---
We are *closing* for [two weeks](https://example.org).
See https://example.org & <b>more</b>.

## 2026-12-26 10:30 Water is gone
Every floor.

- one
- two

## Not an update

` + "```\n## 2026-12-27 10:30 neither\n```\n" + `
## 2026-12-28T10:30:15+01:00
Soon.
`

var seeds = []string{
	minimal, whole, "", "---\n", "---\n---\n", "---\ntitle: x\n", "title: x\n",
	"---\ntitle: x\ncloses: 2026-12-24\nfacts: {a b: c, \"a  b\": d, \" a b\": e}\n---\n",
	minimal + "Text\n", minimal + "> ## 2026-12-26 10:30 quoted\n",
	minimal + "2026-12-26 10:30 underlined\n---\n",
	"---\ntitle: |\n  Closed\ncloses: '2026-12-24'\nreopens: \"2026-12-25\" # c\nfacts:\n  a: >\n    b\n    c\n\n  d: null\ndraft: yes\n---\n",
	"---\n  title: x\n  closes: 2026-12-24T18:00:00Z\n  reopened: 2026-12-25 01:00:30\n  cancelled: true\n---\n\n    code\n",
	"---\ntitle: it's # c\ncloses: 2026-12-24\n  18:00\nstorefronts:\n- a\n- \"b, c\"\n# tail\n\n---\n",
	"---\ntitle: *x\ncloses: &a b\n<<: {}\n? x\n: y\n---\n", "---\n{title: x, closes: 2026-12-24}\n---\n",
	"---\ntitle: Closed: flood\n---\n", "---\ntitle: \"x\\u00e9\\t\\n\"\n\tcloses: 1\n---\n",
	"---\ntitle: x\ncloses: 2026-10-25 01:30\nreopens: 2026-10-25T01:30:00+01:00\n---\n",
}

var headingSeeds = []string{
	"2026-12-26 10:30 Water is gone", "2026-12-26 10:30", "2026-12-26T10:30Z x", "2026-12-26 10:30:15+01:00 – x #",
	"2026-13-45 10:30", "2026-12-26", "2026-1-2 9:30", "2026-10-25 01:30 fold", "2026-03-29 01:30 gap",
	"2026-12-26 10:30 x ## #", "2026-12-26 10:30: x", "Plain", "2026-12-26 10:300", "2026-12-26 10:30 \\#",
}
