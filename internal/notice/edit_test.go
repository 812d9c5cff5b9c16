package notice

import (
	"strings"
	"testing"
)

func TestSetKey(t *testing.T) {
	for _, test := range []struct{ name, front, key, value, want string }{
		{"replaced", "title: x\ncloses: 2026-12-24\n", "closes", "2026-12-25", "title: x\ncloses: 2026-12-25\n"},
		{"added", "title: x\n", "cancelled", "yes", "title: x\ncancelled: yes\n"},
		{"comment and alignment", "title: x\ncloses:   2026-12-24    # evening # late\n", "closes", "2026-12-25", "title: x\ncloses:   2026-12-25    # evening # late\n"},
		{"comment without a value", "title: x\nreopens:   # to come\n", "reopens", "2026-12-25", "title: x\nreopens: 2026-12-25   # to come\n"},
		{"no value", "title: x\nreopens:\ndraft: no\n", "reopens", "2026-12-25", "title: x\nreopens: 2026-12-25\ndraft: no\n"},
		{"quotes", "title: \"a # b: c\" # d\ndraft: no\n", "title", "e", "title: e # d\ndraft: no\n"},
		{"single quotes", "title: 'it''s # b' # d\n", "title", "e", "title: e # d\n"},
		{"apostrophe", "title: it's # d\n", "title", "e", "title: e # d\n"},
		{"quotes within plain text", "title: a, \"b # c\ndraft: no\n", "title", "e", "title: e # c\ndraft: no\n"},
		{"quotes within a key", "a \"b: c # d\ndraft: no\n", "a \"b", "e", "a \"b: e # d\ndraft: no\n"},
		{"key in quotes", "\"title\" : x\n", "title", "e", "\"title\" : e\n"},
		{"a map", "facts:\n  a: b # c\n  d: e\n\n# about draft\ndraft: no\n", "facts", "{a: f}", "facts: {a: f}\n\n# about draft\ndraft: no\n"},
		{"a map below a comment", "facts: # ours\n  a: b\n", "facts", "{a: f}", "facts: {a: f} # ours\n"},
		{"a list", "storefronts:\n- a\n- b\ndraft: no\n", "storefronts", "[c]", "storefronts: [c]\ndraft: no\n"},
		{"in brackets", "storefronts: [\"a # b\", c] # d\n", "storefronts", "[c]", "storefronts: [c] # d\n"},
		{"two lines", "closes: 2026-12-24\n  18:00\ndraft: no\n", "closes", "2026-12-25", "closes: 2026-12-25\ndraft: no\n"},
		{"literal", "title: |\n  a\n  # b\n\ndraft: no\n", "title", "c", "title: c\n  # b\n\ndraft: no\n"},
		{"indented", "  title: x\n  closes: 2026-12-24\n", "reopens", "2026-12-25", "  title: x\n  closes: 2026-12-24\n  reopens: 2026-12-25\n"},
		{"comments alone", "# nothing yet\n", "title", "x", "# nothing yet\ntitle: x\n"},
		{"an accent before", "é: x # y\n", "é", "z", "é: z # y\n"},
		{"wrong elsewhere", "title: x\ncloses: 24th\nweather: wet\n", "closes", "2026-12-24", "title: x\ncloses: 2026-12-24\nweather: wet\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			for how, form := range map[string]func(string) string{
				"LF":   func(s string) string { return "---\n" + s + "---\nText\n" },
				"CRLF": func(s string) string { return strings.ReplaceAll("\ufeff---\n"+s+"---\nText\n", "\n", "\r\n") },
				"bare": func(s string) string { return "---\n" + s + "---" },
			} {
				got, err := SetKey([]byte(form(test.front)), test.key, test.value)
				if err != nil || string(got) != form(test.want) {
					t.Errorf("%s: got %q, %v\nwant %q", how, got, err, form(test.want))
				}
			}
		})
	}
}

func TestSetKeyRefuses(t *testing.T) {
	for name, test := range map[string]struct{ src, value string }{
		"no front matter": {"Text\n", "x"},
		"not closed":      {"---\ntitle: x\n", "x"},
		"not YAML":        {"---\ntitle: a: b\n---\n", "x"},
		"duplicates":      {"---\ntitle: a\ntitle: b\n---\n", "x"},
		"braces":          {"---\n{title: a}\n---\n", "x"},
		"two lines":       {minimal, "x\ndraft: yes"},
		"not a value":     {minimal, "[x"},
	} {
		if got, err := SetKey([]byte(test.src), "title", test.value); err == nil {
			t.Errorf("%s: gave %q", name, got)
		}
	}
}
