package demo

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/backsoon/backsoon/internal/notice"
)

// glance is how often the screen looks for changes while somebody watches.
const glance = 100 * time.Millisecond

// maxForm is the most bytes of a form: a notice of the greatest size, escaped.
const maxForm = 1 << 20

// Handler serves the screen: the page at /, what changes as server-sent events at
// /events, and what its forms post. It answers its own page alone: a page from
// elsewhere can neither post to it nor pass for it.
func (s *Screen) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.show)
	mux.HandleFunc("GET /screen.css", asset)
	mux.HandleFunc("GET /screen.js", asset)
	mux.HandleFunc("GET /events", s.events)
	mux.HandleFunc("POST /notices/{slug}", s.save)
	mux.HandleFunc("POST /new", s.running("new"))
	mux.HandleFunc("POST /close", s.running("close"))
	mux.HandleFunc("POST /reopen", s.running("reopen"))
	return s.guard(http.NewCrossOriginProtection().Handler(mux))
}

// guard refuses whoever reached this address under another name (a page may
// have its own name lead here), and tells browsers what the page may do.
func (s *Screen) guard(h http.Handler) http.Handler {
	own := strings.TrimSuffix(strings.TrimPrefix(s.At.Screen, "http://"), "/")
	policy := fmt.Sprintf("default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; form-action 'self'; "+
		"frame-src %s %s %s; base-uri 'none'; frame-ancestors 'none'", s.At.Status, s.At.Shop, s.At.Mailbox)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Host != own {
			http.Error(w, "the demo is at "+s.At.Screen, http.StatusMisdirectedRequest)
			return
		}
		w.Header().Set("Content-Security-Policy", policy)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Referrer-Policy", "same-origin")
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		h.ServeHTTP(w, r)
	})
}

func asset(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-cache")
	http.ServeFileFS(w, r, pageFiles, "pages"+r.URL.Path)
}

// view is what the page's template sees.
type view struct {
	*Screen
	Marks    map[string]string
	Front    page // the shop as a customer sees it
	Notices  []Notice
	Chosen   *Notice  // nil: there is none
	Version  string   // of Chosen's file
	Unsaved  bool     // Chosen's text is not what the file holds
	Command  *Command // the last one; nil: none yet
	Mails    []Mail   // the newest first
	Received int      // how many mails there have been
	Lines    []numberedLine
}

// look takes everything in. The marks come first: what changes meanwhile is
// shown by another look.
func (s *Screen) look(r *http.Request, chosen string) (*view, error) {
	v := &view{Screen: s, Marks: s.marks(), Front: s.Shop.page(r), Mails: s.Mailbox.Mails(), Received: s.Mailbox.count(), Lines: s.lines()}
	slices.Reverse(v.Mails)
	v.Mails = v.Mails[:min(len(v.Mails), most)]
	s.mu.Lock()
	v.Command = s.command
	s.mu.Unlock()
	var err error
	if v.Notices, err = s.Desk.Notices(r.Context()); err != nil || len(v.Notices) == 0 {
		return v, err
	}
	v.Chosen = &v.Notices[max(0, find(v.Notices, chosen))]
	v.Version = v.Chosen.Version()
	return v, nil
}

// InForce are the notices that can be ended now.
func (v *view) InForce() (notices []Notice) {
	for _, n := range v.Notices {
		if n.InForce {
			notices = append(notices, n)
		}
	}
	return notices
}

// Until says when the shop opens again; empty: it is open.
func (v *view) Until() string {
	switch until := v.Front.State.Until; {
	case !v.Front.Closed():
		return ""
	case until == nil:
		return "further notice"
	default:
		return until.In(v.Shop.Location).Format("Mon 2 January, 15:04")
	}
}

func find(notices []Notice, slug string) int {
	return slices.IndexFunc(notices, func(n Notice) bool { return n.Slug == slug })
}

func (s *Screen) show(w http.ResponseWriter, r *http.Request) {
	v, err := s.look(r, r.FormValue("notice"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	render(w, http.StatusOK, "screen.html", v)
}

// events sends the marks whenever one has changed, for ever. A browser that was
// away has missed nothing: it holds them against what it shows.
func (s *Screen) events(w http.ResponseWriter, r *http.Request) {
	answer := http.NewResponseController(w)
	_ = answer.SetReadDeadline(time.Time{})  // the server's are for what comes
	_ = answer.SetWriteDeadline(time.Time{}) // to an end
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	ticks := time.NewTicker(glance)
	defer ticks.Stop()
	var sent map[string]string
	for {
		if marks := s.marks(); !maps.Equal(marks, sent) {
			text, _ := json.Marshal(marks) // strings can always be written
			fmt.Fprintf(w, "retry: 500\ndata: %s\n\n", text)
			if answer.Flush() != nil {
				return
			}
			sent = marks
		}
		select {
		case <-r.Context().Done():
			return
		case <-ticks.C:
		}
	}
}

// save writes what the form holds into the notice's file, mistakes and all, as an
// editor does: the watcher judges it. A text that was begun on another version of
// the file comes back, since it would undo what was written meanwhile.
func (s *Screen) save(w http.ResponseWriter, r *http.Request) {
	slug := r.PathValue("slug")
	if !notice.ValidSlug(slug) {
		http.NotFound(w, r)
		return
	}
	if err := r.ParseForm(); err != nil {
		http.Error(w, "a notice has at most 256 KiB; shorten the text", http.StatusRequestEntityTooLarge)
		return
	}
	v, err := s.look(r, slug)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	before := ""
	if i := find(v.Notices, slug); i >= 0 {
		before = v.Notices[i].Text
		if v.Notices[i].Version() != r.PostForm.Get("version") {
			v.Chosen.Text, v.Unsaved = edited(r.PostForm.Get("text"), before), true
			render(w, http.StatusConflict, "screen.html", v)
			return
		}
	}
	if err := s.Desk.Save(slug, edited(r.PostForm.Get("text"), before)); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	s.remember(nil)
	showNotice(w, r, slug)
}

// running runs the command with the form's argument.
func (s *Screen) running(command string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		done := s.Desk.Run(r.Context(), command, r.PostFormValue("of"))
		s.remember(&done)
		if done.Slug == "" {
			done.Slug = r.PostFormValue("notice")
		}
		showNotice(w, r, done.Slug)
	}
}

func (s *Screen) remember(c *Command) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.command = c
}

func showNotice(w http.ResponseWriter, r *http.Request, slug string) {
	http.Redirect(w, r, "/?"+url.Values{"notice": {slug}}.Encode(), http.StatusSeeOther)
}
