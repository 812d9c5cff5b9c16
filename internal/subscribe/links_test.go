package subscribe

import (
	"net/url"
	"strings"
	"testing"
)

var links = Links{Key: []byte("a key of thirty-two bytes or so."), Public: &url.URL{Scheme: "https", Host: "closures.example", Path: "/shop/"}}

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
	if link := (Links{Key: links.Key}).Leave("ada@example.com", "en"); link != "" {
		t.Errorf("nobody reaches us, yet the link is %s", link)
	}
}

// TestForgedTokens: every change of a single character, and what a stranger
// could make up.
func TestForgedTokens(t *testing.T) {
	token := links.token("ada@example.com")
	forged := []string{"", ".", token + "A", token[:len(token)-1], token + "\n", token + "=", token + ".", "." + token,
		strings.ReplaceAll(token, ".", ""), strings.ToUpper(token), links.token("eve@example.com"), Links{Key: []byte("another")}.token("ada@example.com")}
	address, mac, _ := strings.Cut(token, ".")
	_, evesMAC, _ := strings.Cut(links.token("eve@example.com"), ".")
	forged = append(forged, address, address+".", address+"."+evesMAC, "."+mac, mac+"."+address)
	for i := range token {
		for _, c := range "AQgw_-.=x\n" {
			if changed := token[:i] + string(c) + token[i+1:]; changed != token {
				forged = append(forged, changed)
			}
		}
	}
	for _, f := range forged {
		if got, ours := links.Address(f); ours && (got == "ada@example.com" || f != links.token(got)) {
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
	f.Add(links.token("ada@example.com"))
	f.Fuzz(func(t *testing.T, text string) {
		if got, ours := links.Address(links.token(text)); !ours || got != text {
			t.Errorf("the token of %q gives %q (%v)", text, got, ours)
		}
		if got, ours := links.Address(text); ours && text != links.token(got) {
			t.Errorf("%q is taken for a token of %q", text, got)
		}
		other := Links{Key: []byte("another"), Public: links.Public}
		if _, ours := other.Address(links.token(text)); ours {
			t.Errorf("the token of %q fits another key", text)
		}
	})
}
