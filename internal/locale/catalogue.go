package locale

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/token"

	"github.com/backsoon/backsoon/templates"
)

// catalogue is what a language's file says: the text of each message by its id,
// and that of each plural form by the id and the form, "follow.days.one".
type catalogue map[string]string

// pluralForms are those of the Unicode CLDR. A message with one of them as a key
// has a text for each form that its language knows.
var pluralForms = []string{"zero", "one", "two", "few", "many", "other"}

// reference is the English catalogue of the default theme, by which all others
// are judged.
var reference = sync.OnceValue(func() catalogue {
	text, err := fs.ReadFile(templates.FS(""), path(Default))
	if err != nil {
		panic(err) // it is built in
	}
	c, err := readCatalogue(text)
	if err != nil {
		panic(err) // a test reads it
	}
	return c
})

func readCatalogue(text []byte) (catalogue, error) {
	var tree map[string]any
	if err := yaml.Unmarshal(text, &tree); err != nil {
		return nil, err
	}
	c := catalogue{}
	c.add("", tree)
	return c, nil
}

func (c catalogue) add(prefix string, tree map[string]any) {
	for key, value := range tree {
		if below, ok := value.(map[string]any); ok {
			c.add(prefix+key+".", below)
		} else {
			c[prefix+key] = fmt.Sprint(value)
		}
	}
}

// message is the id without a plural form.
func message(id string) string {
	i := strings.LastIndexByte(id, '.')
	if i >= 0 && slices.Contains(pluralForms, id[i+1:]) {
		return id[:i]
	}
	return id
}

// placeholder is where a value is filled in. What else text/template knows has no
// place in a catalogue.
var placeholder = regexp.MustCompile(`{{.*?}}`)

// filled lists the placeholders of all forms of each message.
func (c catalogue) filled() map[string][]string {
	all := map[string][]string{}
	for id, text := range c {
		all[message(id)] = append(all[message(id)], placeholder.FindAllString(text, -1)...)
	}
	return all
}

// dated is what every message of a date may use: each language has its own order,
// and its own mind about whole names.
var dated = []string{"{{.Weekday}}", "{{.WholeWeekday}}", "{{.Day}}", "{{.Month}}", "{{.Year}}"}

// misfit is a message that can't be said, and why.
type misfit struct{ id, why string }

// unknown names each placeholder for which there is no value, judged by the
// messages of the same ids in reference. An id that is not there is one of a
// site's own templates, and may say what it likes.
func (c catalogue) unknown(reference catalogue) []misfit {
	known := reference.filled()
	known["date.day"], known["date.day-of-year"] = dated, dated
	var problems []misfit
	for _, id := range slices.Sorted(maps.Keys(c)) {
		places, ok := known[message(id)]
		for _, p := range placeholder.FindAllString(c[id], -1) {
			if ok && !slices.Contains(places, p) {
				problems = append(problems, misfit{id, fmt.Sprintf("there is nothing to fill in for %s%s", p, instead(places))})
			}
		}
	}
	return problems
}

func instead(places []string) string {
	if len(places) == 0 {
		return "; write plain words"
	}
	return "; write " + strings.Join(slices.Compact(slices.Sorted(slices.Values(places))), " or ")
}

// unreadable is what is wrong with a catalogue that is no YAML.
func unreadable(file string, err error) error {
	at := &templates.Mistake{File: file, Text: err.Error()}
	var located yaml.Error
	if errors.As(err, &located) {
		at.Text = located.GetMessage()
		at.Line, at.Column = position(located.GetToken())
	}
	return at
}

// unsayable tells of each misfit where in the catalogue's text it stands.
func unsayable(file string, text []byte, misfits []misfit) error {
	var all []error
	for _, m := range misfits {
		at := &templates.Mistake{File: file, Text: m.id + ": " + m.why}
		if path, err := yaml.PathString("$.'" + strings.ReplaceAll(m.id, ".", "'.'") + "'"); err == nil {
			if node, err := path.ReadNode(bytes.NewReader(text)); err == nil && node != nil {
				at.Line, at.Column = position(node.GetToken())
			}
		}
		all = append(all, at)
	}
	return errors.Join(all...)
}

// position is where a token stands, from 1; 0, 0 where nobody knows.
func position(t *token.Token) (line, column int) {
	if t == nil || t.Position == nil {
		return 0, 0
	}
	return t.Position.Line, t.Position.Column
}
