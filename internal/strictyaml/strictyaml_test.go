package strictyaml

import (
	"strings"
	"testing"
	"time"
)

// read parses a document that begins in the file's first line.
func read(src string) (Value, bool, Problems) {
	r := NewReport("a.yaml", []byte(src))
	v, ok := Parse(r, []byte(src), 1)
	return v, ok, r.Problems()
}

func TestTextIsAsWritten(t *testing.T) {
	for written, want := range map[string]string{
		"yes": "yes", "No": "No", "TRUE": "TRUE", "1.10": "1.10", "010": "010", "0x1F": "0x1F", "1_000": "1_000", "~": "~", "null": "null", ".inf": ".inf",
		"2026-12-24": "2026-12-24", "2026-12-24 18:00   # c": "2026-12-24 18:00", "'it''s'": "it's", `"a\té\u00e9"`: "a\téé", "a # b": "a", "a#b": "a#b",
		"one\n  two": "one two", "|\n  one\n  two\n": "one\ntwo\n", ">\n  one\n  two\n": "one two\n", "tel:+351": "tel:+351", "\"\"": "", "é": "é",
	} {
		v, ok, problems := read("a: " + written + "\nb: c\n")
		if got, is := v.Get("a").Text("x"); !ok || !is || got != want {
			t.Errorf("%q: got %q, want %q; %v", written, got, want, problems)
		}
		if got, _ := v.Get("b").Text("x"); got != "c" {
			t.Errorf("%q: the key behind it is %q", written, got)
		}
	}
}

func TestPlaces(t *testing.T) {
	src := "é: ü\n# c\n\nmap:\n  - {a: \"ß\", b: x}\n  -   c: y\n      d: |\n        1\n        2\n\nend: z\n"
	r := NewReport("a.yaml", []byte("one\ntwo\n"+src))
	v, ok := Parse(r, []byte(src), 3)
	if !ok {
		t.Fatal(r.Problems())
	}
	items := v.Get("map").List("")
	for _, test := range []struct {
		name         string
		v            Value
		line, column int
	}{
		{"é", v.Get("é"), 3, 4}, {"map", v.Get("map"), 7, 3}, {"braces", items[0], 7, 5}, {"a", items[0].Get("a"), 7, 9}, {"b", items[0].Get("b"), 7, 17},
		{"c", items[1].Get("c"), 8, 10}, {"d", items[1].Get("d"), 9, 10}, {"end", v.Get("end"), 13, 6}, {"absent", items[1].Get("z"), 8, 7},
	} {
		if test.v.Line != test.line || test.v.Column != test.column {
			t.Errorf("%s: %d:%d, want %d:%d", test.name, test.v.Line, test.v.Column, test.line, test.column)
		}
	}
	if e := v.Entries("")[1]; e.Key != "map" || e.Line != 6 || e.Column != 1 {
		t.Errorf("%+v", e)
	}
}

func TestProblems(t *testing.T) {
	for _, test := range []struct{ name, src, want string }{
		{"duplicate", "a: b\nc: d\na: e\n", `3:1: "a" is written twice (first in line 1); keep one of them`},
		{"duplicate below", "a:\n  b: c\n  b: d\n", `3:3: "b" is written twice (first in line 2)`},
		{"duplicate in braces", "a: {b: c, b: d}\n", `1:11: "b" is written twice (first in line 1)`},
		{"tab", "a:\n\tb: c\n", `2:1: the line is indented with a tab; use spaces`},
		{"anchor", "a: &x b\n", `1:4: a text cannot begin with & here`},
		{"alias", "a: *x\n", `1:4: a text cannot begin with * here`},
		{"tag", "a: !x b\n", `1:4: a text cannot begin with ! here`},
		{"merge", "<<: {a: b}\n", `1:1: << has no meaning here`},
		{"complex key", "? a\n: b\n", `1:1: a text cannot begin with ? and a space here`},
		{"directive", "%YAML 1.2\n---\na: b\n", `1:1: a text cannot begin with % here`},
		{"percent", "a: %x\n", `1:4: a text cannot begin with % here`},
		{"second document", "a: b\n---\nc: d\n", `2:1: a line of --- begins a second text`},
		{"end of document", "a: b\n...\n", `2:1: a line ... ends the text`},
		{"colon", "a: b: c\n", `1:4: the text holds a colon, so it has to be in quotes: a: "b: c"`},
		{"colon at the end", "a: b:\n", `the text holds a colon, so it has to be in quotes: a: "b:"`},
		{"at", "a: @x\n", `1:4: a text cannot begin with @ or `},
		{"open quote", "a: 'x\nb: c\n", `1:4: the quote that opens here is never closed; add the closing '`},
		{"open double quote", "a: \"x\nb: c\n", `1:4: the quote that opens here is never closed; add the closing "`},
		{"open bracket", "a: [b\n", `1:4: the [ that opens here is never closed; add ]`},
		{"open brace", "a: {b: c\n", `1:4: the { that opens here is never closed; add }`},
		{"behind quotes", "a: 'b' c\n", `1:8: the text goes on after it has ended`},
		{"no key", "a: b\nc\n", `2:1: this line has no key; write key: value`},
		{"no blank", "a:b\n", `1:1: "a:b" has no key; write key: value, with a space after the colon`},
		{"a list", "- a\n", `1:1: a list cannot stand here`},
		{"dash", "a: - b\n", `1:4: a list cannot begin in its key's line`},
		{"escape", `a: "\q"`, `a \ has a meaning of its own`},
		{"to the left", " a: b\nc: d\n", `2:1: the line doesn't fit those above it`},
		{"lone dash", "a:\n-\nb: c\n", `3:1: the line doesn't fit those above it`},
		{"nothing behind a dash", "a:\n  - b\n  -\n", `a: nothing stands behind the -`},
		{"control character", "a: \"\\e[1m\"\n", `1:4: the text holds a character that cannot be shown (U+001B)`},
		{"control character in a key", "\"\\b\": x\n", `1:1: the text holds a character that cannot be shown (U+0008)`},
	} {
		_, _, problems := read(test.src)
		if got := problems.Error(); !strings.HasPrefix(got, "a.yaml:") || !strings.Contains(got, test.want) {
			t.Errorf("%s: got %s, want %s", test.name, got, test.want)
		}
	}
}

// TestNesting holds that no depth overflows the stack, or takes long: what is too
// deep is refused before the parser sees it.
func TestNesting(t *testing.T) {
	stairs := func(unit string, n int) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(strings.Repeat(" ", i) + unit + "\n")
		}
		return b.String()
	}
	for name, src := range map[string]string{
		"brackets": "a: " + strings.Repeat("[", 200000), "braces": "a: " + strings.Repeat("{", 200000), "keys in braces": "a: " + strings.Repeat("{a: ", 50000),
		"dashes": strings.Repeat("- ", 100000), "questions": strings.Repeat("? ", 100000), "colons": strings.Repeat(": ", 100000), "keys": strings.Repeat("a: ", 80000),
		"stairs": stairs("a:", 600), "stairs of dashes": stairs("-", 600), "stairs of questions": stairs("?", 600), "colons in brackets": "a: [" + strings.Repeat("a: ", 80000),
		"closed": "a: " + strings.Repeat("[", 100000) + strings.Repeat("]", 100000), "anchors": "a: " + strings.Repeat("&a ", 80000), "tags": "a: " + strings.Repeat("!a ", 80000),
	} {
		begin := time.Now()
		if _, _, problems := read(src); len(problems) == 0 {
			t.Errorf("%s: accepted", name)
		}
		if took := time.Since(begin); took > 5*time.Second {
			t.Errorf("%s took %v", name, took)
		}
	}
	if v, ok, problems := read("a:\n  b:\n    - c:\n        - {d: [e, {f: [g]}]}\n"); !ok || len(problems) > 0 || !v.Get("a").IsMap() {
		t.Errorf("what people write is too deep: %v", problems)
	}
}

// TestLayouts holds that no way of laying the same out is taken for a mistake.
func TestLayouts(t *testing.T) {
	for _, src := range []string{
		"a:\n  - b\n  - c: d\n    e: f\n", "a:\n- b\n- c: d\n  e: f\n", "a: [b, {c: d, e: f}]\n", "a: [\n  b,\n  {c: d, e: f},\n]\n", "a: [b, {c: d,\n  e: f}]\n",
		"a: # x\n  # y\n\n  - b # z\n\n  -\n    c: d\n    # w\n    e: f\n# v\n", "a:\n  - \"b\"\n  - 'c': >-\n      d\n    \"e\": |-\n      f\n",
		"  a:\n    - b\n    -   c: d\n        e: f\n", "---\na:\n  - b\n  - {c: d, e: f}\n", "a:\n  - b\n  - c:   d\n    e:\n      f\n", "a:\n  - b\n  - c:\t'd'\n    e:   \"f\"  # x",
		"\ufeffa:\r\n  - b\r\n  - c: d\r\n    e: f\r\n", "a:\t\n  - b\t\n  - c: d\t# x\n    e: f \t\n", "\"a\":\n  - b\n  - {\"c\": d, 'e': \"f\"}\n   \n\t\n",
	} {
		v, ok, problems := read(src)
		items := v.Get("a").List("")
		if !ok || len(problems) > 0 || len(items) != 2 {
			t.Errorf("%q: %v", src, problems)
			continue
		}
		b, _ := items[0].Text("")
		d, _ := items[1].Get("c").Text("")
		f, _ := items[1].Get("e").Text("")
		if b+d+f != "bdf" {
			t.Errorf("%q: %q %q %q", src, b, d, f)
		}
	}
}

func TestWrongKinds(t *testing.T) {
	v, ok, _ := read("text: x\nlist: [x]\nmap: {x: y}\nempty:\n")
	if !ok {
		t.Fatal("not read")
	}
	v.Get("list").Text("word")
	v.Get("map").Text("word")
	v.Get("empty").Text("word")
	v.Get("text").List("item")
	v.Get("empty").List("item")
	v.Get("text").Entries("k: v")
	v.Get("text").Bool()
	v.Get("absent").Text("word")
	v.Get("absent").List("item")
	v.Get("absent").Entries("k: v")
	v.Need("absent", "word")
	v.Need("text", "word")
	v.Only("text", "lists", "map", "empty")
	want := `a.yaml:1:1: absent is missing; write absent: word
a.yaml:1:7: text: a list belongs here; write text: [item]
a.yaml:1:7: text: keys and values belong here, each on an indented line of its own such as k: v
a.yaml:1:7: text: "x" is neither yes nor no; write text: yes or text: no
a.yaml:2:1: "list" is not a key here; did you mean lists?
a.yaml:2:7: list: one text belongs here, not a list; write list: word
a.yaml:3:6: map: one text belongs here, not a list of keys and values; write map: word
a.yaml:4:7: empty: is empty; write empty: word, or delete the line if you don't need it
a.yaml:4:7: empty: a list belongs here; write empty: [item]`
	if got := v.report.Problems().Error(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestBool(t *testing.T) {
	for text, want := range map[string]bool{"yes": true, "Yes": true, "true": true, "no": false, "FALSE": false, "\"no\"": false} {
		v, _, problems := read("a: " + text + "\n")
		if is, ok := v.Get("a").Bool(); !ok || is != want {
			t.Errorf("%s: %v, %v, %v", text, is, ok, problems)
		}
	}
}

func TestNearest(t *testing.T) {
	known := []string{"title", "closes", "reopens", "reopened", "storefronts"}
	for word, want := range map[string]string{
		"close": "closes", "Closes": "closes", "titel": "title", "reopned": "reopened", "re-opens": "reopens", "storefront": "storefronts", "weather": "", "x": "", "": "",
	} {
		if got, ok := Nearest(word, known); got != want || ok != (want != "") {
			t.Errorf("%q: got %q, want %q", word, got, want)
		}
	}
}

func TestProblemsKeepInside(t *testing.T) {
	r := NewReport("a.yaml", []byte("é\nlast"))
	r.Errorf(9, 9, "far")
	r.Errorf(0, -1, "before")
	r.Warnf(1, 9, "100%% right")
	want := "a.yaml:1:1: before\na.yaml:1:2: warning: 100% right\na.yaml:2:5: far"
	if got := r.Problems().Error(); got != want {
		t.Errorf("got\n%s", got)
	}
	if len(r.Problems().Errors()) != 2 || r.Problems().Err() == nil || (Problems{{Warning: true}}).Err() != nil {
		t.Error("warnings are no errors, and errors are")
	}
}

func FuzzScalars(f *testing.F) {
	for _, seed := range []string{"a", "a: b", "- a", "'", `"`, "yes", "", " a", "a ", "a\nb", "\\", "é #", "2026-12-24 18:00", "a:", "{", "<<", "?", "~", "0x1", "…", "a\u2028b", "\u00a0"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.ToValidUTF8(text, "\ufffd") != text || strings.ContainsFunc(text, func(r rune) bool { return r < 32 && r != '\n' && r != '\t' || r >= 127 && r < 160 || r == '\ufffd' }) {
			return
		}
		src := Word(text) + ": " + Scalar(text) + "\nx-y: [" + Word(text) + ", {" + Word(text) + ": " + Word(text) + "}]\n"
		v, ok, problems := read(src)
		if !ok || len(problems) > 0 && text != "x-y" {
			t.Fatalf("%v in %s", problems, src)
		}
		if text == "x-y" {
			return
		}
		items := v.Get("x-y").List("")
		for _, v := range []Value{v.Get(text), items[0], items[1].Get(text)} {
			if got, ok := v.Text(""); !ok || got != text {
				t.Fatalf("%q came back as %q from %s", text, got, src)
			}
		}
	})
}

func TestProblemIsOneLine(t *testing.T) {
	if got := (Problem{File: "a\n\x1b[31m.md", Line: 1, Text: "x"}).String(); got != "a\ufffd\ufffd[31m.md:1: x" {
		t.Errorf("got %q", got)
	}
}
