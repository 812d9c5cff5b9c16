package site

import (
	"encoding/json"
	"html/template"
	"time"

	"github.com/backsoon/backsoon/internal/schedule"
)

// What search engines are told, in JSON-LD. A storefront is a Store, so that it
// may have special hours, and an OnlineStore, which is what it is:
// https://schema.org/OnlineStore, https://schema.org/specialOpeningHoursSpecification.
type structured struct {
	Context string  `json:"@context"`
	Graph   []store `json:"@graph"`
}

type store struct {
	Type   []string       `json:"@type"`
	ID     string         `json:"@id"`
	Name   string         `json:"name"`
	URL    string         `json:"url"`
	Parent *organization  `json:"parentOrganization,omitempty"`
	Hours  []specialHours `json:"specialOpeningHoursSpecification,omitempty"`
}

type organization struct {
	Type string `json:"@type"`
	Name string `json:"name"`
}

// specialHours are those of some days, the last one among them. A day on which
// all is closed opens and closes at 00:00:
// https://developers.google.com/search/docs/appearance/structured-data/local-business
type specialHours struct {
	Type    string `json:"@type"`
	Opens   string `json:"opens"`
	Closes  string `json:"closes"`
	From    string `json:"validFrom"`
	Through string `json:"validThrough,omitempty"` // none: until further notice
}

// mostHours is how many special hours a storefront gets: those that come first.
const mostHours = 40

// structured describes the storefronts, with the closures now and ahead.
func (b *builder) structured(states []schedule.State, closures []*face) (template.JS, error) {
	shop := b.site.cfg.Shop
	data := structured{Context: "https://schema.org"}
	today := midnight(b.now.In(shop.Location), 0)
	for _, s := range states {
		front, _ := b.site.cfg.Storefront(s.Storefront)
		page := b.address(b.voice.prefix + storefrontPath(front.ID))
		st := store{Type: []string{"OnlineStore", "Store"}, ID: page, Name: shop.Name, URL: page}
		if front.URL != "" {
			st.URL = front.URL
		}
		if len(b.site.cfg.Storefronts) > 1 {
			st.Name, st.Parent = front.Name, &organization{"Organization", shop.Name}
		}
		st.Hours = hoursOf(b.spans(front.ID, closures), today)
		data.Graph = append(data.Graph, st)
	}
	text, err := json.Marshal(data) // which escapes < so that no text can end the script
	return template.JS(text), err
}

// hoursOf are the special hours of each day, from the given one on, that the
// spans have to do with.
func hoursOf(spans []span, from time.Time) (all []specialHours) {
	var done time.Time // the last day that was open for some of the time
	partly := func(d time.Time) {
		if d.Before(from) || d.Equal(done) {
			return
		}
		done = d
		for _, h := range openHours(d, spans) {
			all = append(all, specialHours{"OpeningHoursSpecification", clock(h[0], "00:00"), clock(h[1], "23:59"), date(d), date(d)})
		}
	}
	for _, s := range spans {
		if len(all) >= mostHours {
			return all
		}
		first := midnight(s.from.Time, 0)
		if s.from.After(first) {
			partly(first)
			first = midnight(first, 1)
		}
		if first.Before(from) {
			first = from
		}
		whole := specialHours{"OpeningHoursSpecification", "00:00", "00:00", date(first), ""}
		if s.endless() {
			return append(all, whole)
		}
		last := midnight(s.to.Time, 0)
		if first.Before(last) {
			whole.Through = date(midnight(last, -1))
			all = append(all, whole)
		}
		if s.to.After(last) && !last.Before(midnight(s.from.Time, 0)) {
			partly(last)
		}
	}
	return all
}

// openHours lists the times at which a storefront is open on the day of d: what
// its spans leave of it.
func openHours(d time.Time, spans []span) (hours [][2]time.Time) {
	at, end := d, midnight(d, 1)
	for _, s := range spans {
		until := s.to.Time
		if s.endless() {
			until = end
		}
		if !s.from.Before(end) || !until.After(at) {
			continue
		}
		if s.from.After(at) {
			hours = append(hours, [2]time.Time{at, s.from.Time})
		}
		at = until
	}
	if at.Before(end) {
		hours = append(hours, [2]time.Time{at, end})
	}
	return hours
}

func date(t time.Time) string { return t.Format(time.DateOnly) }

// clock is the time of day, with another word for midnight.
func clock(t time.Time, midnight string) string {
	if text := t.Format("15:04"); text != "00:00" {
		return text
	}
	return midnight
}
