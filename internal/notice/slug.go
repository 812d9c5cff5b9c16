package notice

import (
	"fmt"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// maxSlug is the most characters a slug may have.
const maxSlug = 80

// ValidSlug tells whether s can be a notice's slug: 1 to 80 of a-z, 0-9 and -.
func ValidSlug(s string) bool {
	return s != "" && len(s) <= maxSlug && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}

func badSlug(slug string) string {
	return fmt.Sprintf("the name %q cannot be part of an address; use a-z, 0-9 and -, at most %d of them, and call the file %s.md", slug, maxSlug, Slug(slug))
}

// spelled are the letters that Unicode doesn't take apart into a letter and a mark.
var spelled = strings.NewReplacer("ß", "ss", "æ", "ae", "œ", "oe", "ø", "o", "ł", "l", "đ", "d", "ð", "d", "þ", "th", "ı", "i")

// Slug makes a valid slug of a title: without accents, in lower case, with
// hyphens between the words. A title without a Latin letter or digit gives
// "closure".
func Slug(title string) string {
	var b strings.Builder
	for _, r := range norm.NFKD.String(spelled.Replace(strings.ToLower(title))) {
		switch {
		case 'a' <= r && r <= 'z' || '0' <= r && r <= '9':
			b.WriteRune(r)
		case unicode.Is(unicode.Mn, r) || r == '\'' || r == '’':
		default:
			b.WriteByte(' ')
		}
	}
	slug := ""
	for _, word := range strings.Fields(b.String()) {
		longer := strings.TrimPrefix(slug+"-"+word, "-")
		if len(longer) > maxSlug {
			break
		}
		slug = longer
	}
	switch {
	case slug != "":
		return slug
	case strings.TrimSpace(b.String()) != "": // one endless word
		return strings.TrimSpace(b.String())[:maxSlug]
	}
	return "closure"
}
