package ledger

import (
	"fmt"
	"time"
)

// Version is one accepted content of a notice.
type Version struct {
	ID       int64
	Slug     string
	SHA256   string // of Content, in hex
	Content  []byte
	Accepted time.Time
	By       By
	Commit   string // the git commit that it was from, in hex; empty: it was in none that counts
}

// Notice is what the ledger knows of a notice beside its words.
type Notice struct {
	Version           // the one in force; Content is left out, see Content
	First   time.Time // when its first version was accepted
	Closed  time.Time // when the closure was carried out; zero: not yet
	Ended   time.Time // when it really ended; zero: not yet
	Overdue time.Time // since when the owner knows that the reopening is late; zero: it isn't
	Told    Told
}

// Told is what the subscribers have been told of a notice; see package notify.
type Told struct {
	Kind        string      `json:"kind,omitempty"` // the last of announced, closed, delayed; over when there is no more to say
	Closes      time.Time   `json:"closes,omitzero"`
	Reopens     time.Time   `json:"reopens,omitzero"`
	Storefronts []string    `json:"storefronts,omitempty"`
	CheckoutOn  bool        `json:"checkout_on,omitempty"`
	Updates     []time.Time `json:"updates,omitempty"`
	Reminders   []time.Time `json:"reminders,omitempty"` // the moments that have had theirs
	Opened      []string    `json:"opened,omitempty"`    // storefronts whose reopening was mailed
}

// Notices gives every notice with its version in force, by slug.
func (t *Tx) Notices() ([]Notice, error) {
	return rows(t, func(s scanner) (n Notice, err error) {
		var by, told string
		var accepted, first, closed, ended, overdue int64
		err = s.Scan(&n.ID, &n.Slug, &n.SHA256, &accepted, &by, &n.Commit, &first, &closed, &ended, &overdue, &told)
		if err != nil {
			return n, err
		}
		n.Accepted, n.First = fromMillis(accepted), fromMillis(first)
		n.Closed, n.Ended, n.Overdue = fromMillis(closed), fromMillis(ended), fromMillis(overdue)
		if err = decode(by, &n.By); err == nil {
			err = decode(told, &n.Told)
		}
		return n, err
	}, `SELECT v.id, v.slug, v.sha256, v.accepted, v.by, v.git_commit, n.first, n.closed, n.ended, n.overdue, n.told
		FROM notices n JOIN versions v ON v.id = n.version ORDER BY n.slug`)
}

// Content gives the bytes of an accepted version.
func (t *Tx) Content(version int64) (content []byte, err error) {
	err = t.row("SELECT content FROM versions WHERE id = $1", []any{version}, &content)
	if err != nil {
		return nil, fmt.Errorf("ledger: version %d: %w", version, err)
	}
	return content, nil
}

// Versions gives all that was ever accepted, the first one first. The contents are
// left out.
func (t *Tx) Versions() ([]Version, error) {
	return rows(t, func(s scanner) (v Version, err error) {
		var accepted int64
		var by string
		if err = s.Scan(&v.ID, &v.Slug, &v.SHA256, &accepted, &by, &v.Commit); err != nil {
			return v, err
		}
		v.Accepted = fromMillis(accepted)
		return v, decode(by, &v.By)
	}, "SELECT id, slug, sha256, accepted, by, git_commit FROM versions ORDER BY id")
}

// Accept records a version as the one in force and gives its id.
func (t *Tx) Accept(v Version) (int64, error) {
	id, err := t.addVersion(v)
	if err != nil {
		return 0, err
	}
	_, err = t.exec(`INSERT INTO notices (slug, version, first, closed, ended, overdue, told) VALUES ($1, $2, $3, 0, 0, 0, '{}')
		ON CONFLICT (slug) DO UPDATE SET version = excluded.version`, v.Slug, id, millis(v.Accepted))
	return id, err
}

// SaveNotice writes what may change of a notice beside its version: when it was
// carried out, when it ended, and what has been told of it.
func (t *Tx) SaveNotice(n Notice) error {
	_, err := t.exec("UPDATE notices SET closed = $1, ended = $2, overdue = $3, told = $4 WHERE slug = $5",
		millis(n.Closed), millis(n.Ended), millis(n.Overdue), encode(n.Told), n.Slug)
	return err
}

// ContentOwner gives the slug under which the content was first accepted, or "".
func (t *Tx) ContentOwner(sha256 string) (slug string, err error) {
	err = t.row("SELECT slug FROM versions WHERE sha256 = $1 ORDER BY id LIMIT 1", []any{sha256}, &slug)
	if isNone(err) {
		return "", nil
	}
	return slug, err
}

// Refusal is what the owner has been told of a file. An empty SHA256 stands for
// a file that is gone.
type Refusal struct {
	Slug, SHA256, Reason string
	At                   time.Time
}

// Refusals gives every refusal that stands, by slug.
func (t *Tx) Refusals() (map[string]Refusal, error) {
	all, err := rows(t, func(s scanner) (r Refusal, err error) {
		var at int64
		err = s.Scan(&r.Slug, &r.SHA256, &r.Reason, &at)
		r.At = fromMillis(at)
		return r, err
	}, "SELECT slug, sha256, reason, at FROM refusals")
	bySlug := make(map[string]Refusal, len(all))
	for _, r := range all {
		bySlug[r.Slug] = r
	}
	return bySlug, err
}

// Refuse remembers that the owner has been told.
func (t *Tx) Refuse(r Refusal) error {
	_, err := t.exec(`INSERT INTO refusals (slug, sha256, reason, at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (slug) DO UPDATE SET sha256 = excluded.sha256, reason = excluded.reason, at = excluded.at`,
		r.Slug, r.SHA256, r.Reason, millis(r.At))
	return err
}

// Forgive forgets a refusal: the file is as it was accepted again.
func (t *Tx) Forgive(slug string) error {
	_, err := t.exec("DELETE FROM refusals WHERE slug = $1", slug)
	return err
}
