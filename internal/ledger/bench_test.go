package ledger

import (
	"fmt"
	"testing"
)

// BenchmarkStateChange is one transaction on the disk: a storefront's new state,
// its audit entry and the mail that it owes.
func BenchmarkStateChange(b *testing.B) {
	l := newLedger(b)
	for b.Loop() {
		update(b, l, func(tx *Tx) error { return must(changeState(tx)) })
	}
}

// BenchmarkExpand writes the letters of a campaign to 100,000 followers.
func BenchmarkExpand(b *testing.B) {
	const n = 100_000
	for _, batch := range []int{1000, 10_000} {
		b.Run(fmt.Sprint("batches of ", batch), func(b *testing.B) {
			l := newLedger(b)
			update(b, l, func(tx *Tx) error {
				return must(tx.exec(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
					INSERT INTO subscribers (email, storefronts, confirmed) SELECT 's' || i || '@example.com', ' web market ', 1 FROM n`, n))
			})
			for b.Loop() {
				c := fire(b, l, Campaign{Slug: "a", Kind: "closed", Storefronts: []string{"pos", "web"}})
				expandAll(b, l, c.ID, batch)
			}
			if letters := count(b, l, "SELECT COUNT(*) FROM letters"); letters != n*b.N {
				b.Errorf("%d letters", letters)
			}
			b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "letters/s")
		})
	}
}
