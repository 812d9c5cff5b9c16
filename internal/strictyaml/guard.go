package strictyaml

import (
	"bytes"
	"regexp"
	"strings"

	"github.com/goccy/go-yaml/token"
)

// deepest is how far values may be nested. The library's parser recurses once or
// more a level, and a stack that overflows cannot be recovered from; settings
// need about ten.
const deepest = 64

var blankLine = regexp.MustCompile(`(?m)^[ \t]+$`)

// checkLines reports tabs in indentation, which YAML forbids and no editor shows.
func (b *builder) checkLines(src []byte) bool {
	ok := true
	number := b.offset
	for line := range bytes.SplitSeq(src, []byte("\n")) {
		number++
		indent := line[:len(line)-len(bytes.TrimLeft(line, " \t"))]
		tab := bytes.IndexByte(indent, '\t')
		if tab < 0 || len(indent) == len(line) {
			continue
		}
		b.report.Errorf(number, tab+1, "the line is indented with a tab; use spaces")
		ok = false
	}
	return ok
}

// refused are the parts of YAML that only surprise a shopkeeper, and could make
// a small file large.
var refused = map[token.Type]string{
	token.AnchorType:      "a text cannot begin with & here; put it in quotes",
	token.AliasType:       "a text cannot begin with * here; put it in quotes",
	token.TagType:         "a text cannot begin with ! here; put it in quotes",
	token.DirectiveType:   "a text cannot begin with % here; put it in quotes",
	token.MappingKeyType:  "a text cannot begin with ? and a space here; put it in quotes",
	token.MergeKeyType:    "<< has no meaning here; write the keys out",
	token.DocumentEndType: "a line ... ends the text for YAML, and has no meaning here; delete it",
}

// checkTokens reports what is refused and what is nested too deeply, before the
// parser sees it.
func (b *builder) checkTokens(tokens token.Tokens) bool {
	ok := true
	var d depth
	for i, t := range tokens {
		if text, is := refused[t.Type]; is {
			b.errorf(t.Position, "%s", text)
			ok = false
		}
		if t.Type == token.DocumentHeaderType && i > 0 {
			b.errorf(t.Position, "a line of --- begins a second text, and there can be but one; delete it")
			ok = false
		}
		if d.after(t) > deepest {
			b.errorf(t.Position, "nested too deeply; write it with fewer levels")
			return false
		}
	}
	return ok
}

// depth counts an upper bound of the nesting. Outside of brackets a nested value
// stands to the right of the one that holds it, so the columns on the way here
// are counted; within brackets, the brackets, and whatever can chain without one.
type depth struct {
	columns  []int
	brackets int
	chain    int
}

func (d *depth) after(t *token.Token) int {
	switch t.Type {
	case token.MappingStartType, token.SequenceStartType:
		d.brackets++
		d.chain = 0
	case token.MappingEndType, token.SequenceEndType:
		d.brackets = max(d.brackets-1, 0)
		d.chain = 0
	case token.CollectEntryType:
		d.chain = 0
	case token.MappingValueType, token.SequenceEntryType:
		d.chain++
	}
	if d.brackets == 0 {
		d.chain = 0
		d.block(t)
	}
	return len(d.columns) + d.brackets + d.chain
}

func (d *depth) block(t *token.Token) {
	if t.Type == token.CommentType {
		return
	}
	n := len(d.columns)
	for n > 0 && d.columns[n-1] >= t.Position.Column {
		n--
	}
	d.columns = append(d.columns[:n], t.Position.Column)
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
