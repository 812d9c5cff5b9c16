package ledger

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Campaign is one mail to many. Until it is fired only what it is about stands;
// from then on its words and its last subscriber are frozen.
type Campaign struct {
	ID          int64
	Slug        string
	Kind        string
	Item        time.Time // which update, or the moment of which reminder; zero for the other kinds
	Storefronts []string  // whose followers it goes to; empty: everybody
	Created     time.Time
	NotBefore   time.Time
	Fired       time.Time // zero: not yet
	Finished    time.Time // zero: not yet
	Subject     string
	Text, HTML  string
	Last        int64 // the highest subscriber it goes to
	Cursor      int64 // letters are written up to this subscriber
	Recipients  int   // how many followed when it fired
	Sent        int
	Failed      int
	Passed      int    // left meanwhile, or served by a newer mail
	Error       string // of the last letter that failed
	imported    int64  // the last import whose subscribers it goes to, once it has fired
}

// Done is for how many of its recipients nothing more is to be done.
func (c Campaign) Done() int { return c.Sent + c.Failed + c.Passed }

const campaignColumns = `id, slug, kind, item, storefronts, created, not_before, fired, finished,
	subject, text, html, last, cursor, sent, failed, passed, error, recipients, imported`

func scanCampaign(s scanner) (c Campaign, err error) {
	var item, created, notBefore, fired, finished int64
	var storefronts string
	err = s.Scan(&c.ID, &c.Slug, &c.Kind, &item, &storefronts, &created, &notBefore, &fired, &finished,
		&c.Subject, &c.Text, &c.HTML, &c.Last, &c.Cursor, &c.Sent, &c.Failed, &c.Passed, &c.Error, &c.Recipients, &c.imported)
	if err != nil {
		return c, err
	}
	c.Item, c.Created, c.NotBefore = fromMillis(item), fromMillis(created), fromMillis(notBefore)
	c.Fired, c.Finished = fromMillis(fired), fromMillis(finished)
	return c, decode(storefronts, &c.Storefronts)
}

// OpenCampaigns gives those that are not finished, oldest first.
func (t *Tx) OpenCampaigns() ([]Campaign, error) {
	return rows(t, scanCampaign, "SELECT "+campaignColumns+" FROM campaigns WHERE finished = 0 ORDER BY id")
}

// Mailing tells whether a campaign has fired that is not finished.
func (t *Tx) Mailing() (mailing bool, err error) {
	err = t.row("SELECT EXISTS (SELECT 1 FROM campaigns WHERE finished = 0 AND fired > 0)", nil, &mailing)
	if err != nil {
		return false, fmt.Errorf("ledger: %w", err)
	}
	return mailing, nil
}

// Campaigns gives the newest ones, newest first.
func (t *Tx) Campaigns(limit int) ([]Campaign, error) {
	return rows(t, scanCampaign, "SELECT "+campaignColumns+" FROM campaigns ORDER BY id DESC LIMIT $1", limit)
}

// FirstCampaign gives the first mail about the notice that was fired, which all
// later ones refer to; nil where there is none.
func (t *Tx) FirstCampaign(slug string) (*Campaign, error) {
	cs, err := rows(t, scanCampaign, "SELECT "+campaignColumns+" FROM campaigns WHERE slug = $1 AND fired > 0 ORDER BY fired, id LIMIT 1", slug)
	if err != nil || len(cs) == 0 {
		return nil, err
	}
	return &cs[0], nil
}

// AddCampaign writes a campaign that waits for its moment and gives its id.
func (t *Tx) AddCampaign(c Campaign) (id int64, err error) {
	err = t.row(`INSERT INTO campaigns (slug, kind, item, storefronts, created, not_before) VALUES ($1, $2, $3, $4, $5, $6) RETURNING id`,
		[]any{c.Slug, c.Kind, millis(c.Item), encode(list(c.Storefronts)), millis(c.Created), millis(c.NotBefore)}, &id)
	if err != nil {
		return 0, fmt.Errorf("ledger: %w", err)
	}
	return id, nil
}

// PostponeCampaign changes a waiting campaign's moment and recipients.
func (t *Tx) PostponeCampaign(c Campaign) error {
	_, err := t.exec("UPDATE campaigns SET not_before = $1, storefronts = $2 WHERE id = $3 AND fired = 0",
		millis(c.NotBefore), encode(list(c.Storefronts)), c.ID)
	return err
}

// DropCampaign forgets a campaign that was never fired.
func (t *Tx) DropCampaign(id int64) error {
	_, err := t.exec("DELETE FROM campaigns WHERE id = $1 AND fired = 0", id)
	return err
}

// Fire freezes a campaign: its words as given, its recipients as they are now.
func (t *Tx) Fire(c Campaign) error {
	_, err := t.exec(`UPDATE campaigns SET fired = $1, subject = $2, text = $3, html = $4,
		last = (SELECT COALESCE(MAX(id), 0) FROM subscribers), imported = `+lastImport+`, recipients = $5 WHERE id = $6 AND fired = 0`,
		millis(c.Fired), c.Subject, c.Text, c.HTML, c.Recipients, c.ID)
	return err
}

// Expand writes the letters of the next limit subscribers of a fired campaign
// and moves its cursor with them. It tells how many it wrote: fewer than limit, and
// there are no more.
func (t *Tx) Expand(c Campaign, limit int) (written int, err error) {
	where, args := follows(c, c.Cursor, c.Last)
	ids, err := rows(t, func(s scanner) (id int64, err error) { err = s.Scan(&id); return },
		fmt.Sprintf("SELECT id FROM subscribers WHERE %s ORDER BY id LIMIT %d", where, limit), args...)
	if err != nil {
		return 0, err
	}
	upTo := c.Last
	if len(ids) == limit {
		upTo = ids[limit-1]
	}
	where, args = follows(c, c.Cursor, upTo, c.ID, millis(c.Fired))
	_, err = t.exec("INSERT INTO letters (campaign, subscriber, next_try) SELECT $1, id, $2 FROM subscribers WHERE "+where, args...)
	if err != nil {
		return 0, err
	}
	_, err = t.exec("UPDATE campaigns SET cursor = $1 WHERE id = $2", upTo, c.ID)
	return len(ids), err
}

// follows is the condition for a subscriber to get the campaign, its parameters
// numbered on from those of args. Who asked only to hear of the reopening gets
// nothing else.
func follows(c Campaign, after, upTo int64, args ...any) (where string, all []any) {
	param := func(v any) string {
		args = append(args, v)
		return fmt.Sprintf("$%d", len(args))
	}
	where = "id > " + param(after) + " AND id <= " + param(upTo) + " AND confirmed > 0 AND suppressed = ''"
	if c.Fired.IsZero() {
		where += " AND " + counted
	} else {
		where += " AND imported <= " + param(c.imported)
	}
	if c.Kind != "reopened" {
		where += " AND until_reopen = 0"
	}
	if len(c.Storefronts) == 0 {
		return where, args
	}
	any := []string{"storefronts = ''"}
	for _, id := range c.Storefronts {
		any = append(any, "storefronts LIKE "+param("% "+id+" %"))
	}
	return where + " AND (" + strings.Join(any, " OR ") + ")", args
}

// CountFollowers tells how many a campaign would go to now.
func (t *Tx) CountFollowers(c Campaign) (n int, err error) {
	c.Fired = time.Time{}
	where, args := follows(c, 0, 1<<62)
	err = t.row("SELECT COUNT(*) FROM subscribers WHERE "+where, args, &n)
	return n, err
}

// Overtake ends what older campaigns of the same closure still owe: those fired
// before the given moment whose followers all get a newer one. It moves their
// cursors in open too.
func (t *Tx) Overtake(open []Campaign, before time.Time) error {
	for i, c := range open {
		if c.Fired.IsZero() || c.Fired.After(before) {
			continue
		}
		newer, err := rows(t, scanCampaign, "SELECT "+campaignColumns+" FROM campaigns WHERE slug = $1 AND (fired > $2 OR fired = $3 AND id > $4)",
			c.Slug, millis(c.Fired), millis(c.Fired), c.ID)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(newer, c.overtakenBy) {
			continue
		}
		if err := t.passAll(c); err != nil {
			return err
		}
		open[i].Cursor = c.Last
	}
	return nil
}

// passAll passes over all whom the campaign has not reached.
func (t *Tx) passAll(c Campaign) error {
	written, err := t.exec("DELETE FROM letters WHERE campaign = $1", c.ID)
	if err != nil {
		return err
	}
	where, args := follows(c, c.Cursor, c.Last)
	var unwritten int64
	if err := t.row("SELECT COUNT(*) FROM subscribers WHERE "+where, args, &unwritten); err != nil {
		return err
	}
	_, err = t.exec("UPDATE campaigns SET cursor = last, passed = passed + $1 WHERE id = $2", written+unwritten, c.ID)
	return err
}

// overtakenBy tells whether a newer campaign of the same closure goes to all
// whom c goes to. Who asked only for the reopening gets no other kind.
func (c Campaign) overtakenBy(newer Campaign) bool {
	return covers(newer.Storefronts, c.Storefronts) && (c.Kind != "reopened" || newer.Kind == "reopened")
}

func covers(wide, narrow []string) bool {
	if len(wide) == 0 {
		return true
	}
	for _, id := range narrow {
		if !slices.Contains(wide, id) {
			return false
		}
	}
	return len(narrow) > 0
}

// Finish closes a campaign that owes nothing any more and tells whether it did.
func (t *Tx) Finish(id int64, now time.Time) (bool, error) {
	n, err := t.exec(`UPDATE campaigns SET finished = $1 WHERE id = $2 AND fired > 0 AND finished = 0 AND cursor >= last
		AND NOT EXISTS (SELECT 1 FROM letters WHERE campaign = campaigns.id)`, millis(now), id)
	return n > 0, err
}
