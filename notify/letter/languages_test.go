package letter

import (
	"regexp"
	"strings"
	"testing"

	"github.com/backsoon/backsoon/internal/config"
	"github.com/backsoon/backsoon/internal/locale"
	"github.com/backsoon/backsoon/internal/notice"
	"github.com/backsoon/backsoon/templates"
)

const winterBreakInPortuguese = `---
title: Fechado para as férias de inverno
facts:
  Últimas encomendas: quarta, 23 de dezembro, 12:00
contact: {label: Linha de apoio, url: "tel:+351210000000"}
---
Encerramos durante duas semanas, para descansar e contar todos os livros da casa.

## 2026-12-26 10:30 A água já desceu
A cave está seca e _nenhum livro_ se estragou.
`

const winterBreakInArabic = `---
title: مغلق لعطلة الشتاء
facts:
  آخر الطلبات: الأربعاء 23 ديسمبر، 12:00
---
نغلق لمدة أسبوعين للراحة ولعدّ كل كتاب في الدار.

- بطاقات الهدايا متاحة دائمًا،
- والكتب الإلكترونية أيضًا.

> وردنا سؤالكم، انظروا https://status.harbourbooks.example/ أولًا.
`

// translated is the winter break in English, Portuguese and Arabic, the last
// without its update.
func translated(t testing.TB, cfg *config.Config) *notice.Notice {
	t.Helper()
	n := parse(t, cfg, winterBreak)
	for name, source := range map[string]string{"winter-break.pt": winterBreakInPortuguese, "winter-break.ar": winterBreakInArabic} {
		tr, problems := notice.ParseTranslation(name+".md", name, []byte(source), cfg.Shop.Location)
		if err := problems.Err(); err != nil {
			t.Fatal(err)
		}
		n.Translations = append(n.Translations, tr)
	}
	return n
}

// composeIn writes a letter in a language and checks what holds in all of them.
func composeIn(t *testing.T, cfg *config.Config, tag string, f Facts) Letter {
	t.Helper()
	words := locale.BuiltIn(tag)
	l, err := Compose(templates.FS(""), cfg, words, f)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{l.Subject, l.Text, l.HTML} {
		if bad := regexp.MustCompile(`\[[a-z]+\.[a-z.-]+\]|{{|<no value>|ZgotmplZ`).FindString(part); bad != "" {
			t.Errorf("%s, %s: %q in\n%s", tag, f.Kind, bad, part)
		}
		if strings.Count(part, "\u2068")+strings.Count(part, "\u2066") != strings.Count(part, "\u2069") {
			t.Errorf("%s, %s: an isolate is not closed in\n%q", tag, f.Kind, part)
		}
	}
	zone := "(" + words.Zone(cfg.Shop.Location) + ")"
	if opening, _, _ := strings.Cut(l.Text, "\n\n"); !strings.Contains(opening, zone) && f.Kind != Cancelled {
		t.Errorf("%s, %s: no zone in %q", tag, f.Kind, opening)
	}
	if l.Subject == "" || !strings.Contains(l.HTML, `<html lang="`+tag+`" dir="`+words.Dir+`">`) {
		t.Errorf("%s, %s: subject %q, html\n%s", tag, f.Kind, l.Subject, l.HTML)
	}
	return l
}

// TestEveryLanguage: all eight letters in all languages, closures and mere
// notices, as they were when somebody last read them.
func TestEveryLanguage(t *testing.T) {
	cfg := shop(t)
	for _, tag := range locale.Tags() {
		var all strings.Builder
		n := translated(t, cfg)
		for _, f := range occasions(t, n) {
			f.Spared = []string{"rare"}
			l := composeIn(t, cfg, tag, f)
			if f.Kind == Update {
				all.WriteString(l.Text + "\n")
			} else {
				all.WriteString(top(l))
			}
			aside := *n
			aside.CheckoutOn = true
			f.Notice = &aside
			all.WriteString(top(composeIn(t, cfg, tag, f)))
		}
		golden(t, "all."+tag+".txt", all.String())
	}
}

// top is a letter's subject and its first lines.
func top(l Letter) string {
	opening, _, _ := strings.Cut(l.Text, "\n\n")
	return "Subject: " + l.Subject + "\n" + opening + "\n\n"
}

// TestNoEnglishIsLeft: what the mails say in English is in no letter of another
// language.
func TestNoEnglishIsLeft(t *testing.T) {
	cfg := shop(t)
	n := translated(t, cfg)
	english := locale.English()
	for _, tag := range []string{"pt", "ar"} {
		for _, f := range occasions(t, n) {
			l := composeIn(t, cfg, tag, f)
			for _, id := range []string{"mail.page", "mail.leave", "mail.to-leave", "mail.questions", "mail.no-new-time", "mail.order-again", "mail.open-ended"} {
				if words := english.Text(id); strings.Contains(l.Text+l.HTML, words) {
					t.Errorf("%s, %s: %q in\n%s", tag, f.Kind, words, l.Text)
				}
			}
			for _, words := range []string{"You get this", "January", "Reopen", "Closed", "(Lisbon)"} {
				if strings.Contains(l.Subject+l.Text+l.HTML, words) {
					t.Errorf("%s, %s: %q in\n%s", tag, f.Kind, words, l.Text)
				}
			}
		}
	}
}

// TestTranslatedNotice: the words are the translation's, the link leads to the
// page in the language, and what isn't translated is there and says so.
func TestTranslatedNotice(t *testing.T) {
	cfg := shop(t)
	cfg.Languages = []string{"en", "pt", "ar", "de"}
	n := translated(t, cfg)
	update := occasions(t, n)[4]
	announced := occasions(t, n)[0]
	for _, tt := range []struct {
		tag        string
		facts      Facts
		want, none []string
	}{
		{"en", announced, []string{"Closed for the winter break", "/now/closures/winter-break/"}, []string{"not available"}},
		{"pt", announced, []string{"Fechado para as férias", "Últimas encomendas: quarta", "Linha de apoio", "E-mail: orders@", "/now/pt/closures/winter-break/"},
			[]string{"Closed for", "Last orders", "Helpline", "não está disponível"}},
		{"pt", update, []string{"Sábado, 26 de dezembro, às 10:30 (Lisboa): A água já desceu\n\nA cave está seca"}, []string{"Water", "não está disponível"}},
		{"ar", update, []string{"مغلق لعطلة الشتاء", "هذا التحديث غير متوفر بالعربية بعد.", "Water is gone"}, []string{"هذا الإعلان غير متوفر"}},
		{"de", update, []string{"Diese Mitteilung gibt es noch nicht auf Deutsch.", "Closed for the winter break", "Water is gone", "/now/de/closures/"}, []string{"Diese Neuigkeit"}},
	} {
		l := composeIn(t, cfg, tt.tag, tt.facts)
		for _, want := range tt.want {
			if !strings.Contains(l.Text, want) {
				t.Errorf("%s, %s: no %q in\n%s", tt.tag, tt.facts.Kind, want, l.Text)
			}
		}
		for _, none := range tt.none {
			if strings.Contains(l.Text, none) {
				t.Errorf("%s, %s: %q in\n%s", tt.tag, tt.facts.Kind, none, l.Text)
			}
		}
	}
	html := composeIn(t, cfg, "ar", update).HTML
	for _, want := range []string{`<div class="prose" lang="en" dir="ltr">`, `<div class="prose rule" lang="ar" dir="rtl"`, `<dl lang="ar" dir="rtl"`} {
		if !strings.Contains(html, want) {
			t.Errorf("no %s in\n%s", want, html)
		}
	}
}

// TestRightToLeft: what a reader of Arabic sees is in order: names, numbers and
// addresses in the other script are isolated, and styles stand on the other side.
func TestRightToLeft(t *testing.T) {
	cfg := shop(t)
	n := translated(t, cfg)
	l := composeIn(t, cfg, "ar", occasions(t, n)[0])
	for _, want := range []string{"متجر \u2068Harbour Books\u2069", "\u2066+351210000000 \u2069", "صفحة الحالة:\nhttps://", "لإلغاء الاشتراك:\n" + Unsubscribe + "\n"} {
		if !strings.Contains(l.Text, want) {
			t.Errorf("no %q in\n%s", want, l.Text)
		}
	}
	if !strings.Contains(l.HTML, `<a href="https://status.harbourbooks.example/" dir="auto"`) {
		t.Errorf("the address in the text has no direction of its own:\n%s", l.HTML)
	}
	if l.Subject != "\u2068Harbour Books\u2069: مغلق لعطلة الشتاء" {
		t.Errorf("subject: %q", l.Subject)
	}
	for _, bad := range []string{"padding-left", "border-left", "letter-spacing"} {
		if strings.Contains(l.HTML, bad) {
			t.Errorf("%s in\n%s", bad, l.HTML)
		}
	}
	cfg.Shop.Name = "مكتبة الميناء"
	if l := composeIn(t, cfg, "en", occasions(t, n)[0]); l.Subject != "\u2068مكتبة الميناء\u2069: Closed for the winter break" {
		t.Errorf("subject: %q", l.Subject)
	}
}

// TestOneSubjectInEachLanguage: mailboxes thread by it.
func TestOneSubjectInEachLanguage(t *testing.T) {
	cfg := shop(t)
	n := translated(t, cfg)
	for _, tag := range locale.Tags() {
		var first string
		for i, f := range occasions(t, n) {
			l := composeIn(t, cfg, tag, f)
			last := f.Kind == Reopened || f.Kind == Cancelled
			if i == 0 {
				first = l.Subject
			}
			if (l.Subject == first) == last {
				t.Errorf("%s, %s: %q, and the first %q", tag, f.Kind, l.Subject, first)
			}
		}
	}
}
