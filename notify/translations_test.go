package notify

import (
	"strings"
	"testing"
	"time"

	"github.com/backsoon/backsoon/internal/ledger"
)

const winterInPortuguese = "---\ntitle: Fechado para as férias de inverno\n---\nFechamos por duas semanas.\n"

// title is the title of the notice as the pages have it in a language.
func (b *bench) title(slug, language string) string {
	return b.w.shown.find(slug).In(language).Title
}

// A translation changes words alone: it is accepted, outlives a restart and a
// new version of its notice, and goes with its file.
func TestTranslation(t *testing.T) {
	b := newBench(t, "2026-11-20 10:00", "")
	b.write("winter-break.md", winter)
	b.write("winter-break.pt.md", winterInPortuguese)
	b.until("2026-11-20 10:05")
	equal(t, "title", []string{b.title("winter-break", "pt")}, []string{"Fechado para as férias de inverno"})
	b.write("winter-break.md", strings.Replace(winter, "two weeks", "a fortnight", 1))
	b.until("2026-11-20 10:10")
	b.w.Close()
	b.start()
	b.until("2026-11-20 10:15")
	equal(t, "title after a restart", []string{b.title("winter-break", "pt")}, []string{"Fechado para as férias de inverno"})
	b.remove("winter-break.pt.md")
	b.until("2026-11-20 10:20")
	equal(t, "title without the file", []string{b.title("winter-break", "pt")}, []string{"Closed for the winter break"})
	equal(t, "webhooks", b.web.types(), []string{"storefront.opened"})
	equal(t, "alerts", b.mailbox.letters(), nil)
	equal(t, "log", b.events("webhook.", "mail.", "storefront."), []string{
		"notice.accepted winter-break", "translation.accepted winter-break", "notice.accepted winter-break", "translation.withdrawn winter-break"})
}

// Where the notice's own file is gone as well, somebody is at work in the folder.
func TestTranslationStaysWithItsNotice(t *testing.T) {
	b := newBench(t, "2026-11-20 10:00", "")
	b.write("winter-break.md", winter)
	b.write("winter-break.pt.md", winterInPortuguese)
	b.until("2026-11-20 10:05")
	b.remove("winter-break.md")
	b.remove("winter-break.pt.md")
	b.until("2026-11-20 10:10")
	equal(t, "title", []string{b.title("winter-break", "pt")}, []string{"Fechado para as férias de inverno"})
	b.write("winter-break.md", winter)
	b.until("2026-11-20 10:15")
	equal(t, "title", []string{b.title("winter-break", "pt")}, []string{"Closed for the winter break"})
}

// A mistake in a translation is the translation's: the owner hears of it once,
// and what was accepted stays.
func TestTranslationWithAMistake(t *testing.T) {
	b := newBench(t, "2026-11-20 10:00", "")
	b.write("winter-break.md", winter)
	b.write("winter-break.pt.md", winterInPortuguese)
	b.until("2026-11-20 10:05")
	b.write("winter-break.pt.md", strings.Replace(winterInPortuguese, "title: ", "closes: 2027-01-01\ntitle: ", 1))
	b.write("flood.pt.md", winterInPortuguese+"x")
	b.until("2026-11-20 10:10")
	alerts := b.mailbox.letters()
	if len(alerts) != 1 || b.w.refused != 2 {
		t.Errorf("alerts: %q, %d refused", alerts, b.w.refused)
	}
	equal(t, "title", []string{b.title("winter-break", "pt")}, []string{"Fechado para as férias de inverno"})
	b.write("winter-break.pt.md", strings.Replace(winterInPortuguese, "inverno", "Natal", 1))
	b.remove("flood.pt.md")
	b.until("2026-11-20 10:15")
	equal(t, "title", []string{b.title("winter-break", "pt")}, []string{"Fechado para as férias de Natal"})
	if b.w.refused != 0 {
		t.Errorf("%d refused", b.w.refused)
	}
}

// The pages are told what the owner announced before, and when words became others.
func TestChangesOfTimes(t *testing.T) {
	b := newBench(t, "2026-11-20 10:00", "")
	b.write("winter-break.md", winter)
	b.until("2026-11-20 10:05")
	b.write("winter-break.md", strings.Replace(winter, "two weeks", "a fortnight", 1))
	b.until("2026-11-20 10:10")
	b.write("winter-break.md", strings.Replace(winter, "01-02 09:00", "01-04 09:00", 1))
	b.until("2026-11-20 10:15")
	for range 2 {
		snap := b.w.snapshot(b.clock())
		changes := snap.Changes[0]
		if snap.Versions[0] != 3 || len(changes) != 2 || !changes[0].Reopens.Equal(at("2027-01-02 09:00")) || !changes[1].Reopens.Equal(at("2027-01-04 09:00")) {
			t.Errorf("%d versions, %+v", snap.Versions[0], changes)
		}
		if words := snap.Reworded[0]; len(words) != 1 || !words[time.Time{}].Truncate(time.Minute).Equal(at("2026-11-20 10:10")) {
			t.Errorf("reworded %v", words)
		}
		b.w.Close()
		b.start()
		b.until("2026-11-20 10:20")
	}
}

// Each subscriber reads all mails of a closure in one language, as one thread.
func TestMailInEachLanguage(t *testing.T) {
	b := newBench(t, "2026-11-20 10:00", "")
	b.subscribe("ann@example.org")
	err := b.l.Update(t.Context(), func(tx *ledger.Tx) error {
		for address, language := range map[string]string{"rui@example.org": "pt-BR", "eva@example.org": "de"} {
			if _, err := tx.AddSubscriber(ledger.Subscriber{Email: address, Language: language, Confirmed: b.clock()}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	b.write("winter-break.md", winter)
	b.write("winter-break.pt.md", winterInPortuguese)
	b.until("2026-11-20 10:05")
	first := map[string]received{}
	for _, m := range b.mailbox.take() {
		first[m.to] = m
	}
	for to, want := range map[string]string{"ann@example.org": "two weeks", "eva@example.org": "two weeks", "rui@example.org": "duas semanas"} {
		if !strings.Contains(first[to].body, want) {
			t.Errorf("%s reads %q, want %q", to, first[to].body, want)
		}
	}
	b.until("2026-12-24 18:05")
	for _, m := range b.mailbox.take() {
		before := first[m.to]
		if m.header.Get("References") != before.header.Get("Message-ID") || m.header.Get("Subject") != before.header.Get("Subject") {
			t.Errorf("%s: %q is not in the thread of %q", m.to, m.header, before.header)
		}
	}
}
