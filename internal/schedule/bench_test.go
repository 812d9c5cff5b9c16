package schedule

import (
	"fmt"
	"testing"
	"time"

	"github.com/backsoon/backsoon/internal/notice"
)

// BenchmarkAt is a shop with a long past: a closure every other day, every
// third of them into the next one, half of one storefront's own.
func BenchmarkAt(b *testing.B) {
	for _, size := range []int{1000, 10_000} {
		notices := make([]*notice.Notice, size)
		for i := range notices {
			closes := midnight.AddDate(0, 0, -2*i)
			n := &notice.Notice{Slug: fmt.Sprintf("closure-%d", i), Closes: notice.Moment{Time: closes}, Reopens: notice.Moment{Time: closes.Add(30 * time.Hour)}}
			if i%3 == 0 {
				n.Reopens.Time = closes.Add(50 * time.Hour)
			}
			if i%2 == 0 {
				n.Storefronts = []string{"web"}
			}
			notices[i] = n
		}
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				At(notices, fronts, midnight.Add(time.Hour))
			}
		})
	}
}
