package notify

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"

	"github.com/backsoon/backsoon/internal/ledger"
	"github.com/backsoon/backsoon/internal/notice"
)

// signer is somebody with a key.
type signer struct {
	t testing.TB
	ssh.Signer
}

func newSigner(t testing.TB) signer {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return signer{t, s}
}

func (s signer) sign(text string) string {
	s.t.Helper()
	sig, err := sshsig.Sign(strings.NewReader(text), s.Signer, sshsig.HashSHA512, "backsoon")
	if err != nil {
		s.t.Fatal(err)
	}
	return string(sshsig.Armor(sig))
}

func (s signer) fingerprint() string { return ssh.FingerprintSHA256(s.PublicKey()) }

// as is the signer as one of the publishers in the settings.
func (s signer) as(name, may, more string) string {
	key := bytes.TrimSpace(ssh.MarshalAuthorizedKey(s.PublicKey()))
	return fmt.Sprintf("  - {name: %s, email: %s@a.example, keys: [%s], may: [%s]%s}\n", name, strings.ToLower(name), key, may, more)
}

const everything = "write, close, extend, cancel, reopen"

// guarded is a shop in which Ada may do everything, and Bob may write on one
// storefront.
func guarded(t *testing.T) (b *bench, ada, bob signer) {
	ada, bob = newSigner(t), newSigner(t)
	b = newBench(t, "2026-11-20 10:00", "publishers:\n"+ada.as("Ada", everything, "")+bob.as("Bob", "write", ", storefronts: [web]"))
	b.write("README.txt", "The folder is there before the watcher.")
	b.settle()
	b.web.types()
	b.mailbox.letters() // who may publish: see TestPublishersChanged
	return b, ada, bob
}

// publish saves a notice and its signature, as `backsoon publish` leaves them.
func (b *bench) publish(name, text string, signers ...signer) {
	b.t.Helper()
	b.write(name, text)
	for i, s := range signers {
		b.write(notice.SignatureNames(name)[i], s.sign(text))
	}
}

// refusals gives the log's refusals as "notice: key", and their reasons.
func (b *bench) refusals() (lines, reasons []string) {
	b.t.Helper()
	for _, e := range b.log() {
		if e.Event != ledger.NoticeRefused {
			continue
		}
		key := ""
		if e.By != nil {
			key = e.By.Key
		}
		lines, reasons = append(lines, e.Notice+": "+key), append(reasons, e.Reason)
	}
	return lines, reasons
}

const owner = "owner@harbourbooks.example: Harbour Books: "

func TestSigned(t *testing.T) {
	b, ada, _ := guarded(t)
	b.publish("works.md", works(19, 18, 23, 9), ada)
	b.settle()
	equal(t, "webhooks", b.web.types(), []string{"storefront.closed 2026-11-23T09:00:00Z"})
	var by *ledger.By
	for _, e := range b.log() {
		if e.Event == ledger.NoticeAccepted {
			by = e.By
		}
	}
	if by == nil || *by != (ledger.By{Name: "Ada", Email: "ada@a.example", Verified: true, How: "ssh-signature", Key: ada.fingerprint()}) {
		t.Errorf("by %+v", by)
	}
	equal(t, "alerts", b.mailbox.letters(), nil)
}

// TestUnsigned: what is refused leaves state, page and mail as they were; the owner
// hears of it within 5 seconds, once for each content and signature.
func TestUnsigned(t *testing.T) {
	b, ada, bob := guarded(t)
	b.publish("works.md", works(19, 18, 23, 9), ada)
	b.settle()
	b.web.types()
	b.mailbox.letters()

	early := works(19, 18, 21, 9)
	b.write("works.md", early)
	b.settle()
	equal(t, "alert", b.mailbox.letters(), []string{owner + "A notice was not accepted"})
	b.minutely("2026-11-20 10:03")
	b.write("works.md.sig", bob.sign(early))
	b.minutely("2026-11-20 10:06")
	b.write("works.md.sig", bob.sign(early)) // saved again
	b.minutely("2026-11-20 10:09")
	b.w.Close()
	b.start()
	b.minutely("2026-11-20 10:12")

	lines, reasons := b.refusals()
	equal(t, "refusals", lines, []string{"works: " + ada.fingerprint(), "works: " + bob.fingerprint()})
	if want := "content/closures/works.md: works.md.sig doesn't fit: the notice or its signature was changed after Ada signed"; !strings.HasPrefix(reasons[0], want) {
		t.Error(reasons[0])
	}
	if want := "content/closures/works.md: is signed by Bob, who may not open web earlier; have it signed by somebody who may: Ada"; !strings.HasPrefix(reasons[1], want) {
		t.Error(reasons[1])
	}
	equal(t, "alerts", b.mailbox.letters(), []string{owner + "A notice was not accepted"})
	equal(t, "webhooks", b.web.types(), nil)
	if f, shown := b.front("web"), b.w.shown.find("works"); !f.Until.Equal(at("2026-11-23 09:00")) || !shown.Reopens.Equal(f.Until) {
		t.Errorf("until %v, and %v on the page", f.Until, shown.Reopens)
	}
	b.write("works.md.sig", ada.sign(early))
	b.settle()
	equal(t, "webhooks", b.web.types(), []string{"storefront.closed 2026-11-21T09:00:00Z"})
}

// TestTwoSteps: the notice is saved before its signature, and the other way round.
func TestTwoSteps(t *testing.T) {
	b, ada, _ := guarded(t)
	text := works(19, 18, 23, 9)
	b.write("works.md", text)
	b.do()
	b.set(b.clock().Add(1900 * time.Millisecond))
	b.do()
	b.write("works.md.sig", ada.sign(text))
	b.settle()
	equal(t, "webhooks", b.web.types(), []string{"storefront.closed 2026-11-23T09:00:00Z"})
	text = works(19, 18, 24, 9)
	b.write("works.md.sig", ada.sign(text))
	b.do()
	b.set(b.clock().Add(time.Second))
	b.write("works.md", text)
	b.settle()
	equal(t, "webhooks", b.web.types(), []string{"storefront.closed 2026-11-24T09:00:00Z"})
	b.minutely("2026-11-20 10:05")
	equal(t, "refusals", b.events("publishers.", "notice.accepted", "storefront.", "webhook.", "mail."), nil)
}

// TestReplay: what was signed once counts once, under every name.
func TestReplay(t *testing.T) {
	b, ada, _ := guarded(t)
	first, second := works(19, 18, 21, 9), works(19, 18, 23, 9)
	b.publish("works.md", first, ada)
	b.settle()
	b.publish("works.md", second, ada)
	b.settle()
	b.web.types()
	b.publish("works.md", first, ada)
	b.publish("again.md", second, ada)
	b.settle()
	equal(t, "webhooks", b.web.types(), nil)
	lines, reasons := b.refusals()
	equal(t, "refusals", lines, []string{"again: " + ada.fingerprint(), "works: " + ada.fingerprint()})
	if len(reasons) != 2 || !strings.Contains(reasons[0], "looks like a rename of works") || !strings.Contains(reasons[1], "a signature counts once") {
		t.Errorf("%q", reasons)
	}
	b.publish("works.md", first+" ", ada)
	b.settle()
	equal(t, "webhooks", b.web.types(), []string{"storefront.closed 2026-11-21T09:00:00Z"})
}

func TestTwoSignatures(t *testing.T) {
	ada, bob := newSigner(t), newSigner(t)
	b := newBench(t, "2026-11-20 10:00", "publishers:\n"+ada.as("Ada", everything, "")+bob.as("Bob", "reopen", "")+"needs: {reopen: 2}\n")
	b.publish("works.md", works(19, 18, 23, 9), ada)
	b.settle()
	b.web.types()
	b.publish("works.md", works(19, 18, 21, 9), ada)
	b.settle()
	equal(t, "webhooks", b.web.types(), nil)
	b.publish("works.md", works(19, 18, 21, 9), ada, bob)
	b.settle()
	equal(t, "webhooks", b.web.types(), []string{"storefront.closed 2026-11-21T09:00:00Z"})
	for _, e := range b.log() {
		if e.Event == ledger.NoticeAccepted && (e.By.Name != "Ada" || len(e.Also) != 0 && e.Also[0].Name != "Bob") {
			t.Errorf("%+v", e)
		}
	}
}

// TestSignedTranslation: a translation's words need somebody who may write, and its
// file's absence says nothing.
func TestSignedTranslation(t *testing.T) {
	b, ada, bob := guarded(t)
	b.publish("winter-break.md", winter, ada)
	b.write("winter-break.pt.md", winterInPortuguese)
	b.settle()
	equal(t, "unsigned", []string{b.title("winter-break", "pt")}, []string{"Closed for the winter break"})
	b.write("winter-break.pt.md.sig", bob.sign(winterInPortuguese))
	b.settle()
	equal(t, "signed", []string{b.title("winter-break", "pt")}, []string{"Fechado para as férias de inverno"})
	b.remove("winter-break.pt.md")
	b.minutely("2026-11-20 10:05")
	equal(t, "gone", []string{b.title("winter-break", "pt")}, []string{"Fechado para as férias de inverno"})
	equal(t, "log", b.events("publishers.", "storefront.", "webhook.", "mail."), []string{
		"notice.accepted winter-break", "notice.refused winter-break.pt", "translation.accepted winter-break", "notice.missing winter-break.pt"})
}

// TestUnsignedDraft: nobody has to sign what nobody sees.
func TestUnsignedDraft(t *testing.T) {
	b, _, _ := guarded(t)
	b.write("winter-break.md", strings.Replace(winter, "closes:", "draft: yes\ncloses:", 1))
	b.minutely("2026-11-20 10:05")
	equal(t, "log", b.events("publishers.", "storefront.", "webhook."), nil)
}

// TestPublishersComeLater: what was accepted before stays in force, unsigned as it
// is.
func TestPublishersComeLater(t *testing.T) {
	b := newBench(t, "2026-11-20 10:00", "")
	b.write("works.md", works(19, 18, 23, 9))
	b.settle()
	b.web.types()
	b.restart("publishers:\n" + newSigner(t).as("Ada", everything, ""))
	b.minutely("2026-11-20 10:05")
	equal(t, "webhooks", b.web.types(), nil)
	equal(t, "alerts", b.mailbox.letters(), []string{"ada@a.example: Harbour Books: What you may publish was changed", owner + "Who may publish was changed"})
}

// TestSignatureEvents: the watcher sees a signature come by its event.
func TestSignatureEvents(t *testing.T) {
	ada := newSigner(t)
	l := &live{bench: newBench(t, "2026-11-20 10:00", "publishers:\n"+ada.as("Ada", everything, "")), elsewhere: t.TempDir()}
	l.folder = filepath.Join(l.dir, notice.Folder)
	l.write("README.txt", "The folder is there before the watcher.")
	l.run()
	l.eventually("the first look", func() bool { return len(l.told(ledger.StorefrontOpened)) > 0 })
	for i := range 3 {
		l.write("flood.md", closure("flood", i))
		time.Sleep(500 * time.Millisecond)
		if i == 1 {
			l.scene("flood").put(filepath.Join(l.folder, "flood.md.sig"), ada.sign(closure("flood", i))) // as ssh-keygen does
		} else {
			l.write("flood.md.sig", ada.sign(closure("flood", i)))
		}
		l.eventually("a signed save", func() bool { return len(l.told(ledger.NoticeAccepted)) == i+1 })
	}
	equal(t, "refused", l.told(ledger.NoticeRefused), nil)
	l.write("flood.md", closure("flood", 9))
	l.within(5*time.Second, "the refusal", func() bool { return len(l.told(ledger.NoticeRefused)) == 1 })
}
