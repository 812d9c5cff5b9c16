package strictyaml

import (
	"slices"
	"strings"
	"unicode"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// builder turns the library's tree into Values. The library counts lines from
// the document's first; offset is what the file holds before it.
type builder struct {
	report *Report
	offset int
}

// errorf reports at a place of the document.
func (b *builder) errorf(at *token.Position, format string, args ...any) {
	b.report.Errorf(at.Line+b.offset, at.Column, format, args...)
}

func (b *builder) root(body ast.Node) (Value, bool) {
	v := b.value("", "", body)
	switch v.kind {
	case mapping:
		return v, true
	case scalar:
		b.report.Errorf(v.Line, v.Column, "%q has no key; write key: value, with a space after the colon", Clip(v.text))
	case list:
		b.report.Errorf(v.Line, v.Column, "a list cannot stand here; write key: value, one a line, with no - before it")
	}
	return v, false
}

func (b *builder) value(name, key string, n ast.Node) Value {
	at := n.GetToken().Position
	v := Value{report: b.report, Name: name, Key: key, Line: at.Line + b.offset, Column: at.Column}
	switch n := n.(type) {
	case *ast.MappingNode:
		v.kind, v.entries = mapping, b.entries(name, n.Values)
	case *ast.MappingValueNode:
		v.kind, v.entries = mapping, b.entries(name, []*ast.MappingValueNode{n})
	case *ast.SequenceNode:
		v.kind = list
		for _, item := range n.Values {
			v.items = append(v.items, b.value(name, key, item))
		}
		if !n.IsFlowStyle {
			b.indented(v.items, at.Column+1)
			b.filled(v.items)
		}
	case *ast.NullNode:
		v.kind, v.text = scalar, n.Token.Value
		if n.Token.Type == token.ImplicitNullType {
			v.kind, v.text = empty, ""
		}
	case *ast.LiteralNode:
		v.kind, v.text = scalar, n.Value.Value
	case ast.ScalarNode:
		v.kind, v.text = scalar, n.GetToken().Value
	default:
		b.errorf(at, "this part of YAML has no meaning here; write plain text, or put the text in quotes")
		v.kind = broken
	}
	v.braces = n.GetToken().Type == token.MappingStartType
	if len(v.entries) > 0 && !v.braces {
		v.Line, v.Column = v.entries[0].Line, v.entries[0].Column
		for _, e := range v.entries {
			b.indented([]Value{e.Value}, e.Column+1)
		}
	}
	if v.kind == scalar && !b.printable(at, v.text) {
		v.kind = broken
	}
	return v
}

// indented reports what stands too far to the left to belong to the key or the
// dash before it: the library takes the line behind a lone dash for its item,
// wherever it begins. A list alone may begin in its key's column.
func (b *builder) indented(values []Value, least int) {
	for _, v := range values {
		if v.kind == empty || v.kind == broken || v.Column >= least || v.kind == list && v.Column == least-1 {
			continue
		}
		b.report.Errorf(v.Line, v.Column, "the line doesn't fit those above it; indent what belongs to a key or to a -, or write what is missing there")
	}
}

// filled reports a dash with nothing behind it, for the same reason.
func (b *builder) filled(items []Value) {
	for _, v := range items {
		if v.kind == empty {
			v.Errorf("nothing stands behind the -; write something, or delete the line")
		}
	}
}

// entries keeps the first of each key and reports the others.
func (b *builder) entries(name string, values []*ast.MappingValueNode) []Entry {
	entries := make([]Entry, 0, len(values))
	first := make(map[string]int, len(values))
	for _, n := range values {
		key, at := n.Key.GetToken().Value, n.Key.GetToken().Position
		if line, dup := first[key]; dup {
			b.errorf(at, "%q is written twice (first in line %d); keep one of them", Clip(key), line)
			continue
		}
		if !b.printable(at, key) {
			continue
		}
		first[key] = at.Line + b.offset
		value := b.value(Value{Name: name}.child(oneLine(key)), oneLine(key), n.Value)
		entries = append(entries, Entry{key, at.Line + b.offset, at.Column, value})
	}
	return slices.Clip(entries)
}

// printable refuses control characters, which no page, mail or log should meet.
func (b *builder) printable(at *token.Position, text string) bool {
	i := strings.IndexFunc(text, func(r rune) bool {
		return unicode.IsControl(r) && r != '\n' && r != '\t' || r == unicode.ReplacementChar
	})
	if i < 0 {
		return true
	}
	b.errorf(at, "the text holds a character that cannot be shown (%U); delete it", []rune(text[i:])[0])
	return false
}
