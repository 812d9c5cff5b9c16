package site

import (
	"io/fs"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/backsoon/backsoon/internal/config"
	"github.com/backsoon/backsoon/templates"
)

var colourSet = regexp.MustCompile(`--([a-z-]+):\s*#([0-9a-f]{6});`)

// palette is the colours of a style by their names.
type palette map[string]config.Colour

func defaultStyle(t *testing.T) string {
	t.Helper()
	css, err := fs.ReadFile(templates.FS(""), "pages/style.css")
	if err != nil {
		t.Fatal(err)
	}
	return string(css)
}

var rootBlock = regexp.MustCompile(`(@media screen and \(prefers-color-scheme: ?dark\)\s*\{\s*)?:root\s*\{([^}]*)\}`)

// palettes reads the colours of the light and of the dark style. What the later
// style sheet says counts.
func palettes(t *testing.T, sheets ...string) map[string]palette {
	t.Helper()
	all := map[string]palette{"light": {}, "dark": {}}
	for _, css := range sheets {
		screen, _, _ := strings.Cut(css, "@media print")
		for _, block := range rootBlock.FindAllStringSubmatch(screen, -1) {
			all["dark"].set(t, block[2])
			if block[1] == "" {
				all["light"].set(t, block[2])
			}
		}
	}
	return all
}

func (p palette) set(t *testing.T, block string) {
	t.Helper()
	for _, m := range colourSet.FindAllStringSubmatch(block, -1) {
		n, err := strconv.ParseUint(m[2], 16, 32)
		if err != nil {
			t.Fatal(err)
		}
		p[m[1]] = config.Colour{R: uint8(n >> 16), G: uint8(n >> 8), B: uint8(n)}
	}
}

// checkContrast: WCAG 2.2, 1.4.3.
func (p palette) checkContrast(t *testing.T, name string) {
	t.Helper()
	var pairs [][2]string
	for _, text := range []string{"ink", "muted", "accent-text", "open-text", "planned-text", "delayed-text", "unplanned-text"} {
		pairs = append(pairs, [2]string{text, "paper"}, [2]string{text, "card"})
	}
	for _, plate := range plates {
		pairs = append(pairs, [2]string{"on-" + plate, plate})
	}
	for _, pair := range pairs {
		a, hasA := p[pair[0]]
		b, hasB := p[pair[1]]
		if c := contrast(a, b); !hasA || !hasB || c < 4.5 {
			t.Errorf("%s: %s on %s: %.2f", name, pair[0], pair[1], c)
		}
	}
}

func TestContrast(t *testing.T) {
	for name, p := range palettes(t, defaultStyle(t)) {
		p.checkContrast(t, name)
		if paper := map[string]config.Colour{"light": lightPaper, "dark": darkPaper}[name]; paper != p["paper"] && paper != p["card"] {
			t.Errorf("%s: text of a site's own colours is made for other paper: %s", name, paper)
		}
	}
}

// Whatever colours a shop has, its pages can be read.
func TestContrastOfAnyColours(t *testing.T) {
	for r := 0; r < 256; r += 51 {
		for g := 0; g < 256; g += 51 {
			for b := 0; b < 256; b += 51 {
				theme := config.Theme{Colours: map[string]config.Colour{}}
				for _, name := range config.ColourNames {
					theme.Colours[name] = config.Colour{R: uint8(r), G: uint8(g), B: uint8(b)}
				}
				for name, p := range palettes(t, defaultStyle(t), overrides(theme)) {
					p.checkContrast(t, name+" with "+theme.Colours["open"].String())
				}
			}
		}
	}
}

func TestContrastIsThatOfWCAG(t *testing.T) {
	grey := config.Colour{R: 0x77, G: 0x77, B: 0x77}
	if c := contrast(black, white); c != 21 {
		t.Errorf("black on white: %v", c)
	}
	if c := contrast(grey, white); c < 4.47 || c > 4.48 {
		t.Errorf("#777777 on white: %v", c)
	}
}

func TestOwnColoursAndFonts(t *testing.T) {
	planned := config.Colour{R: 0xff, G: 0xdd}
	css := overrides(config.Theme{
		Colours: map[string]config.Colour{"planned": planned}, Headings: []string{"My Font", "serif"},
	})
	for _, want := range []string{"--planned:#ffdd00;", "--on-planned:#000000;", `--headings:"My Font",serif;`} {
		if !strings.Contains(css, want) {
			t.Errorf("no %s in %s", want, css)
		}
	}
	if strings.Contains(css, "--text:") || overrides(config.Theme{}) != "" {
		t.Errorf("sets what the settings don't: %s", css)
	}
}

// Left and right are only so in half of the world's scripts.
func TestStyleKnowsNoLeftAndRight(t *testing.T) {
	physical := regexp.MustCompile(`[\s;{](width|height|((margin|padding|border)-)?(left|right|top|bottom))\s*:`)
	if found := physical.FindString(defaultStyle(t)); found != "" {
		t.Errorf("uses %q", found)
	}
}
