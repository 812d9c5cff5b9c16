package letter

import (
	"errors"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/backsoon/backsoon/internal/locale"
	"github.com/backsoon/backsoon/templates"
)

// TestCheck finds a mistake wherever it is, and none in the default theme.
func TestCheck(t *testing.T) {
	cfg := shop(t)
	for _, tag := range locale.Tags() {
		if err := Check(templates.FS(""), cfg, locale.BuiltIn(tag)); err != nil {
			t.Error(err)
		}
	}
	for file, text := range map[string]string{
		"mail/letter.txt":    "\n{{.Nope}}",
		"mail/letter.html":   "\n{{if .Closure}}",
		"mail/question.txt":  "\n{{if .Known}}{{.Nope}}{{end}}",
		"mail/question.html": "\n{{if .UntilReopen}}{{.Nope}}{{end}}",
	} {
		theme := fstest.MapFS{file: {Data: []byte(text)}}
		for _, name := range []string{"mail/letter.txt", "mail/letter.html", "mail/question.txt", "mail/question.html"} {
			if theme[name] == nil {
				theme[name] = &fstest.MapFile{Data: []byte("fine")}
			}
		}
		var mistake *templates.Mistake
		if err := Check(theme, cfg, locale.English()); !errors.As(err, &mistake) || mistake.File != "templates/"+file || mistake.Line != 2 {
			t.Errorf("%s: %v", file, err)
		}
	}
}

// TestAsk: the question, and what one who is on the list already is told, in
// every language.
func TestAsk(t *testing.T) {
	cfg := shop(t)
	const confirm, leave = "https://closures.example/confirm/a.b?lang=pt&x=1", "https://closures.example/unsubscribe/c.d"
	now := time.Date(2026, 12, 24, 18, 0, 0, 0, time.UTC)
	for _, tag := range locale.Tags() {
		words := locale.BuiltIn(tag)
		for name, r := range map[string]Request{
			"new":       {},
			"some":      {Storefronts: []string{"web"}, UntilReopen: true},
			"the same":  {Known: true, Same: true},
			"something": {Known: true, Storefronts: []string{"web"}},
		} {
			r.Confirm, r.Leave, r.Now, r.Expires = confirm, leave, now, now.Add(48*time.Hour)
			l, err := Ask(templates.FS(""), cfg, words, r)
			if err != nil {
				t.Fatal(err)
			}
			name = tag + ", " + name
			for _, part := range []string{l.Subject, l.Text, l.HTML} {
				if bad := regexp.MustCompile(`\[[a-z]+\.[a-z.-]+\]|{{|<no value>|ZgotmplZ`).FindString(part); bad != "" {
					t.Errorf("%s: %q in\n%s", name, bad, part)
				}
			}
			for part, where := range map[string]string{"text": l.Text, "HTML": strings.ReplaceAll(l.HTML, "&amp;", "&")} {
				if strings.Contains(where, confirm) == r.Same {
					t.Errorf("%s: the %s has the link to confirm, or has not:\n%s", name, part, where)
				}
				if strings.Contains(where, leave) != r.Known {
					t.Errorf("%s: the %s has the link to leave, or has not:\n%s", name, part, where)
				}
				if !strings.Contains(where, cfg.Shop.URL.String()) {
					t.Errorf("%s: the %s does not lead to the status page", name, part)
				}
			}
			if zone := "(" + words.Zone(cfg.Shop.Location) + ")"; !r.Same && !strings.Contains(l.Text, zone) {
				t.Errorf("%s: when the link ends has no zone:\n%s", name, l.Text)
			}
			if len(l.HTML) > maxHTML || strings.Contains(l.HTML, "<img") || strings.Contains(l.HTML, "src=") {
				t.Errorf("%s: %d bytes, or something is fetched", name, len(l.HTML))
			}
			if strings.Contains(l.Text, "\n\n\n") || strings.HasPrefix(l.Text, "\n") {
				t.Errorf("%s: gaps in\n%s", name, l.Text)
			}
		}
	}
}
