package site

import (
	"bytes"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"path"
	"strings"

	"github.com/backsoon/backsoon/internal/locale"
)

// theme is the parsed templates of a site in one language. Every page is
// layout.html with the blocks "title" and "main" of its own file; parts.html is
// what pages share.
type theme struct {
	style template.CSS
	parts *template.Template
	pages map[string]*template.Template
}

// shared are the files that every page is made with, and the badge, which is none.
var shared = []string{"layout.html", "parts.html", "badge.svg"}

// pageFiles are the pages, each with its own file.
var pageFiles = []string{"index.html", "closure.html", "history.html", "year.html", "404.html"}

// loadTheme parses the templates. In them {{t "message.id"}} is a message in the
// language of words, and {{t "message.id" "Name" .Value}} one with a value in it.
func loadTheme(files fs.FS, words *locale.Language) (*theme, error) {
	style, err := fs.ReadFile(files, "pages/style.css")
	if err != nil {
		return nil, themeError(err)
	}
	base := template.New("").Funcs(template.FuncMap{"t": words.Text})
	if err := parse(base, files, shared...); err != nil {
		return nil, err
	}
	t := &theme{style: squeeze(style), parts: template.Must(base.Clone()), pages: map[string]*template.Template{}}
	for _, name := range pageFiles {
		page := template.Must(base.Clone())
		if err := parse(page, files, name); err != nil {
			return nil, err
		}
		t.pages[name] = page
	}
	return t, nil
}

// parse adds the named files to set, each under the name its errors give.
func parse(set *template.Template, files fs.FS, names ...string) error {
	for _, name := range names {
		text, err := fs.ReadFile(files, path.Join("pages", name))
		if err != nil {
			return themeError(err)
		}
		if _, err := set.New(templateName(name)).Parse(string(text)); err != nil {
			return themeError(err)
		}
	}
	return nil
}

// render makes one page of the theme.
func (t *theme) render(page string, data any) ([]byte, error) {
	var out bytes.Buffer
	out.Grow(len(t.style) + 8<<10)
	if err := t.pages[page].ExecuteTemplate(&out, templateName("layout.html"), data); err != nil {
		return nil, themeError(err)
	}
	return bytes.Clone(out.Bytes()), nil // without the room to spare: there may be many
}

// part makes one block of parts.html.
func (t *theme) part(name string, data any) ([]byte, error) {
	var out bytes.Buffer
	if err := t.parts.ExecuteTemplate(&out, name, data); err != nil {
		return nil, themeError(err)
	}
	return out.Bytes(), nil
}

// templateName is where a theme's file lies in a site.
func templateName(file string) string { return "templates/pages/" + file }

// themeError brings an error of the template packages to the form
// templates/pages/index.html:3: what is wrong.
func themeError(err error) error {
	var missing *fs.PathError
	if errors.As(err, &missing) {
		return fmt.Errorf("%s: %w", path.Join("templates", missing.Path), missing.Err)
	}
	text := strings.TrimPrefix(err.Error(), "html/template:")
	return errors.New(strings.TrimPrefix(text, "template: "))
}

// squeeze leaves a style sheet's indentation out: it goes into every page.
func squeeze(css []byte) template.CSS {
	return template.CSS(strings.Join(strings.Fields(string(css)), " "))
}
