// Package subscribe serves the pages by which customers manage their
// subscription: for now, leaving it. A page that is only looked at changes
// nothing, since mail scanners fetch every link.
package subscribe

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"html/template"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/backsoon/backsoon/internal/locale"
)

// maxForm is how much of a request's body is read.
const maxForm = 64 << 10

// Links makes and reads the links by which a subscriber leaves. A link carries
// the address and an HMAC over its purpose and the address, so that nobody can
// make one for somebody else, and none is looked up that we did not make.
type Links struct {
	Key    []byte
	Public *url.URL // where customers reach the listener, with a trailing slash; nil: nowhere
}

// Leave gives the link by which the address leaves, to a page in the language, or
// "" where customers can't reach us.
func (l Links) Leave(address, language string) string {
	if l.Public == nil {
		return ""
	}
	link := l.Public.JoinPath("unsubscribe", l.token(address))
	link.RawQuery = url.Values{"lang": {language}}.Encode()
	return link.String()
}

func (l Links) token(address string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(address)) + "." + base64.RawURLEncoding.EncodeToString(l.seal(address))
}

func (l Links) seal(address string) []byte {
	mac := hmac.New(sha256.New, l.Key)
	mac.Write([]byte("unsubscribe\x00" + address))
	return mac.Sum(nil)[:16]
}

// Address gives the address of a token, if it is one that we made.
func (l Links) Address(token string) (string, bool) {
	encoded, _, _ := strings.Cut(token, ".")
	address, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil {
		return "", false
	}
	return string(address), hmac.Equal([]byte(token), []byte(l.token(string(address))))
}

// Handler answers customers.
type Handler struct {
	Links   Links
	Theme   fs.FS
	Shop    string
	Voices  []Voice                                         // the first one for whom none is meant
	Remove  func(ctx context.Context, address string) error // forgets the address, known or not
	Proxies []netip.Prefix                                  // whose X-Forwarded-For counts
	Log     *slog.Logger
}

// Voice is one of the languages in which customers are answered.
type Voice struct {
	*locale.Language
	Status string // the status page's address
}

// ServeHTTP serves unsubscribe/TOKEN below the public address, whose path a
// proxy may have taken off: GET shows one button, POST leaves (RFC 8058). All
// else is 404.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := r.URL.Path
	if h.Links.Public != nil {
		if below, ok := strings.CutPrefix(path, h.Links.Public.Path); ok {
			path = "/" + below
		}
	}
	token, ok := strings.CutPrefix(path, "/unsubscribe/")
	address, ours := h.Links.Address(token)
	switch {
	case !ok:
		h.page(w, r, http.StatusNotFound, "unknown")
	case !ours:
		h.page(w, r, http.StatusNotFound, "broken")
	case r.Method == http.MethodGet || r.Method == http.MethodHead:
		h.page(w, r, http.StatusOK, "ask")
	case r.Method == http.MethodPost:
		h.leave(w, r, address)
	default:
		w.Header().Set("Allow", "GET, HEAD, POST")
		h.page(w, r, http.StatusMethodNotAllowed, "unknown")
	}
}

// leave takes the one-click POST of RFC 8058, urlencoded or multipart, and the
// button's. What the body says doesn't matter: the link says it all.
func (h *Handler) leave(w http.ResponseWriter, r *http.Request, address string) {
	_, _ = io.Copy(io.Discard, http.MaxBytesReader(w, r.Body, maxForm))
	if err := h.Remove(r.Context(), address); err != nil {
		h.Log.Error("a subscriber could not leave", "error", err)
		h.page(w, r, http.StatusInternalServerError, "failed")
		return
	}
	h.Log.Info("a subscriber left", "from", h.client(r))
	h.page(w, r, http.StatusOK, "left")
}

// client is where a request comes from: the last address of X-Forwarded-For
// that is not one of our own proxies.
func (h *Handler) client(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && h.trusted(host); i-- {
		next, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		host = next.Unmap().String()
	}
	return host
}

func (h *Handler) trusted(host string) bool {
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return false
	}
	for _, p := range h.Proxies {
		if p.Contains(addr.Unmap()) {
			return true
		}
	}
	return false
}

// voice is the language that the link names, else the one that suits the
// reader's browser best.
func (h *Handler) voice(r *http.Request) Voice {
	tags := make([]string, len(h.Voices))
	for i, v := range h.Voices {
		tags[i] = v.Tag
	}
	i := slices.Index(tags, r.URL.Query().Get("lang"))
	if i < 0 {
		i = slices.Index(tags, locale.Best(tags, strings.Join(r.Header.Values("Accept-Language"), ",")))
	}
	return h.Voices[i]
}

// page writes one of the states of pages/unsubscribe.html.
func (h *Handler) page(w http.ResponseWriter, r *http.Request, status int, state string) {
	voice, header := h.voice(r), w.Header()
	header.Set("Content-Language", voice.Tag)
	header.Set("Vary", "Accept-Language")
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Cache-Control", "no-store")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("X-Robots-Tag", "noindex")
	header.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
	t, err := template.New("unsubscribe.html").Funcs(template.FuncMap{"t": voice.Text}).ParseFS(h.Theme, "pages/unsubscribe.html")
	var page strings.Builder
	if err == nil {
		err = t.Execute(&page, map[string]string{"State": state, "Shop": h.Shop, "Status": voice.Status, "Lang": voice.Tag, "Dir": voice.Dir})
	}
	if err != nil {
		h.Log.Error("the page could not be made", "error", err)
		http.Error(w, voice.Text("leave.unmade"), http.StatusInternalServerError)
		return
	}
	w.WriteHeader(status)
	_, _ = w.Write([]byte(page.String()))
}
