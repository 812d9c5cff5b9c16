package config

import (
	"bytes"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/backsoon/backsoon/internal/strictyaml"
)

// inFolder parses settings in a folder that holds these files, and a folder.
func inFolder(t *testing.T, src string, files map[string]string) (*Config, strictyaml.Problems) {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "folder"), 0o755); err != nil {
		t.Fatal(err)
	}
	c, problems := Parse(dir, []byte(small+src), environment())
	inside(t, []byte(small+src), problems)
	return c, problems
}

func pngFile(t *testing.T) string {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 16, 16))); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestTheme(t *testing.T) {
	const svg = `<?xml version="1.0"?><!-- ours --><svg xmlns="http://www.w3.org/2000/svg"/>`
	c, problems := inFolder(t, `theme:
  colours: {planned: "#0a4", accent: "#ABCDEF"}
  fonts:
    text: Verdana, 'Noto Sans', sans-serif
    headings: "\"Iowan Old Style\", Georgia"
  logo: logo.png
  favicon: icon.svg
`, map[string]string{"logo.png": pngFile(t), "icon.svg": svg})
	if c == nil {
		t.Fatal(problems)
	}
	want := Theme{
		Colours:  map[string]Colour{"planned": {0x00, 0xaa, 0x44}, "accent": {0xab, 0xcd, 0xef}},
		Text:     []string{"Verdana", "Noto Sans", "sans-serif"},
		Headings: []string{"Iowan Old Style", "Georgia"},
		Logo:     &Picture{"image/png", []byte(pngFile(t))},
		Favicon:  &Picture{"image/svg+xml", []byte(svg)},
	}
	if !reflect.DeepEqual(c.Theme, want) {
		t.Errorf("got %+v, want %+v", c.Theme, want)
	}
	if text := c.Theme.Colours["accent"].String(); text != "#abcdef" {
		t.Errorf("a colour is written %s", text)
	}
}

func TestThemeProblems(t *testing.T) {
	for _, test := range []struct{ src, want string }{
		{"theme: dark\n", `8:8: theme: keys and values belong here`},
		{"theme:\n  color: {}\n", `9:3: "color" is not a key here; did you mean colours?`},
		{"theme:\n  colours: {opened: x}\n", `9:13: "opened" is not a key here; did you mean open?`},
		{"theme:\n  colours: {open: green}\n", `9:19: theme.colours.open: "green" is not a colour; write open: "#1d4a86", with the quotes`},
		{"theme:\n  colours: {open: \"#12345\"}\n", `9:19: theme.colours.open: "#12345" is not a colour`},
		{"theme:\n  colours:\n    open: #1d4a86\n", `theme.colours.open: is empty; write open: "#1d4a86", with the quotes`},
		{"theme:\n  fonts: Georgia\n", `9:10: theme.fonts: keys and values belong here`},
		{"theme:\n  fonts: {title: x}\n", `9:11: "title" is not a key here`},
		{"theme:\n  fonts: {text: \"x; } body { display: none\"}\n", `9:17: theme.fonts.text: "x; } body { display: none" is not the name of a font`},
		{"theme:\n  fonts: {text: \"Georgia,, serif\"}\n", `"" is not the name of a font`},
		{"theme:\n  logo: ../secret.png\n", `9:9: theme.logo: "../secret.png" is not the name of a file beside backsoon.yaml; write logo: logo.svg`},
		{"theme:\n  logo: .env\n", `9:9: theme.logo: ".env" is not the name of a file`},
		{"theme:\n  logo: none.png\n", `9:9: theme.logo: there is no none.png beside backsoon.yaml`},
		{"theme:\n  logo: large.png\n", `9:9: theme.logo: large.png is larger than it may be (4 KiB)`},
		{"theme:\n  favicon: page.svg\n", `9:12: theme.favicon: page.svg is no picture that browsers show`},
		{"theme:\n  favicon: cut.svg\n", `9:12: theme.favicon: cut.svg is no picture`},
		{"theme:\n  favicon: folder\n", `9:12: theme.favicon: folder cannot be read: is a directory`},
	} {
		files := map[string]string{"large.png": pngFile(t) + strings.Repeat("x", 5000), "page.svg": "<html></html>", "cut.svg": "<svg><g>"}
		c, problems := inFolder(t, test.src, files)
		if c != nil || !strings.Contains(problems.Error(), test.want) {
			t.Errorf("%s got  %v\nwant %s", test.src, problems, test.want)
		}
	}
}
