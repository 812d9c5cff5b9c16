package subscribe

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Keys are a site's secret keys, the newest first: that one makes tokens, and
// all of them are good for reading one.
type Keys [][]byte

// The purposes of tokens: none of one purpose passes for one of another.
const (
	leaving    = "unsubscribe"
	confirming = "confirm"
	suppressed = "suppressed"
)

func sum(key []byte, purpose, text string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(purpose + "\x00" + text))
	return mac.Sum(nil)[:16]
}

// token is the text and its HMAC under the key, fit for a URL.
func token(key []byte, purpose, text string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(text)) + "." + base64.RawURLEncoding.EncodeToString(sum(key, purpose, text))
}

func (k Keys) seal(purpose, text string) string { return token(k[0], purpose, text) }

// open gives the text of a token, if one of the keys made it for the purpose.
func (k Keys) open(purpose, sealed string) (text string, ours bool) {
	encoded, _, _ := strings.Cut(sealed, ".")
	decoded, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil {
		return "", false
	}
	ours = slices.ContainsFunc(k, func(key []byte) bool {
		return hmac.Equal([]byte(sealed), []byte(token(key, purpose, string(decoded))))
	})
	return string(decoded), ours
}

// Seals are an address's keyed hashes under each of the keys: they tell that it
// is the same address, and nobody without a key whose.
func (k Keys) Seals(address string) []string {
	seals := make([]string, len(k))
	for i, key := range k {
		seals[i] = hex.EncodeToString(sum(key, suppressed, strings.ToLower(address)))
	}
	return seals
}

// Links makes and reads the links in mails. A link carries all that it does, and
// an HMAC over its purpose and that, so that nobody can make one for somebody
// else, and nothing is looked up for one that we did not make.
type Links struct {
	Keys   Keys
	Public *url.URL // where customers reach the listener, with a trailing slash; nil: nowhere
}

// Leave gives the link by which the address leaves, to a page in the language, or
// "" where customers can't reach us.
func (l Links) Leave(address, language string) string {
	return l.to("unsubscribe", l.LeaveToken(address), language)
}

// LeaveToken is what proves that the address leaves: the link to leave holds it, and
// the subject of a mail that does.
func (l Links) LeaveToken(address string) string { return l.Keys.seal(leaving, address) }

// Confirm gives the link by which the choice is confirmed until it expires, or ""
// where customers can't reach us.
func (l Links) Confirm(c Choice, expires time.Time) string {
	return l.to("confirm", l.Keys.seal(confirming, c.text(expires)), c.Language)
}

func (l Links) to(page, token, language string) string {
	if l.Public == nil {
		return ""
	}
	link := l.Public.JoinPath(page, token)
	link.RawQuery = url.Values{"lang": {language}}.Encode()
	return link.String()
}

// Address gives the address of a token to leave with, if it is one that we made.
func (l Links) Address(token string) (string, bool) { return l.Keys.open(leaving, token) }

// Choice gives what a token confirms, and until when, if it is one that we made.
func (l Links) Choice(token string) (c Choice, expires time.Time, ours bool) {
	text, ours := l.Keys.open(confirming, token)
	if !ours {
		return Choice{}, time.Time{}, false
	}
	return readChoice(text)
}

// Choice is what a customer asks for.
type Choice struct {
	Address     string
	Storefronts []string // their ids; empty: all
	Language    string
	UntilReopen bool // one mail when it reopens, then forgotten
}

// text is the choice with its end, as a token has it: a line for each, the
// address last. Times are Unix seconds.
func (c Choice) text(expires time.Time) string {
	return strings.Join([]string{strconv.FormatInt(expires.Unix(), 10), c.Language, strconv.FormatBool(c.UntilReopen),
		strings.Join(c.Storefronts, " "), c.Address}, "\n")
}

func readChoice(text string) (c Choice, expires time.Time, ok bool) {
	lines := strings.SplitN(text, "\n", 5)
	if len(lines) != 5 {
		return c, expires, false
	}
	seconds, err := strconv.ParseInt(lines[0], 10, 64)
	c = Choice{Address: lines[4], Storefronts: strings.Fields(lines[3]), Language: lines[1], UntilReopen: lines[2] == "true"}
	return c, time.Unix(seconds, 0).UTC(), err == nil
}
