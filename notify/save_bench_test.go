package notify

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// BenchmarkReconcileSave measures everything from the file event of a save to
// the moment at which the pages may be made: the look, the round with its
// transaction on disk, and the snapshot.
//
//	go test ./notify -run '^$' -bench ReconcileSave -benchtime 200x
func BenchmarkReconcileSave(b *testing.B) {
	for _, n := range []int{1_000, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s := newBench(b, "2026-11-20 10:00", "")
			s.archive(n)
			begun := time.Now()
			for _, at := range []time.Time{begun, begun.Add(maxSettle)} { // the second fires what waits
				if _, err := s.w.Reconcile(b.Context(), at); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportAllocs()
			var took []time.Duration
			for i := 1; b.Loop(); i++ {
				s.write("flood.md", closure("flood", i))
				now := begun.Add(maxSettle + time.Duration(i)*time.Second)
				before := time.Now()
				s.w.folder.event("flood", 0, now)
				if _, err := s.w.reconcile(b.Context(), now); err != nil {
					b.Fatal(err)
				}
				if !s.w.outdated(now) || len(s.w.snapshot(now).Notices) != n+1 {
					b.Fatal("the save was not seen")
				}
				took = append(took, time.Since(before))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[0].Microseconds())/1000, "min-ms")
			b.ReportMetric(percentile(took, 50), "p50-ms")
			b.ReportMetric(percentile(took, 99), "p99-ms")
		})
	}
}
