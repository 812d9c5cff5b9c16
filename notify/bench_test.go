package notify

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/backsoon/backsoon/internal/authority"
	"github.com/backsoon/backsoon/internal/ledger"
	"github.com/backsoon/backsoon/internal/notice"
)

// archive fills the folder with notices: most are over, one in ten is ahead.
func (b *bench) archive(n int) {
	b.t.Helper()
	folder := filepath.Join(b.dir, notice.Folder)
	b.write("README.txt", "The folder.")
	old := time.Now().Add(-time.Hour) // quiet before anybody looks
	for i := range n {
		day := time.Date(2019, 1, 1, 9, 0, 0, 0, lisbon).Add(time.Duration(i) * 6 * time.Hour)
		if i%10 == 0 {
			day = time.Now().In(lisbon).AddDate(1, 0, i/10)
		}
		text := fmt.Sprintf("---\ntitle: Stocktaking %d\npublished: 2019-01-01 09:00\ncloses: %s\nreopens: %s\n---\nWe count. Orders go out the day after.\n",
			i, day.Format("2006-01-02 15:04"), day.Add(3*time.Hour).Format("2006-01-02 15:04"))
		name := filepath.Join(folder, fmt.Sprintf("stocktaking-%05d.md", i))
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			b.t.Fatal(err)
		}
		if err := os.Chtimes(name, old, old); err != nil {
			b.t.Fatal(err)
		}
	}
}

// restAfterSave lets the watcher come to rest: nobody saves at a machine's pace.
const restAfterSave = 50 * time.Millisecond

// BenchmarkSaveToCheckout measures from the moment before a changed notice is
// renamed into place to the moment at which the storefront has read the webhook
// with the new state, the transaction on disk in between. A thousand notices are
// in the folder.
//
//	go test ./notify -run '^$' -bench SaveToCheckout -benchtime 200x
//
// On two cores with ext4 the median is 7 ms from the same folder, and the 10 ms of
// quietCreate more from another. What p99 is, the machine says: 56 ms with twenty
// other processes waiting for the same cores. Add -cpuprofile cpu.out to see what
// the way is made of; in hundredths of the watcher's processor time:
//
//	check and insert the version                        18
//	write storefront, endpoint, audit                   15
//	note the acknowledgement                            15
//	parse 20 kB                                         14
//	compute the situation, and when it next changes     14
//	commit, half of it fsync                            11
//	look up what is owed                                 9
//	look at the file and read it                         6
//
// In a git checkout two runs of git come on top, about 10 ms.
func BenchmarkSaveToCheckout(b *testing.B) {
	for _, from := range []string{"same-folder", "other-folder"} {
		b.Run(from, func(b *testing.B) {
			s := newBusyShop(b)
			aside := s.file + ".new"
			if from == "other-folder" {
				aside = s.aside
			}
			var took []time.Duration
			for i := 1; b.Loop(); i++ {
				s.put(aside, closure(s.slug, i))
				lasts(restAfterSave)
				began := time.Now()
				s.moved(aside, s.file)
				took = append(took, (<-s.arrived).Sub(began))
				s.acknowledged()
			}
			slices.Sort(took)
			b.ReportMetric(percentile(took, 50), "p50-ms")
			b.ReportMetric(percentile(took, 99), "p99-ms")
		})
	}
}

func percentile(sorted []time.Duration, p int) float64 {
	return float64(sorted[(len(sorted)-1)*p/100].Microseconds()) / 1000
}

// busyShop is a shop with a thousand notices, one of them in force.
type busyShop struct {
	*scene
	arrived chan time.Time // a webhook was read
}

func newBusyShop(b *testing.B) *busyShop {
	b.Helper()
	l := newStill(b)
	l.archive(999)
	l.w.Who = func(path string, src []byte) ledger.By { return authority.Who(l.dir, path, src) }
	l.run()
	s := &busyShop{l.scene("flood").begin(), make(chan time.Time, 1)}
	s.acknowledged()
	s.web.answering(func(int) int {
		s.arrived <- time.Now()
		return 204
	})
	return s
}

// acknowledged waits until nothing is owed: saves come one at a time.
func (s *busyShop) acknowledged() {
	s.eventually("the acknowledgement", func() bool {
		var owed ledger.Owed
		err := s.l.View(s.t.Context(), func(tx *ledger.Tx) (err error) {
			owed, err = tx.Owed()
			return err
		})
		return err == nil && owed.Webhooks == 0
	})
}

// BenchmarkReconcileIdle measures one look that finds nothing to do.
func BenchmarkReconcileIdle(b *testing.B) {
	for _, n := range []int{1_000, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s := newBench(b, "2026-11-20 10:00", "")
			s.w.Now = time.Now
			s.archive(n)
			if _, err := s.w.Reconcile(b.Context(), time.Now()); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if _, err := s.w.Reconcile(b.Context(), time.Now()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
