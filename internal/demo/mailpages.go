package demo

import (
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// What a mail's HTML may do: look like itself. It loads nothing and runs
// nothing; its links open beside the mailbox. The mailbox's own pages may show it,
// and look for more.
const (
	mailPolicy = "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"
	pagePolicy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'self'; connect-src 'self'; img-src data:; frame-src 'self'"
)

// Handler shows the mails: the list at /, one at /mail/N, its HTML alone at
// /mail/N/html, and how it came at /mail/N/source.
func (m *Mailbox) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", m.showList)
	mux.HandleFunc("GET /mailbox.js", asset)
	mux.HandleFunc("GET /mail/{number}", m.showing(showMail))
	mux.HandleFunc("GET /mail/{number}/html", m.showing(showHTML))
	mux.HandleFunc("GET /mail/{number}/source", m.showing(showSource))
	return mux
}

func (m *Mailbox) showList(w http.ResponseWriter, r *http.Request) {
	mails := m.Mails()
	slices.Reverse(mails)
	w.Header().Set("Content-Security-Policy", pagePolicy)
	render(w, http.StatusOK, "mailbox.html", mails)
}

func (m *Mailbox) showing(show func(http.ResponseWriter, Mail)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		number, err := strconv.Atoi(r.PathValue("number"))
		mail, ok := m.mail(number)
		if err != nil || !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("X-Content-Type-Options", "nosniff")
		show(w, mail)
	}
}

func showMail(w http.ResponseWriter, mail Mail) {
	w.Header().Set("Content-Security-Policy", pagePolicy)
	render(w, http.StatusOK, "mail.html", mail)
}

func showHTML(w http.ResponseWriter, mail Mail) {
	w.Header().Set("Content-Security-Policy", mailPolicy)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	io.WriteString(w, strings.Replace(mail.HTML, "<head>", `<head><base target="_blank">`, 1))
}

func showSource(w http.ResponseWriter, mail Mail) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	io.WriteString(w, mail.Source)
}
