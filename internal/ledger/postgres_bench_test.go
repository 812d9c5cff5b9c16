package ledger

import (
	"fmt"
	"testing"
)

// BenchmarkPostgreSQL is, on a server that really writes to the disk, what the
// benchmarks beside it are on SQLite: a state change's transaction, with so many
// subscribers there, and the letters of a campaign to all of them.
func BenchmarkPostgreSQL(b *testing.B) {
	for _, n := range []int{1000, 1_000_000} {
		b.Run(fmt.Sprint(n, " subscribers"), func(b *testing.B) {
			l := newLedger(b)
			update(b, l, func(tx *Tx) error {
				return must(tx.exec(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
					INSERT INTO subscribers (email, storefronts, confirmed) SELECT 's' || i || '@example.com', ' web market ', 1 FROM n`, n))
			})
			update(b, l, func(tx *Tx) error { return tx.analyze("subscribers") })
			b.Run("state change", func(b *testing.B) {
				for b.Loop() {
					update(b, l, func(tx *Tx) error { return must(changeState(tx)) })
				}
			})
			for _, batch := range []int{1000, 10_000} {
				b.Run(fmt.Sprint("expansion in batches of ", batch), func(b *testing.B) {
					for b.Loop() {
						expandAll(b, l, fire(b, l, Campaign{Slug: "a", Kind: "closed", Storefronts: []string{"pos", "web"}}).ID, batch)
					}
					b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "letters/s")
				})
			}
			b.Run("claim of 50 letters", func(b *testing.B) {
				m := join(b, l, "here")
				for b.Loop() {
					if got := m.letters(b, t0, 50); len(got) != 50 && n > 1000 {
						b.Fatal(len(got))
					}
				}
			})
		})
	}
}
