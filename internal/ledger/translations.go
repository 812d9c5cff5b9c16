package ledger

import "fmt"

// Translation is an accepted translation of a notice. The Slug of its Version is
// the file's name, winter-break.pt: what was accepted under it is kept as any
// other version is.
type Translation struct {
	Version         // the one in force; Content is left out, see Content
	Notice   string // the notice's slug
	Language string
}

// Translations gives every translation in force, by notice and language.
func (t *Tx) Translations() ([]Translation, error) {
	return rows(t, func(s scanner) (tr Translation, err error) {
		var accepted int64
		var by string
		if err = s.Scan(&tr.ID, &tr.Slug, &tr.SHA256, &accepted, &by, &tr.Commit, &tr.Notice, &tr.Language); err != nil {
			return tr, err
		}
		tr.Accepted = fromMillis(accepted)
		return tr, decode(by, &tr.By)
	}, `SELECT v.id, v.slug, v.sha256, v.accepted, v.by, v.git_commit, t.slug, t.language
		FROM translations t JOIN versions v ON v.id = t.version ORDER BY t.slug, t.language`)
}

// AcceptTranslation records a version as the translation in force and gives its
// id.
func (t *Tx) AcceptTranslation(tr Translation) (int64, error) {
	id, err := t.addVersion(tr.Version)
	if err != nil {
		return 0, err
	}
	_, err = t.exec(`INSERT INTO translations (slug, language, version) VALUES ($1, $2, $3)
		ON CONFLICT (slug, language) DO UPDATE SET version = excluded.version`, tr.Notice, tr.Language, id)
	return id, err
}

// WithdrawTranslation ends a translation: the notice is no longer in that
// language. What was accepted of it is kept.
func (t *Tx) WithdrawTranslation(notice, language string) error {
	_, err := t.exec("DELETE FROM translations WHERE slug = $1 AND language = $2", notice, language)
	return err
}

// Wording is a campaign's words in one more language.
type Wording struct{ Language, Subject, Text, HTML string }

// AddWording writes a fired campaign's words in one more language.
func (t *Tx) AddWording(campaign int64, w Wording) error {
	_, err := t.exec("INSERT INTO wordings (campaign, language, subject, text, html) VALUES ($1, $2, $3, $4, $5)",
		campaign, w.Language, w.Subject, w.Text, w.HTML)
	return err
}

// Wordings gives a campaign's words in the languages that it is not itself in.
func (t *Tx) Wordings(campaign int64) ([]Wording, error) {
	return rows(t, func(s scanner) (w Wording, err error) {
		err = s.Scan(&w.Language, &w.Subject, &w.Text, &w.HTML)
		return w, err
	}, "SELECT language, subject, text, html FROM wordings WHERE campaign = $1 ORDER BY language", campaign)
}

// In gives the campaign with one of its wordings in the place of its own words.
func (c Campaign) In(w Wording) Campaign {
	c.Subject, c.Text, c.HTML = w.Subject, w.Text, w.HTML
	return c
}

// addVersion keeps a content that was accepted, and forgets that it was refused.
func (t *Tx) addVersion(v Version) (id int64, err error) {
	err = t.row(`INSERT INTO versions (slug, sha256, content, accepted, by, git_commit) VALUES ($1, $2, $3, $4, $5, $6) RETURNING id`,
		[]any{v.Slug, v.SHA256, v.Content, millis(v.Accepted), encode(v.By), v.Commit}, &id)
	if err != nil {
		return 0, fmt.Errorf("ledger: %w", err)
	}
	_, err = t.exec("DELETE FROM refusals WHERE slug = $1", v.Slug)
	return id, err
}
