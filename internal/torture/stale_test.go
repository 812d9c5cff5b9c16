package torture

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

// TestStaleNeverWins flips storefronts again and again while the lines to their
// checkouts break, hang and lag. A checkout that follows the contract ends in the
// right state; and so does a naive one, which obeys whatever came last, since
// what may have been overtaken is sent once more.
func TestStaleNeverWins(t *testing.T) {
	t.Parallel()
	fronts, flips, patience := 8, 6, 2*time.Minute
	if *long {
		fronts, flips, patience = 200, 100, 15*time.Minute // 10,000 notices by then
	}
	var lines []*line
	w := newWorldBehind(t, fronts, 0, "", func(c *checkout) string {
		l := newLine(t, c.Listener.Addr().String())
		lines = append(lines, l)
		return "http://" + l.Listen
	})
	r := seeded(t)
	w.fronts[0].suffer(once(stall))
	for _, c := range w.fronts[1:] {
		c.suffer(sometimes(r, 0.1, stall, drop, fail))
	}
	p := w.start("watch")
	flips *= fronts
	closed := map[string]string{}
	for n := range flips {
		i := n % fronts
		if i > 0 {
			lines[i].ail(r)
		}
		w.flip(front(i), n, closed)
		time.Sleep(time.Duration(r.IntN(60)) * time.Millisecond)
	}
	for i, c := range w.fronts {
		c.suffer(nil)
		lines[i].heal()
	}
	w.run("deliveries", "retry")
	w.within(patience, "nothing is owed", func() bool { return w.status().Owed.Webhooks == 0 })
	p.terminate()
	w.everyCheckoutRight(closed)
	w.everyChangeOnce(flips)
	overtaken, wanted := 0, w.status().Storefronts
	for i, c := range w.fronts {
		if want := wanted[front(i)].Checkout; c.naive != want {
			t.Errorf("a naive checkout of %s ends %s, not %s", front(i), c.naive, want)
		}
		overtaken += c.stale
	}
	if overtaken == 0 {
		t.Error("nothing was overtaken: the test shows nothing")
	}
	t.Logf("%d flips, %d requests came when a newer one had been applied", flips, overtaken)
}

// flip closes an open storefront, and reopens a closed one.
func (w *world) flip(id string, n int, closed map[string]string) {
	w.t.Helper()
	now := time.Now()
	closes := "closes: " + now.Add(-time.Hour).Format(time.RFC3339)
	if slug, ok := closed[id]; ok {
		delete(closed, id)
		w.notice(slug, id, closes, "reopened: "+now.Format(time.RFC3339))
		return
	}
	closed[id] = fmt.Sprintf("%s-%d", id, n)
	w.notice(closed[id], id, closes)
}

// line is the way to a checkout.
type line struct {
	*toxiproxy.Proxy
	t *testing.T
}

var silent = zerolog.Nop()

func newLine(t *testing.T, to string) *line {
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), silent)
	l := &line{toxiproxy.NewProxy(server, "line", "127.0.0.1:0", to), t}
	if err := l.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Stop)
	return l
}

// ailments are what may become of a line, each in one direction.
var ailments = []string{
	`{"type": "reset_peer", "stream": "downstream", "attributes": {"timeout": 0}}`, // the answer never comes
	`{"type": "reset_peer", "stream": "upstream", "attributes": {"timeout": 30}}`,
	`{"type": "timeout", "stream": "downstream", "attributes": {"timeout": 400}}`,
	`{"type": "timeout", "stream": "upstream", "attributes": {"timeout": 200}}`,
	`{"type": "latency", "stream": "upstream", "attributes": {"latency": 300, "jitter": 300}}`,
	`{"type": "latency", "stream": "downstream", "attributes": {"latency": 500, "jitter": 400}}`,
	`{"type": "slicer", "stream": "upstream", "attributes": {"average_size": 20, "size_variation": 10, "delay": 500}}`,
}

// ail gives the line one of the ailments, or none, in place of the present one.
func (l *line) ail(r *rand.Rand) {
	l.t.Helper()
	l.heal()
	i := r.IntN(len(ailments) + 2)
	if i >= len(ailments) {
		return
	}
	if _, err := l.Toxics.AddToxicJson(strings.NewReader(ailments[i])); err != nil {
		l.t.Fatal(err)
	}
}

func (l *line) heal() { l.Toxics.ResetToxics(l.t.Context()) }
