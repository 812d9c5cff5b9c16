package subscribe

import (
	"bytes"
	"html/template"
	"io"
	"io/fs"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/backsoon/backsoon/internal/locale"
	"github.com/backsoon/backsoon/templates"
)

// page is what pages/subscription.html is made of: one of its states, which is
// named as its words are.
type page struct {
	State       string
	Shop        string
	Status      string // the status page's address
	Lang, Dir   string
	Address     string // whose choice it is
	Storefronts string // the names of those chosen; empty: all
	UntilReopen bool
	Leave       string // the link to leave by, once there is something to leave
}

// policy lets a page look like itself and post to us; nothing else.
const policy = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

// voice is the language that is asked for, else the one that suits the reader's
// browser best.
func (h *Handler) voice(r *http.Request, asked string) Voice {
	tags := make([]string, len(h.Voices))
	for i, v := range h.Voices {
		tags[i] = v.Tag
	}
	i := slices.Index(tags, asked)
	if i < 0 {
		i = slices.Index(tags, locale.Best(tags, strings.Join(r.Header.Values("Accept-Language"), ",")))
	}
	return h.Voices[i]
}

// answer writes a page in the language that the link names.
func (h *Handler) answer(w http.ResponseWriter, r *http.Request, status int, p page) {
	h.answerIn(w, h.voice(r, r.URL.Query().Get("lang")), status, p)
}

func (h *Handler) answerIn(w http.ResponseWriter, voice Voice, status int, p page) {
	header := w.Header()
	header.Set("Content-Language", voice.Tag)
	header.Set("Vary", "Accept-Language")
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Cache-Control", "no-store")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("X-Robots-Tag", "noindex")
	header.Set("Content-Security-Policy", policy)
	p.in(voice, h.Shop)
	text, err := h.made(voice, p)
	if err != nil {
		h.Log.Error("the page could not be made", "error", err)
		http.Error(w, voice.Text("leave.unmade"), http.StatusInternalServerError)
		return
	}
	w.WriteHeader(status)
	_, _ = w.Write(text) // an error is the browser's going away
}

// made is the page by the site's own template, or by the default one where that has
// a mistake: it must not keep anybody from leaving.
func (h *Handler) made(voice Voice, p page) ([]byte, error) {
	var text bytes.Buffer
	t, err := h.paper(voice)
	if err == nil {
		err = templates.Explain(t.Execute(&text, p))
	}
	if err == nil {
		return text.Bytes(), nil
	}
	h.Log.Error("the default form serves for a page, because the site's own has a mistake", "error", err)
	text.Reset()
	if t, err = load(templates.FS(""), voice); err == nil {
		err = t.Execute(&text, p)
	}
	return text.Bytes(), err
}

// paper is the template with a language's words, and when it was read.
type paper struct {
	*template.Template
	read time.Time
}

// fresh is how long a template serves before it is read again: a change of the
// theme shows soon, and no flood of requests reads it each time.
const fresh = 5 * time.Second

func (h *Handler) paper(voice Voice) (*template.Template, error) {
	now := h.Now()
	if kept, ok := h.papers.Load(voice.Tag); ok && now.Sub(kept.(paper).read).Abs() < fresh {
		return kept.(paper).Template, nil
	}
	t, err := load(h.Theme, voice)
	if err == nil {
		h.papers.Store(voice.Tag, paper{t, now})
	}
	return t, err
}

func load(theme fs.FS, voice Voice) (*template.Template, error) {
	const file = "pages/subscription.html"
	text, err := fs.ReadFile(theme, file)
	if err != nil {
		return nil, templates.Explain(err)
	}
	t, err := template.New(templates.Name(file)).Funcs(template.FuncMap{"t": voice.Text}).Parse(string(text))
	return t, templates.Explain(err)
}

// states are those of the page.
var states = []string{"unknown", "ask", "left", "broken", "failed", "asked", "invalid", "busy", "confirm", "confirmed", "expired"}

// Check tries the theme's page in each of its states. The error is the first
// mistake: a *templates.Mistake where it has a place.
func Check(theme fs.FS, shop string, voice Voice) error {
	t, err := load(theme, voice)
	if err != nil {
		return err
	}
	for _, state := range states {
		p := page{State: state, Address: "ada@example.org", Storefronts: shop, UntilReopen: true, Leave: voice.Status}
		p.in(voice, shop)
		if err := t.Execute(io.Discard, p); err != nil {
			return templates.Explain(err)
		}
	}
	return nil
}

func (p *page) in(voice Voice, shop string) {
	p.Shop, p.Status, p.Lang, p.Dir = shop, voice.Status, voice.Tag, voice.Dir
}

// chosen is a page that tells of a choice.
func (h *Handler) chosen(voice Voice, state string, c Choice) page {
	var names []string
	for _, s := range h.Storefronts {
		if slices.Contains(c.Storefronts, s.ID) {
			names = append(names, s.Name)
		}
	}
	return page{State: state, Address: c.Address, Storefronts: voice.List(names), UntilReopen: c.UntilReopen}
}
