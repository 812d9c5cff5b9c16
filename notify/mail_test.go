package notify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/backsoon/backsoon/internal/ledger"
)

// reply makes a server's refusal.
func reply(code int, a, b, c int) error {
	return &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCode{a, b, c}, Message: "no"}
}

// subscribers gives why each address is suppressed; "": it isn't.
func (b *bench) suppressed() map[string]string {
	b.t.Helper()
	why := map[string]string{}
	err := b.l.View(b.t.Context(), func(tx *ledger.Tx) error {
		subs, err := tx.Subscribers(0, 10_000)
		for _, s := range subs {
			why[s.Email] = s.Suppressed
		}
		return err
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return why
}

// TestAnswers follows the table of what a server's answer to RCPT means.
func TestAnswers(t *testing.T) {
	b := newBench(t, "2026-11-20 10:00", "")
	b.subscribe("good@example.org", "gone@example.org", "full@example.org", "spam@example.org", "grey@example.org")
	var greyed atomic.Int32
	b.mailbox.rcpt = func(to string) error {
		switch to {
		case "gone@example.org":
			return reply(550, 5, 1, 1)
		case "full@example.org":
			return reply(552, 5, 2, 2)
		case "spam@example.org":
			return reply(550, 5, 7, 1)
		case "grey@example.org":
			if greyed.Add(1) < 3 {
				return reply(451, 4, 7, 1)
			}
		}
		return nil
	}
	b.write("winter-break.md", winter)
	b.minutely("2026-11-20 10:02")
	equal(t, "at once", b.mailbox.letters(), []string{"good@example.org announced"})
	b.minutely("2026-11-20 10:20")
	equal(t, "after greylisting", b.mailbox.letters(), []string{"grey@example.org announced"})
	for address, why := range b.suppressed() {
		if (why != "") != (address == "gone@example.org") {
			t.Errorf("%s: suppressed %q", address, why)
		}
	}
	b.mailbox.mu.Lock()
	b.mailbox.rcpt = nil
	b.mailbox.mu.Unlock()
	b.minutely("2026-11-20 11:30")
	equal(t, "once the sender is forgiven", b.mailbox.letters(), []string{"spam@example.org announced"})
	for _, e := range b.log() {
		if e.Event == ledger.MailFinished && fmt.Sprint(e.Counts) != "map[failed:2 passed:0 recipients:5 sent:3]" {
			t.Errorf("counts: %v", e.Counts)
		}
		if strings.Contains(fmt.Sprintf("%+v", e), "example.org") {
			t.Errorf("the log names a subscriber: %+v", e)
		}
	}
}

// TestThreeCampaignsRefused suppresses an address only when three mails in a row
// were refused.
func TestThreeCampaignsRefused(t *testing.T) {
	b := newBench(t, "2026-11-20 10:00", "")
	b.subscribe("full@example.org")
	b.mailbox.rcpt = func(string) error { return reply(552, 5, 2, 2) }
	for i := range 3 {
		if why := b.suppressed()["full@example.org"]; why != "" {
			t.Fatalf("suppressed after %d campaigns: %s", i, why)
		}
		b.write(fmt.Sprintf("c%d.md", i), strings.Replace(winter, "winter", fmt.Sprint("winter", i), 1))
		b.minutely(fmt.Sprintf("2026-11-20 10:%02d", 5+5*i))
	}
	if b.suppressed()["full@example.org"] == "" {
		t.Error("not suppressed after three campaigns")
	}
}

// TestServerAway keeps everything while the mail server can't be reached, and
// delivers each letter once when it is back, with one alert.
func TestServerAway(t *testing.T) {
	b := newBench(t, "2026-11-20 10:00", "")
	for i := range 120 {
		b.subscribe(fmt.Sprintf("a%d@example.org", i))
	}
	b.mailbox.rcpt = func(string) error {
		return &smtp.SMTPError{Code: 421, EnhancedCode: smtp.EnhancedCode{4, 3, 2}, Message: "closing"}
	}
	b.write("winter-break.md", winter)
	b.minutely("2026-11-20 16:00")
	equal(t, "while away", b.mailbox.letters(), nil)
	b.mailbox.mu.Lock()
	b.mailbox.rcpt = nil
	b.mailbox.mu.Unlock()
	b.minutely("2026-11-20 18:00")
	seen := map[string]int{}
	for _, l := range b.mailbox.letters() {
		seen[l]++
	}
	if len(seen) != 120+1 || seen["owner@harbourbooks.example: Harbour Books: Mail to the subscribers rests"] != 1 {
		t.Errorf("%d letters", len(seen))
	}
	for l, n := range seen {
		if n != 1 {
			t.Errorf("%s came %d times", l, n)
		}
	}
}

// TestSenderFault pauses the mail and alerts once where the server wants none of
// ours.
func TestSenderFault(t *testing.T) {
	b := newBench(t, "2026-11-20 10:00", "")
	for i := range 60 {
		b.subscribe(fmt.Sprintf("a@d%d.example.org", i))
	}
	var asked atomic.Int32
	b.mailbox.rcpt = func(to string) error {
		if strings.HasPrefix(to, "owner") {
			return nil
		}
		asked.Add(1)
		return reply(550, 5, 7, 1)
	}
	b.write("winter-break.md", winter)
	b.minutely("2026-11-20 11:00")
	alerts := 0
	for _, l := range b.mailbox.letters() {
		if strings.Contains(l, "Mail to the subscribers rests") {
			alerts++
		}
	}
	if alerts != 1 {
		t.Errorf("%d alerts", alerts)
	}
	if n := asked.Load(); n > 800 {
		t.Errorf("the server was asked %d times in an hour", n)
	}
	for a, why := range b.suppressed() {
		if why != "" {
			t.Errorf("%s is suppressed: %s", a, why)
		}
	}
}

// TestRetryEndsARest: once the owner has put the mail server right, `deliveries
// retry` has the mail go out at once, and only then.
func TestRetryEndsARest(t *testing.T) {
	for name, refusal := range map[string]error{"refused": reply(550, 5, 7, 1), "shut down": reply(421, 4, 3, 2)} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, "2026-11-20 10:00", "")
			b.subscribe("ann@example.org")
			for i := range faultsInARow {
				b.subscribe(fmt.Sprintf("a@d%d.example.org", i))
			}
			b.mailbox.rcpt = func(string) error { return refusal }
			b.write("winter-break.md", winter)
			b.until("2026-11-20 10:05")
			b.mailbox.mu.Lock()
			b.mailbox.rcpt = nil
			b.mailbox.mu.Unlock()
			b.do()
			if got := b.mailbox.letters(); len(got) > 0 {
				t.Fatalf("sent during the rest: %q", got)
			}
			if err := b.l.Update(t.Context(), func(tx *ledger.Tx) error { return tx.MakeDue(b.clock()) }); err != nil {
				t.Fatal(err)
			}
			b.do()
			if got := b.mailbox.letters(); len(got) < faultsInARow+1 {
				t.Errorf("sent after the retry: %q", got)
			}
		})
	}
}

// TestNoMailNoWriting: the mail, which is looked after each second, waits for no
// writer while there is none to send, nor does a writer wait for it.
func TestNoMailNoWriting(t *testing.T) {
	b := newBench(t, "2026-11-20 10:00", "")
	b.subscribe("ann@example.org")
	b.write("winter-break.md", winter)
	b.settle() // the announcement waits for its moment
	err := b.l.Update(t.Context(), func(*ledger.Tx) error {
		done := make(chan error, 1)
		go func() { _, err := b.w.SendMail(t.Context(), b.clock()); done <- err }()
		select {
		case err := <-done:
			return err
		case <-time.After(5 * time.Second):
			return errors.New("the mail waits for the writer")
		}
	})
	if err != nil {
		t.Error(err)
	}
}

// TestThread puts all letters of one closure into one thread: one subject, and
// each refers to the first; only the last has a subject of its own.
func TestThread(t *testing.T) {
	b := newBench(t, "2026-11-20 10:00", "")
	b.subscribe("ann@example.org")
	b.write("winter-break.md", strings.Replace(winter, "counted: no", "counted: yes", 1))
	b.until("2027-01-03 10:00")
	got := b.mailbox.take()
	if len(got) != 4 {
		t.Fatalf("%d letters", len(got))
	}
	first := got[0].header.Get("Message-ID")
	ids := map[string]bool{}
	for i, r := range got {
		ids[r.header.Get("Message-ID")] = true
		if i > 0 && r.header.Get("References") != first {
			t.Errorf("letter %d refers to %q, the first is %q", i, r.header.Get("References"), first)
		}
		if last := i == len(got)-1; (r.subject != got[0].subject) != last {
			t.Errorf("letter %d: subject %q", i, r.subject)
		}
		for _, h := range []string{"List-Id", "List-Unsubscribe", "List-Unsubscribe-Post", "Auto-Submitted", "Precedence", "X-Auto-Response-Suppress"} {
			if r.header.Get(h) == "" {
				t.Errorf("letter %d has no %s", i, h)
			}
		}
		checkLink(t, r, "https://closures.example/unsubscribe/ann@example.org")
	}
	if len(ids) != len(got) {
		t.Errorf("message ids %v", ids)
	}
}

// checkLink finds the link to leave by in both parts and in the header.
func checkLink(t *testing.T, r received, link string) {
	t.Helper()
	if !strings.Contains(r.header.Get("List-Unsubscribe"), "<"+link+">") {
		t.Errorf("List-Unsubscribe: %s", r.header.Get("List-Unsubscribe"))
	}
	_, params, err := mime.ParseMediaType(r.header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	parts := multipart.NewReader(strings.NewReader(r.body), params["boundary"])
	for _, kind := range []string{"text/plain", "text/html"} {
		p, err := parts.NextRawPart()
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(quotedprintable.NewReader(p))
		if !strings.HasPrefix(p.Header.Get("Content-Type"), kind) || !strings.Contains(string(text), link) {
			t.Errorf("%s without the link: %s", p.Header.Get("Content-Type"), text)
		}
	}
}

// TestSameLetterKeepsItsID sends the same letter from two ledgers: the second
// knows nothing of the first, but a mailbox sees one message.
func TestSameLetterKeepsItsID(t *testing.T) {
	var ids []string
	for range 2 {
		b := newBench(t, "2026-11-20 10:00", "")
		b.subscribe("ann@example.org")
		b.write("winter-break.md", winter)
		b.until("2026-11-20 10:05")
		for _, r := range b.mailbox.take() {
			ids = append(ids, r.header.Get("Message-ID"))
		}
	}
	if len(ids) != 2 || ids[0] != ids[1] {
		t.Errorf("ids %q", ids)
	}
}

// TestNewsThatIsNoLongerNews ends an old campaign in favour of a newer one of
// the same closure, once it is a quarter of an hour old.
func TestNewsThatIsNoLongerNews(t *testing.T) {
	b := newBench(t, "2026-12-24 17:00", "")
	b.subscribe("ann@example.org")
	b.mailbox.rcpt = func(string) error { return reply(451, 4, 3, 0) }
	b.write("winter-break.md", winter)
	b.minutely("2026-12-24 18:30")
	b.mailbox.mu.Lock()
	b.mailbox.rcpt = nil
	b.mailbox.mu.Unlock()
	b.minutely("2026-12-24 20:30")
	equal(t, "mail", b.mailbox.letters(), []string{"ann@example.org closed"})
}

// TestLeftMeanwhile passes over who leaves between the campaign's beginning and
// the letter.
func TestLeftMeanwhile(t *testing.T) {
	b := newBench(t, "2026-11-20 10:00", "")
	b.subscribe("ann@example.org", "bob@example.org")
	b.mailbox.rcpt = func(string) error { return reply(451, 4, 3, 0) }
	b.write("winter-break.md", winter)
	b.minutely("2026-11-20 10:02")
	err := b.l.Update(t.Context(), func(tx *ledger.Tx) error {
		_, err := tx.RemoveSubscriber("ANN@example.org")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	b.mailbox.mu.Lock()
	b.mailbox.rcpt = nil
	b.mailbox.mu.Unlock()
	b.minutely("2026-11-20 12:00")
	equal(t, "mail", b.mailbox.letters(), []string{"bob@example.org announced"})
}

// TestCrashBetweenSendingAndWriting repeats the batch that was under way, under
// the same ids, and nothing else.
func TestCrashBetweenSendingAndWriting(t *testing.T) {
	b := newBench(t, "2026-11-20 10:00", "")
	for i := range 130 {
		b.subscribe(fmt.Sprintf("a%03d@example.org", i))
	}
	b.announce()
	b.crashAfterSending(t)
	b.w.Close()
	b.start()
	b.minutely("2026-11-20 10:30")
	ids := map[string]int{}
	for _, r := range b.mailbox.take() {
		ids[r.header.Get("Message-ID")]++
	}
	twice := 0
	for _, n := range ids {
		if n > 1 {
			twice++
		}
	}
	if len(ids) != 130 || twice != sendBatch {
		t.Errorf("%d letters, %d of them twice; a batch is %d", len(ids), twice, sendBatch)
	}
}

// announce has the winter break accepted and its mail begin, of which nothing is sent yet.
func (b *bench) announce() {
	b.t.Helper()
	b.write("winter-break.md", winter)
	b.settle()
	b.set(b.clock().Add(2 * time.Minute))
	if _, err := b.w.Reconcile(b.t.Context(), b.clock()); err != nil {
		b.t.Fatal(err)
	}
}

// crashAfterSending sends one batch and forgets to write down what came of it.
func (b *bench) crashAfterSending(t *testing.T) {
	t.Helper()
	now := b.clock()
	if _, err := b.w.expand(t.Context(), now); err != nil {
		t.Fatal(err)
	}
	letters, err := b.w.claimLetters(t.Context(), now, sendBatch)
	if err != nil {
		t.Fatal(err)
	}
	f := b.w.takeOff(t.Context())
	defer f.close()
	f.send(letters)
	f.receive(sendBatch)
}

// TestHalfWrittenDownInFlight writes down what came of half a batch while the server
// hesitates over the other, of which it is asked no more than there are
// connections.
func TestHalfWrittenDownInFlight(t *testing.T) {
	b := newBench(t, "2026-11-20 10:00", "")
	for i := range 2 * sendBatch {
		b.subscribe(fmt.Sprintf("a%03d@example.org", i))
	}
	b.announce()
	var asked atomic.Int32
	gate, done := make(chan struct{}), make(chan error, 1)
	b.mailbox.rcpt = func(string) error {
		if asked.Add(1) > sendBatch/2 {
			<-gate
		}
		return nil
	}
	go func() { _, err := b.w.SendMail(t.Context(), b.clock()); done <- err }()
	sent := 0
	for end := time.Now().Add(10 * time.Second); sent == 0 && time.Now().Before(end); time.Sleep(time.Millisecond) {
		err := b.l.View(t.Context(), func(tx *ledger.Tx) error {
			open, err := tx.OpenCampaigns()
			for _, c := range open {
				sent += c.Sent
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	waiting := int(asked.Load()) - sent
	close(gate)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if sent != sendBatch/2 || waiting > b.w.Config.Email.Connections {
		t.Errorf("%d written down and %d under way while the server hesitates", sent, waiting)
	}
	b.do()
	if n := len(b.mailbox.take()); n != 2*sendBatch {
		t.Errorf("%d letters, expected %d", n, 2*sendBatch)
	}
}

// TestFullBatches sends everything that is due at one moment, although a few
// subscribers in every batch have left.
func TestFullBatches(t *testing.T) {
	b := newBench(t, "2026-11-20 10:00", "")
	for i := range 300 {
		b.subscribe(fmt.Sprintf("a%03d@example.org", i))
	}
	b.announce()
	if _, err := b.w.expand(t.Context(), b.clock()); err != nil {
		t.Fatal(err)
	}
	err := b.l.Update(t.Context(), func(tx *ledger.Tx) error {
		for i := 0; i < 300; i += 50 {
			if _, err := tx.RemoveSubscriber(fmt.Sprintf("a%03d@example.org", i)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	b.do()
	if n := len(b.mailbox.take()); n != 294 {
		t.Errorf("%d letters, expected 294", n)
	}
}

// TestCheckoutBeforeMail has a closure begin whose mail is due with it: the round
// that closes the checkout neither counts nor begins the mail, and asks for the next
// one at once.
func TestCheckoutBeforeMail(t *testing.T) {
	b := newBench(t, "2026-12-24 17:00", "")
	b.subscribe("ann@example.org")
	b.write("winter-break.md", winter)
	b.until("2026-12-24 17:59")
	b.mailbox.letters()
	b.set(at("2026-12-24 18:00"))
	next, err := b.w.reconcile(t.Context(), b.clock())
	if err != nil {
		t.Fatal(err)
	}
	begun := func() bool {
		return slices.Contains(b.events(), "mail.started winter-break closed")
	}
	if b.front("web").Checkout != "off" || begun() || !next.Equal(b.clock()) {
		t.Errorf("checkout %s, mail begun %v, next %v", b.front("web").Checkout, begun(), next)
	}
	if _, err := b.w.reconcile(t.Context(), b.clock()); err != nil || !begun() {
		t.Errorf("the mail has not begun in the round after: %v", err)
	}
}

// TestLedgerGone: a ledger that can't be reached fills no log with its absence, however
// often the mail loop looks.
func TestLedgerGone(t *testing.T) {
	b := newBench(t, "2026-11-20 10:00", "")
	var log bytes.Buffer
	b.w.Log = slog.New(slog.NewTextHandler(&log, nil))
	if err := b.l.Close(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	l := &loop{Watcher: b.w, mail: make(chan struct{})}
	ended := make(chan struct{})
	go func() { defer close(ended); l.mailLoop(ctx) }()
	for range 5 {
		l.mail <- struct{}{}
	}
	cancel()
	<-ended
	if n := strings.Count(log.String(), "mail could not be looked up"); n != 1 {
		t.Errorf("%d entries:\n%s", n, &log)
	}
}
