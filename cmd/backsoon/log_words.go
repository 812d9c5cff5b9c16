package main

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/backsoon/backsoon/internal/ledger"
	"github.com/backsoon/backsoon/internal/strictyaml"
	"github.com/backsoon/backsoon/notify"
)

// line is an audit entry as a person reads it, in the shop's zone.
func (s *site) line(e ledger.Entry) string {
	return e.Time.In(s.cfg.Shop.Location).Format("2006-01-02 15:04:05") + "  " + s.words(e)
}

// words is an entry in one sentence.
func (s *site) words(e ledger.Entry) string {
	return strictyaml.Printable(s.deed(e) + authorOf(e) + openSteps(e))
}

// deed is what happened, without who is behind it.
func (s *site) deed(e ledger.Entry) string {
	switch e.Event {
	case ledger.NoticeAccepted:
		return e.Notice + " accepted"
	case ledger.TranslationAccepted:
		return e.Notice + " accepted in " + e.Language
	case ledger.TranslationWithdrawn:
		return e.Notice + " is no longer in " + e.Language + ": that file was deleted"
	case ledger.NoticeRefused:
		return e.Notice + " refused: " + strings.ReplaceAll(e.Reason, "\n", "; ") + key(e)
	case ledger.NoticeMissing:
		return e.Reason
	case ledger.NoticeMissed:
		return e.Notice + " came and went while nobody watched"
	case ledger.NoticeOverdue:
		return e.Notice + " is overdue, it stays closed"
	case ledger.StepDone, ledger.StepUndone, ledger.StepAdded, ledger.StepRemoved:
		return e.Notice + ": “" + e.Step + "” " + stepWords[e.Event]
	case ledger.StorefrontClosed:
		return "checkout off at " + e.Storefront + s.until(e) + because(e)
	case ledger.StorefrontOpened:
		return "checkout on at " + e.Storefront + because(e)
	case ledger.PublishersChanged:
		return "who may publish was changed: " + s.publishersChanged(e)
	}
	return deliveryWords(e)
}

// deliveryWords is what was sent, and what became of those whom it was sent to.
func deliveryWords(e ledger.Entry) string {
	switch e.Event {
	case ledger.WebhookAcknowledged:
		return e.Storefront + " acknowledged: " + e.URL
	case ledger.WebhookDisabled, ledger.WebhookEnabled:
		text := fmt.Sprintf("webhook of %s %s: %s %s", e.Storefront, strings.TrimPrefix(e.Event, "webhook."), e.URL, e.Reason)
		return strings.TrimSpace(text)
	case ledger.MailStarted:
		return fmt.Sprintf("mail “%s” of %s to %s", e.Kind, e.Notice, plural(e.Counts["recipients"], "subscriber"))
	case ledger.MailFinished:
		return fmt.Sprintf("mail “%s” of %s done: %d sent, %d failed, %d passed over", e.Kind, e.Notice, e.Counts["sent"], e.Counts["failed"], e.Counts["passed"])
	case ledger.MailPaused:
		return "mail rests: " + e.Reason
	case ledger.MailFailed:
		return fmt.Sprintf("mail “%s” of %s could not be written: %s", e.Kind, e.Notice, e.Reason)
	case ledger.SubscribersImported:
		return fmt.Sprintf("subscribers imported: %d added, %d known, %d refused", e.Counts["added"], e.Counts["known"], e.Counts["refused"])
	case ledger.SubscriberConfirmed:
		if n := e.Counts["rechosen"]; n > 0 {
			return plural(n, "subscriber") + " chose something else"
		}
		return plural(e.Counts["confirmed"], "subscriber") + " confirmed"
	case ledger.SubscriberSuppressed:
		return plural(e.Counts["suppressed"], "subscriber") + " suppressed: " + e.Reason
	case ledger.LogBegun:
		return "a new log begins: " + e.Reason
	case ledger.SubscriberRemoved:
		return plural(e.Counts["removed"], "subscriber") + " removed"
	}
	return e.Event
}

var stepWords = map[string]string{
	ledger.StepDone: "is done", ledger.StepUndone: "is no longer done", ledger.StepAdded: "was added to the plan", ledger.StepRemoved: "was taken out of the plan",
}

func (s *site) publishersChanged(e ledger.Entry) string {
	if e.Before == nil || e.After == nil {
		return "nobody knows what"
	}
	return strings.Join(notify.PublishersChanged(*e.Before, *e.After, s.cfg.Shop.Location), "; ")
}

func (s *site) until(e ledger.Entry) string {
	if e.Until == nil {
		return " until further notice"
	}
	return " until " + s.when(*e.Until, e.Time)
}

func because(e ledger.Entry) string {
	if e.Notice == "" {
		return ""
	}
	return ": " + e.Notice
}

// authorOf says who is behind an entry, where that is more than a part of it.
func authorOf(e ledger.Entry) string {
	switch e.Event {
	case ledger.NoticeAccepted, ledger.TranslationAccepted:
		return ", published by " + publishers(e)
	case ledger.StorefrontClosed, ledger.StorefrontOpened:
		if e.Notice != "" {
			return ", published by " + publisher(e.By)
		}
	case ledger.StepDone, ledger.StepUndone, ledger.StepAdded, ledger.StepRemoved, ledger.PublishersChanged:
		return ", by " + publishers(e)
	}
	return ""
}

func publisher(by *ledger.By) string {
	if by == nil {
		return "nobody known"
	}
	how := by.How
	if !by.Verified {
		how += ", not verified"
	}
	return cmp.Or(by.Name, by.Email, "nobody known") + " (" + how + ")"
}

// publishers is everybody who signed, where there are several.
func publishers(e ledger.Entry) string {
	text := publisher(e.By)
	for _, by := range e.Also {
		text += " and " + publisher(&by)
	}
	return text
}

// key names the key behind a refusal, where the reason doesn't.
func key(e ledger.Entry) string {
	if e.By == nil || e.By.Key == "" || strings.Contains(e.Reason, e.By.Key) {
		return ""
	}
	return " (key " + e.By.Key + ")"
}

func openSteps(e ledger.Entry) string {
	if len(e.OpenSteps) == 0 {
		return ""
	}
	return "; not done: " + strings.Join(e.OpenSteps, ", ")
}
