package notify

import (
	"github.com/backsoon/backsoon/internal/ledger"
	"github.com/backsoon/backsoon/internal/locale"
	"github.com/backsoon/backsoon/notify/letter"
	"github.com/backsoon/backsoon/templates"
)

// words puts a campaign into words in every language of the site, the notices'
// own first. A mistake in the site's own templates or words must not hold up a
// mail: the default ones serve, and the owner is told.
func (r *round) words(p *ledger.Campaign) (all []ledger.Wording, err error) {
	subjects, err := r.subjects(p)
	if err != nil {
		return nil, err
	}
	facts := r.situation.facts(p, r.now)
	var mistake error
	for _, language := range r.Config.LanguagesOf(r.situation.plain()) {
		l, err := r.letter(language, facts)
		if err != nil {
			mistake = err
			l, err = r.defaultLetter(language, facts)
		}
		if err != nil {
			return nil, err
		}
		if subject, ok := subjects[language]; ok {
			l.Subject = subject
		}
		all = append(all, ledger.Wording{Language: language, Subject: l.Subject, Text: l.Text, HTML: l.HTML})
	}
	if mistake != nil {
		text := "Mail went out in the default form, because the site's own template has a mistake:\n\n" + mistake.Error() + "\n"
		err = r.alert(r.tx, alert{subject: "A mail template has a mistake", text: text}, r.now)
	}
	return all, err
}

// subjects keeps one subject in each language for all mails of a closure but the
// last, whatever becomes of its title: mailboxes thread by it.
func (r *round) subjects(p *ledger.Campaign) (map[string]string, error) {
	first, err := r.tx.FirstCampaign(p.Slug)
	if err != nil || first == nil || letter.Kind(p.Kind) == letter.Reopened || letter.Kind(p.Kind) == letter.Cancelled {
		return nil, err
	}
	subjects := map[string]string{}
	words, err := r.wordings(r.tx, *first)
	for language, c := range words {
		subjects[language] = c.Subject
	}
	return subjects, err
}

// letter is the letter in a language, by the site's own theme.
func (w *Watcher) letter(language string, facts letter.Facts) (letter.Letter, error) {
	words, err := w.language(language)
	if err != nil {
		return letter.Letter{}, err
	}
	return letter.Compose(w.Theme, w.Config, words, facts)
}

// defaultLetter is the letter in a language, by the default theme.
func (w *Watcher) defaultLetter(language string, facts letter.Facts) (letter.Letter, error) {
	theme := templates.FS("")
	words, err := locale.Load(theme, language)
	if err != nil {
		return letter.Letter{}, err
	}
	return letter.Compose(theme, w.Config, words, facts)
}

// language gives a language in the words of the site's theme. It is read once for
// as long as the theme stays as it is: a checkout may wait for it.
func (w *Watcher) language(tag string) (*locale.Language, error) {
	w.reading.Lock()
	defer w.reading.Unlock()
	if stamp := templates.Stamp(w.Config.Dir); w.languages == nil || stamp != w.themeStamp {
		w.languages, w.themeStamp = map[string]*locale.Language{}, stamp
	}
	if l := w.languages[tag]; l != nil {
		return l, nil
	}
	l, err := locale.Load(w.Theme, tag)
	if err == nil {
		w.languages[tag] = l
	}
	return l, err
}
