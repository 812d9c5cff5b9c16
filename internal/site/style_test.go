package site

import (
	"io/fs"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/backsoon/backsoon/templates"
)

var colour = regexp.MustCompile(`--([a-z-]+): #([0-9a-f]{6});`)

// palettes reads the colours of the light and of the dark style.
func palettes(t *testing.T) map[string]map[string]string {
	t.Helper()
	css, err := fs.ReadFile(templates.FS(""), "pages/style.css")
	if err != nil {
		t.Fatal(err)
	}
	light, dark, found := strings.Cut(string(css), "@media (prefers-color-scheme: dark)")
	dark, _, _ = strings.Cut(dark, "@media print")
	if !found {
		t.Fatal("no dark style")
	}
	all := map[string]map[string]string{"light": {}, "dark": {}}
	for _, m := range colour.FindAllStringSubmatch(light, -1) {
		all["light"][m[1]], all["dark"][m[1]] = m[2], m[2]
	}
	for _, m := range colour.FindAllStringSubmatch(dark, -1) {
		all["dark"][m[1]] = m[2]
	}
	return all
}

// WCAG 2.2, 1.4.3: text has a contrast of at least 4.5 to what is behind it.
func TestContrast(t *testing.T) {
	pairs := [][2]string{
		{"ink", "paper"}, {"ink", "card"}, {"muted", "paper"}, {"muted", "card"}, {"link", "paper"}, {"link", "card"},
		{"blue-text", "paper"}, {"blue-text", "card"}, {"amber-text", "paper"}, {"amber-text", "card"},
		{"on", "blue"}, {"on", "green"}, {"on-amber", "amber"},
	}
	for name, palette := range palettes(t) {
		for _, p := range pairs {
			if c := contrast(t, palette[p[0]], palette[p[1]]); c < 4.5 {
				t.Errorf("%s: %s on %s: %.2f", name, p[0], p[1], c)
			}
		}
	}
}

// contrast is the ratio that WCAG defines.
func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	x, y := luminance(t, a), luminance(t, b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	rgb, err := strconv.ParseUint(hex, 16, 32)
	if err != nil {
		t.Fatal(err)
	}
	linear := func(c uint64) float64 {
		v := float64(c&0xff) / 255
		if v <= 0.04045 {
			return v / 12.92
		}
		return math.Pow((v+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(rgb>>16) + 0.7152*linear(rgb>>8) + 0.0722*linear(rgb)
}

// Left and right are only so in half of the world's scripts.
func TestStyleKnowsNoLeftAndRight(t *testing.T) {
	css, err := fs.ReadFile(templates.FS(""), "pages/style.css")
	if err != nil {
		t.Fatal(err)
	}
	physical := regexp.MustCompile(`[\s;{](width|height|((margin|padding|border)-)?(left|right|top|bottom))\s*:`)
	if found := physical.FindString(string(css)); found != "" {
		t.Errorf("uses %q", found)
	}
}
