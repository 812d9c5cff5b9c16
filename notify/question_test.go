package notify

import (
	"context"
	"fmt"
	"io"
	"mime/quotedprintable"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/backsoon/backsoon/internal/ledger"
)

// ask notes that somebody has asked for the addresses, to all storefronts or to
// those behind the address.
func (b *bench) ask(addresses ...string) {
	b.t.Helper()
	err := b.l.Update(b.t.Context(), func(tx *ledger.Tx) error {
		for _, a := range addresses {
			address, fronts, _ := strings.Cut(a, " ")
			p := ledger.Pending{Email: address, Storefronts: strings.Fields(fronts), Language: "en", Expires: b.clock().Add(48 * time.Hour)}
			if err := tx.Ask(p, []string{"seal of " + address}, b.clock()); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

// text is a mail's whole body, decoded.
func (r received) text(t *testing.T) string {
	t.Helper()
	b, err := io.ReadAll(quotedprintable.NewReader(strings.NewReader(r.body)))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestQuestion(t *testing.T) {
	b := newBench(t, "2026-11-20 10:00", "")
	b.ask("ann@example.org web")
	b.settle()
	got := b.mailbox.take()
	if len(got) != 1 {
		t.Fatalf("%d mails", len(got))
	}
	m := got[0]
	for name, want := range map[string]string{
		"To": "<ann@example.org>", "Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All", "Subject": "Harbour Books: please confirm your address",
		"List-Unsubscribe": "", "Precedence": "", "In-Reply-To": "",
	} {
		if m.header.Get(name) != want {
			t.Errorf("%s: %q, want %q", name, m.header.Get(name), want)
		}
	}
	text := m.text(t)
	if strings.Count(text, "https://closures.example/confirm/ann@example.orgweb") != 2 || strings.Contains(text, "unsubscribe") || !strings.Contains(text, "Only about Online shop.") {
		t.Errorf("the mail says\n%s", text)
	}
	b.minutely("2026-11-20 14:00")
	equal(t, "more mail", b.mailbox.letters(), nil)
	equal(t, "the log", b.events("storefront", "webhook"), nil)
}

// TestQuestionToASubscriber tells whoever reads that mailbox that somebody has
// asked, and how to leave.
func TestQuestionToASubscriber(t *testing.T) {
	b := newBench(t, "2026-11-20 10:00", "")
	b.subscribe("Ann@example.org", "bob@example.org market")
	b.ask("ann@example.org web", "bob@example.org web", "carl@example.org")
	err := b.l.Update(t.Context(), func(tx *ledger.Tx) error { return tx.Suppress(2, "550") })
	if err != nil {
		t.Fatal(err)
	}
	b.settle()
	for _, m := range b.mailbox.take() {
		text := m.text(t)
		if known := m.to == "Ann@example.org"; strings.Contains(text, "/unsubscribe/") != known || !strings.Contains(text, "/confirm/") || m.to == "bob@example.org" {
			t.Errorf("the mail to %s says\n%s", m.to, text)
		}
	}
	b.set(b.clock().Add(time.Hour))
	b.ask("bob@example.org")
	b.settle()
	equal(t, "to one who is suppressed", b.mailbox.letters(), nil)
}

// TestQuestionIsNotLost by a server that is away, and a watcher that dies.
func TestQuestionIsNotLost(t *testing.T) {
	b := newBench(t, "2026-11-20 10:00", "")
	b.mailbox.rcpt = func(string) error { return reply(451, 4, 3, 0) }
	b.ask("ann@example.org")
	b.settle()
	b.w.Close()
	b.start()
	b.minutely("2026-11-20 10:04")
	b.mailbox.mu.Lock()
	b.mailbox.rcpt = nil
	b.mailbox.mu.Unlock()
	b.minutely("2026-11-20 10:30")
	equal(t, "mail", b.mailbox.letters(), []string{"ann@example.org: Harbour Books: please confirm your address"})
}

// TestQuestionToNobody is asked once: an address that is none says so.
func TestQuestionToNobody(t *testing.T) {
	b := newBench(t, "2026-11-20 10:00", "")
	tries := 0
	b.mailbox.rcpt = func(string) error { tries++; return reply(550, 5, 1, 1) }
	b.ask("ann@example.org")
	b.minutely("2026-11-20 16:00")
	if tries != 1 {
		t.Errorf("%d tries", tries)
	}
	equal(t, "the log", b.events("storefront", "webhook"), nil)
}

// TestQuestionsDisturbNobody: a flood of questions to mailboxes that refuse us
// holds up no letter, and makes none rest.
func TestQuestionsDisturbNobody(t *testing.T) {
	b := newBench(t, "2026-11-20 10:00", "")
	for i := range 60 {
		b.subscribe(fmt.Sprintf("a%02d@example.org", i))
	}
	b.write("winter-break.md", winter)
	b.settle()
	var strangers []string
	for i := range 500 {
		strangers = append(strangers, fmt.Sprintf("x@d%d.example", i))
	}
	b.mailbox.rcpt = func(to string) error {
		if strings.HasPrefix(to, "x@") {
			return reply(550, 5, 7, 1)
		}
		return nil
	}
	b.ask(strangers...)
	b.set(b.clock().Add(2 * time.Minute))
	now := b.clock()
	if _, err := b.w.Reconcile(t.Context(), now); err != nil {
		t.Fatal(err)
	}
	for range 3 { // three batches are enough for sixty letters, whatever else is due
		if _, err := b.w.SendMail(t.Context(), now); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(b.mailbox.letters()); n != 60 {
		t.Errorf("%d letters of 60", n)
	}
	b.settle()
	equal(t, "the log", b.events("storefront", "webhook", "notice", "mail.started", "mail.finished"), nil)
}

// TestNoServer: while nobody answers, questions wait and cost one attempt a
// minute.
func TestNoServer(t *testing.T) {
	b := newBench(t, "2026-11-20 10:00", "")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b.w.Config.Email.Server = l.Addr().String()
	l.Close()
	b.w.sender = nil
	b.w.Sender()
	for i := range 50 {
		b.ask(fmt.Sprintf("a%d@example.org", i))
	}
	if more, err := b.w.SendMail(t.Context(), b.clock()); more || err != nil {
		t.Errorf("more %v, %v", more, err)
	}
	if !b.w.mail.askAfter.After(b.clock()) || !b.w.mail.rest.until.IsZero() {
		t.Errorf("questions wait until %v, letters until %v", b.w.mail.askAfter, b.w.mail.rest.until)
	}
}

// TestSlowMailboxes: a server that is slow where strangers want it to be holds the
// letters up for a while only, and questions wait.
func TestSlowMailboxes(t *testing.T) {
	b := newBench(t, "2026-11-20 10:00", "")
	slow := make(chan struct{})
	b.mailbox.rcpt = func(string) error { <-slow; return nil }
	b.ask("ann@example.org", "bob@example.org")
	soon, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if more, err := b.w.sendQuestions(soon, b.clock()); more || err != nil {
		t.Errorf("more %v, %v", more, err)
	}
	if !b.w.mail.askAfter.After(b.clock()) {
		t.Error("the next questions follow at once")
	}
	close(slow)
	b.minutely("2026-11-20 10:30")
	if n := len(b.mailbox.letters()); n != 2 {
		t.Errorf("%d questions in the end", n)
	}
}

// TestNeverConfirmed is forgotten.
func TestNeverConfirmed(t *testing.T) {
	b := newBench(t, "2026-11-20 10:00", "")
	b.ask("ann@example.org")
	b.minutely("2026-11-20 10:05")
	b.until("2026-11-23 12:00")
	err := b.l.View(t.Context(), func(tx *ledger.Tx) error {
		p, err := tx.PendingFor("ann@example.org", time.Time{})
		if p.Email != "" {
			t.Errorf("%+v", p)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestWaysToLeave: a page, and an address, which the settings may name, with the proof
// of whose mail it is.
func TestWaysToLeave(t *testing.T) {
	for extra, want := range map[string]string{
		"": "<https://closures.example/unsubscribe/ann@example.org>, <mailto:closures@harbourbooks.example?subject=unsubscribe%20token-of-ann@example.org>",
		"unsubscribe: leave@harbourbooks.example": "<https://closures.example/unsubscribe/ann@example.org>, <mailto:leave@harbourbooks.example?subject=unsubscribe%20token-of-ann@example.org>",
	} {
		b := newBench(t, "2026-11-20 10:00", "")
		if extra != "" {
			_, b.w.Config.Email.Unsubscribe, _ = strings.Cut(extra, ": ")
		}
		b.subscribe("ann@example.org")
		b.write("winter-break.md", winter)
		b.minutely("2026-11-20 10:05")
		got := b.mailbox.take()
		if len(got) != 1 || strings.Join(strings.Fields(got[0].header.Get("List-Unsubscribe")), " ") != want {
			t.Errorf("%s: %d mails, %v", extra, len(got), got)
		}
	}
}
