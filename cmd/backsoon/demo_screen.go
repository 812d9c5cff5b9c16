package main

import (
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/backsoon/backsoon/internal/demo"
	"github.com/backsoon/backsoon/internal/ledger"
	"github.com/backsoon/backsoon/internal/notice"
	pages "github.com/backsoon/backsoon/internal/site"
)

// newScreen puts the demonstration's parts side by side.
func (d *demonstration) newScreen(shop *demo.Shop) *demo.Screen {
	return &demo.Screen{
		Name:    d.site.cfg.Shop.Name,
		At:      demo.Places{Screen: d.at.screen, Status: d.at.status, Shop: d.at.shop, Mailbox: d.at.mailbox},
		Notices: filepath.Join(d.site.dir, filepath.FromSlash(notice.Folder)),
		Index:   filepath.Join(d.site.public(), "index.html"),
		Shop:    shop,
		Mailbox: d.mailbox,
		Desk:    &desk{d.site},
	}
}

// screenLine is an audit entry as the screen shows it.
func (s *site) screenLine(e ledger.Entry) demo.Line {
	tone, _, _ := strings.Cut(e.Event, ".")
	switch e.Event {
	case ledger.StorefrontClosed:
		tone = "closed"
	case ledger.StorefrontOpened:
		tone = "open"
	case ledger.NoticeRefused, ledger.NoticeMissing, ledger.NoticeMissed, ledger.NoticeOverdue, ledger.WebhookDisabled, ledger.MailPaused, ledger.MailFailed:
		tone = "warning"
	}
	return demo.Line{Time: e.Time.In(s.cfg.Shop.Location), Tone: tone, Text: s.words(e)}
}

// statusPages serves public/, which is reached at its address; what a browser has
// kept is never shown unasked. In a pane of the screen, a link that leads
// elsewhere opens beside it.
func statusPages(public, address string) http.Handler {
	files := http.FileServer(http.Dir(public))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-cache")
		w.Header().Set("Vary", "Sec-Fetch-Dest")
		name := nameOf(r.URL.Path)
		if r.Header.Get("Sec-Fetch-Dest") == "iframe" && strings.HasSuffix(name, ".html") {
			if page, err := fs.ReadFile(os.DirFS(public), name); err == nil {
				w.Header().Set("Content-Type", pages.ContentType(name))
				_, _ = w.Write(besides(page, address)) // an error is the browser's going away
				return
			}
		}
		w.Header().Set("Content-Type", pages.ContentType(name))
		files.ServeHTTP(w, r)
	})
}

var link = regexp.MustCompile(`<(?:a|form) [^>]*?(?:href|action)="(https?://[^"]*)"`)

// besides makes a page's links to other addresses open beside it.
func besides(page []byte, address string) []byte {
	return link.ReplaceAllFunc(page, func(tag []byte) []byte {
		if strings.HasPrefix(string(link.FindSubmatch(tag)[1]), address) {
			return tag
		}
		return fmt.Appendf(nil, `%s target="_blank"`, tag)
	})
}
