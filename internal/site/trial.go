package site

import (
	"time"

	"github.com/backsoon/backsoon/internal/notice"
)

// Trial is a shop with a closure of every kind, as the ledger would know them: what a
// theme shows in any of them has to work before the first of its kind comes. some
// are the ids of the storefronts that one of the closures is about.
func Trial(now time.Time, some []string) Input {
	day := func(n int) notice.Moment { return notice.Moment{Time: now.AddDate(0, 0, n)} }
	trial := func(slug string, closes, reopens notice.Moment) *notice.Notice {
		return &notice.Notice{
			Slug: slug, Title: "Closed for a trial", Published: day(-30), Closes: closes, Reopens: reopens,
			Facts: []notice.Fact{{Label: "Last orders", Text: "12:00"}}, Contact: &notice.Link{Label: "Helpline", URL: "tel:+351210000000"},
			Body:    "We are closing.\n\n### Why\n\nTo try.",
			Updates: []notice.Update{{At: day(-3).Time, Title: "News", Body: "All is well."}, {At: day(-4).Time}, {At: day(-5).Time}, {At: day(-6).Time}},
		}
	}
	ahead, inForce, openEnded := trial("ahead", day(10), day(20)), trial("in-force", day(-7), day(7)), trial("open-ended", day(-8), notice.Moment{})
	overdue, slow, cancelled := trial("overdue", day(-9), day(-1)), trial("slow", day(-5), day(5)), trial("cancelled", day(30), day(40))
	over, flood := trial("over", day(-400), day(-390)), trial("flood", day(-20), notice.Moment{})
	inForce.Storefronts = some
	overdue.Reopening = []notice.Step{{Name: "stock counted"}}
	slow.CheckoutOn, cancelled.Cancelled = true, true
	flood.Published, flood.Reopened = day(-19), day(-18)
	return Input{
		Notices: []*notice.Notice{ahead, inForce, openEnded, overdue, slow, cancelled, over, flood},
		Now:     now,
		Known: &Known{
			Notices: map[string]Facts{
				"ahead": {Accepted: day(-30).Time, Revised: day(-2).Time, Versions: 2},
				"over":  {Closed: day(-400).Time, Reopened: day(-389).Time},
			},
			Changes: map[string][]Change{"ahead": {
				{At: day(-30).Time, Closes: day(11), Reopens: day(20)},
				{At: day(-2).Time, Closes: day(10), Reopens: day(20)},
			}},
		},
	}
}
