package site

import (
	"encoding/base64"
	"html/template"
	"io"
	"io/fs"
	"path"
	"strings"
	"sync"

	"github.com/tdewolff/minify/v2/css"
	"github.com/tdewolff/minify/v2/js"

	"github.com/backsoon/backsoon/internal/config"
	"github.com/backsoon/backsoon/internal/locale"
	"github.com/backsoon/backsoon/templates"
)

// theme is the parsed templates of a site in one language. Every page is
// layout.html with the blocks "title" and "main" of its own file; parts.html is
// what pages share.
type theme struct {
	style  template.CSS
	script template.JS
	brand  brand
	parts  *template.Template
	pages  map[string]*template.Template
	kept   sync.Map // what kept rendered, by keptPart
}

// keptPart is what a part that is kept depends on.
type keptPart struct {
	name, root string
	channel    channelLink
}

// shared are the files that every page is made with, and the badge, which is none.
var shared = []string{"layout.html", "parts.html", "badge.svg"}

// pageFiles are the pages, each with its own file.
var pageFiles = []string{"index.html", "closure.html", "history.html", "year.html", "404.html"}

// loadTheme parses the templates. In them {{t "message.id"}} is a message in the
// language of words, and {{t "message.id" "Name" .Value}} one with a value in it;
// {{kept "part" .}} is a part as rendered before for a page that lies as deep.
func loadTheme(files fs.FS, settings config.Theme, words *locale.Language) (*theme, error) {
	style, err := small(files, "style.css", &css.Minifier{}, nil)
	if err != nil {
		return nil, err
	}
	script, err := small(files, "live.js", &js.Minifier{}, nil)
	if err != nil {
		return nil, err
	}
	t := &theme{
		style: template.CSS(style) + template.CSS(overrides(settings)), script: template.JS(script), brand: newBrand(settings),
		pages: map[string]*template.Template{},
	}
	base := template.New("").Funcs(template.FuncMap{"t": words.Text, "kept": t.keep})
	if err := parse(base, files, shared...); err != nil {
		return nil, err
	}
	t.parts = template.Must(base.Clone())
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
			return templates.Explain(err)
		}
		if _, err := set.New(templateName(name)).Parse(string(text)); err != nil {
			return templates.Explain(err)
		}
	}
	return nil
}

// render writes one page of the theme.
func (t *theme) render(out io.Writer, page string, data any) error {
	return templates.Explain(t.pages[page].ExecuteTemplate(out, templateName("layout.html"), data))
}

// part writes one block of parts.html.
func (t *theme) part(out io.Writer, name string, data any) error {
	return templates.Explain(t.parts.ExecuteTemplate(out, name, data))
}

// keep gives a part of a page as it was rendered before: thousands of pages differ
// in nothing else than what is between such parts.
func (t *theme) keep(name string, p Page) (template.HTML, error) {
	key := keptPart{name, p.Root, p.Channel}
	if part, ok := t.kept.Load(key); ok {
		return part.(template.HTML), nil
	}
	var content strings.Builder
	if err := t.part(&content, name, p); err != nil {
		return "", err
	}
	part := template.HTML(content.String())
	t.kept.Store(key, part)
	return part, nil
}

// templateName is where a theme's file lies in a site.
func templateName(file string) string { return templates.Name("pages/" + file) }

// brand is the pictures that stand for the shop.
type brand struct {
	favicon, logo template.URL // data: URLs, since a page fetches nothing; no logo: empty
	picture       string       // the logo's path in public/, for link previews; empty: it has none
}

// signIcon is the favicon of a site that has none of its own: a sign on its string.
const signIcon = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><path d="M2.5 7L8 1.5 13.5 7" fill="none" stroke="#888"/><rect y="6.5" width="16" height="9" rx="2" fill="#1d4a86"/><path d="M4.5 11h7" stroke="#fff" stroke-width="2"/></svg>`

func newBrand(t config.Theme) brand {
	b := brand{favicon: dataURL("image/svg+xml", []byte(signIcon))}
	if t.Favicon != nil {
		b.favicon = dataURL(t.Favicon.Type, t.Favicon.Content)
	}
	if t.Logo != nil {
		b.logo = dataURL(t.Logo.Type, t.Logo.Content)
		b.picture = logoFiles[t.Logo.Type]
	}
	return b
}

// logoFiles are where the logo lies, for the kinds of pictures that link previews
// show. SVG is none of them.
var logoFiles = map[string]string{"image/png": "logo.png", "image/jpeg": "logo.jpg", "image/webp": "logo.webp", "image/gif": "logo.gif"}

// dataURL is a file as an address of its own: RFC 2397.
func dataURL(kind string, content []byte) template.URL {
	return template.URL("data:" + kind + ";base64," + base64.StdEncoding.EncodeToString(content))
}
