package locale

import (
	"maps"
	"slices"

	"github.com/go-playground/locales"
	"github.com/go-playground/locales/ar"
	"github.com/go-playground/locales/de"
	"github.com/go-playground/locales/en"
	"github.com/go-playground/locales/es"
	"github.com/go-playground/locales/fr"
	"github.com/go-playground/locales/pt_PT"
)

// calendars has the names of months and weekdays for every language that there
// can be a catalogue for. Where the countries that speak it differ, they are
// those of the country whose words the catalogue has.
var calendars = map[string]func() locales.Translator{
	"ar": ar.New, "de": de.New, "en": en.New, "es": es.New, "fr": fr.New, "pt": pt_PT.New,
}

// Tags lists the languages that a site can speak.
func Tags() []string { return slices.Sorted(maps.Keys(calendars)) }
