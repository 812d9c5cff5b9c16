package ledger

import (
	"fmt"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"
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
	LogBegun             = "log.begun"              // a new one, because entries of the one before were lost
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
	SHA256     string     `json:"sha256,omitempty"` // of what was accepted, in hex

	Before *Publishers `json:"before,omitempty"` // of publishers.changed, with After
	After  *Publishers `json:"after,omitempty"`

	Lost  string `json:"lost,omitempty"`  // of log.begun: the newest checkpoint that was published of the log that ended
	Found string `json:"found,omitempty"` // the newest checkpoint that the ledger has; none: it has no log
}

// Counts sums up a mail (recipients, sent, failed, passed: who left meanwhile or
// was served by a newer mail) or an import (added, known, refused), or whoever
// has confirmed (confirmed; rechosen: a subscriber's choice of something else) or
// left (removed).
type Counts map[string]int

// longest is how many bytes an entry has at most: what tiles have room for
// (https://c2sp.org/tlog-tiles, "Log entries").
const longest = 1<<16 - 1

// Audit appends the entry to the log and gives it back with its index. A reason
// that makes it too long is cut.
func (t *Tx) Audit(e Entry) (_ Entry, err error) {
	if t.notary == nil {
		return e, errUnsigned
	}
	if e.Index, err = t.nextIndex(); err != nil {
		return e, err
	}
	if len(t.leaves) == 0 {
		t.first = e.Index
	}
	e.Time = e.Time.UTC().Truncate(time.Millisecond)
	text := encode(e)
	for ; len(text) > longest && len(e.Reason) > 16; text = encode(e) {
		e.Reason = strings.TrimSuffix(strings.ToValidUTF8(e.Reason[:len(e.Reason)*3/4], ""), "…") + "…"
	}
	_, err = t.exec("INSERT INTO audit (idx, time, event, entry) VALUES ($1, $2, $3, $4)", e.Index, millis(e.Time), e.Event, text)
	t.leaves = append(t.leaves, tlog.RecordHash([]byte(text)))
	return e, err
}

// nextIndex is the index of the next entry. Nobody else writes meanwhile.
func (t *Tx) nextIndex() (next int64, err error) {
	if n := int64(len(t.leaves)); n > 0 {
		return t.first + n, nil
	}
	if err = t.row("SELECT COALESCE(MAX(idx) + 1, 0) FROM audit", nil, &next); err != nil {
		err = fmt.Errorf("ledger: %w", err)
	}
	return next, err
}

// Record is an entry as it is stored.
type Record struct {
	Index int64
	Time  time.Time
	Event string
	Entry string // JSON: the leaf of the tree, to the byte
}

// Decode reads the record's entry.
func (r Record) Decode() (e Entry, err error) { return e, decode(r.Entry, &e) }

// Records gives the log from the index on, at most limit entries, oldest first.
func (t *Tx) Records(from int64, limit int) ([]Record, error) {
	return rows(t, func(s scanner) (r Record, err error) {
		var at int64
		err = s.Scan(&r.Index, &at, &r.Event, &r.Entry)
		r.Time = fromMillis(at)
		return r, err
	}, "SELECT idx, time, event, entry FROM audit WHERE idx >= $1 ORDER BY idx LIMIT $2", from, limit)
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
