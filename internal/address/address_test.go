package address

import (
	"net/mail"
	"strings"
	"testing"
)

func TestCheck(t *testing.T) {
	const no = "is not an e-mail address; write name@example.org"
	label := strings.Repeat("a", 63)
	for s, want := range map[string]string{
		"ada@example.org":                      "",
		"Ada.Lovelace+shop=1@mail.Example.org": "",
		"o'hara@example.org":                   "",
		"ada@xn--bcher-kva.example":            "",
		label + "a@example.org":                "",
		"ada@" + label + ".example":            "",
		"":                                     no,
		"ada":                                  no,
		"@":                                    no,
		"@example.org":                         no,
		"ada@":                                 no,
		"ada@.":                                no,
		"ada@example..org":                     no,
		"ada@example.org.":                     no,
		"ada@-example.org":                     no,
		"ada@ex_ample.org":                     no,
		"ada@[127.0.0.1]":                      no,
		"ada@127.0.0.1":                        no,
		"ada@[IPv6:::1]":                       "no dot behind the @",
		"ada@localhost":                        "no dot behind the @",
		"ada..l@example.org":                   no,
		"ada@grace@example.org":                no,
		`"a b"@example.org`:                    no,
		"a b@example.org":                      no,
		" ada@example.org":                     no,
		"ada@example.org\r\nBcc: eve@example.org":  no,
		"Ada <ada@example.org>":                    no,
		"ada@example.org>":                         no,
		"jürgen@example.org":                       "other letters than a-z before the @",
		"ada@bücher.example":                       no,
		label + "aa@example.org":                   "too long",
		"ada@" + label + "a.example":               no,
		"ada@" + strings.Repeat("a.", 125) + "org": "too long",
	} {
		err := Check(s)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", s, err, want)
		}
	}
}

func TestRead(t *testing.T) {
	for s, want := range map[string]string{
		"ann@bücher.example":    "ann@xn--bcher-kva.example",
		"ann@BÜCHER。example":    "ann@xn--bcher-kva.example",
		"ann@例え.テスト":            "ann@xn--r8jz45g.xn--zckzah",
		"Ann@example.org":       "Ann@example.org",
		"jürgen@bücher.example": "",
		"ann@bü cher.example":   "",
		"bücher.example":        "",
		"":                      "",
	} {
		got, err := Read(s)
		if (err == nil) != (want != "") || err == nil && got != want {
			t.Errorf("%q: %q, %v", s, got, err)
		}
	}
}

// FuzzRead: what can be sent to is one address in printable ASCII that the
// standard library reads as that very address, and it is read as itself again.
func FuzzRead(f *testing.F) {
	for _, s := range []string{"ann@bücher.example", `"a b"@example.org`, "a@b.c\r\nX: y", "a@[1.2.3.4]", "a.b@c-d.e"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := Read(s)
		if err != nil {
			return
		}
		a, parseErr := mail.ParseAddress(got)
		if parseErr != nil || a.Address != got || a.Name != "" {
			t.Errorf("%q: %q is read as %v, %v", s, got, a, parseErr)
		}
		if strings.ContainsFunc(got, func(r rune) bool { return r <= ' ' || r > '~' }) {
			t.Errorf("%q: %q is not printable ASCII", s, got)
		}
		if again, err := Read(got); err != nil || again != got {
			t.Errorf("%q: %q is then read as %q, %v", s, got, again, err)
		}
	})
}
