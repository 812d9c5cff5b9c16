package ledger

import (
	"fmt"
	"testing"
	"time"
)

// BenchmarkStateChange is one transaction on the disk: a storefront's new state,
// its audit entry and the mail that it owes.
func BenchmarkStateChange(b *testing.B) {
	l := newLedger(b)
	for b.Loop() {
		update(b, l, func(tx *Tx) error { return must(changeState(tx)) })
	}
}

// BenchmarkSigning is what the tree and its checkpoint cost a state change: each one
// beside one without, in turns.
func BenchmarkSigning(b *testing.B) {
	for _, name := range []string{"SQLite", "PostgreSQL"} { // newPlace goes by the name
		b.Run(name, func(b *testing.B) {
			signed, unsigned := openAt(b, newPlace(b)), openAt(b, newPlace(b))
			logged(b, signed, 1000)
			logged(b, unsigned, 1000)
			var with, without time.Duration
			for b.Loop() {
				began := time.Now()
				update(b, signed, func(tx *Tx) error { return must(changeState(tx)) })
				between := time.Now()
				update(b, unsigned, func(tx *Tx) error {
					_, err := changeState(tx)
					tx.leaves = nil // nothing to sign
					return err
				})
				with, without = with+between.Sub(began), without+time.Since(between)
			}
			b.ReportMetric(float64(with)/float64(without), "times-unsigned")
			b.ReportMetric(float64((with-without).Microseconds())/float64(b.N), "µs-more/op")
		})
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
