package site

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/backsoon/backsoon/internal/config"
)

// readable is the least contrast of text to what is behind it: WCAG 2.2, 1.4.3.
const readable = 4.5

// What text stands on in the default style: the less favourable of paper and card.
var (
	lightPaper = config.Colour{R: 0xf6, G: 0xf3, B: 0xec}
	darkPaper  = config.Colour{R: 0x1a, G: 0x1f, B: 0x27}
	black      = config.Colour{}
	white      = config.Colour{R: 0xff, G: 0xff, B: 0xff}
)

// plates are the colours that fill a sign.
var plates = []string{"planned", "delayed", "unplanned"}

// overrides is the part of the style sheet that a site's settings make: a colour
// fills signs as it is, with black or white letters, whichever reads better. As
// text it is made darker, and lighter on dark paper, as far as reading needs.
func overrides(t config.Theme) string {
	var root, dark strings.Builder
	for _, name := range config.ColourNames {
		c, ok := t.Colours[name]
		if !ok {
			continue
		}
		if slices.Contains(plates, name) {
			fmt.Fprintf(&root, "--%s:%s;--on-%s:%s;", name, c, name, lettersOn(c))
		}
		fmt.Fprintf(&root, "--%s-text:%s;", name, legible(c, lightPaper, black))
		fmt.Fprintf(&dark, "--%s-text:%s;", name, legible(c, darkPaper, white))
	}
	if len(t.Text) > 0 {
		fmt.Fprintf(&root, "--text:%s;", fontList(t.Text))
	}
	if len(t.Headings) > 0 {
		fmt.Fprintf(&root, "--headings:%s;", fontList(t.Headings))
	}
	if root.Len() == 0 {
		return ""
	}
	return ":root{" + root.String() + "}@media screen and (prefers-color-scheme:dark){:root{" + dark.String() + "}}"
}

// lettersOn is black or white: one of them always can be read.
func lettersOn(c config.Colour) config.Colour {
	if contrast(c, white) >= readable {
		return white
	}
	return black
}

// legible is the colour, brought toward another one until it can be read on paper.
func legible(c, paper, toward config.Colour) config.Colour {
	const steps = 40
	for i := range steps {
		if mixed := mix(c, toward, float64(i)/steps); contrast(mixed, paper) >= readable {
			return mixed
		}
	}
	return toward
}

func mix(a, b config.Colour, part float64) config.Colour {
	m := func(x, y uint8) uint8 { return uint8(math.Round(float64(x)*(1-part) + float64(y)*part)) }
	return config.Colour{R: m(a.R, b.R), G: m(a.G, b.G), B: m(a.B, b.B)}
}

// contrast is the ratio of two colours, from 1 to 21, as WCAG 2.2 defines it:
// https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio.
func contrast(a, b config.Colour) float64 {
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func luminance(c config.Colour) float64 {
	linear := func(channel uint8) float64 {
		v := float64(channel) / 255
		if v <= 0.04045 {
			return v / 12.92
		}
		return math.Pow((v+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(c.R) + 0.7152*linear(c.G) + 0.0722*linear(c.B)
}

// generic are the families that are no font's name, and so stand without quotes.
var generic = []string{"serif", "sans-serif", "monospace", "system-ui", "ui-serif", "ui-sans-serif", "ui-monospace", "ui-rounded", "-apple-system"}

// fontList writes families for a style sheet.
func fontList(families []string) string {
	list := make([]string, len(families))
	for i, f := range families {
		if list[i] = strconv.Quote(f); slices.Contains(generic, f) {
			list[i] = f
		}
	}
	return strings.Join(list, ",")
}
