package notify

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/backsoon/backsoon/internal/ledger"
	"github.com/backsoon/backsoon/internal/notice"
)

// TestPlanIsWhatWatchDoes lets random shops run for three months and holds what
// the watcher did against what the plan had said.
func TestPlanIsWhatWatchDoes(t *testing.T) {
	for seed := range uint64(40) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { comparePlan(t, seed) })
	}
}

func comparePlan(t *testing.T, seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 1))
	b := newBench(t, "2026-11-20 10:00", "")
	b.subscribe("ann@example.org", "bob@example.org web", "cid@example.org market")
	b.settle() // a storefront that is seen for the first time is no transition
	b.web.payloads()
	for i := range 1 + rng.IntN(5) {
		b.write(fmt.Sprintf("closure-%d.md", i), randomNotice(rng, i))
	}
	before := len(b.log())
	plan, err := b.w.Plan(t.Context(), b.clock())
	if err != nil {
		t.Fatal(err)
	}
	if len(plan.Refused) > 0 {
		t.Fatalf("refused: %q", plan.Refused)
	}
	if after := len(b.log()); after != before {
		t.Errorf("the plan wrote %d log entries", after-before)
	}
	var said, did []string
	for _, tr := range plan.Transitions {
		said = append(said, fmt.Sprintf("%s %s %s %s", stamped(tr.At), tr.Storefront, tr.Checkout, tr.Notice))
	}
	for _, m := range plan.Mail {
		said = append(said, fmt.Sprintf("%s mail %s %s to %d", stamped(m.At), m.Kind, m.Notice, m.Recipients))
	}
	b.until("2027-03-01 00:00")
	for _, e := range b.log()[before:] {
		switch e.Event {
		case ledger.StorefrontClosed:
			did = append(did, fmt.Sprintf("%s %s off %s", stamped(e.Time), e.Storefront, e.Notice))
		case ledger.StorefrontOpened:
			did = append(did, fmt.Sprintf("%s %s on %s", stamped(e.Time), e.Storefront, e.Notice))
		case ledger.MailStarted:
			did = append(did, fmt.Sprintf("%s mail %s %s to %d", stamped(e.Time), e.Kind, e.Notice, e.Counts["recipients"]))
		}
	}
	slices.Sort(said)
	slices.Sort(did)
	equal(t, "what the watcher did, and what the plan said", did, said)
	b.checkLog(t)
}

// stamped is a moment to the minute: the watcher reads a file a little later
// than the plan does.
func stamped(t time.Time) string { return t.Add(time.Second).UTC().Format("01-02 15:04") }

// randomNotice makes closures that overlap, touch, and end in every way.
func randomNotice(rng *rand.Rand, i int) string {
	closes := at("2026-11-20 12:00").Add(time.Duration(rng.IntN(14*4)-4) * 6 * time.Hour)
	n := &notice.Notice{
		Slug: fmt.Sprintf("closure-%d", i), Title: fmt.Sprintf("Closure %d", i), Body: "Words.",
		Published: notice.Moment{Time: at("2026-11-01 10:00")}, Closes: notice.Moment{Time: closes},
	}
	if rng.IntN(5) > 0 {
		n.Reopens = notice.Moment{Time: closes.Add(time.Duration(1+rng.IntN(20)) * 6 * time.Hour)}
	}
	n.Storefronts = [][]string{nil, {"web"}, {"market"}}[rng.IntN(3)]
	n.CheckoutOn = rng.IntN(6) == 0
	n.Cancelled = rng.IntN(8) == 0
	if rng.IntN(4) == 0 {
		n.Reopening = []notice.Step{{Name: "stock counted", Done: rng.IntN(2) == 0}}
	}
	return string(n.Format())
}

// checkLog holds the log against its promises: indexes without a gap, and one
// storefront event per revision.
func (b *bench) checkLog(t *testing.T) {
	t.Helper()
	seen := map[string]bool{}
	for i, e := range b.log() {
		if e.Index != int64(i) {
			t.Fatalf("entry %d has index %d", i, e.Index)
		}
		if e.Event != ledger.StorefrontClosed && e.Event != ledger.StorefrontOpened {
			continue
		}
		key := fmt.Sprint(e.Storefront, e.Revision)
		if seen[key] {
			t.Errorf("two events for revision %d of %s", e.Revision, e.Storefront)
		}
		seen[key] = true
	}
}

// TestPlanListsRefusals, and plans with what was accepted before.
func TestPlanListsRefusals(t *testing.T) {
	b := newBench(t, "2026-11-20 10:00", "")
	b.write("winter-break.md", winter)
	b.settle()
	if err := os.WriteFile(filepath.Join(b.dir, notice.Folder, "winter-break.md"), []byte("---\ntitle: [\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	plan, err := b.w.Plan(t.Context(), b.clock())
	if err != nil {
		t.Fatal(err)
	}
	if len(plan.Refused) != 1 || len(plan.Transitions) != 2 {
		t.Errorf("refused %q, transitions %v", plan.Refused, plan.Transitions)
	}
}
