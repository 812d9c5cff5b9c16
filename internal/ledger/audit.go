package ledger

import (
	"fmt"
	"strings"
	"time"
)

// By is who is behind a change, and how we know.
type By struct {
	Name     string `json:"name"`
	Email    string `json:"email,omitempty"`
	Verified bool   `json:"verified"`
	How      string `json:"how"` // system-user, git-author, git-signature or ssh-signature
	Key      string `json:"key,omitempty"`
}

// The events of the audit log.
const (
	NoticeAccepted       = "notice.accepted"
	NoticeRefused        = "notice.refused"
	NoticeMissing        = "notice.missing" // the file is gone; its last version stays in force
	TranslationAccepted  = "translation.accepted"
	TranslationWithdrawn = "translation.withdrawn" // its file was deleted
	NoticeMissed         = "notice.missed"         // a whole closure went by while nobody watched
	NoticeOverdue        = "notice.overdue"
	StepDone             = "step.done" // of a reopening plan
	StepUndone           = "step.undone"
	StepAdded            = "step.added" // to a plan that was accepted before
	StepRemoved          = "step.removed"
	StorefrontClosed     = "storefront.closed"
	StorefrontOpened     = "storefront.opened"
	WebhookAcknowledged  = "webhook.acknowledged"
	WebhookDisabled      = "webhook.disabled"
	WebhookEnabled       = "webhook.enabled"
	MailStarted          = "mail.started"
	MailFinished         = "mail.finished"
	MailPaused           = "mail.paused"
	MailFailed           = "mail.failed" // it could not be written
	SubscribersImported  = "subscribers.imported"
	SubscriberConfirmed  = "subscribers.confirmed"
	SubscriberRemoved    = "subscribers.removed"
	SubscriberSuppressed = "subscribers.suppressed" // by a report that came back
	PublishersChanged    = "publishers.changed"     // in the settings: who may publish
)

// Entry is one line of the audit log. It never holds a subscriber's address.
type Entry struct {
	Index      int64      `json:"index"`
	Time       time.Time  `json:"time"` // UTC
	Event      string     `json:"event"`
	Storefront string     `json:"storefront,omitempty"`
	Notice     string     `json:"notice,omitempty"`
	Language   string     `json:"language,omitempty"` // of a translation
	Step       string     `json:"step,omitempty"`     // of the reopening plan
	Revision   int64      `json:"revision,omitempty"`
	Until      *time.Time `json:"until,omitempty"`
	Kind       string     `json:"kind,omitempty"`       // of a mail
	URL        string     `json:"url,omitempty"`        // of an endpoint
	Reason     string     `json:"reason,omitempty"`     // of a refusal or a failure
	OpenSteps  []string   `json:"open_steps,omitempty"` // of the reopening plan, where it was reopened without them
	Counts     Counts     `json:"counts,omitempty"`
	By         *By        `json:"by,omitempty"`
	Also       []By       `json:"also,omitempty"`   // who signed beside them
	Commit     string     `json:"commit,omitempty"` // the git commit that an accepted notice was from

	Before *Publishers `json:"before,omitempty"` // of publishers.changed, with After
	After  *Publishers `json:"after,omitempty"`
}

// Counts sums up a mail (recipients, sent, failed, passed: who left meanwhile or
// was served by a newer mail) or an import (added, known, refused), or whoever
// has confirmed (confirmed; rechosen: a subscriber's choice of something else) or
// left (removed).
type Counts map[string]int

// Audit appends the entry to the log and gives it back with its index.
func (t *Tx) Audit(e Entry) (Entry, error) {
	err := t.row("SELECT COALESCE(MAX(idx) + 1, 0) FROM audit", nil, &e.Index)
	if err != nil {
		return e, fmt.Errorf("ledger: %w", err)
	}
	e.Time = e.Time.UTC().Truncate(time.Millisecond)
	_, err = t.exec("INSERT INTO audit (idx, time, event, entry) VALUES ($1, $2, $3, $4)",
		e.Index, millis(e.Time), e.Event, encode(e))
	return e, err
}

// Entries gives the log from the index on, at most limit entries, oldest first.
func (t *Tx) Entries(from int64, limit int) ([]Entry, error) {
	return rows(t, scanEntry, "SELECT entry FROM audit WHERE idx >= $1 ORDER BY idx LIMIT $2", from, limit)
}

// LastTime is when the last entry of the log was written; zero: there is none.
func (t *Tx) LastTime() (time.Time, error) {
	var last int64
	err := t.row("SELECT time FROM audit ORDER BY idx DESC LIMIT 1", nil, &last)
	if isNone(err) {
		return time.Time{}, nil
	}
	return fromMillis(last), err
}

// EntriesOf is Entries for some events alone.
func (t *Tx) EntriesOf(events []string, from int64, limit int) ([]Entry, error) {
	args := []any{from}
	var marks []string
	for _, event := range events {
		args = append(args, event)
		marks = append(marks, fmt.Sprint("$", len(args)))
	}
	args = append(args, limit) // in the order in which the marks stand, as SQLite counts them
	return rows(t, scanEntry, fmt.Sprintf("SELECT entry FROM audit WHERE idx >= $1 AND event IN (%s) ORDER BY idx LIMIT $%d", strings.Join(marks, ", "), len(args)), args...)
}

// EntriesBefore gives the log backwards from before the index on, at most limit
// entries.
func (t *Tx) EntriesBefore(before int64, limit int) ([]Entry, error) {
	return rows(t, scanEntry, "SELECT entry FROM audit WHERE idx < $1 ORDER BY idx DESC LIMIT $2", before, limit)
}

func scanEntry(s scanner) (e Entry, err error) {
	var entry string
	if err = s.Scan(&entry); err == nil {
		err = decode(entry, &e)
	}
	return e, err
}
