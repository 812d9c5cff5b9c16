// Package address is what a mail address that we can send to looks like.
package address

import (
	"errors"
	"regexp"
	"strings"

	"golang.org/x/net/idna"
)

// Limits of RFC 5321, section 4.5.3.1, in bytes: the longest path without its
// angle brackets, and the longest local part.
const (
	maxAddress = 254
	maxLocal   = 64
)

var (
	// local is RFC 5322's dot-atom. A quoted local part is refused: no mailbox in
	// use has one, and it may hide anything.
	local = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$")
	// domain is the domain of RFC 5321, section 4.1.2, fully qualified as its
	// section 2.3.5 asks for.
	domain = regexp.MustCompile(`^([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$`)
)

var errForm = errors.New("is not an e-mail address; write name@example.org")

// Check tells what keeps mail from being sent to s: local@domain in ASCII, with
// nothing around it. The error doesn't repeat the address.
func Check(s string) error {
	before, after, _ := strings.Cut(s, "@")
	fits := local.MatchString(before)
	switch {
	case len(s) > maxAddress, len(before) > maxLocal:
		return errors.New("is too long for an e-mail address, which has at most 64 characters before the @, and 254 in all")
	case strings.Trim(after, ".") != "" && !strings.Contains(after, "."):
		return errors.New("has no dot behind the @; write the whole address, as in name@example.org")
	case !fits && local.MatchString(ascii(before)):
		return errors.New("has other letters than a-z before the @, which many mail servers refuse; write another address of the same person")
	case !fits, !domain.MatchString(after):
		return errForm
	}
	return nil
}

// ascii puts a letter of ASCII in the place of each that isn't.
func ascii(s string) string {
	return strings.Map(func(r rune) rune {
		if r > '~' {
			return 'x'
		}
		return r
	}, s)
}

// Read gives the address as mail servers know it: a domain with other letters
// than a-z in its xn-- form (RFC 5891). The error is Check's.
func Read(s string) (string, error) {
	before, after, found := strings.Cut(s, "@")
	if name, err := idna.Lookup.ToASCII(after); found && err == nil {
		s = before + "@" + name
	}
	return s, Check(s)
}
