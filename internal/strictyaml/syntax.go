package strictyaml

import (
	"errors"
	"regexp"
	"strings"

	"github.com/goccy/go-yaml"
)

// advice says in a shopkeeper's words what the library's syntax errors mean.
// The first whose words occur in the message is taken.
var advice = []struct{ words, text string }{
	{"mapping value is not allowed", "a colon too many, or an indentation that doesn't fit; put a text that holds a colon in quotes"},
	{"reserved character", "a text cannot begin with @ or ` here; put it in quotes"},
	{"single-quoted text", "the quote that opens here is never closed; add the closing ' (and write '' for an apostrophe within)"},
	{"double-quoted text", `the quote that opens here is never closed; add the closing " (and write \" for a quote within)`},
	{"end token ']'", "the [ that opens here is never closed; add ]"},
	{"end token '}'", "the { that opens here is never closed; add }"},
	{"could not find '['", "a ] too many; delete it, or put the text in quotes"},
	{"could not find '{'", "a } too many; delete it, or put the text in quotes"},
	{"',' or ']'", "in a list in brackets write a comma between two items, and ] at the end"},
	{"',' or '}'", "in a list in braces write a comma between two keys, and } at the end"},
	{"unexpected key name", "this line has no key; write key: value, with a space after the colon"},
	{"non-map value", "this line has no key; write key: value, with a space after the colon"},
	{"key-value is pre-defined", "the text goes on after it has ended; put all of it in one pair of quotes"},
	{"block sequence entries", "a list cannot begin in its key's line with -; write [one, two], or each item on a line of its own"},
	{"escape character", `between "double quotes" a \ has a meaning of its own; write \\, or use 'single quotes'`},
	{"directive", "a text cannot begin with % here; put it in quotes"},
	{"invalid key", "there is a colon, but no key before it; write key: value"},
	{"value is not allowed in this context", "the line doesn't fit those above it; keys of one level begin in the same column"},
}

// syntaxError reports the library's error as one plain line.
func (b *builder) syntaxError(err error, src []byte) {
	var syntax yaml.Error
	if !errors.As(err, &syntax) || syntax.GetToken() == nil || syntax.GetToken().Position == nil {
		b.report.Errorf(b.offset+1, 1, "cannot be read as YAML: %s", oneLine(err.Error()))
		return
	}
	at, message := syntax.GetToken().Position, oneLine(syntax.GetMessage())
	if quoted := quoteColon(src, at.Line); quoted != "" && strings.Contains(message, "mapping value") {
		b.errorf(at, "the text holds a colon, so it has to be in quotes: %s", quoted)
		return
	}
	for _, a := range advice {
		if strings.Contains(message, a.words) {
			b.errorf(at, "%s", a.text)
			return
		}
	}
	b.errorf(at, "cannot be read as YAML (%s); put the text in quotes, or write it simpler", message)
}

var colonLine = regexp.MustCompile(`^\s*([\pL\d _-]+):\s+([^\s"'\[{|>&*!%@#-].*:(?:\s.*)?)$`)

// secretKey names what may not appear in a log.
var secretKey = regexp.MustCompile(`(?i)secret|password`)

// quoteColon writes the line again with its value in quotes, where a colon in
// the value is what upset the parser.
func quoteColon(src []byte, line int) string {
	lines := strings.Split(string(src), "\n")
	if line < 1 || line > len(lines) {
		return ""
	}
	m := colonLine.FindStringSubmatch(lines[line-1])
	if m == nil || secretKey.MatchString(m[1]) {
		return ""
	}
	return m[1] + ": " + Quote(strings.TrimSpace(m[2]))
}
