package torture

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/backsoon/backsoon/internal/ledger"
)

const (
	shops   = 5
	readers = 200 // of each shop
	batch   = 50  // letters under way at once: DESIGN.md, "Mail"
)

// TestKilled kills the program at random moments, while five storefronts are
// closed, prolonged and reopened, their receivers fail and hang, and the mail
// server is slow and refuses. In the end nothing is lost: no mail, no
// transition; and the log tells of each change once.
func TestKilled(t *testing.T) {
	t.Parallel()
	kills := 30
	if *long {
		kills = 1000
	}
	w := newWorld(t, shops, readers, "")
	r := seeded(t)
	w.mail.suffer(sometimes(r, 0.02, fail))
	for _, c := range w.fronts {
		c.suffer(sometimes(r, 0.2, fail, drop, stall))
	}
	o := owner{w: w, random: r, open: map[string]string{}}
	for range kills {
		p := w.start("watch")
		if r.IntN(5) > 0 { // else it dies as it begins
			p.watches()
		}
		for range 1 + r.IntN(2) {
			o.acts()
			time.Sleep(time.Duration(r.IntN(150)) * time.Millisecond)
		}
		time.Sleep(time.Duration(r.IntN(350)) * time.Millisecond)
		select {
		case <-p.done:
			t.Fatalf("it ended by itself:\n%s", p.out)
		default:
		}
		p.kill()
	}
	w.mail.suffer(nil)
	for _, c := range w.fronts {
		c.suffer(nil)
	}
	w.settle()
	w.everyChangeOnce(o.saves)
	w.everyCheckoutRight(o.open)
	w.everyLetter(kills)
	w.sound()
}

func seeded(t *testing.T) *rand.Rand {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// sometimes gives one of the faults with the probability p. It may be asked by
// several connections at once.
func sometimes(r *rand.Rand, p float64, faults ...fault) func() fault {
	own := rand.New(rand.NewPCG(r.Uint64(), r.Uint64()))
	var mu sync.Mutex
	return func() fault {
		mu.Lock()
		defer mu.Unlock()
		if own.Float64() >= p {
			return none
		}
		return faults[own.IntN(len(faults))]
	}
}

// once gives a fault, and none ever after.
func once(f fault) func() fault {
	return func() fault {
		now := f
		f = none
		return now
	}
}

// owner closes, prolongs and reopens one storefront or another.
type owner struct {
	w      *world
	random *rand.Rand
	open   map[string]string // the slug of the notice that closes a storefront, by storefront
	n      int
	saves  int
}

func (o *owner) acts() {
	o.n++
	o.saves++
	now := time.Now()
	id := front(o.random.IntN(shops))
	closes := "closes: " + now.Add(-time.Hour).Format(time.RFC3339)
	end := "reopens: " + now.Add(time.Duration(24+o.n)*time.Hour).Format(time.RFC3339)
	slug, closed := o.open[id]
	switch {
	case !closed:
		slug = fmt.Sprintf("%s-%d", id, o.n)
		o.open[id] = slug
		o.w.notice(slug, id, closes, end)
	case o.random.IntN(2) == 0:
		o.w.notice(slug, id, closes, end)
	default:
		delete(o.open, id)
		o.w.notice(slug, id, closes, end, "reopened: "+now.Format(time.RFC3339))
	}
}

// everyChangeOnce checks that the log tells of each revision once and in order,
// that what was saved last is accepted, and that there was no false alarm.
func (w *world) everyChangeOnce(saves int) {
	w.t.Helper()
	last, accepted := map[string]int64{}, 0
	for _, e := range w.log() {
		switch e.Event {
		case ledger.NoticeAccepted:
			accepted++
		case ledger.StorefrontClosed, ledger.StorefrontOpened:
			if e.Revision <= last[e.Storefront] {
				w.t.Errorf("%s: revision %d after %d", e.Storefront, e.Revision, last[e.Storefront])
			}
			last[e.Storefront] = e.Revision
		case ledger.NoticeRefused, ledger.NoticeMissing:
			w.t.Errorf("a false alarm: %+v", e)
		}
	}
	if accepted == 0 || accepted > saves {
		w.t.Errorf("%d versions accepted of %d saved", accepted, saves)
	}
	for id, s := range w.status().Storefronts {
		if s.Revision != last[id] {
			w.t.Errorf("%s is at revision %d, the log ends with %d", id, s.Revision, last[id])
		}
	}
}

// everyCheckoutRight checks that each checkout is as the notices say, and as the
// program says; closed has the storefronts that they close.
func (w *world) everyCheckoutRight(closed map[string]string) {
	w.t.Helper()
	status := w.status()
	if status.Owed.Webhooks+status.Owed.Mail > 0 {
		w.t.Errorf("still owed: %+v", status.Owed)
	}
	for i, c := range w.fronts {
		s, want := status.Storefronts[front(i)], "on"
		if closed[front(i)] != "" {
			want = "off"
		}
		revision, state := c.seen()
		if s.Revision == 0 && want == "on" {
			continue // nothing ever closed it
		}
		if s.Checkout != want || state != want || revision != s.Revision {
			w.t.Errorf("%s is to be %s: status says %s at %d, the checkout is %s at %d", front(i), want, s.Checkout, s.Revision, state, revision)
		}
	}
}

// everyLetter checks that each reader has each letter that their shop's campaigns
// count as sent, and that a kill repeated no more than was under way.
func (w *world) everyLetter(kills int) {
	w.t.Helper()
	sent := map[string]int{} // by storefront, over all campaigns
	for _, e := range w.log() {
		if e.Event != ledger.MailFinished {
			continue
		}
		id := e.Notice[:len(front(0))]
		if got := e.Counts["sent"] + e.Counts["passed"]; got != readers || e.Counts["failed"] > 0 || e.Counts["passed"] > 0 && !*long {
			w.t.Errorf("a campaign did not reach everybody: %+v", e)
		}
		sent[id] += int(e.Counts["sent"])
	}
	campaigns, repeated := 0, 0
	for i := range w.fronts {
		different := 0
		for j := range readers {
			d, all := w.mail.letters(subscriber(i, j))
			different, repeated = different+d, repeated+all-d
		}
		if different != sent[front(i)] {
			w.t.Errorf("%s: %d different letters came, %d count as sent", front(i), different, sent[front(i)])
		}
		campaigns += sent[front(i)] / readers
	}
	if campaigns == 0 || repeated > kills*batch {
		w.t.Errorf("%d campaigns; %d letters repeated in %d kills", campaigns, repeated, kills)
	}
	w.t.Logf("%d kills, %d campaigns, %d letters, %d of them repeated", kills, campaigns, w.mail.total(), repeated)
}
