package notify

import (
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hiddeco/sshsig"

	"github.com/backsoon/backsoon/internal/ledger"
)

// signFor signs for another purpose than publishing.
func (s signer) signFor(namespace, text string) string {
	s.t.Helper()
	sig, err := sshsig.Sign(strings.NewReader(text), s.Signer, sshsig.HashSHA512, namespace)
	if err != nil {
		s.t.Fatal(err)
	}
	return string(sshsig.Armor(sig))
}

// TestEachRefusal: whatever keeps a change from counting leaves the storefronts, the
// page and the mail as they were, and is logged with its reason and key and told to
// the owner within five seconds, once.
func TestEachRefusal(t *testing.T) {
	ada, bob, old, eve := newSigner(t), newSigner(t), newSigner(t), newSigner(t)
	settings := "publishers:\n" + ada.as("Ada", everything, "") + bob.as("Bob", "close, extend, cancel, reopen", ", storefronts: [market]") +
		old.as("Old", everything, ", expires: 2026-11-20") + "needs: {cancel: 2}\n"
	now := works(19, 18, 23, 9)
	early := works(19, 18, 21, 9)
	cancelled := strings.Replace(winter, "closes:", "cancelled: yes\ncloses:", 1)
	for _, c := range []struct {
		name, file, text, signature string
		reason                      string
		key                         *signer
	}{
		{"unsigned", "flood.md", early, "", "is not signed", nil},
		{"unsigned change", "works.md", early, "nothing new", "doesn't fit: the notice or its signature was changed after Ada signed", &ada},
		{"no signature", "works.md", early, "-----BEGIN NONSENSE-----\n", "holds no SSH signature", nil},
		{"tampered", "works.md", early, ada.sign(early + " "), "doesn't fit", &ada},
		{"wrong namespace", "works.md", early, ada.signFor("git", early), `was made for "git", not for backsoon`, &ada},
		{"unknown key", "works.md", early, eve.sign(early), "is by a key that is no publisher's", &eve},
		{"expired key", "works.md", early, old.sign(early), "is by a key of Old that ended on 2026-11-20", &old},
		{"somebody else's storefront", "works.md", early, bob.sign(early), "is signed by Bob, who may not open web earlier", &bob},
		{"one where two are needed", "winter-break.md", cancelled, ada.sign(cancelled), "is signed by Ada alone, and to call off a closure of web takes 2 people", &ada},
		{"a replay", "works.md", before(now), ada.sign(before(now)), "a signature counts once", &ada},
		{"under another name", "again.md", now, ada.sign(now), "looks like a rename of works", &ada},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, "2026-11-20 10:00", settings)
			b.subscribe("grace@harbourbooks.example")
			b.publish("winter-break.md", winter, ada)
			b.publish("works.md", before(now), ada)
			b.settle()
			b.publish("works.md", now, ada)
			b.minutely("2026-11-20 10:20")
			b.web.types()
			b.mailbox.letters()
			fronts, shown, entries := b.fronts(), b.w.shown.plain(), len(b.log())

			b.write(c.file, c.text)
			if c.signature != "nothing new" && c.signature != "" {
				b.write(c.file+".sig", c.signature)
			}
			asked := b.clock()
			b.settle() // four seconds
			news := b.log()[entries:]
			equal(t, "alert", b.mailbox.letters(), []string{owner + "A notice was not accepted"})
			if len(news) != 1 || news[0].Event != ledger.NoticeRefused || !strings.Contains(news[0].Reason, c.reason) || news[0].Time.Sub(asked) > 5*time.Second {
				t.Fatalf("logged: %+v", news)
			}
			switch by := news[0].By; {
			case c.key == nil && by != nil, c.key != nil && (by == nil || by.Key != c.key.fingerprint()):
				t.Errorf("by %+v", by)
			}
			b.minutely("2026-11-20 10:40")
			if len(b.log()) != entries+1 {
				t.Errorf("%d entries", len(b.log())-entries)
			}
			equal(t, "webhooks", b.web.types(), nil)
			equal(t, "mail", b.mailbox.letters(), nil)
			if !reflect.DeepEqual(b.fronts(), fronts) || !reflect.DeepEqual(b.w.shown.plain(), shown) {
				t.Error("a storefront or a page has changed")
			}
		})
	}
}

// before is an older version.
func before(text string) string { return strings.Replace(text, "The pipes", "Some pipes", 1) }

func (b *bench) fronts() (fronts map[string]ledger.Storefront) {
	b.t.Helper()
	err := b.l.View(b.t.Context(), func(tx *ledger.Tx) (err error) {
		fronts, err = tx.Storefronts()
		return err
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return fronts
}

// TestManyRefusals: who tries one signature after the other fills the log, not the
// owner's mailbox, which is told how many there were.
func TestManyRefusals(t *testing.T) {
	b, ada, _ := guarded(t)
	b.publish("works.md", works(19, 18, 23, 9), ada)
	b.settle()
	b.mailbox.letters()
	const tries = 300
	for i := range tries {
		b.write("works.md.sig", fmt.Sprintf("guess %d\n", i))
		b.write("works.md", works(19, 18, 21, 9)+strings.Repeat(" ", i))
		b.settle()
	}
	b.minutely("2026-11-20 11:00")
	lines, _ := b.refusals()
	letters, told := b.mailbox.letters(), 0
	for _, l := range letters {
		n := 1
		if many := regexp.MustCompile(`(\d+) notices were`).FindStringSubmatch(l); many != nil {
			n, _ = strconv.Atoi(many[1])
		}
		told += n
	}
	if len(lines) != tries || told != tries || len(letters) > 12 {
		t.Errorf("%d refusals; %d letters told of %d", len(lines), len(letters), told)
	}
	t.Logf("%d letters", len(letters))
}

// TestSignatureAlone: a signature that comes before its notice, and a notice that never
// comes after it, are nothing to tell: what is in force is what it was.
func TestSignatureAlone(t *testing.T) {
	b, ada, bob := guarded(t)
	now, next := works(19, 18, 23, 9), works(19, 18, 24, 9)
	b.publish("works.md", now, ada)
	b.settle()
	b.web.types()
	for _, signature := range []string{ada.sign(next), bob.sign(next), "garbage"} {
		b.write("works.md.sig", signature)
		b.minutely(b.clock().Add(5 * time.Minute).Format("2006-01-02 15:04"))
	}
	b.write("flood.md.sig", ada.sign(next)) // of a notice that isn't there
	b.w.Close()
	b.start()
	b.minutely(b.clock().Add(5 * time.Minute).Format("2006-01-02 15:04"))
	lines, reasons := b.refusals()
	equal(t, "refusals", lines, nil)
	equal(t, "reasons", reasons, nil)
	equal(t, "letters", b.mailbox.letters(), nil)
	b.write("works.md.sig", ada.sign(next))
	b.write("works.md", next)
	b.settle()
	equal(t, "webhooks", b.web.types(), []string{"storefront.closed 2026-11-24T09:00:00Z"})
}
