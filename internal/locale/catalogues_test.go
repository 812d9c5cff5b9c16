package locale

import (
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"

	"github.com/backsoon/backsoon/templates"
)

// catalogueOf reads a catalogue of the default theme.
func catalogueOf(t *testing.T, tag string) catalogue {
	t.Helper()
	text, err := fs.ReadFile(templates.FS(""), path(tag))
	if err != nil {
		t.Fatal(err)
	}
	c, err := readCatalogue(text)
	if err != nil {
		t.Fatalf("%s.yaml: %v", tag, err)
	}
	return c
}

// TestEveryLanguageHasACatalogue: what a site may choose has words, and no words
// are there that no site can choose.
func TestEveryLanguageHasACatalogue(t *testing.T) {
	files, err := fs.Glob(templates.FS(""), "words/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var tags []string
	for _, file := range files {
		tags = append(tags, strings.TrimSuffix(filepath.Base(file), ".yaml"))
	}
	if !slices.Equal(tags, Tags()) {
		t.Errorf("templates/words has %q, calendars.go has %q", tags, Tags())
	}
}

// TestCataloguesAreComplete names each message that a catalogue lacks or has too
// many, and each placeholder.
func TestCataloguesAreComplete(t *testing.T) {
	for _, tag := range Tags() {
		for _, problem := range incomplete(catalogueOf(t, tag), reference(), formsOf(t, tag)) {
			t.Errorf("templates/words/%s.yaml: %s", tag, problem)
		}
	}
}

// incomplete is all that keeps a catalogue from saying what the reference says,
// in a language with these plural forms.
func incomplete(c, reference catalogue, forms []string) []string {
	var problems []string
	for _, m := range c.unknown(reference) {
		problems = append(problems, m.id+": "+m.why)
	}
	ids := wanted(reference, forms)
	for id := range ids {
		if c[id] == "" {
			problems = append(problems, id+" is missing")
		}
	}
	for id := range c {
		if !ids[id] && !strings.HasPrefix(id, "zone.") {
			problems = append(problems, id+" is in no other catalogue")
		}
	}
	places := c.filled()
	for id, known := range reference.filled() {
		for _, p := range known {
			_, there := places[id]
			if there && !slices.Contains(places[id], p) && !(p == "{{.Weekday}}" && slices.Contains(places[id], "{{.WholeWeekday}}")) {
				problems = append(problems, fmt.Sprintf("%s: %s is missing", id, p))
			}
		}
	}
	slices.Sort(problems)
	return slices.Compact(problems)
}

// wanted are the ids of all texts that a language with these plural forms has.
func wanted(reference catalogue, forms []string) map[string]bool {
	ids := map[string]bool{}
	for id := range reference {
		if m := message(id); m != id {
			for _, form := range forms {
				ids[m+"."+form] = true
			}
		} else {
			ids[id] = true
		}
	}
	return ids
}

// formsOf finds the plural forms that a language uses for whole numbers.
func formsOf(t *testing.T, tag string) []string {
	t.Helper()
	bundle := i18n.NewBundle(language.Make(tag))
	m := &i18n.Message{ID: "x", Zero: "zero", One: "one", Two: "two", Few: "few", Many: "many", Other: "other"}
	if err := bundle.AddMessages(language.Make(tag), m); err != nil {
		t.Fatal(err)
	}
	forms := map[string]bool{}
	words := i18n.NewLocalizer(bundle, tag)
	for n := range 202 {
		if n > 200 {
			n = 1_000_000
		}
		form, err := words.Localize(&i18n.LocalizeConfig{MessageID: "x", PluralCount: n})
		if err != nil {
			t.Fatal(err)
		}
		forms[form] = true
	}
	return slices.Sorted(maps.Keys(forms))
}

func TestIncompleteNamesEverything(t *testing.T) {
	english := catalogue{"a": "A", "b": "B {{.At}}", "c.one": "{{.Count}} day", "c.other": "{{.Count}} days", "date.day": "{{.Weekday}} {{.Day}}"}
	arabic := catalogue{"b": "B {{.When}}", "c.zero": "0", "c.one": "1", "c.two": "2", "c.few": "{{.Count}}", "c.other": "{{.Count}}", "d": "D",
		"date.day": "{{.WholeWeekday}} {{.Day}}", "zone.europe-paris": "P"}
	want := []string{"a is missing", "b: there is nothing to fill in for {{.When}}; write {{.At}}", "b: {{.At}} is missing", "c.many is missing", "d is in no other catalogue"}
	if got := incomplete(arabic, english, formsOf(t, "ar")); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// settings are no words, and what they may say.
var settings = map[string][]string{
	"language.direction": {"ltr", "rtl"}, "almanac.week-starts": {"monday", "saturday", "sunday"},
}

// sameInEnglish are the words that another language spells as English does.
var sameInEnglish = map[string][]string{
	"de": {"Feed"}, "es": {"Feed"}, "pt": {"Feed"}, "fr": {"Pages"},
}

// TestNothingIsLeftInEnglish: a text that is the same in English was forgotten, or
// is on the list.
func TestNothingIsLeftInEnglish(t *testing.T) {
	for _, tag := range Tags() {
		if tag == Default {
			continue
		}
		for id, text := range catalogueOf(t, tag) {
			if values, ok := settings[id]; ok {
				if !slices.Contains(values, text) {
					t.Errorf("templates/words/%s.yaml: %s: %q is none of %q", tag, id, text, values)
				}
				continue
			}
			words := strings.ContainsFunc(placeholder.ReplaceAllString(text, ""), func(r rune) bool { return 'a' <= r && r <= 'z' })
			if words && text == reference()[id] && !slices.Contains(sameInEnglish[tag], text) {
				t.Errorf("templates/words/%s.yaml: %s: %q is English", tag, id, text)
			}
		}
	}
}

// TestZonesExist: a name for a time zone that is misspelt would never be used.
func TestZonesExist(t *testing.T) {
	for _, tag := range Tags() {
		l := BuiltIn(tag)
		for id, city := range catalogueOf(t, tag) {
			zone, ok := strings.CutPrefix(id, "zone.")
			if !ok {
				continue
			}
			loc, err := time.LoadLocation(properCase(zone))
			if err != nil {
				t.Errorf("templates/words/%s.yaml: %s: %v", tag, id, err)
			} else if got := l.Zone(loc); got != city {
				t.Errorf("%s: %s is called %q", tag, loc, got)
			}
		}
	}
}

// properCase is a zone's name as the tz database writes it.
func properCase(zone string) string {
	name := []byte(strings.ReplaceAll(zone, "-", "/"))
	for i := range name {
		if i == 0 || name[i-1] == '/' || name[i-1] == '_' {
			name[i] -= 'a' - 'A'
		}
	}
	return string(name)
}

// TestDates: a date with its year, one with a clock, and the first of a month, as
// the readers of each language write them.
func TestDates(t *testing.T) {
	lisbon := load(t, "Europe/Lisbon")
	reopens := time.Date(2027, 1, 2, 9, 0, 0, 0, lisbon)
	for tag, want := range map[string][3]string{
		"en": {"Sat 2 January, 09:00 (Lisbon)", "Fri 1 January 2027", "Thu 24 December"},
		"de": {"Sa., 2. Januar, 09:00 Uhr (Lissabon)", "Fr., 1. Januar 2027", "Do., 24. Dezember"},
		"fr": {"samedi 2 janvier à 09:00 (Lisbonne)", "vendredi 1er janvier 2027", "jeudi 24 décembre"},
		"es": {"sábado 2 de enero, 09:00\u00a0h (Lisboa)", "viernes 1 de enero de 2027", "jueves 24 de diciembre"},
		"pt": {"sábado, 2 de janeiro, às 09:00 (Lisboa)", "sexta, 1 de janeiro de 2027", "quinta, 24 de dezembro"},
		"ar": {"السبت 2 يناير، الساعة 09:00 (لشبونة)", "الجمعة 1 يناير 2027", "الخميس 24 ديسمبر"},
	} {
		l := BuiltIn(tag)
		got := [3]string{
			l.When(reopens, false, reopens.AddDate(0, 0, -9), lisbon) + " (" + l.Zone(lisbon) + ")",
			l.Day(reopens.AddDate(0, 0, -1), true),
			l.Day(reopens.AddDate(0, 0, -9), false),
		}
		if got != want {
			t.Errorf("%s: got  %q\nwant %q", tag, got, want)
		}
	}
}

func TestLists(t *testing.T) {
	for tag, want := range map[string]string{
		"de": "a, b und c", "fr": "a, b et c", "es": "a, b y c", "pt": "a, b e c", "ar": "\u2068a\u2069 و\u2068b\u2069 و\u2068c\u2069",
	} {
		if got := BuiltIn(tag).List([]string{"a", "b", "c"}); got != want {
			t.Errorf("%s: got %q, want %q", tag, got, want)
		}
	}
}

// TestSitesOwnWordsAreChecked: a misspelt placeholder would stand on the page. A
// message that only the site's own templates know may have any.
func TestSitesOwnWordsAreChecked(t *testing.T) {
	own := func(text string) fs.FS { return fstest.MapFS{"words/pt.yaml": {Data: []byte(text)}} }
	if _, err := Load(own("answer:\n  closing: {then: \"Fecha {{.Quando}}\"}\n"), "pt"); err == nil ||
		err.Error() != "templates/words/pt.yaml:2:19: answer.closing.then: there is nothing to fill in for {{.Quando}}; write {{.At}}" {
		t.Errorf("got %v", err)
	}
	l, err := Load(own("date: {day: \"{{.WholeWeekday}}\"}\nmine: \"{{.Own}}!\"\n"), "pt")
	if err != nil {
		t.Fatal(err)
	}
	if got := l.Text("mine", "Own", "Olá"); got != "Olá!" {
		t.Errorf("got %q", got)
	}
}
