package site

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/tdewolff/minify/v2"
	"github.com/tdewolff/minify/v2/css"
	"github.com/tdewolff/minify/v2/js"
	source "github.com/tdewolff/parse/v2"

	"github.com/backsoon/backsoon/internal/notice"
	"github.com/backsoon/backsoon/internal/schedule"
	"github.com/backsoon/backsoon/templates"
)

// bannerLanguage is what banner.js shows on the shop's own pages, in words, so that
// a script from yesterday shows the state of today.
type bannerLanguage struct {
	Lang        string                      `json:"lang"`
	Dir         string                      `json:"dir"`
	Label       string                      `json:"label"` // of the region
	More        string                      `json:"more"`  // of the link
	Dismiss     string                      `json:"dismiss"`
	First       string                      `json:"first"` // the storefront that counts where none is named
	Storefronts map[string]bannerStorefront `json:"storefronts"`
}

// bannerStorefront is how one storefront stands. Without an answer there is
// nothing to show, and without a reason the checkout stays on.
type bannerStorefront struct {
	Key    string `json:"key"` // differs for whatever a reader should see even who has dismissed the last one
	Tone   string `json:"tone,omitempty"`
	Answer string `json:"answer,omitempty"`
	Title  string `json:"title,omitempty"`
	URL    string `json:"url,omitempty"`
	Why    string `json:"why,omitempty"` // why the checkout is off
}

// banner puts banner.js into the edition, and banner.data.js, which it asks: for all
// languages at once, as whoever embeds it need not know which there are. That is a
// script since a page may have any, while the web server has to allow it to read
// anything else.
func (b *builder) banner(languages []*builder) error {
	theme := b.site.theme
	b.keep("banner.js", 1, func(out *bytes.Buffer) error {
		script, err := bannerScript(theme)
		out.Write(script)
		return err
	})
	var all []bannerLanguage // the site's first language first
	for _, l := range languages {
		all = append(all, l.bannerLanguage())
	}
	var detail bytes.Buffer
	err := encode(&detail, all)
	content := fmt.Sprintf("dispatchEvent(new CustomEvent(%q,{detail:%s}))\n", "backsoon", ascii(bytes.TrimSpace(detail.Bytes())))
	b.keep("banner.data.js", b.site.key(content), exactly([]byte(content)))
	return err
}

// ascii is JSON in ASCII alone: a browser takes a script to be in the encoding of
// the page that asks for it, which need not be UTF-8.
func ascii(json []byte) string {
	var b strings.Builder
	for _, r := range string(json) {
		if r < utf8.RuneSelf {
			b.WriteRune(r)
			continue
		}
		for _, unit := range utf16.AppendRune(nil, r) {
			fmt.Fprintf(&b, `\u%04x`, unit)
		}
	}
	return b.String()
}

func (b *builder) bannerLanguage() bannerLanguage {
	l := bannerLanguage{
		Lang: b.voice.Tag, Dir: b.voice.Dir, Label: b.voice.Text("banner.label", "Shop", b.site.cfg.Shop.Name),
		More: b.voice.Text("banner.more"), Dismiss: b.voice.Text("banner.dismiss"),
		First: b.states[0].Storefront, Storefronts: map[string]bannerStorefront{},
	}
	for _, s := range b.states {
		l.Storefronts[s.Storefront] = b.bannerStorefront(s)
	}
	return l
}

func (b *builder) bannerStorefront(s schedule.State) bannerStorefront {
	f := b.all.lead(s.Lead)
	if s.State == schedule.Open {
		f = b.worthABanner(s.Storefront)
	}
	if f == nil {
		return bannerStorefront{Key: s.Storefront + " " + s.State}
	}
	a, until := b.noticeAnswer(f), f.n.Until().Time
	front := bannerStorefront{Title: f.n.Title, URL: b.closureURL(f.n.Slug).String()}
	if s.State != schedule.Open {
		a, until = b.storefrontAnswer(s, b.all), s.Until
		front.Why = b.voice.Text("banner.why", "Answer", a.String())
	}
	front.Tone, front.Answer = a.Tone, a.String()
	front.Key = strings.Join([]string{
		s.Storefront, f.n.Slug, string(f.basis.phase), f.n.Closes.UTC().Format(time.RFC3339), until.UTC().Format(time.RFC3339),
	}, " ")
	return front
}

// worthABanner is what an open storefront's customers should know: the nearest
// closure ahead, else a notice in force that leaves the checkout alone; nil: nothing.
func (b *builder) worthABanner(storefront string) *face {
	for _, f := range b.all.coming {
		if f.basis.phase == notice.Scheduled && !f.n.CheckoutOn && f.n.Covers(storefront) {
			return f
		}
	}
	for _, f := range b.all.ongoing {
		if f.n.CheckoutOn && f.n.Covers(storefront) {
			return f
		}
	}
	return nil
}

// bannerScript makes banner.js of the theme's banner.js and banner.css, both made
// small: every page of the shop loads it.
func bannerScript(theme fs.FS) ([]byte, error) {
	style, err := small(theme, "banner.css", &css.Minifier{}, nil)
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	if err := encode(&text, string(style)); err != nil {
		return nil, err
	}
	return small(theme, "banner.js", &js.Minifier{}, func(script []byte) []byte {
		return bytes.ReplaceAll(script, []byte(`"banner.css"`), bytes.TrimSpace(text.Bytes()))
	})
}

// small reads a file of the theme, changes it where change is given, and leaves
// out of it what only people need.
func small(theme fs.FS, name string, by minify.Minifier, change func([]byte) []byte) ([]byte, error) {
	content, err := fs.ReadFile(theme, "pages/"+name)
	if err != nil {
		return nil, templates.Explain(err)
	}
	if change != nil {
		content = change(content)
	}
	var out bytes.Buffer
	err = by.Minify(minify.New(), &out, bytes.NewReader(content), nil)
	var mistake *source.Error
	if errors.As(err, &mistake) {
		return nil, &templates.Mistake{File: templateName(name), Line: mistake.Line, Column: mistake.Column, Text: mistake.Message}
	}
	return out.Bytes(), err
}
