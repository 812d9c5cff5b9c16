package strictyaml

import "strings"

// Value is one value of the file, with its place.
type Value struct {
	Name         string // how a problem calls it: contact.url
	Key          string // the name's last part; a list's items have the list's
	Line, Column int    // from 1; of the map, for a key that isn't there

	report  *Report
	kind    kind
	braces  bool
	text    string
	items   []Value
	entries []Entry
}

// Entry is a key with its value.
type Entry struct {
	Key          string
	Line, Column int // of the key
	Value        Value
}

type kind int

const (
	absent  kind = iota // the key isn't there
	empty               // the key is, but has no value
	scalar              // text
	list                // items
	mapping             // entries
	broken              // reported already
)

func (k kind) String() string {
	return [...]string{"nothing", "nothing", "a text", "a list", "a list of keys and values", "nothing"}[k]
}

// Present tells whether the key is there, whatever its value.
func (v Value) Present() bool { return v.kind != absent }

// IsMap tells whether the value is keys and values.
func (v Value) IsMap() bool { return v.kind == mapping }

// IsList tells whether the value is a list.
func (v Value) IsList() bool { return v.kind == list }

// InBraces tells whether a map is written as {key: value} and not one key a line.
func (v Value) InBraces() bool { return v.braces }

// Errorf reports a problem with the value, at its place and under its name.
func (v Value) Errorf(format string, args ...any) {
	v.report.Errorf(v.Line, v.Column, v.prefix()+format, args...)
}

// Warnf is Errorf for what is worth telling though the file counts.
func (v Value) Warnf(format string, args ...any) {
	v.report.Warnf(v.Line, v.Column, v.prefix()+format, args...)
}

func (v Value) prefix() string {
	if v.Name == "" {
		return ""
	}
	return strings.ReplaceAll(v.Name, "%", "%%") + ": "
}

// Text gives the value as text, as it is written. It is false when the key is
// absent, and also when the value is no text: that is reported, with the example
// of what to write instead.
func (v Value) Text(example string) (string, bool) {
	switch v.kind {
	case absent, broken:
		return "", false
	case scalar:
		return v.text, true
	case empty:
		v.Errorf("is empty; write %s, or delete the line if you don't need it", v.line(example))
	default:
		v.Errorf("one text belongs here, not %s; write %s", v.kind, v.line(example))
	}
	return "", false
}

// Bool reads yes or no, and true or false likewise. It is false twice when the
// key is absent or its value is something else; the latter is reported.
func (v Value) Bool() (is, ok bool) {
	text, ok := v.Text("yes")
	if !ok {
		return false, false
	}
	switch strings.ToLower(text) {
	case "yes", "true":
		return true, true
	case "no", "false":
		return false, true
	}
	v.Errorf("%q is neither yes nor no; write %s or %s", Clip(text), v.line("yes"), v.line("no"))
	return false, false
}

// List gives the items of a list. Another kind of value is reported, with the
// example of one item.
func (v Value) List(example string) []Value {
	if v.kind == list || v.kind == absent || v.kind == broken {
		return v.items
	}
	v.Errorf("a list belongs here; write %s", v.line("["+example+"]"))
	return nil
}

// Entries gives the keys and values of a map, in the file's order. Another kind
// of value is reported, with the example of one entry.
func (v Value) Entries(example string) []Entry {
	if v.kind == mapping || v.kind == absent || v.kind == broken {
		return v.entries
	}
	v.Errorf("keys and values belong here, each on an indented line of its own such as %s", example)
	return nil
}

// Get gives the value of a key. A key that isn't there has an absent value, at
// the place of the map.
func (v Value) Get(key string) Value {
	for _, e := range v.entries {
		if e.Key == key {
			return e.Value
		}
	}
	return Value{report: v.report, Name: v.child(key), Key: key, Line: v.Line, Column: v.Column}
}

// Only reports every key that is not one of the known ones, with the nearest of
// them.
func (v Value) Only(known ...string) {
	for _, e := range v.entries {
		if hint := unknownKey(e.Key, known); hint != "" {
			v.report.Errorf(e.Line, e.Column, "%q is not a key here; %s", Clip(e.Key), hint)
		}
	}
}

// Need reports a key that isn't there, with an example of its value.
func (v Value) Need(key, example string) {
	if v.kind != mapping || v.Get(key).Present() {
		return
	}
	v.report.Errorf(v.Line, v.Column, "%s is missing; write %s", v.child(key), v.Get(key).line(example))
}

// line is the example as it stands in the file.
func (v Value) line(example string) string {
	return v.Key + ": " + example
}

func (v Value) child(key string) string {
	if v.Name == "" {
		return key
	}
	return v.Name + "." + key
}

// Expand gives the value with another text in each place where one stands. Where
// f is false it has reported the value, and nothing more is said of it.
func (v Value) Expand(f func(v Value, text string) (string, bool)) Value {
	if v.kind == scalar {
		text, ok := f(v, v.text)
		if v.text = text; !ok {
			v.kind = broken
		}
	}
	items := make([]Value, len(v.items))
	for i, item := range v.items {
		items[i] = item.Expand(f)
	}
	entries := make([]Entry, len(v.entries))
	for i, e := range v.entries {
		e.Value = e.Value.Expand(f)
		entries[i] = e
	}
	v.items, v.entries = items, entries
	return v
}

// Clip shortens a text for use in a problem.
func Clip(s string) string {
	const longest = 60
	if r := []rune(s); len(r) > longest {
		return string(r[:longest]) + "…"
	}
	return s
}
