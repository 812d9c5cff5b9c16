package letter

import (
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/backsoon/backsoon/internal/config"
	"github.com/backsoon/backsoon/internal/locale"
)

// Request is what somebody has asked for, in the name of a mailbox whose owner
// may know nothing of it. Nothing that was typed is in it.
type Request struct {
	Storefronts []string // ids; empty: all
	UntilReopen bool
	Known       bool      // the mailbox is on the list already
	Same        bool      // with this very choice
	Confirm     string    // the link that confirms the choice
	Leave       string    // the link to leave the list
	Expires     time.Time // when the link to confirm ends
	Now         time.Time
}

// question is what mail/question.txt and mail/question.html are given.
type question struct {
	tongue
	Request
	Subject     string
	Shop        string
	Kind        string // question or known: where its words are
	Storefronts string // the names of those chosen; empty: all
	Until       string // when the link ends
	Status      string // the status page's address
	Contacts    []contact
}

// Ask writes the mail that asks the owner of a mailbox whether to write there,
// or tells one who is on the list that somebody has asked again.
func Ask(theme fs.FS, cfg *config.Config, language *locale.Language, r Request) (Letter, error) {
	w := writer{cfg: cfg, lang: language, Facts: Facts{Now: r.Now}, room: rooms[1]}
	q := question{
		tongue: tongue{language.Tag, language.Dir}, Request: r, Shop: w.shop(), Kind: "question", Contacts: w.links(cfg.Shop.Contact),
		Storefronts: w.list(w.names(r.Storefronts)), Until: w.stamp(r.Expires.Truncate(time.Minute), false), Status: cfg.Shop.URL.String(),
	}
	if slices.Contains(cfg.Languages, language.Tag) { // else there may be no pages in it
		q.Status = cfg.Home(language.Tag).String()
	}
	if r.Known {
		q.Kind = "known"
	}
	q.Subject = w.say(q.Kind+".subject", "Shop", q.Shop)
	paper, err := load(theme, "mail/question", language)
	if err != nil {
		return Letter{}, fmt.Errorf("letter: %w", err)
	}
	l, err := paper.write(q.Subject, q)
	if err != nil {
		return Letter{}, fmt.Errorf("letter: %w", err)
	}
	return l, nil
}
