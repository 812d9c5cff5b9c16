package letter

import (
	"errors"
	"io/fs"

	"github.com/backsoon/backsoon/internal/config"
	"github.com/backsoon/backsoon/internal/locale"
	"github.com/backsoon/backsoon/internal/notice"
)

// trial is a notice with all that a letter may show.
const trial = `---
title: Closed for the winter break
closes: 2026-12-24 18:00
reopens: 2027-01-02 09:00
facts: {Last orders: "Wed 23 December, 12:00"}
contact: {label: Helpline, url: "tel:+351210000000"}
reopening: {stock counted: no}
---
We are closing for two weeks.

## 2026-12-26 10:30 Water is gone
The cellar is dry again.
`

// Check tries the theme's templates for mail with letters of every kind and with
// every question. The error joins the first mistake of each (errors.Join): a
// *templates.Mistake where it has a place.
func Check(theme fs.FS, cfg *config.Config, language *locale.Language) error {
	some := cfg.StorefrontIDs()[:min(1, len(cfg.Storefronts))]
	return errors.Join(tryLetters(theme, cfg, language, some), tryQuestions(theme, cfg, language, some))
}

func tryLetters(theme fs.FS, cfg *config.Config, language *locale.Language, some []string) error {
	n, problems := notice.Parse("", "winter-break", []byte(trial), cfg.Shop.Location)
	if err := problems.Err(); err != nil {
		return err
	}
	for _, kind := range kinds {
		for _, f := range []Facts{{}, {Storefronts: some, Spared: some}} {
			f.Kind, f.Notice, f.Update, f.Now = kind, n, n.Updates[0].At, n.Updates[0].At
			if _, err := Compose(theme, cfg, language, f); err != nil {
				return err
			}
		}
	}
	return nil
}

func tryQuestions(theme fs.FS, cfg *config.Config, language *locale.Language, some []string) error {
	for _, r := range []Request{{}, {Storefronts: some, UntilReopen: true}, {Known: true}, {Known: true, Same: true}} {
		r.Confirm, r.Leave = cfg.Shop.URL.String(), cfg.Shop.URL.String()
		if _, err := Ask(theme, cfg, language, r); err != nil {
			return err
		}
	}
	return nil
}
