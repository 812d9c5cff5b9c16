package config

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/backsoon/backsoon/internal/strictyaml"
)

// Theme is how a site differs from the default theme without a template of its
// own. What is zero is as the theme has it.
type Theme struct {
	Colours  map[string]Colour // by their names in ColourNames
	Text     []string          // font families, the most wanted first
	Headings []string
	Logo     *Picture
	Favicon  *Picture
}

// ColourNames lists what a colour can be set for.
var ColourNames = []string{"accent", "open", "planned", "delayed", "unplanned"}

// Colour is one of sRGB.
type Colour struct{ R, G, B uint8 }

// String is the colour as style sheets write it: #1d4a86.
func (c Colour) String() string { return fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B) }

// Picture is a small picture, which goes into every page.
type Picture struct {
	Type    string // its media type: image/svg+xml
	Content []byte
}

// maxPicture is the most bytes of a picture: it is part of a page that is to be
// there at once.
const maxPicture = 4 << 10

func (r *reader) theme(v strictyaml.Value) Theme {
	needMap(v, `colours: {planned: "#1d4a86"}`)
	v.Only("colours", "fonts", "logo", "favicon")
	fonts := v.Get("fonts")
	needMap(fonts, "headings: Georgia, serif")
	fonts.Only("text", "headings")
	return Theme{
		Colours:  readColours(v.Get("colours")),
		Text:     readFonts(fonts.Get("text"), "Verdana, sans-serif"),
		Headings: readFonts(fonts.Get("headings"), "Georgia, serif"),
		Logo:     r.picture(v.Get("logo"), "logo.svg"),
		Favicon:  r.picture(v.Get("favicon"), "favicon.svg"),
	}
}

func readColours(v strictyaml.Value) map[string]Colour {
	needMap(v, `planned: "#1d4a86"`)
	v.Only(ColourNames...)
	colours := map[string]Colour{}
	for _, name := range ColourNames {
		if c, ok := readColour(v.Get(name)); ok {
			colours[name] = c
		}
	}
	return colours
}

var hexColour = regexp.MustCompile(`^#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})$`)

// readColour reads #rgb or #rrggbb. YAML takes a # after a space for the
// beginning of a comment, and so the value for none.
func readColour(v strictyaml.Value) (c Colour, ok bool) {
	const example = `"#1d4a86", with the quotes`
	text, ok := v.Text(example)
	if !ok {
		return c, false
	}
	if !hexColour.MatchString(text) {
		v.Errorf("%q is not a colour; write %s: %s", strictyaml.Clip(text), v.Key, example)
		return c, false
	}
	digits := text[1:]
	if len(digits) == 3 {
		digits = string([]byte{digits[0], digits[0], digits[1], digits[1], digits[2], digits[2]})
	}
	n, err := strconv.ParseUint(digits, 16, 24)
	return Colour{uint8(n >> 16), uint8(n >> 8), uint8(n)}, err == nil
}

var fontFamily = regexp.MustCompile(`^[\p{L}-][\p{L}\p{N} _.&+-]*$`)

// readFonts reads a list of font families as style sheets have it, separated by
// commas. Only fonts that readers have installed: a page fetches nothing.
func readFonts(v strictyaml.Value, example string) (families []string) {
	text, ok := v.Text(example)
	if !ok {
		return nil
	}
	for family := range strings.SplitSeq(text, ",") {
		family = strings.TrimSpace(family)
		if n := len(family); n > 1 && family[0] == family[n-1] && (family[0] == '"' || family[0] == '\'') {
			family = family[1 : n-1]
		}
		if !fontFamily.MatchString(family) || len(family) > 80 {
			v.Errorf("%q is not the name of a font; write the names with commas between them: %s", strictyaml.Clip(family), example)
			return nil
		}
		families = append(families, family)
	}
	return families
}

// picture reads a picture that lies beside the settings.
func (r *reader) picture(v strictyaml.Value, example string) *Picture {
	name, ok := v.Text(example)
	if !ok {
		return nil
	}
	if name == "" || strings.ContainsAny(name, `/\`) || strings.HasPrefix(name, ".") {
		v.Errorf("%q is not the name of a file beside %s; write %s: %s", strictyaml.Clip(name), File, v.Key, example)
		return nil
	}
	content, err := readFile(filepath.Join(r.dir, name))
	var failed *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		v.Errorf("there is no %s beside %s; put the file there, or delete the line", strictyaml.Clip(name), File)
		return nil
	case errors.As(err, &failed):
		v.Errorf("%s cannot be read: %v", strictyaml.Clip(name), failed.Err)
		return nil
	case err != nil:
		v.Errorf("%s cannot be read: %v", strictyaml.Clip(name), err)
		return nil
	case len(content) > maxPicture:
		v.Errorf("%s is larger than it may be (%d KiB), since it goes into every page; save it smaller, or as SVG", strictyaml.Clip(name), maxPicture>>10)
		return nil
	}
	kind := pictureType(content)
	if kind == "" {
		v.Errorf("%s is no picture that browsers show; save it as SVG, PNG, JPEG, WebP or GIF", strictyaml.Clip(name))
		return nil
	}
	return &Picture{Type: kind, Content: content}
}

// pictureType tells the media type by the content alone; empty where it is none
// that every browser shows.
func pictureType(content []byte) string {
	kind := http.DetectContentType(content)
	if slices.Contains([]string{"image/png", "image/jpeg", "image/webp", "image/gif", "image/x-icon"}, kind) {
		return kind
	}
	if isSVG(content) {
		return "image/svg+xml"
	}
	return ""
}

// isSVG tells whether the content is a whole SVG document.
func isSVG(content []byte) bool {
	d := xml.NewDecoder(strings.NewReader(string(content)))
	root := ""
	for {
		token, err := d.Token()
		if err == io.EOF {
			return root == "svg"
		}
		if err != nil {
			return false
		}
		if start, ok := token.(xml.StartElement); ok && root == "" {
			root = start.Name.Local
		}
	}
}
