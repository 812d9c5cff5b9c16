package notify

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/backsoon/backsoon/internal/ledger"
)

// TestServerGoneForADay has no mail server for a day, in which a closure is
// announced, changed, begun, told of twice, and ended. Nobody loses anything that
// is still news: when the server is back everybody gets the closure's newest letter,
// once. Meanwhile it is asked rarely, and the owner hears of it once.
func TestServerGoneForADay(t *testing.T) {
	b := newBench(t, "2026-11-20 10:00", "")
	for i := range 60 {
		b.subscribe(fmt.Sprintf("a%d@example.org web", i))
	}
	var asked atomic.Int32
	b.mailbox.answering(func(string) error {
		asked.Add(1)
		return reply(421, 4, 3, 2)
	})
	text := works(20, 18, 22, 9)
	b.write("works.md", text)
	b.minutely("2026-11-20 12:00")
	text = works(20, 18, 23, 9)
	b.write("works.md", text)
	b.minutely("2026-11-20 20:00")
	for _, hour := range []string{"20", "21"} {
		text += "\n## 2026-11-20 " + hour + ":00 Still wet\n\nWe pump.\n"
		b.write("works.md", text)
		b.minutely("2026-11-20 " + hour + ":45")
	}
	b.minutely("2026-11-21 10:00")
	equal(t, "while it is gone", b.mailbox.letters(), nil)
	if n := asked.Load(); n > 24*60/4 {
		t.Errorf("asked %d times in a day", n)
	}
	b.mailbox.answering(nil)
	b.minutely("2026-11-21 12:00")
	got := map[string][]string{}
	for _, line := range b.mailbox.letters() {
		to, what, _ := strings.Cut(line, " ")
		got[to] = append(got[to], what)
	}
	for i := range 60 {
		if letters := got[fmt.Sprintf("a%d@example.org", i)]; len(letters) != 1 || letters[0] != "update" {
			t.Fatalf("reader %d got %q", i, letters)
		}
	}
	if alerts := got["owner@harbourbooks.example:"]; len(alerts) > 5 {
		t.Errorf("%d alerts: %q", len(alerts), alerts)
	}
	b.nothingOwed()
}

// TestEndpointGoneForAWeek has no receiver for a week, in which the shop closes
// and reopens three times. It is asked at a bounded rate and never of an old state;
// the owner hears of it once for each; and when it is back it learns the newest
// state at once.
func TestEndpointGoneForAWeek(t *testing.T) {
	b := newBench(t, "2026-11-20 10:00", "")
	b.settle()
	b.web.payloads()
	b.web.answering(func(int) int { return 503 })
	for day := range 3 {
		b.write(fmt.Sprintf("works-%d.md", day), works(21+2*day, 12, 21+2*day, 18))
		b.settle()
	}
	b.minutely("2026-11-27 10:00")
	got, _ := b.web.payloads()
	var last int64
	for _, p := range got {
		if p.Data.Revision < last {
			t.Errorf("revision %d after %d", p.Data.Revision, last)
		}
		last = p.Data.Revision
	}
	if most := 7*24*60/5 + 6*4; len(got) > most || len(got) < 1000 {
		t.Errorf("%d attempts in a week", len(got))
	}
	alerts := 0
	for _, line := range b.mailbox.letters() {
		if strings.Contains(line, "does not follow") {
			alerts++
		}
	}
	if alerts < 1 || alerts > 7 {
		t.Errorf("%d alerts", alerts)
	}
	b.web.answering(nil)
	b.set(b.clock().Add(6 * time.Minute))
	b.settle()
	equal(t, "when it is back", b.web.types(), []string{"storefront.opened"})
	b.nothingOwed()
}

// works is a notice of a closure in November 2026, from the one day and hour to
// the other.
func works(closes, from, reopens, to int) string {
	return fmt.Sprintf("---\ntitle: Works\npublished: 2026-11-20 10:00\ncloses: 2026-11-%d %02d:00\nreopens: 2026-11-%d %02d:00\n---\nThe pipes of the %d.\n",
		closes, from, reopens, to, closes)
}

// answering has the mail server answer each RCPT as f says; nil: it takes everybody.
func (m *mailbox) answering(f func(to string) error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.rcpt = f
}

func (b *bench) nothingOwed() {
	b.t.Helper()
	err := b.l.View(b.t.Context(), func(tx *ledger.Tx) error {
		owed, err := tx.Owed()
		if owed != (ledger.Owed{}) {
			b.t.Errorf("still owed: %+v", owed)
		}
		return err
	})
	if err != nil {
		b.t.Fatal(err)
	}
}
