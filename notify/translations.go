package notify

import (
	"fmt"
	"slices"
	"time"

	"github.com/backsoon/backsoon/internal/ledger"
	"github.com/backsoon/backsoon/internal/notice"
	"github.com/backsoon/backsoon/internal/strictyaml"
)

// takeTranslation accepts or refuses a candidate that is a notice's translation.
// It waits for its notice, and goes when its file is deleted while the notice's
// own is there: no state depends on it.
func (w *Watcher) takeTranslation(tx *ledger.Tx, s *situation, c candidate, refusals map[string]ledger.Refusal, now time.Time) (*ledger.Entry, string, error) {
	of, language := notice.Split(c.slug)
	i, known := s.index(of)
	if c.sha == "" {
		if !known || !w.counting().holds(of) || (c.found && w.Ledger.Shared()) { // a copy of the folder that never had it deletes nothing
			return nil, "", nil
		}
		if w.Judge != nil || w.replaced { // nobody signs for a file that isn't there
			return w.refuse(tx, c, c.path+": the file is gone, but its last accepted version stays on the pages; put it back, "+
				"or sign one with other words", ledger.NoticeMissing, refusals, now)
		}
		return w.withdraw(tx, s, i, language, refusals)
	}
	problems := c.problems.Errors()
	if len(problems) == 0 {
		if !known && w.counting().holds(of) {
			return nil, "", nil
		}
		var err error
		if problems, err = w.judgeTranslation(tx, s, &c, of, refusals, now); err != nil {
			return nil, "", err
		}
	}
	if len(problems) > 0 {
		if !c.stands {
			return nil, "", nil
		}
		return w.refuse(tx, c, problems.Error(), ledger.NoticeRefused, refusals, now)
	}
	delete(refusals, c.slug)
	return w.acceptTranslation(tx, s, i, c, now)
}

// judgeTranslation tells what is wrong with a translation of the notice, where it
// could be read.
func (w *Watcher) judgeTranslation(tx *ledger.Tx, s *situation, c *candidate, of string, refusals map[string]ledger.Refusal, now time.Time) (strictyaml.Problems, error) {
	if problems, err := w.replayed(tx, c, refusals); err != nil || problems != nil {
		return problems, err
	}
	var original *notice.Notice
	if t := s.find(of); t != nil {
		original = t.Notice
	}
	problems := c.translation.Check(c.path, original, original != nil, w.Config.Surroundings().Languages).Errors()
	if problems != nil {
		return problems, nil
	}
	return w.authorise(c, original, original, now), nil
}

func (w *Watcher) acceptTranslation(tx *ledger.Tx, s *situation, i int, c candidate, now time.Time) (*ledger.Entry, string, error) {
	v := c.version(now)
	tr := ledger.Translation{Version: v, Notice: c.translation.Slug, Language: c.translation.Language}
	if _, err := tx.AcceptTranslation(tr); err != nil {
		return nil, "", err
	}
	tx.AfterCommit(func() { w.versions[c.slug] = BasisOf(v) })
	s.translate(i, tr.Language, c.translation)
	s.notices[i].worded = now
	return &ledger.Entry{Time: now, Event: ledger.TranslationAccepted, Notice: tr.Notice, Language: tr.Language, By: &c.by, Also: c.also, Commit: v.Commit, SHA256: c.sha}, "", nil
}

// withdraw ends the translation of the i-th notice into a language.
func (w *Watcher) withdraw(tx *ledger.Tx, s *situation, i int, language string, refusals map[string]ledger.Refusal) (*ledger.Entry, string, error) {
	slug := s.notices[i].Slug
	name := slug + "." + language
	if err := tx.WithdrawTranslation(slug, language); err != nil {
		return nil, "", err
	}
	tx.AfterCommit(func() {
		delete(w.versions, name)
		w.folder.forget(name)
	})
	s.translate(i, language, nil)
	return &ledger.Entry{Time: w.Now(), Event: ledger.TranslationWithdrawn, Notice: slug, Language: language}, "", forget(tx, refusals, name)
}

// translate puts a translation of the i-th notice in the place of the one into
// that language; nil takes it away.
func (s *situation) translate(i int, language string, into *notice.Translation) {
	t := s.change(i)
	others := slices.DeleteFunc(slices.Clone(t.Translations), func(o *notice.Translation) bool { return o.Language == language })
	if into != nil {
		others = append(others, into)
	}
	t.Notice = t.Notice.Translated(others)
}

// loadTranslations joins the accepted translations to their notices.
func (w *Watcher) loadTranslations(tx *ledger.Tx, s *situation) error {
	all, err := tx.Translations()
	if err != nil {
		return err
	}
	for _, tr := range all {
		src, err := tx.Content(tr.ID)
		if err != nil {
			return err
		}
		parsed, problems := notice.ParseTranslation(notice.Path(tr.Slug), tr.Slug, src, w.Config.Shop.Location)
		if parsed == nil {
			return fmt.Errorf("the ledger's version of %s can't be read any more: %w", tr.Slug, problems)
		}
		w.versions[tr.Slug] = BasisOf(tr.Version)
		if t := s.find(tr.Notice); t != nil {
			t.Notice = t.Notice.Translated(append(slices.Clone(t.Translations), parsed))
			t.worded = later(t.worded, tr.Accepted)
		}
	}
	return nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
