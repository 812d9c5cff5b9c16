package email

import (
	"slices"
	"strings"

	"github.com/backsoon/backsoon/internal/address"
)

// tagSize is 40 bits: whoever guesses one a second is right after ten thousand
// years, and it leaves most addresses their room.
const tagSize = 5

// ReturnPath is where bounces go: the sender's address with the recipient's in it
// (VERP), so that a bounce tells whose it is, and with a keyed tag, so that nobody
// makes one up. An address too long for that (RFC 5321, section 4.5.3.1.1) is left
// out.
func ReturnPath(key []byte, from, to string) string {
	local, domain, _ := strings.Cut(from, "@")
	path := local + "+" + strings.Replace(to, "@", "=", 1) + "-" + tag(key, to) + "@" + domain
	if address.Check(path) != nil {
		return from
	}
	return path
}

// tag doesn't depend on capitals, which some mail systems take away.
func tag(key []byte, to string) string {
	return sealed(key, tagSize, "return path", strings.ToLower(to))
}

// Returned gives the recipient in a return path that was made with one of the
// keys.
func Returned(keys [][]byte, path string) (to string, ours bool) {
	local, _, _ := strings.Cut(path, "@")
	_, verp, _ := strings.Cut(local, "+")
	dash := strings.LastIndexByte(verp, '-')
	if dash < 0 {
		return "", false
	}
	to, written := verp[:dash], strings.ToLower(verp[dash+1:])
	at := strings.LastIndexByte(to, '=')
	if at < 0 {
		return "", false
	}
	to = to[:at] + "@" + to[at+1:]
	return to, slices.ContainsFunc(keys, func(key []byte) bool { return tag(key, to) == written })
}
