package notify

import (
	"database/sql"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/backsoon/backsoon/internal/ledger"
)

const flood = "---\ntitle: Flood\npublished: 2026-11-20 10:00\ncloses: 2026-11-20 10:00\n---\nWater.\n"

// retries lets time pass in steps of a second and gives the seconds at which
// the receiver was asked.
func (b *bench) retries(d time.Duration) (asked []int) {
	b.t.Helper()
	start := b.clock()
	for s := time.Duration(0); s < d; s += time.Second {
		b.set(start.Add(s))
		b.do()
		got, _ := b.web.payloads()
		for range got {
			asked = append(asked, int(s/time.Second))
		}
	}
	return asked
}

// TestRetries holds the attempts at an endpoint that answers 500 against the
// promised waits: 5 s, 30 s, 2 min, then every 5 min, each with up to a tenth
// more; and one alert after ten minutes.
func TestRetries(t *testing.T) {
	b := newBench(t, "2026-11-20 10:00", "")
	b.settle()
	b.web.types()
	b.web.answering(func(int) int { return 500 })
	b.write("flood.md", flood)
	asked := b.retries(20 * time.Minute)
	low := []int{0, 5, 35, 155, 455, 755, 1055}
	if len(asked) != len(low) {
		t.Fatalf("asked at %v seconds", asked)
	}
	for i, s := range asked {
		if s < low[i] || s > low[i]+low[i]/10+8 {
			t.Errorf("attempt %d came after %d s, expected about %d", i+1, s, low[i])
		}
	}
	var alerts int
	for _, l := range b.mailbox.letters() {
		if strings.Contains(l, "does not follow") {
			alerts++
		}
	}
	if alerts != 1 {
		t.Errorf("%d alerts", alerts)
	}
	b.web.answering(nil)
	b.set(b.clock().Add(6 * time.Minute))
	b.settle()
	equal(t, "after the shop came back", b.web.types(), []string{"storefront.closed"})
}

// TestLasting: how long something has lasted is told in an owner's words.
func TestLasting(t *testing.T) {
	for d, want := range map[time.Duration]string{
		90 * time.Second:                       "90 seconds",
		12*time.Minute + 10*time.Second:        "12 minutes",
		2 * time.Hour:                          "2 hours",
		24*time.Hour - time.Second:             "24 hours",
		49 * time.Hour:                         "2 days",
		time.Duration(5.6*24*60) * time.Minute: "6 days",
	} {
		if got := lasting(d); got != want {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
	}
	f := ledger.Storefront{ID: "web", Checkout: "off"}
	e := ledger.Endpoint{Storefront: "web", URL: "https://a.example/hook", Failing: at("2026-11-20 10:00"), Error: "answered 500"}
	want := "https://a.example/hook has not acknowledged for 12 minutes that storefront web is to be closed. The last attempt: answered 500.\n"
	if got := lateAlert(e, f, at("2026-11-20 10:12")).text; !strings.HasPrefix(got, want) {
		t.Errorf("%s\nwant %s", got, want)
	}
}

// TestNewestOnly lets the state change while an endpoint fails: it is never sent
// the older state again, and the new one at once.
func TestNewestOnly(t *testing.T) {
	b := newBench(t, "2026-11-20 10:00", "")
	b.settle()
	b.web.types()
	b.web.answering(func(int) int { return 503 })
	b.write("flood.md", flood)
	b.retries(2 * time.Minute)
	b.write("flood.md", strings.Replace(flood, "\n---\nW", "\nreopened: 2026-11-20 10:02\n---\nW", 1))
	b.settle()
	b.web.answering(nil)
	b.until("2026-11-20 10:30")
	got, _ := b.web.payloads()
	for _, p := range got {
		if p.Type != "storefront.opened" {
			t.Errorf("sent %s of revision %d", p.Type, p.Data.Revision)
		}
	}
	if len(got) < 2 {
		t.Errorf("%d attempts", len(got))
	}
}

// TestReassert hangs up on one request: nobody knows whether it still runs, so
// the newest state goes out once more after 30 s, under a new id, although the
// retry in between was acknowledged under the old one.
func TestReassert(t *testing.T) {
	b := newBench(t, "2026-11-20 10:00", "")
	b.settle()
	b.web.payloads()
	var asked atomic.Int32
	b.web.answering(func(int) int {
		if asked.Add(1) == 1 {
			return 0
		}
		return 204
	})
	b.write("flood.md", flood)
	start := b.clock()
	b.settle()
	b.retriesUntilAsked(t, start, 5*time.Second, 12*time.Second)
	got, ids := b.web.payloads()
	b.retriesUntilAsked(t, start, 28*time.Second, 40*time.Second)
	again, newIDs := b.web.payloads()
	if len(got) != 2 || ids[0] != ids[1] {
		t.Fatalf("attempts %v under ids %q", len(got), ids)
	}
	if len(again) != 1 || newIDs[0] == ids[0] || again[0].Data.Revision != got[0].Data.Revision {
		t.Fatalf("sent again: %d under %q, first under %q", len(again), newIDs, ids)
	}
	b.until("2026-11-20 11:00")
	equal(t, "later", b.web.types(), nil)
	equal(t, "log", b.events("notice", "mail", "storefront"), []string{"webhook.acknowledged web", "webhook.acknowledged web"})
}

// retriesUntilAsked lets time pass from start+from to start+to without taking
// what the receiver got.
func (b *bench) retriesUntilAsked(t *testing.T, start time.Time, from, to time.Duration) {
	t.Helper()
	for d := from; d <= to; d += time.Second {
		b.set(start.Add(d))
		b.do()
	}
}

// TestGone disables an endpoint that answers 410, alerts the owner, and takes it
// up again only when told to.
func TestGone(t *testing.T) {
	b := newBench(t, "2026-11-20 10:00", "")
	b.settle()
	b.web.types()
	b.web.answering(func(int) int { return 410 })
	b.write("flood.md", flood)
	b.until("2026-11-20 11:00")
	equal(t, "webhooks", b.web.types(), []string{"storefront.closed"})
	equal(t, "alerts", b.mailbox.letters(), []string{"owner@harbourbooks.example: Harbour Books: The webhook of web is disabled"})
	b.remove("flood.md")
	b.write("flood.md", flood+"More water.\n")
	b.until("2026-11-20 12:00")
	equal(t, "webhooks while disabled", b.web.types(), nil)
}

// TestNewEndpoint is sent the present state; one that the settings drop is
// forgotten.
func TestNewEndpoint(t *testing.T) {
	b := newBench(t, "2026-11-20 10:00", "")
	b.write("flood.md", flood)
	b.settle()
	b.web.types()
	other := newReceiver(t)
	b.w.Config.Storefronts[0].Webhooks[0].URL = other.URL
	b.settle()
	equal(t, "the new endpoint", other.types(), []string{"storefront.closed"})
	equal(t, "the old endpoint", b.web.types(), nil)
	var ends []ledger.Endpoint
	err := b.l.View(t.Context(), func(tx *ledger.Tx) (err error) { ends, err = tx.Endpoints(); return })
	if err != nil || len(ends) != 1 || ends[0].URL != other.URL {
		t.Errorf("endpoints: %+v, %v", ends, err)
	}
}

// TestRevisionsOnlyGrow even where the clock jumps back between two changes.
func TestRevisionsOnlyGrow(t *testing.T) {
	b := newBench(t, "2026-11-20 10:00", "")
	b.settle()
	b.write("flood.md", flood)
	b.settle()
	before := b.front("web").Revision
	b.set(at("2026-11-20 10:00").Add(-2 * time.Second))
	b.write("flood.md", strings.Replace(flood, "Flood", "High water", 1))
	b.set(at("2026-11-20 10:00:01"))
	b.settle()
	if after := b.front("web").Revision; after <= before {
		t.Errorf("revision %d after %d", after, before)
	}
}

// TestOutcomeCannotBeWritten asks the shop once, not again and again, while the
// ledger takes no outcome.
func TestOutcomeCannotBeWritten(t *testing.T) {
	b := newBench(t, "2026-11-20 10:00", "")
	b.settle()
	b.web.types()
	raw, err := sql.Open("sqlite3", b.w.Config.Database)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	// Only an attempt's outcome sets an error or an acknowledgement.
	_, err = raw.Exec(`CREATE TRIGGER full BEFORE UPDATE ON endpoints WHEN new.acknowledged > old.acknowledged BEGIN SELECT RAISE(ABORT, 'the disk is full'); END`)
	if err != nil {
		t.Fatal(err)
	}
	<-b.web.asked // for the first state
	b.write("flood.md", flood)
	for range 5 {
		b.set(b.clock().Add(time.Second))
		if _, err := b.w.Reconcile(t.Context(), b.clock()); err != nil {
			t.Fatal(err)
		}
		if _, err := b.w.SendWebhooks(t.Context(), b.clock()); err != nil {
			t.Fatal(err)
		}
	}
	<-b.web.asked
	if _, err := raw.Exec("DROP TRIGGER full"); err != nil {
		t.Fatal(err)
	}
	b.w.sending.Wait()
	equal(t, "webhooks", b.web.types(), []string{"storefront.closed"})
	b.settle()
	equal(t, "webhooks once it is written", b.web.types(), nil)
}

// TestHangingUpForLong keeps to the promised waits at a receiver that hangs up
// each time, under one id; once it answers, the state goes out once more.
func TestHangingUpForLong(t *testing.T) {
	b := newBench(t, "2026-11-20 10:00", "")
	b.settle()
	b.web.payloads()
	b.web.answering(func(int) int { return 0 })
	b.write("flood.md", flood)
	if asked := b.retries(11 * time.Minute); len(asked) != 5 {
		t.Errorf("asked at %v seconds", asked)
	}
	if alerts := b.mailbox.letters(); len(alerts) != 1 {
		t.Errorf("alerts after eleven minutes: %q", alerts)
	}
	b.web.answering(nil)
	b.minutely("2026-11-20 11:00")
	equal(t, "once it answers", b.web.types(), []string{"storefront.closed", "storefront.closed"})
}

// TestKilledInTheMiddle sends the state twice after a restart: a request of the
// watcher before may still run late.
func TestKilledInTheMiddle(t *testing.T) {
	b := newBench(t, "2026-11-20 10:00", "")
	b.settle()
	b.web.payloads()
	b.web.answering(func(int) int { return 500 })
	b.write("flood.md", flood)
	b.settle()
	b.w.Close()
	b.start()
	b.web.payloads()
	b.web.answering(nil)
	if err := b.w.reassertAll(t.Context(), b.clock()); err != nil {
		t.Fatal(err)
	}
	b.minutely("2026-11-20 10:30")
	equal(t, "webhooks", b.web.types(), []string{"storefront.closed", "storefront.closed"})
}
