// Package strictyaml reads the YAML of notices and settings: a tree of values
// that know their places, and problems in words for a shopkeeper. It is strict:
// keys that nobody asked for, duplicates, anchors, aliases, tags and merge keys
// are errors, and a scalar is the text as it is written, so that `yes`, `1.10`
// and `2026-12-24` keep the owner's spelling.
//
// The syntax is YAML 1.2 (https://yaml.org/spec/1.2.2/) as far as goccy/go-yaml
// reads it.
package strictyaml

import (
	"bytes"
	"fmt"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Parse reads one YAML document whose first line is line firstLine of the
// report's file, and gives its top level, which has to be a map. An empty
// document is an empty map. It is false when the text could not be read as such
// a map; the report says why. A map may still hold keys with problems of their
// own: those are in the report, too.
func Parse(r *Report, src []byte, firstLine int) (Value, bool) {
	b := builder{report: r, offset: firstLine - 1}
	root := Value{report: r, Line: firstLine, Column: 1, kind: mapping}
	src = bytes.TrimPrefix(src, []byte("\ufeff"))
	src = bytes.ReplaceAll(src, []byte("\r\n"), []byte("\n"))
	if !b.checkLines(src) {
		return root, false
	}
	src = blankLine.ReplaceAll(src, nil) // the library stumbles over a tab there
	tokens, ok := b.tokenize(src)
	if !ok || !b.checkTokens(tokens) {
		return root, false
	}
	body, ok := b.parse(tokens, src)
	if !ok || body == nil {
		return root, ok
	}
	return b.root(body)
}

// tokenize and parse turn a panic of the library into a problem: whatever a
// file holds, the watcher has to live on.
func (b *builder) tokenize(src []byte) (tokens token.Tokens, ok bool) {
	defer b.recovered(&ok)
	return lexer.Tokenize(string(src)), true
}

func (b *builder) parse(tokens token.Tokens, src []byte) (body ast.Node, ok bool) {
	defer b.recovered(&ok)
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		b.syntaxError(err, src)
		return nil, false
	}
	if len(file.Docs) == 0 {
		return nil, true
	}
	return file.Docs[0].Body, true
}

func (b *builder) recovered(ok *bool) {
	if e := recover(); e != nil {
		*ok = false
		b.report.Errorf(b.offset+1, 1, "cannot be read as YAML (%s); simplify it", oneLine(fmt.Sprint(e)))
	}
}
