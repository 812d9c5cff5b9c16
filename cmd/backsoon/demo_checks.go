package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/backsoon/backsoon/internal/ledger"
)

func (s *story) connected() error {
	if checkout, revision := s.shop.State(); checkout != "on" || revision == 0 {
		return fmt.Errorf("the checkout is %s with revision %d", checkout, revision)
	}
	return nil
}

// ordered tells whether the customer can fill a basket and pay.
func (s *story) ordered(c customer) func() error {
	return func() error { return errors.Join(c.fill(), c.pay()) }
}

// refused tells whether a customer who tries to order is turned away.
func (s *story) refused(c customer) func() error {
	return func() error { return errors.Join(c.fill(), turnedAway(c)) }
}

func (s *story) refusedBasket() error { return turnedAway(s.second) }

func turnedAway(c customer) error {
	err := c.pay()
	var refused *refusedError
	switch {
	case err == nil:
		return errors.New("the order was taken")
	case errors.As(err, &refused) && refused.status == http.StatusServiceUnavailable && strings.Contains(refused.page, storyTitle):
		return nil
	}
	return err
}

// published tells whether the page says those words, and status.json and the
// shop this state.
func (s *story) published(state, checkout, words string) func() error {
	return func() error {
		page, err := s.page("")
		if err != nil {
			return err
		}
		if !strings.Contains(page, words) {
			return fmt.Errorf("the page says %.200q", page)
		}
		return s.agrees(state, checkout)
	}
}

// agrees tells whether status.json says what the shop was told.
func (s *story) agrees(state, checkout string) error {
	text, err := read(s.first.http.Get(s.at.status + "status.json"))
	if err != nil {
		return err
	}
	var told struct {
		Storefronts map[string]struct {
			State, Checkout string
			Revision        int64
		}
	}
	if err := json.Unmarshal([]byte(text), &told); err != nil {
		return err
	}
	at, revision := s.shop.State()
	if web := told.Storefronts["web"]; web.State != state || web.Checkout != checkout || at != checkout || web.Revision != revision {
		return fmt.Errorf("status.json says %s, the checkout is %s with revision %d", strings.TrimSpace(text), at, revision)
	}
	return nil
}

var notText = regexp.MustCompile(`(?s)<style>.*?</style>|<[^>]*>`)

// page is the text that a visitor of the status page reads.
func (s *story) page(path string) (string, error) {
	page, err := read(s.first.http.Get(s.at.status + path))
	text := html.UnescapeString(notText.ReplaceAllString(page, " "))
	return strings.Join(strings.Fields(text), " "), err
}

// updated tells whether the update is on the closure's page and in the feed.
func (s *story) updated() error {
	for _, path := range []string{"closures/" + storySlug + "/", "feed.xml"} {
		page, err := s.page(path)
		if err != nil {
			return err
		}
		if !strings.Contains(page, updateText) {
			return fmt.Errorf("%s says %.200q", path, page)
		}
	}
	return nil
}

// received is one mail of the closure as a subscriber has it.
type received struct {
	to, id, references, unsubscribe, text string
}

// letters gives the mails of one kind, by their Feedback-ID header.
func (s *story) letters(kind string) (letters []received) {
	for _, m := range s.mailbox.Mails() {
		msg, err := mail.ReadMessage(strings.NewReader(m.Source))
		if err == nil && strings.HasPrefix(msg.Header.Get("Feedback-ID"), kind+":"+storySlug+":") {
			h := msg.Header
			letters = append(letters, received{m.To, m.MessageID, h.Get("References"), h.Get("List-Unsubscribe"), m.Text})
		}
	}
	slices.SortFunc(letters, func(a, b received) int { return strings.Compare(a.to, b.to) })
	return letters
}

// mailed tells whether each subscriber has one mail of the kind with the words.
func (s *story) mailed(kind, words string) func() error {
	return func() error {
		var to []string
		for _, l := range s.letters(kind) {
			if !strings.Contains(l.text, words) {
				return fmt.Errorf("the mail to %s says %.200q", l.to, l.text)
			}
			to = append(to, l.to)
		}
		if !slices.Equal(to, demoSubscribers) {
			return fmt.Errorf("the mail has gone to %q", to)
		}
		return nil
	}
}

// threaded tells whether later mails refer to the first one to the same address,
// so that a mailbox shows them together (RFC 5322, section 3.6.4).
func (s *story) threaded() error {
	first := map[string]string{}
	for _, l := range s.letters("closed") {
		first[l.to] = l.id
	}
	for _, kind := range []string{"update", "reopened"} {
		for _, l := range s.letters(kind) {
			if l.references == "" || l.references != first[l.to] {
				return fmt.Errorf("the mail “%s” to %s refers to %q, and not to %q", kind, l.to, l.references, first[l.to])
			}
		}
	}
	return nil
}

// leave does what a mail program does for its user (RFC 8058), who first looks
// at the page without pressing its button.
func (s *story) leave() error {
	last := s.letters("reopened")[0]
	link, _, ok := strings.Cut(strings.TrimPrefix(last.unsubscribe, "<"), ">")
	if !ok {
		return fmt.Errorf("List-Unsubscribe is %q", last.unsubscribe)
	}
	if _, err := read(s.first.http.Get(link)); err != nil {
		return err
	}
	if err := s.subscribed(demoSubscribers); err != nil {
		return err
	}
	_, err := read(s.first.http.PostForm(link, url.Values{"List-Unsubscribe": {"One-Click"}}))
	return err
}

func (s *story) left() error { return s.subscribed(demoSubscribers[1:]) }

// visitor subscribes on the status page.
const visitor = "dora@example.org"

var formAction = regexp.MustCompile(`<form method="post" action="([^"]*)"`)

// ask sends the status page's form.
func (s *story) ask() error {
	page, err := read(s.first.http.Get(s.at.status))
	if err != nil {
		return err
	}
	form := formAction.FindStringSubmatch(page)
	if form == nil {
		return errors.New("the status page has no form")
	}
	_, err = read(s.first.http.PostForm(html.UnescapeString(form[1]), url.Values{"address": {visitor}, "language": {"en"}}))
	return err
}

var confirmLink = regexp.MustCompile(`(?m)^http\S+/confirm/\S+$`)

// question is the link in the mail that asks the visitor.
func (s *story) question() (link string) {
	for _, m := range s.mailbox.Mails() {
		if m.To == visitor {
			link = strings.TrimSpace(confirmLink.FindString(strings.ReplaceAll(m.Text, "\r\n", "\n")))
		}
	}
	return link
}

func (s *story) askedByMail() error {
	if s.question() == "" {
		return errors.New("there is no such mail")
	}
	return s.left()
}

func (s *story) confirm() error {
	if _, err := read(s.first.http.Get(s.question())); err != nil {
		return err
	}
	if err := s.left(); err != nil {
		return err
	}
	_, err := read(s.first.http.PostForm(s.question(), nil))
	return err
}

func (s *story) joined() error {
	return s.subscribed(append(slices.Clone(demoSubscribers[1:]), visitor))
}

// subscribed tells whether these are the subscribers.
func (s *story) subscribed(want []string) error {
	var got []string
	err := (&site{dir: s.site.dir}).eachSubscriber(context.Background(), func(sub ledger.Subscriber) error {
		got = append(got, sub.Email)
		return nil
	})
	if err == nil && !slices.Equal(got, want) {
		err = fmt.Errorf("the subscribers are %q", got)
	}
	return err
}

// logged tells whether `backsoon log` has the whole story in its order, and who
// published each version. It reads the ledger as another command would.
func (s *story) logged() error {
	missing := []string{
		ledger.NoticeAccepted, ledger.StorefrontClosed, ledger.WebhookAcknowledged, ledger.MailStarted + " closed", ledger.MailFinished + " closed",
		ledger.NoticeAccepted, ledger.MailStarted + " update", ledger.MailFinished + " update",
		ledger.NoticeAccepted, ledger.StorefrontOpened, ledger.WebhookAcknowledged, ledger.MailStarted + " reopened", ledger.MailFinished + " reopened",
		ledger.SubscriberRemoved, ledger.SubscriberConfirmed,
	}
	reader := &site{dir: s.site.dir}
	err := reader.view(context.Background(), func(tx *ledger.Tx) error {
		return eachEntry(tx, 0, func(e ledger.Entry) error {
			ours := e.Notice == storySlug || e.Notice == ""
			if ours && len(missing) > 0 && strings.TrimSpace(e.Event+" "+e.Kind) == missing[0] {
				missing = missing[1:]
			}
			if e.Event == ledger.NoticeAccepted && (e.By == nil || e.By.Name == "") {
				return fmt.Errorf("entry %d does not say who published %s", e.Index, e.Notice)
			}
			return nil
		})
	})
	if err == nil && len(missing) > 0 {
		err = fmt.Errorf("the log lacks %q", missing)
	}
	return err
}
