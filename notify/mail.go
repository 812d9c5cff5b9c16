package notify

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/backsoon/backsoon/internal/address"
	"github.com/backsoon/backsoon/internal/ledger"
	"github.com/backsoon/backsoon/internal/locale"
	"github.com/backsoon/backsoon/notify/email"
	"github.com/backsoon/backsoon/notify/letter"
)

// How mail is sent.
const (
	expandBatch = 1000                   // letters written at once: a checkout waits for no more
	expandWhile = 250 * time.Millisecond // before letters are sent again
	sendBatch   = 50                     // letters claimed at once: at most so many are repeated after a crash
	batchTime   = 3 * time.Second        // for a batch, where there is a rate
	overtakeAge = 15 * time.Minute       // from then on a newer mail of the same closure replaces an older one
	giveUpAfter = 5 * 24 * time.Hour     // as RFC 5321, 4.5.4.1 suggests
)

var letterRetry = []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour}

// mailState is what the mail's one goroutine remembers between batches.
type mailState struct {
	rendered map[int64]*renderedCampaign // by campaign
	rest     rest
	askAfter time.Time // no question goes out before that
	tidied   time.Time
}

// renderedCampaign is a campaign in every language that it is written in.
type renderedCampaign struct {
	fired     time.Time
	languages []string // the notices' own first
	in        map[string]*renderedWording
}

// renderedWording is a campaign as bytes, in one language.
type renderedWording struct {
	language string
	campaign ledger.Campaign
	first    *ledger.Campaign // the closure's first mail, which later ones refer to; nil: this is it
	message  *email.Rendered
	err      error // why it can't be rendered, which no recipient is to blame for
}

// suiting gives the campaign in the language that suits a subscriber.
func (r *renderedCampaign) suiting(s ledger.Subscriber) *renderedWording {
	if exactly := r.in[s.Language]; exactly != nil {
		return exactly
	}
	return r.in[locale.Best(r.languages, s.Language)]
}

// SendMail sends one batch of what is due: alerts first, then a few questions,
// then letters, so that neither holds the other up. more tells whether there is
// more to do at once.
func (w *Watcher) SendMail(ctx context.Context, now time.Time) (more bool, err error) {
	if w.sender == nil {
		return false, nil
	}
	if err := w.tidy(ctx, now); err != nil {
		return false, err
	}
	if resting, err := w.resting(ctx, now); resting || err != nil {
		return false, err
	}
	if err := w.sendAlerts(ctx, now); err != nil {
		return false, err
	}
	asking, err := w.sendQuestions(ctx, now)
	if err != nil {
		return false, err
	}
	if mailing, err := w.mailing(ctx); !mailing || err != nil {
		return asking, err
	}
	expanding, err := w.expandForAWhile(ctx, now)
	if err != nil {
		return false, err
	}
	limit := w.batch()
	sent, err := w.sendBatch(ctx, now, limit)
	resting := now.Before(w.mail.rest.until)
	return (asking || expanding || sent == limit) && !resting, err
}

// batch is how many letters are sent before it is written down what came of them.
// Where the settings slow the mail down that is often all the same.
func (w *Watcher) batch() int {
	if w.mail.rest.pauses > 0 {
		return 1 // one letter shows whether the server takes them again
	}
	if rate := w.Config.Email.Rate; rate > 0 {
		return max(1, min(sendBatch, int(rate*batchTime.Seconds())))
	}
	return sendBatch
}

// mailing tells whether there are subscribers to be written to. It is asked each
// second, and only reads: no checkout waits for the answer.
func (w *Watcher) mailing(ctx context.Context) (mailing bool, err error) {
	err = w.Ledger.View(ctx, func(tx *ledger.Tx) error {
		mailing, err = tx.Mailing()
		return err
	})
	return mailing, err
}

// expandForAWhile writes letters down, a batch after the other, and sends none
// meanwhile: a million are written within seconds, and sent within minutes.
func (w *Watcher) expandForAWhile(ctx context.Context, now time.Time) (more bool, err error) {
	for end := time.Now().Add(expandWhile); ; {
		more, err = w.expand(ctx, now)
		if err != nil || !more || !time.Now().Before(end) {
			return more, err
		}
	}
}

// expand writes the next letters of the campaigns that have fired, ends those
// that a newer one replaces, and closes those that owe nothing more.
func (w *Watcher) expand(ctx context.Context, now time.Time) (more bool, err error) {
	err = w.Ledger.Update(ctx, func(tx *ledger.Tx) error {
		open, err := tx.OpenCampaigns()
		if err != nil {
			return err
		}
		w.forgetFinished(open)
		if err := tx.Overtake(open, now.Add(-overtakeAge)); err != nil {
			return err
		}
		for _, c := range open {
			if c.Fired.IsZero() || c.Cursor >= c.Last || more {
				continue
			}
			written, err := tx.Expand(c, expandBatch)
			if err != nil {
				return err
			}
			more = written == expandBatch
			tx.AfterCommit(func() { w.Work.Expanded(written) })
		}
		return w.finish(tx, now)
	})
	return more, err
}

// forgetFinished drops the bytes of campaigns that another watcher has finished.
func (w *Watcher) forgetFinished(open []ledger.Campaign) {
	for id := range w.mail.rendered {
		if !slices.ContainsFunc(open, func(c ledger.Campaign) bool { return c.ID == id }) {
			delete(w.mail.rendered, id)
		}
	}
}

// finish closes the campaigns that owe nothing any more, with their counts.
func (w *Watcher) finish(tx *ledger.Tx, now time.Time) error {
	open, err := tx.OpenCampaigns()
	if err != nil {
		return err
	}
	for _, c := range open {
		if c.Fired.IsZero() || c.Cursor < c.Last {
			continue
		}
		done, err := tx.Finish(c.ID, now)
		if err != nil {
			return err
		}
		if !done {
			continue
		}
		delete(w.mail.rendered, c.ID)
		err = w.audit(tx, ledger.Entry{Time: now, Event: ledger.MailFinished, Notice: c.Slug, Kind: c.Kind,
			Counts: ledger.Counts{"recipients": c.Done(), "sent": c.Sent, "failed": c.Failed, "passed": c.Passed}})
		if err != nil {
			return err
		}
	}
	return nil
}

// sendBatch claims letters, sends them over all connections at once, and writes
// down what came of each. Only a crash in between repeats them.
func (w *Watcher) sendBatch(ctx context.Context, now time.Time, limit int) (n int, err error) {
	var letters []ledger.Letter
	err = w.member.Claim(ctx, func(tx *ledger.Tx) error {
		if letters, err = tx.Claim(now, limit); err != nil {
			return err
		}
		return w.render(ctx, tx, letters)
	})
	if err != nil || len(letters) == 0 {
		return 0, err
	}
	outcomes := w.sendAll(ctx, letters)
	for _, out := range outcomes {
		if out.Verdict != "" { // it was tried
			w.Work.Mailed(string(out.Verdict))
		}
	}
	writing := context.WithoutCancel(ctx)
	w.insist(ctx, "what came of a batch of mail", func() error {
		return w.Ledger.Update(writing, func(tx *ledger.Tx) error {
			if err := w.settleAll(tx, letters, outcomes); err != nil {
				return err
			}
			return w.finish(tx, w.Now())
		})
	})
	return len(letters), nil
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

// sendAll sends the letters at once; the sender bounds the connections. Where
// one shows that no recipient is to blame, the others are left for later. An
// outcome without a verdict was never tried.
func (w *Watcher) sendAll(ctx context.Context, letters []ledger.Letter) []email.Outcome {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	outcomes := make([]email.Outcome, len(letters))
	var each sync.WaitGroup
	free := make(chan struct{}, max(1, w.Config.Email.Connections))
	for i, l := range letters {
		free <- struct{}{}
		if ctx.Err() != nil || !w.member.Alive() { // it slept on its claim: they may be another's
			break
		}
		each.Go(func() {
			outcomes[i] = w.sendLetter(context.WithoutCancel(ctx), l)
			if !recipients(outcomes[i]) {
				stop()
			}
			<-free
		})
	}
	each.Wait()
	return outcomes
}

func (w *Watcher) sendLetter(ctx context.Context, l ledger.Letter) email.Outcome {
	r := w.mail.rendered[l.Campaign].suiting(l.Subscriber)
	if r.err != nil {
		return email.Outcome{Verdict: email.SenderFault, Err: r.err}
	}
	to := w.recipient(r, l.Subscriber)
	msg, err := r.message.For(to)
	if err != nil && address.Check(to.Address) == nil {
		return email.Outcome{Verdict: email.SenderFault, Err: err} // it is something else of ours
	}
	if err != nil {
		return email.Outcome{Verdict: email.Refused, Err: err}
	}
	return w.sender.Send(ctx, to.ReturnPath, to.Address, msg)
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

// settleAll writes down what came of each letter.
func (w *Watcher) settleAll(tx *ledger.Tx, letters []ledger.Letter, outcomes []email.Outcome) error {
	now := w.Now()
	rest, why := w.mail.rest.after(outcomes, letters, now)
	var sent []ledger.Letter
	for i, l := range letters {
		if outcomes[i].Verdict == email.Sent {
			sent = append(sent, l)
		} else if err := w.settle(tx, l, outcomes[i], now, rest.until); err != nil {
			return err
		}
	}
	if err := tx.LetterSent(sent...); err != nil {
		return err
	}
	return w.notePause(tx, rest, why, now)
}

// settle follows the table of what a server's answer means where it didn't take the
// letter. What is tried again
// waits for the end of the mail's rest, if there is one.
func (w *Watcher) settle(tx *ledger.Tx, l ledger.Letter, out email.Outcome, now, rested time.Time) error {
	why := ""
	if out.Err != nil {
		why = out.Err.Error()
	}
	switch out.Verdict {
	case "": // never tried
		return tx.LetterUntried(l)
	case email.BadAddress:
		if err := tx.Suppress(l.Subscriber.ID, why); err != nil {
			return err
		}
		return tx.LetterFailed(l, why)
	case email.Refused:
		if err := tx.CountFailure(l.Subscriber.ID, why); err != nil {
			return err
		}
		return tx.LetterFailed(l, why)
	}
	if r := w.mail.rendered[l.Campaign]; r != nil && now.Sub(r.fired) > giveUpAfter {
		return tx.LetterFailed(l, why)
	}
	next := now.Add(backoff(letterRetry, l.Attempts+1))
	if next.Before(rested) {
		next = rested
	}
	return tx.LetterLater(l, next, why)
}

// sendAlerts sends the owner's mail, one at a time.
func (w *Watcher) sendAlerts(ctx context.Context, now time.Time) error {
	var due []ledger.Alert
	err := w.Ledger.View(ctx, func(tx *ledger.Tx) (err error) {
		due, err = tx.DueAlerts(now)
		return err
	})
	if err != nil {
		return err
	}
	for _, a := range due {
		mine, err := w.claimAlert(ctx, a, now)
		if err != nil {
			return err
		}
		if !mine {
			continue
		}
		out := w.SendPlain(ctx, a.Address, a.Subject, a.Text, a.Created)
		if ctx.Err() != nil {
			return nil
		}
		err = w.Ledger.Update(context.WithoutCancel(ctx), func(tx *ledger.Tx) error {
			return w.settleAlert(tx, a, out, now)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *Watcher) claimAlert(ctx context.Context, a ledger.Alert, now time.Time) (mine bool, err error) {
	err = w.member.Claim(ctx, func(tx *ledger.Tx) error {
		mine, err = tx.ClaimAlert(a.ID, now)
		return err
	})
	return mine, err
}

func (w *Watcher) settleAlert(tx *ledger.Tx, a ledger.Alert, out email.Outcome, now time.Time) error {
	switch {
	case out.Verdict == email.Sent:
		return tx.AlertDone(a.ID)
	case out.Verdict == email.BadAddress || now.Sub(a.Created) > giveUpAfter:
		w.Log.Error("an alert could not be delivered", "subject", a.Subject, "error", out.Err)
		return tx.AlertDone(a.ID)
	}
	return tx.AlertLater(a.ID, now.Add(backoff(letterRetry, a.Attempts+1)))
}

// SendPlain sends one plain message, as alerts and tests are, and says what
// came of it.
func (w *Watcher) SendPlain(ctx context.Context, to, subject, text string, at time.Time) email.Outcome {
	from := w.Config.Email.From
	m, err := email.Render(email.Message{From: from, Subject: subject, Text: text, Date: at.In(w.Config.Shop.Location), Checkpoint: w.checkpoint(ctx)})
	if err != nil {
		return email.Outcome{Verdict: email.Refused, Err: err}
	}
	id := email.MessageID(w.SiteKey, domainOf(from.Address), subject, text, to, fmt.Sprint(at.UnixMilli()))
	msg, err := m.For(email.Recipient{Address: to, MessageID: id})
	if err != nil {
		return email.Outcome{Verdict: email.Refused, Err: err}
	}
	out := w.Sender().Send(ctx, from.Address, to, msg)
	if w.Work != nil { // `test mail` has no watcher at work
		w.Work.Mailed(string(out.Verdict))
	}
	return out
}
