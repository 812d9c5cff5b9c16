package locale

import (
	"slices"
	"unicode/utf8"

	"golang.org/x/text/language"
	"golang.org/x/text/unicode/bidi"
)

// The isolates of the Unicode Bidirectional Algorithm (UAX #9): what stands
// between them takes the direction of its own first letter, or left to right, and
// neither bends the text around it nor is bent by it.
const (
	firstStrong = '\u2068'
	leftToRight = '\u2066'
	popIsolate  = '\u2069'
)

// Direction is how a language is written, by the script that it mostly has: ltr
// or rtl.
func Direction(tag string) string {
	script, _ := language.Make(tag).Script()
	if slices.Contains([]string{"Arab", "Hebr", "Nkoo", "Syrc", "Thaa"}, script.String()) {
		return "rtl"
	}
	return "ltr"
}

// Isolate puts a value that has letters of the other direction than the language
// between isolates, so that a sentence keeps its order around it. Any other comes
// back as it is.
func (l *Language) Isolate(s string) string {
	if !l.turns(s) {
		return s
	}
	return string(firstStrong) + s + string(popIsolate)
}

// Address keeps an e-mail address or a number in its order, which runs from left
// to right, within a line of plain text. A space keeps the isolate out of what a
// mail program takes for the address.
func (l *Language) Address(s string) string {
	if l.Dir != "rtl" {
		return s
	}
	return string(leftToRight) + s + " " + string(popIsolate)
}

// turns tells whether a letter of the other direction stands outside of all
// isolates.
func (l *Language) turns(s string) bool {
	depth := 0
	for i, r := range s {
		if r < utf8.RuneSelf && l.Dir != "rtl" {
			continue
		}
		p, _ := bidi.LookupString(s[i:])
		switch p.Class() {
		case bidi.LRI, bidi.RLI, bidi.FSI:
			depth++
		case bidi.PDI:
			depth--
		case bidi.L:
			if depth < 1 && l.Dir == "rtl" {
				return true
			}
		case bidi.R, bidi.AL:
			if depth < 1 && l.Dir != "rtl" {
				return true
			}
		}
	}
	return false
}
