package site

import (
	"bytes"
	"cmp"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
	"golang.org/x/text/width"

	"github.com/backsoon/backsoon/internal/locale"
	"github.com/backsoon/backsoon/internal/schedule"
)

// tonePartly is a badge's alone: some storefronts are closed, and some aren't.
const tonePartly = "partly"

// badge is what badge.svg shows: whose it is, a shape, and a word that is still
// true where somebody keeps the picture for a while. Measures are in SVG's user
// units; a text is placed by its middle.
type badge struct {
	Lang, Dir        string
	Name, Word, Tone string
	Paint            paint

	Width, Edge          int // of the whole; of the name's part without its rounded corner
	NameX, WordX, MarkX  int
	NameWidth, WordWidth int
}

// paint is a background and what is drawn on it.
type paint struct{ Fill, Ink string }

// paints are those of the colours that a site can set, as long as it sets none.
var paints = map[string]paint{
	"open":    {"#1a6543", "#ffffff"},
	"planned": {"#1d4a86", "#ffffff"},
	"delayed": {"#f0b23b", "#231801"},
}

func (r reader) paint(tone string) paint {
	name := map[string]string{toneOpen: "open", toneDelayed: "delayed"}[tone]
	name = cmp.Or(name, "planned")
	if c, ok := r.site.cfg.Theme.Colours[name]; ok {
		return paint{c.String(), lettersOn(c).String()}
	}
	return paints[name]
}

// badges makes badge.svg for the shop, and one for each storefront.
func (b *builder) badges() {
	b.badge("badge.svg", b.site.cfg.Shop.Name, b.states)
	for i, front := range b.site.cfg.Storefronts {
		b.badge("storefronts/"+front.ID+"/badge.svg", front.Name, b.states[i:i+1])
	}
}

func (b *builder) badge(path, name string, states []schedule.State) {
	tone, word := b.badgeWord(states[0])
	for _, s := range states[1:] {
		if t, w := b.badgeWord(s); w != word {
			tone, word = b.mixed(tone, t)
		}
	}
	badge, theme := b.drawn(shortened(name), tone, word), b.voice.theme
	b.keep(path, b.site.key(badge), func(out *bytes.Buffer) error { return theme.part(out, templateName("badge.svg"), badge) })
}

// badgeWord says how a storefront stands, by the day where that is enough: then
// no zone is needed.
func (b *builder) badgeWord(s schedule.State) (tone, word string) {
	loc := b.site.cfg.Shop.Location
	switch {
	case s.State == schedule.Open:
		return toneOpen, b.voice.Text("badge.open")
	case s.State == schedule.Overdue:
		return toneDelayed, b.voice.Text("badge.delayed")
	case s.Until.IsZero():
		return toneClosed, b.voice.Text("badge.closed")
	}
	until := b.voice.Day(s.Until.In(loc), locale.NeedsYear(s.Until, b.now, loc))
	if until == b.voice.Day(b.now.In(loc), false) {
		until = b.moment(s.Until, false).String()
	}
	return toneClosed, b.voice.Text("badge.closed-until", "At", until)
}

// mixed is said where two storefronts stand differently.
func (b *builder) mixed(tone, other string) (string, string) {
	if tone == toneOpen || other == toneOpen || tone == tonePartly {
		return tonePartly, b.voice.Text("badge.partly")
	}
	return toneClosed, b.voice.Text("badge.closed")
}

// shortened keeps a long name from making a badge that nobody can place.
func shortened(name string) string {
	const most = 40
	runes := []rune(name)
	if len(runes) <= most {
		return name
	}
	return strings.TrimSpace(string(runes[:most-1])) + "…"
}

// drawn places everything in the order of reading.
func (b *builder) drawn(name, tone, word string) badge {
	const pad, gap, mark, corner = 8, 5, 12, 4
	d := badge{
		Lang: b.voice.Tag, Dir: b.voice.Dir, Name: name, Word: word, Tone: tone, Paint: b.paint(tone),
		NameWidth: textWidth(name), WordWidth: textWidth(word),
	}
	side := pad + d.NameWidth + pad
	d.Width = side + pad + mark + gap + d.WordWidth + pad
	d.Edge = side - corner
	d.NameX, d.MarkX = side/2, side+pad
	d.WordX = d.MarkX + mark + gap + d.WordWidth/2
	if d.Dir == "rtl" {
		d.NameX, d.MarkX, d.WordX = d.Width-d.NameX, d.Width-d.MarkX-mark, d.Width-d.WordX
	}
	return d
}

// textWidth is about how wide Helvetica or Arial set the text at 12 units.
func textWidth(text string) int {
	var thousandths int
	for _, r := range norm.NFD.String(text) {
		thousandths += runeWidth(r)
	}
	return max(1, (thousandths*12+500)/1000)
}

// runeWidth is in thousandths of the font's size.
func runeWidth(r rune) int {
	kind := width.LookupRune(r).Kind()
	switch {
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		return 0
	case strings.ContainsRune("ijl'|", r):
		return 225
	case strings.ContainsRune(" .,:;!/\\()[]-fIrt", r):
		return 295
	case strings.ContainsRune("MWm%@w—", r):
		return 850
	case kind == width.EastAsianWide, kind == width.EastAsianFullwidth:
		return 1000
	case unicode.IsUpper(r):
		return 690
	case unicode.In(r, unicode.Arabic):
		return 470
	}
	return 545
}
