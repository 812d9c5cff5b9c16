// Package locale puts words, dates and lists as the readers of a language expect
// them. The words are those of the theme, templates/words/<tag>.yaml, a message
// catalogue for go-i18n; plurals follow the rules of the Unicode CLDR, and so do
// the names of months and weekdays.
package locale

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-playground/locales"
	"github.com/goccy/go-yaml"
	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"

	"github.com/backsoon/backsoon/templates"
)

// Default is the language of a site that names none, and what a catalogue falls
// back on.
const Default = "en"

// Language is one language of a site. It may be used from several goroutines.
type Language struct {
	Tag  string // BCP 47, as in the catalogue's name: pt
	Name string // what its speakers call it: Português
	Dir  string // ltr or rtl

	words *i18n.Localizer
	names locales.Translator
	fixed sync.Map // sentences in pieces, by id
}

// English is the language of the default theme's first catalogue, and the one in
// which commands speak.
func English() *Language { return BuiltIn(Default) }

// builtIn keeps the languages in the default theme's words, by tag.
var builtIn sync.Map

// BuiltIn is one of the languages that Tags lists, in the default theme's words.
func BuiltIn(tag string) *Language {
	if l, ok := builtIn.Load(tag); ok {
		return l.(*Language)
	}
	l, err := Load(templates.FS(""), tag)
	if err != nil {
		panic(err) // a test reads every catalogue that is built in
	}
	builtIn.Store(tag, l)
	return l
}

// Load reads the catalogue words/<tag>.yaml of the theme. What the theme leaves
// out is said as in the default theme's catalogue, else in English. What is wrong
// with that file is a *templates.Mistake, or several joined.
func Load(theme fs.FS, tag string) (*Language, error) {
	names, ok := calendars[tag]
	if !ok {
		return nil, fmt.Errorf("there are no words in %q; the languages are %s", tag, strings.Join(Tags(), ", "))
	}
	bundle := i18n.NewBundle(language.English)
	bundle.RegisterUnmarshalFunc("yaml", yaml.Unmarshal)
	for _, file := range slices.Compact([]string{path(Default), path(tag)}) {
		text, err := fs.ReadFile(templates.FS(""), file)
		if err == nil {
			_, err = bundle.ParseMessageFileBytes(text, file)
		}
		if err != nil {
			return nil, err // a test reads every catalogue that is built in
		}
	}
	if err := addOwn(bundle, theme, path(tag)); err != nil {
		return nil, err
	}
	l := &Language{Tag: tag, words: i18n.NewLocalizer(bundle, tag), names: names()}
	l.Name, l.Dir = l.Text("language.name"), l.Text("language.direction")
	return l, nil
}

// path is where a theme has the words of a language.
func path(tag string) string { return "words/" + tag + ".yaml" }

// addOwn puts a site's own words above those that are built in.
func addOwn(bundle *i18n.Bundle, theme fs.FS, file string) error {
	text, err := fs.ReadFile(theme, file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return templates.Explain(err)
	}
	if same, err := fs.ReadFile(templates.FS(""), file); err == nil && bytes.Equal(text, same) {
		return nil
	}
	own, err := readCatalogue(text)
	if err != nil {
		return unreadable(templates.Name(file), err)
	}
	if misfits := own.unknown(reference()); len(misfits) > 0 { // which would stand on the page
		return unsayable(templates.Name(file), text, misfits)
	}
	if _, err = bundle.ParseMessageFileBytes(text, file); err != nil {
		return unreadable(templates.Name(file), err)
	}
	return nil
}

// Text gives the words of a message. data are pairs of a name and the value that
// stands for it; a value named Count also chooses the plural form. A value that is
// written the other way round is isolated from the sentence, see Isolate.
func (l *Language) Text(id string, data ...any) string {
	for i := 0; i < len(data); i += 2 {
		if data[i] == "Count" {
			return l.plural(id, data)
		}
	}
	words := l.sentence(id, data)
	if len(words) == 1 {
		return words[0]
	}
	var text strings.Builder
	for i, word := range words {
		if i%2 == 1 {
			word = l.Isolate(value(data, word))
		}
		text.WriteString(word)
	}
	return text.String()
}

// value is the text that stands for a name.
func value(data []any, name string) string {
	for i := 0; i < len(data); i += 2 {
		if data[i] == name {
			return fmt.Sprint(data[i+1])
		}
	}
	return ""
}

// Around gives the words before and after the place of one value in a sentence,
// for a value that is more than words: "Reopens {{.At}}" around At.
func (l *Language) Around(id, name string) (before, after string) {
	words := l.sentence(id, []any{name, nil})
	return words[0], strings.Join(words[min(2, len(words)):], "")
}

// sentence gives a message in pieces: words, the name of the value that stands
// there, words, and so on. A catalogue's templates are run once: a page is made of
// hundreds of messages.
func (l *Language) sentence(id string, data []any) []string {
	if words, ok := l.fixed.Load(id); ok {
		return words.([]string)
	}
	const edge = "\x00" // of a name
	places := map[string]any{}
	for i := 0; i < len(data); i += 2 {
		name := data[i].(string)
		places[name] = edge + name + edge
	}
	words := strings.Split(l.say(&i18n.LocalizeConfig{MessageID: id, TemplateData: places}), edge)
	l.fixed.Store(id, words)
	return words
}

func (l *Language) plural(id string, data []any) string {
	values := map[string]any{}
	for i := 0; i < len(data); i += 2 {
		values[data[i].(string)] = data[i+1]
		if words, ok := data[i+1].(string); ok {
			values[data[i].(string)] = l.Isolate(words)
		}
	}
	return l.say(&i18n.LocalizeConfig{MessageID: id, TemplateData: values, PluralCount: values["Count"]})
}

// say gives the message's id where there are no words: to be seen, and no reason
// for a page to fail.
func (l *Language) say(c *i18n.LocalizeConfig) string {
	text, err := l.words.Localize(c)
	if text == "" && err != nil {
		return "[" + c.MessageID + "]"
	}
	return text
}

// has tells whether there are words for the message.
func (l *Language) has(id string) bool {
	_, err := l.words.Localize(&i18n.LocalizeConfig{MessageID: id})
	var missing *i18n.MessageNotFoundErr
	return !errors.As(err, &missing)
}

// near is how close a moment must be for its year to go without saying: a year
// has two of each date, and within half of one there is no doubt which is meant.
const near = 180 * 24 * time.Hour

// NeedsYear tells whether t has to be printed with its year for who reads it at
// now: when it isn't the year of now in loc and t is more than 180 days from now,
// before or after.
func NeedsYear(t, now time.Time, loc *time.Location) bool {
	return t.In(loc).Year() != now.In(loc).Year() && t.Sub(now).Abs() > near
}

// YearTurns gives the first moment after now from which NeedsYear may say
// something else of t.
func YearTurns(t, now time.Time, loc *time.Location) time.Time {
	turn := time.Date(now.In(loc).Year()+1, time.January, 1, 0, 0, 0, 0, loc)
	for _, edge := range []time.Time{t.Add(-near), t.Add(near + 1)} {
		if edge.After(now) && edge.Before(turn) {
			turn = edge
		}
	}
	return turn
}

// When prints t on the clocks of loc: "Sat 2 January, 09:00", with seconds only
// where there are any, without the hour when dateOnly, and with the year where
// NeedsYear says so. The zone isn't printed; see Zone.
func (l *Language) When(t time.Time, dateOnly bool, now time.Time, loc *time.Location) string {
	day := l.Day(t.In(loc), NeedsYear(t, now, loc))
	if dateOnly {
		return day
	}
	layout := "15:04"
	if t.Second() != 0 {
		layout = "15:04:05"
	}
	return l.Text("date.at", "Day", day, "Clock", t.In(loc).Format(layout))
}

// Day prints the date of t: "Sat 2 January", or "Sat 2 January 2027". A catalogue
// may use the whole name of the weekday, and have its own way to write the first
// of a month.
func (l *Language) Day(t time.Time, withYear bool) string {
	id, day := "date.day", strconv.Itoa(t.Day())
	if withYear {
		id = "date.day-of-year"
	}
	if t.Day() == 1 {
		day = l.Text("date.first")
	}
	return l.Text(id, "Weekday", l.names.WeekdayAbbreviated(t.Weekday()), "WholeWeekday", l.names.WeekdayWide(t.Weekday()),
		"Day", day, "Month", l.names.MonthWide(t.Month()), "Year", t.Year())
}

// Month names a month: "January".
func (l *Language) Month(m time.Month) string { return l.names.MonthWide(m) }

// Weekday gives a weekday's shortest name: "M".
func (l *Language) Weekday(d time.Weekday) string { return l.names.WeekdayNarrow(d) }

// WeekStart is the day with which a week begins.
func (l *Language) WeekStart() time.Weekday {
	switch l.Text("almanac.week-starts") {
	case "saturday":
		return time.Saturday
	case "sunday":
		return time.Sunday
	}
	return time.Monday
}

// Zone names a time zone as people do, by its city: "Lisbon" for Europe/Lisbon,
// "Buenos Aires" for America/Argentina/Buenos_Aires, "UTC" for UTC. Where the
// catalogue has another name for it, that: "Lissabon".
func (l *Language) Zone(loc *time.Location) string {
	name := loc.String()
	if id := "zone." + strings.ToLower(strings.ReplaceAll(name, "/", "-")); l.has(id) {
		return l.Text(id)
	}
	name = name[strings.LastIndexByte(name, '/')+1:]
	return strings.ReplaceAll(name, "_", " ")
}

// List joins names as a sentence does: "a", "a and b", "a, b and c".
func (l *Language) List(names []string) string {
	isolated := make([]string, len(names))
	for i, name := range names {
		isolated[i] = l.Isolate(name)
	}
	last := len(names) - 1
	if last < 1 {
		return strings.Join(isolated, "")
	}
	return l.Text("list", "Most", strings.Join(isolated[:last], l.Text("comma")), "Last", isolated[last])
}

// Best is the language, among those named by their tags, that suits a reader
// with this Accept-Language header (RFC 9110, section 12.5.4); the first where
// none does.
func Best(tags []string, accept string) string {
	offered := make([]language.Tag, len(tags))
	for i, tag := range tags {
		offered[i] = language.Make(tag)
	}
	wanted, _, _ := language.ParseAcceptLanguage(accept) // a header that can't be read asks for nothing
	_, i, _ := language.NewMatcher(offered).Match(wanted...)
	return cmp.Or(tags[i], Default)
}
