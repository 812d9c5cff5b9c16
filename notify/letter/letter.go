// Package letter is what a mail says: subject, text and HTML of one of the
// eight kinds of letter, made of a notice in one language. It knows nothing of recipients or of
// sending.
package letter

import (
	"bytes"
	"errors"
	"fmt"
	htmltemplate "html/template"
	"io/fs"
	"regexp"
	"strings"
	texttemplate "text/template"
	"time"

	"github.com/backsoon/backsoon/internal/config"
	"github.com/backsoon/backsoon/internal/locale"
	"github.com/backsoon/backsoon/internal/notice"
	"github.com/backsoon/backsoon/templates"
)

// Kind is the occasion of a letter.
type Kind string

// The eight kinds, and all of them.
const (
	Announced Kind = "announced" // a closure ahead
	Changed   Kind = "changed"   // its times or storefronts
	Reminder  Kind = "reminder"
	ClosedNow Kind = "closed"
	Update    Kind = "update"
	Delayed   Kind = "delayed" // the planned end has passed, and it is still closed
	Reopened  Kind = "reopened"
	Cancelled Kind = "cancelled"
)

var kinds = []Kind{Announced, Changed, Reminder, ClosedNow, Update, Delayed, Reopened, Cancelled}

// Facts is what a letter is about.
type Facts struct {
	Kind        Kind
	Notice      *notice.Notice
	Update      time.Time // which update, for the kind Update
	Storefronts []string  // ids of those affected, for Reopened of those that opened; empty: all
	Spared      []string  // ids of those that were affected and are no longer
	Now         time.Time
}

// Letter is a mail's words. Text and HTML hold Unsubscribe where each
// recipient's leave link goes.
type Letter struct{ Subject, Text, HTML string }

// Unsubscribe stands in a letter for the recipient's leave link.
const Unsubscribe = "LINK-TO-LEAVE-THIS-LIST"

// maxHTML keeps a letter small enough to be shown whole by every mailbox.
const maxHTML = 30 << 10

// Compose writes a letter in a language by the theme's mail/letter.txt and
// mail/letter.html, with the notice's translation where it has one. Times are the
// shop's, with the zone beside them. A letter that would be more
// than 30 KB of HTML has excerpts in the place of long texts and the beginnings
// of long lists, and the link to the status page. It fails on a template that
// does not work or is too large itself, an unknown kind, and an update that the
// notice does not have.
func Compose(theme fs.FS, cfg *config.Config, language *locale.Language, f Facts) (Letter, error) {
	f.Notice = f.Notice.In(language.Tag)
	paper, err := load(theme, "mail/letter", language)
	if err != nil {
		return Letter{}, fmt.Errorf("letter: %w", err)
	}
	for _, r := range rooms {
		w := writer{cfg, language, f, r}
		content, err := w.content()
		if err != nil {
			return Letter{}, fmt.Errorf("letter %s: %w", f.Kind, err)
		}
		l, err := paper.write(content.Subject, content)
		if err != nil {
			return Letter{}, fmt.Errorf("letter: %w", err)
		}
		if len(l.HTML) <= maxHTML {
			return l, nil
		}
	}
	return Letter{}, errors.New("letter: mail/letter.html alone makes more than 30 KB; make it smaller")
}

// stationery is a theme's templates for the two parts of a letter: those of the
// given name, which ends in .txt and .html. In them
// {{t "message.id" "Name" .Value}} is a message in the letter's language, and
// {{address .}} an address in plain text.
type stationery struct {
	text *texttemplate.Template
	html *htmltemplate.Template
}

func load(theme fs.FS, name string, language *locale.Language) (s stationery, err error) {
	words := map[string]any{"t": language.Text, "address": language.Address}
	text, err := fs.ReadFile(theme, name+".txt")
	if err != nil {
		return s, templates.Explain(err)
	}
	html, err := fs.ReadFile(theme, name+".html")
	if err != nil {
		return s, templates.Explain(err)
	}
	if s.text, err = texttemplate.New(templates.Name(name + ".txt")).Funcs(words).Parse(string(text)); err != nil {
		return s, templates.Explain(err)
	}
	s.html, err = htmltemplate.New(templates.Name(name + ".html")).Funcs(words).Parse(string(html))
	return s, templates.Explain(err)
}

func (s stationery) write(subject string, content any) (Letter, error) {
	var text, html bytes.Buffer
	if err := s.text.Execute(&text, content); err != nil {
		return Letter{}, templates.Explain(err)
	}
	if err := s.html.Execute(&html, content); err != nil {
		return Letter{}, templates.Explain(err)
	}
	return Letter{subject, tidy(text.String()), html.String()}, nil
}

var gaps = regexp.MustCompile(`\n{3,}`)

// tidy closes the gaps that parts without content leave.
func tidy(text string) string {
	return strings.TrimSpace(gaps.ReplaceAllString(text, "\n\n")) + "\n"
}
