package subscribe

import (
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"
)

var links = Links{Keys: Keys{[]byte("a key of thirty-two bytes or so.")}, Public: &url.URL{Scheme: "https", Host: "closures.example", Path: "/shop/"}}

var another = Keys{[]byte("another")}

// tokenOf is the token by which an address leaves.
func tokenOf(address string) string { return links.Keys.seal(leaving, address) }

func TestLeave(t *testing.T) {
	for _, address := range []string{"ada@example.com", "o'ada+x/y@example.com", "zoë@例え.jp", "../../x@y", ""} {
		link, err := url.Parse(links.Leave(address, "pt"))
		if err != nil {
			t.Fatal(err)
		}
		token, ok := strings.CutPrefix(link.Path, "/shop/unsubscribe/")
		if got, ours := links.Address(token); link.Host != "closures.example" || link.RawQuery != "lang=pt" || !ok || !ours || got != address {
			t.Errorf("%s leads to %q (%v)", link, got, ours)
		}
	}
	if link := (Links{Keys: links.Keys}).Leave("ada@example.com", "en"); link != "" {
		t.Errorf("nobody reaches us, yet the link is %s", link)
	}
}

// TestForgedTokens: every change of a single character, and what a stranger
// could make up.
func TestForgedTokens(t *testing.T) {
	token := tokenOf("ada@example.com")
	forged := []string{"", ".", token + "A", token[:len(token)-1], token + "\n", token + "=", token + ".", "." + token,
		strings.ReplaceAll(token, ".", ""), strings.ToUpper(token), tokenOf("eve@example.com"), another.seal(leaving, "ada@example.com")}
	address, mac, _ := strings.Cut(token, ".")
	_, evesMAC, _ := strings.Cut(tokenOf("eve@example.com"), ".")
	forged = append(forged, address, address+".", address+"."+evesMAC, "."+mac, mac+"."+address)
	for i := range token {
		for _, c := range "AQgw_-.=x\n" {
			if changed := token[:i] + string(c) + token[i+1:]; changed != token {
				forged = append(forged, changed)
			}
		}
	}
	for _, f := range forged {
		if got, ours := links.Address(f); ours && (got == "ada@example.com" || f != tokenOf(got)) {
			t.Errorf("%q is taken for a token of %q", f, got)
		}
	}
}

// FuzzToken: an address comes back out of its token, and nothing verifies that
// isn't the token of an address.
func FuzzToken(f *testing.F) {
	f.Add("ada@example.com")
	f.Add("")
	f.Add("a.b\x00\xff")
	f.Add(tokenOf("ada@example.com"))
	f.Fuzz(func(t *testing.T, text string) {
		if got, ours := links.Address(tokenOf(text)); !ours || got != text {
			t.Errorf("the token of %q gives %q (%v)", text, got, ours)
		}
		if got, ours := links.Address(text); ours && text != tokenOf(got) {
			t.Errorf("%q is taken for a token of %q", text, got)
		}
		other := Links{Keys: another, Public: links.Public}
		if _, ours := other.Address(tokenOf(text)); ours {
			t.Errorf("the token of %q fits another key", text)
		}
	})
}

// TestRotation: a new key seals, an old one still opens, and one that is gone
// doesn't.
func TestRotation(t *testing.T) {
	old, fresh := []byte("the old one"), []byte("the new one")
	sealed := Keys{old}.seal(leaving, "ada@example.com")
	if text, ours := (Keys{fresh, old}).open(leaving, sealed); !ours || text != "ada@example.com" {
		t.Errorf("under two keys: %q, %v", text, ours)
	}
	if _, ours := (Keys{fresh}).open(leaving, sealed); ours {
		t.Error("good without its key")
	}
	if again := (Keys{fresh, old}).seal(leaving, "ada@example.com"); again == sealed {
		t.Error("the old key seals")
	}
	if got := (Keys{fresh, old}).Seals("Ada@Example.com"); len(got) != 2 || got[0] == got[1] || got[1] != (Keys{old}).Seals("ada@example.com")[0] {
		t.Errorf("%q", got)
	}
}

var choices = []Choice{
	{Address: "ada@example.com", Language: "en", Storefronts: []string{}},
	{Address: "o'ada+x/y@example.com", Language: "pt", Storefronts: []string{"web", "till-2"}, UntilReopen: true},
}

func TestConfirm(t *testing.T) {
	expires := time.Date(2026, 12, 26, 18, 0, 0, 0, time.UTC)
	for _, c := range choices {
		link, err := url.Parse(links.Confirm(c, expires))
		if err != nil {
			t.Fatal(err)
		}
		token, ok := strings.CutPrefix(link.Path, "/shop/confirm/")
		got, until, ours := links.Choice(token)
		if !ok || link.RawQuery != "lang="+c.Language || !ours || !until.Equal(expires) || !reflect.DeepEqual(got, c) {
			t.Errorf("%s: %+v until %v (%v), want %+v", link, got, until, ours, c)
		}
	}
}

// TestOnePurpose: a token is good for what it was made for, and for nothing else.
func TestOnePurpose(t *testing.T) {
	text := choices[0].text(time.Now())
	if _, _, ours := links.Choice(links.Keys.seal(leaving, text)); ours {
		t.Error("a link to leave confirms")
	}
	if _, ours := links.Address(links.Keys.seal(confirming, "ada@example.com")); ours {
		t.Error("a link to confirm leaves")
	}
	if _, _, ok := readChoice("1\nen\ntrue\nada@example.com"); ok {
		t.Error("a line is missing")
	}
	if _, _, ok := readChoice("soon\nen\ntrue\n\nada@example.com"); ok {
		t.Error("an end that is none")
	}
}

// FuzzChoice: what a token confirms is what it was made of, to the last byte; and
// nothing is accepted that we did not make.
func FuzzChoice(f *testing.F) {
	expires := time.Unix(1798135200, 0).UTC()
	for _, c := range choices {
		f.Add(c.text(expires))
		f.Add(links.Keys.seal(confirming, c.text(expires)))
	}
	f.Add("")
	f.Add("9\n\n\n\n")
	f.Fuzz(func(t *testing.T, text string) {
		if _, _, ours := links.Choice(text); ours {
			opened, _ := links.Keys.open(confirming, text)
			if links.Keys.seal(confirming, opened) != text {
				t.Errorf("%q is taken for ours", text)
			}
		}
		c, until, ours := links.Choice(links.Keys.seal(confirming, text))
		if !ours {
			return
		}
		again, then, ours := links.Choice(links.Keys.seal(confirming, c.text(until)))
		if !ours || !then.Equal(until) || !reflect.DeepEqual(again, c) {
			t.Errorf("%q gives %+v, and that %+v", text, c, again)
		}
		if _, _, ours := (Links{Keys: another}).Choice(links.Keys.seal(confirming, text)); ours {
			t.Errorf("%q fits another key", text)
		}
	})
}
