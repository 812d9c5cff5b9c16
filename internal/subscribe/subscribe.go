// Package subscribe serves the pages by which customers manage their
// subscription: asking for mail, confirming that, and leaving. A page that is
// only looked at changes nothing, since mail scanners fetch every link; and no
// answer tells whether an address is known.
package subscribe

import (
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/backsoon/backsoon/internal/address"
	"github.com/backsoon/backsoon/internal/locale"
)

// maxForm is how much of a request's body is read, in bytes.
const maxForm = 16 << 10

// Valid is how long a link to confirm with is good for.
const Valid = 48 * time.Hour

// Trap is the field of the form that people neither see nor fill in.
const Trap = "remark"

// Handler answers customers. All fields are set before the first request.
type Handler struct {
	Links       Links
	Theme       fs.FS
	Shop        string
	Storefronts []Storefront // among which customers choose
	Voices      []Voice      // the first one for whom none is meant
	Limits      *Limits
	Proxies     []netip.Prefix // whose X-Forwarded-For counts
	Now         func() time.Time
	Log         *slog.Logger

	Ask     func(Choice) bool                                        // puts a request aside, unless there is no room; nil: there is no mail to ask for
	Confirm func(ctx context.Context, c Choice) (done bool, e error) // not done: nobody has asked for it, or no longer
	Remove  func(ctx context.Context, address string) error          // forgets the address, known or not

	papers sync.Map     // by language: paper
	warned atomic.Int64 // the minute of the last warning
}

// Storefront is one that customers can choose.
type Storefront struct{ ID, Name string }

// Voice is one of the languages in which customers are answered.
type Voice struct {
	*locale.Language
	Status string // the status page's address
}

// ServeHTTP serves what is below the public address, whose path a proxy may have
// taken off: POST subscribe asks for mail; of confirm/TOKEN and
// unsubscribe/TOKEN, GET shows one button, and POST acts. All else is 404.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := r.URL.Path
	if h.Links.Public != nil {
		if below, ok := strings.CutPrefix(path, h.Links.Public.Path); ok {
			path = "/" + below
		}
	}
	what, token, hasToken := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	switch {
	case what == "unsubscribe" && hasToken:
		h.unsubscribe(w, r, token)
	case what == "confirm" && hasToken && h.Ask != nil:
		h.confirm(w, r, token)
	case what == "subscribe" && !hasToken && h.Ask != nil:
		h.subscribe(w, r)
	default:
		h.answer(w, r, http.StatusNotFound, page{State: "unknown"})
	}
}

// subscribe takes the form of the status page. What it answers depends on what
// was sent alone, never on what is known of the address.
func (h *Handler) subscribe(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodPost:
	case http.MethodGet, http.MethodHead: // of an address that was kept
		w.Header().Set("Cache-Control", "no-store")
		http.Redirect(w, r, h.voice(r, "").Status+"#follow", http.StatusSeeOther)
		return
	default:
		h.refuse(w, r, "POST")
		return
	}
	if err := readForm(w, r); err != nil {
		h.answer(w, r, status(err), page{State: "invalid"})
		return
	}
	voice := h.voice(r, r.PostForm.Get("language"))
	choice, ok := h.choice(r, voice)
	switch {
	case r.PostForm.Get(Trap) != "": // no person: answered as if it were one
		h.answerIn(w, voice, http.StatusOK, page{State: "asked"})
	case !ok:
		h.answerIn(w, voice, http.StatusUnprocessableEntity, page{State: "invalid"})
	default:
		h.putAside(w, r, voice, choice)
	}
}

// readForm takes a form sent in either way that HTML knows: a theme's own may be
// multipart.
func readForm(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return err
	}
	if err := r.ParseMultipartForm(maxForm); !errors.Is(err, http.ErrNotMultipart) {
		return err
	}
	return nil
}

func status(err error) int {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return http.StatusRequestEntityTooLarge
	}
	return http.StatusBadRequest
}

// choice reads the form; not ok: no mail can be sent to what stands for the
// address.
func (h *Handler) choice(r *http.Request, voice Voice) (c Choice, ok bool) {
	c = Choice{Language: voice.Tag, UntilReopen: r.PostForm.Get("until_reopen") != ""}
	c.Storefronts = h.existing(r.PostForm["storefronts"])
	var err error
	c.Address, err = address.Read(strings.TrimSpace(r.PostForm.Get("address")))
	return c, err == nil
}

// existing leaves out storefronts that there aren't, or no longer. All of them, or
// none, stand for all that there will ever be: nil.
func (h *Handler) existing(ids []string) (chosen []string) {
	for _, s := range h.Storefronts {
		if slices.Contains(ids, s.ID) {
			chosen = append(chosen, s.ID)
		}
	}
	if len(chosen) == len(h.Storefronts) {
		return nil
	}
	return chosen
}

// putAside leaves the request to whoever writes it down. That a mailbox has had
// enough is not told: whose it is need not be who asks.
func (h *Handler) putAside(w http.ResponseWriter, r *http.Request, voice Voice, c Choice) {
	switch {
	case !h.allow(r):
		w.Header().Set("Retry-After", "3600")
		h.answerIn(w, voice, http.StatusTooManyRequests, page{State: "busy"})
	case h.Limits.AllowMailbox(c.Address, h.Now()) && !h.Ask(c):
		w.Header().Set("Retry-After", "60")
		h.answerIn(w, voice, http.StatusServiceUnavailable, page{State: "busy"})
	default:
		h.answerIn(w, voice, http.StatusOK, page{State: "asked"})
	}
}

// confirm shows what a link confirms, and confirms it, or has a new one sent
// where it has expired.
func (h *Handler) confirm(w http.ResponseWriter, r *http.Request, token string) {
	c, expires, ours := h.Links.Choice(token)
	c.Storefronts = h.existing(c.Storefronts)
	voice := h.voice(r, cmp.Or(r.URL.Query().Get("lang"), c.Language))
	switch {
	case !ours:
		h.answer(w, r, http.StatusNotFound, page{State: "broken"})
	case looks(r) && h.Now().Before(expires):
		h.answerIn(w, voice, http.StatusOK, h.chosen(voice, "confirm", c))
	case looks(r):
		h.answerIn(w, voice, http.StatusGone, page{State: "expired"})
	case r.Method != http.MethodPost:
		h.refuse(w, r, "GET, HEAD, POST")
	default:
		h.act(w, r, voice, c, h.Now().Before(expires))
	}
}

// act does what the button of a confirmation's page asks for.
func (h *Handler) act(w http.ResponseWriter, r *http.Request, voice Voice, c Choice, valid bool) {
	if err := readForm(w, r); err == nil && r.PostForm.Get("again") != "" {
		h.putAside(w, r, voice, c)
		return
	}
	done := false
	if valid {
		var err error
		if done, err = h.Confirm(r.Context(), c); err != nil {
			h.Log.Error("a subscriber could not confirm", "error", err)
			h.answerIn(w, voice, http.StatusInternalServerError, page{State: "failed"})
			return
		}
	}
	if !done {
		h.answerIn(w, voice, http.StatusGone, page{State: "expired"})
		return
	}
	p := h.chosen(voice, "confirmed", c)
	p.Leave = h.Links.Leave(c.Address, voice.Tag)
	h.answerIn(w, voice, http.StatusOK, p)
}

func (h *Handler) unsubscribe(w http.ResponseWriter, r *http.Request, token string) {
	address, ours := h.Links.Address(token)
	switch {
	case !ours:
		h.answer(w, r, http.StatusNotFound, page{State: "broken"})
	case looks(r):
		h.answer(w, r, http.StatusOK, page{State: "ask"})
	case r.Method != http.MethodPost:
		h.refuse(w, r, "GET, HEAD, POST")
	default:
		h.leave(w, r, address)
	}
}

// leave takes the one-click POST of RFC 8058, urlencoded or multipart, and the
// button's. What the body says doesn't matter: the link says it all.
func (h *Handler) leave(w http.ResponseWriter, r *http.Request, address string) {
	_, _ = io.Copy(io.Discard, http.MaxBytesReader(w, r.Body, maxForm))
	if err := h.Remove(r.Context(), address); err != nil {
		h.Log.Error("a subscriber could not leave", "error", err)
		h.answer(w, r, http.StatusInternalServerError, page{State: "failed"})
		return
	}
	h.Log.Info("a subscriber left", "from", h.client(r))
	h.answer(w, r, http.StatusOK, page{State: "left"})
}

// looks tells whether a request only looks.
func looks(r *http.Request) bool { return r.Method == http.MethodGet || r.Method == http.MethodHead }

func (h *Handler) refuse(w http.ResponseWriter, r *http.Request, allowed string) {
	w.Header().Set("Allow", allowed)
	h.answer(w, r, http.StatusMethodNotAllowed, page{State: "unknown"})
}
