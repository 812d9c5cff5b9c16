package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/backsoon/backsoon/internal/ledger"
	"github.com/backsoon/backsoon/notify"
)

// logPage is how many entries are read from the ledger at once.
const logPage = 1000

func logCommand(s *site) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "log",
		Short: "Tell who published what, when, and what came of it",
		Args:  takes(0, 0),
	}
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		out := cmd.OutOrStdout()
		return s.view(cmd.Context(), func(tx *ledger.Tx) error {
			return eachEntry(tx, func(e ledger.Entry) error { return s.printEntry(out, e, *asJSON) })
		})
	}
	return cmd
}

func eachEntry(tx *ledger.Tx, f func(ledger.Entry) error) error {
	for from := int64(0); ; {
		entries, err := tx.Entries(from, logPage)
		if err != nil || len(entries) == 0 {
			return err
		}
		for _, e := range entries {
			if err := f(e); err != nil {
				return err
			}
			from = e.Index + 1
		}
	}
}

func (s *site) printEntry(out io.Writer, e ledger.Entry, asJSON bool) error {
	if asJSON {
		return printJSON(out, e)
	}
	_, err := fmt.Fprintln(out, s.line(e))
	return err
}

// line is an audit entry as a person reads it, in the shop's zone.
func (s *site) line(e ledger.Entry) string {
	return e.Time.In(s.cfg.Shop.Location).Format("2006-01-02 15:04:05") + "  " + s.words(e)
}

func (s *site) words(e ledger.Entry) string {
	switch e.Event {
	case ledger.NoticeAccepted:
		return e.Notice + " accepted, published by " + publishers(e) + openSteps(e)
	case ledger.TranslationAccepted:
		return e.Notice + " accepted in " + e.Language + ", published by " + publishers(e)
	case ledger.TranslationWithdrawn:
		return e.Notice + " is no longer in " + e.Language + ": that file was deleted"
	case ledger.NoticeRefused:
		return e.Notice + " refused: " + strings.ReplaceAll(e.Reason, "\n", "; ") + key(e)
	case ledger.NoticeMissing:
		return e.Reason
	case ledger.NoticeMissed:
		return e.Notice + " came and went while nobody watched"
	case ledger.NoticeOverdue:
		return e.Notice + " is overdue, it stays closed" + openSteps(e)
	case ledger.StepDone, ledger.StepUndone, ledger.StepAdded, ledger.StepRemoved:
		return e.Notice + ": “" + e.Step + "” " + stepWords[e.Event] + ", by " + publishers(e)
	case ledger.StorefrontClosed:
		return "checkout off at " + e.Storefront + s.until(e) + because(e)
	case ledger.StorefrontOpened:
		return "checkout on at " + e.Storefront + because(e) + openSteps(e)
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
	case ledger.SubscribersImported:
		return fmt.Sprintf("subscribers imported: %d added, %d known, %d refused", e.Counts["added"], e.Counts["known"], e.Counts["refused"])
	case ledger.SubscriberConfirmed:
		if n := e.Counts["rechosen"]; n > 0 {
			return plural(n, "subscriber") + " chose something else"
		}
		return plural(e.Counts["confirmed"], "subscriber") + " confirmed"
	case ledger.SubscriberSuppressed:
		return plural(e.Counts["suppressed"], "subscriber") + " suppressed: " + e.Reason
	case ledger.PublishersChanged:
		return "who may publish was changed, by " + publisher(e.By) + ": " + s.publishersChanged(e)
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
	return ": " + e.Notice + ", published by " + publisher(e.By)
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
