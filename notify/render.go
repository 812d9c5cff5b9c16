package notify

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/backsoon/backsoon/internal/ledger"
	"github.com/backsoon/backsoon/internal/locale"
	"github.com/backsoon/backsoon/notify/email"
	"github.com/backsoon/backsoon/notify/letter"
)

// A campaign is rendered to bytes once, in each of its languages; only a few lines
// differ from one recipient to the next.

// renderedCampaign is a campaign in every language that it is written in.
type renderedCampaign struct {
	fired     time.Time
	languages []string                    // the notices' own first
	in        map[string]*renderedWording // by a subscriber's language; others than languages as they come up
}

// renderedWording is a campaign as bytes, in one language.
type renderedWording struct {
	language string
	campaign ledger.Campaign
	first    *ledger.Campaign // the closure's first mail, which later ones refer to; nil: this is it
	message  *email.Rendered
	err      error // why it can't be rendered, which no recipient is to blame for
}

// suiting gives the campaign in the language that suits a subscriber. Which one that
// is gets remembered: finding it out costs as much as a tenth of sending a letter.
func (r *renderedCampaign) suiting(s ledger.Subscriber) *renderedWording {
	words := r.in[s.Language]
	if words == nil {
		words = r.in[locale.Best(r.languages, s.Language)]
		r.in[s.Language] = words
	}
	return words
}

// render readies the campaigns of the letters, each once.
func (w *Watcher) render(ctx context.Context, tx *ledger.Tx, letters []ledger.Letter) error {
	missing := map[int64]bool{}
	for _, l := range letters {
		if w.mail.rendered[l.Campaign] == nil {
			missing[l.Campaign] = true
		}
	}
	if len(missing) == 0 {
		return nil
	}
	open, err := tx.OpenCampaigns()
	if err != nil {
		return err
	}
	signed := w.checkpoint(ctx)
	for _, c := range open {
		if !missing[c.ID] {
			continue
		}
		if w.mail.rendered[c.ID], err = w.renderCampaign(tx, c, signed); err != nil {
			return err
		}
	}
	return nil
}

// renderCampaign makes a campaign's bytes in each of its languages, with the log's
// checkpoint of this moment. A mail refers to the closure's first in the same language.
func (w *Watcher) renderCampaign(tx *ledger.Tx, c ledger.Campaign, signed string) (*renderedCampaign, error) {
	own := w.Config.Language()
	words, err := w.wordings(tx, c)
	if err != nil {
		return nil, err
	}
	first, err := tx.FirstCampaign(c.Slug)
	if err != nil {
		return nil, err
	}
	var firstWords map[string]ledger.Campaign
	if first != nil && first.ID != c.ID {
		if firstWords, err = w.wordings(tx, *first); err != nil {
			return nil, err
		}
	}
	r := &renderedCampaign{fired: c.Fired, languages: []string{own}, in: map[string]*renderedWording{}}
	for language, worded := range words {
		var refersTo *ledger.Campaign
		if f, ok := firstWords[language]; ok {
			refersTo = &f
		} else if f, ok := firstWords[own]; ok {
			refersTo = &f
		}
		if language != own {
			r.languages = append(r.languages, language)
		}
		r.in[language] = w.renderWording(language, worded, refersTo, signed)
	}
	slices.Sort(r.languages[1:])
	return r, nil
}

// wordings gives a fired campaign in each language that it is written in.
func (w *Watcher) wordings(tx *ledger.Tx, c ledger.Campaign) (map[string]ledger.Campaign, error) {
	in := map[string]ledger.Campaign{w.Config.Language(): c}
	others, err := tx.Wordings(c.ID)
	for _, o := range others {
		in[o.Language] = c.In(o)
	}
	return in, err
}

// renderWording makes a campaign's bytes in one language. first is the closure's
// first mail; nil where this is it.
func (w *Watcher) renderWording(language string, c ledger.Campaign, first *ledger.Campaign, signed string) *renderedWording {
	from := w.Config.Email.From
	message, err := email.Render(email.Message{
		From: from, Subject: c.Subject, Text: c.Text, HTML: c.HTML,
		Date: c.Fired.In(w.Config.Shop.Location), Placeholder: letter.Unsubscribe, Checkpoint: signed,
		List: &email.List{
			ID: "closures." + w.Config.Shop.URL.Hostname(), Name: w.Config.Shop.Name,
			FeedbackID: c.Kind + ":" + c.Slug + ":closures:backsoon", Mailto: w.mailto(),
		},
	})
	return &renderedWording{language, c, first, message, err}
}

// mailto is where a mail leaves the list: the address that the settings name, or the
// sender's, to which what comes back goes as well.
func (w *Watcher) mailto() string {
	return cmp.Or(w.Config.Email.Unsubscribe, w.Config.Email.From.Address)
}

// recipient fills in what differs from one letter to the next. The Message-ID
// depends on the letter alone, so that whatever becomes of the ledger, the same
// letter to the same address keeps its id.
func (w *Watcher) recipient(r *renderedWording, s ledger.Subscriber) email.Recipient {
	from := w.Config.Email.From.Address
	id := func(c *ledger.Campaign) string {
		return email.MessageID(w.SiteKey, domainOf(from), c.Slug, c.Kind, c.Text, s.Email)
	}
	to := email.Recipient{Address: s.Email, MessageID: id(&r.campaign), Unsubscribe: w.Leave(s.Email, r.language), LeaveToken: w.LeaveToken(s.Email), ReturnPath: w.returnPath(s.Email)}
	if r.first != nil {
		to.References = id(r.first)
	}
	if to.References == to.MessageID { // the very same words once more
		to.References = ""
	}
	return to
}

func domainOf(address string) string { return address[strings.LastIndexByte(address, '@')+1:] }

// returnPath is where bounces of mail to the address go.
func (w *Watcher) returnPath(to string) string {
	from := w.Config.Email.From.Address
	if !w.Config.Email.VERP {
		return from
	}
	return email.ReturnPath(w.SiteKey, from, to)
}
