package schedule

import (
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the zones are there on every machine

	"github.com/backsoon/backsoon/internal/notice"
)

var midnight = time.Date(2026, 12, 24, 0, 0, 0, 0, time.UTC)

// hour is so many hours after midnight; 0 stands for no time at all.
func hour(h int) time.Time {
	if h == 0 {
		return time.Time{}
	}
	return midnight.Add(time.Duration(h) * time.Hour)
}

// closure is a notice with its times in hours; reopens 0: until further notice.
func closure(slug string, closes, reopens int, change ...func(*notice.Notice)) *notice.Notice {
	n := &notice.Notice{Slug: slug, Closes: notice.Moment{Time: hour(closes)}, Reopens: notice.Moment{Time: hour(reopens)}}
	for _, f := range change {
		f(n)
	}
	return n
}

func draft(n *notice.Notice)      { n.Draft = true }
func cancelled(n *notice.Notice)  { n.Cancelled = true }
func checkoutOn(n *notice.Notice) { n.CheckoutOn = true }
func openStep(n *notice.Notice)   { n.Reopening = []notice.Step{{Name: "stock counted"}} }
func doneStep(n *notice.Notice)   { n.Reopening = []notice.Step{{Name: "stock counted", Done: true}} }

func reopened(h int) func(*notice.Notice) {
	return func(n *notice.Notice) { n.Reopened = notice.Moment{Time: hour(h)} }
}

func on(ids ...string) func(*notice.Notice) {
	return func(n *notice.Notice) { n.Storefronts = ids }
}

// look is what the storefront web is expected to be at an hour; hours 0: none.
type look struct {
	at           int
	state        string
	since, until int
	lead         string
	notices      string
	next         int
}

func TestAt(t *testing.T) {
	for _, test := range []struct {
		name    string
		notices []*notice.Notice
		looks   []look
	}{
		{"nothing", nil, []look{{at: 5, state: Open}}},
		{"one closure", []*notice.Notice{closure("a", 10, 14)}, []look{
			{at: 9, state: Open, next: 10},
			{10, Closed, 10, 14, "a", "a", 14},
			{13, Closed, 10, 14, "a", "a", 14},
			{at: 14, state: Open, since: 14, lead: "a"},
		}},
		{"overlap: the latest end leads", []*notice.Notice{closure("a", 10, 14), closure("b", 12, 18)}, []look{
			{11, Closed, 10, 18, "b", "a", 12},
			{12, Closed, 10, 18, "b", "a b", 14},
			{15, Closed, 10, 18, "b", "b", 18},
			{at: 18, state: Open, since: 18, lead: "b"},
		}},
		{"one within the other", []*notice.Notice{closure("inner", 12, 13), closure("outer", 10, 20)}, []look{
			{12, Closed, 10, 20, "outer", "inner outer", 13},
		}},
		{"the same end: the slug leads", []*notice.Notice{closure("b", 10, 14), closure("a", 11, 14)}, []look{
			{10, Closed, 10, 14, "a", "b", 11},
			{12, Closed, 10, 14, "a", "a b", 14},
			{at: 14, state: Open, since: 14, lead: "a"},
		}},
		{"back to back is one run", []*notice.Notice{closure("c", 18, 20), closure("b", 14, 18), closure("a", 10, 14)}, []look{
			{10, Closed, 10, 20, "c", "a", 14},
			{14, Closed, 10, 20, "c", "b", 18},
			{19, Closed, 10, 20, "c", "c", 20},
		}},
		{"an hour between is two runs", []*notice.Notice{closure("a", 10, 14), closure("b", 15, 18)}, []look{
			{10, Closed, 10, 14, "a", "a", 14},
			{at: 14, state: Open, since: 14, lead: "a", next: 15},
			{15, Closed, 15, 18, "b", "b", 18},
		}},
		{"until further notice", []*notice.Notice{closure("a", 10, 0)}, []look{
			{at: 9, state: Open, next: 10},
			{99, Closed, 10, 0, "a", "a", 0},
		}},
		{"open-ended leads before the latest end", []*notice.Notice{closure("a", 10, 30), closure("z", 11, 0)}, []look{
			{12, Closed, 10, 0, "z", "a z", 30},
		}},
		{"a run into an open-ended one has no end", []*notice.Notice{closure("a", 10, 14), closure("z", 14, 0)}, []look{
			{10, Closed, 10, 0, "z", "a", 14},
		}},
		{"of two open-ended ones in force the slug leads", []*notice.Notice{closure("b", 10, 0), closure("a", 11, 0)}, []look{
			{10, Closed, 10, 0, "b", "b", 11},
			{12, Closed, 10, 0, "a", "a b", 0},
		}},
		{"of two open-ended ones ahead the first leads", []*notice.Notice{closure("a", 10, 20), closure("b", 15, 0), closure("z", 13, 0)}, []look{
			{11, Closed, 10, 0, "z", "a", 13},
		}},
		{"overdue", []*notice.Notice{closure("a", 10, 14, openStep)}, []look{
			{13, Closed, 10, 14, "a", "a", 14},
			{14, Overdue, 10, 0, "a", "a", 0},
			{99, Overdue, 10, 0, "a", "a", 0},
		}},
		{"the last step ticked in time", []*notice.Notice{closure("a", 10, 14, doneStep)}, []look{
			{13, Closed, 10, 14, "a", "a", 14},
			{at: 14, state: Open, since: 14, lead: "a"},
		}},
		{"overdue beside one that is not", []*notice.Notice{closure("late", 10, 14, openStep), closure("b", 12, 20)}, []look{
			{12, Closed, 10, 20, "b", "b late", 14},
			{15, Closed, 10, 0, "late", "b late", 20},
			{20, Overdue, 10, 0, "late", "late", 0},
		}},
		{"overdue, open-ended open steps", []*notice.Notice{closure("a", 10, 0, openStep)}, []look{
			{20, Closed, 10, 0, "a", "a", 0},
		}},
		{"draft and cancelled", []*notice.Notice{closure("a", 10, 14, draft), closure("b", 10, 0, cancelled)}, []look{
			{at: 12, state: Open},
		}},
		{"checkout: on", []*notice.Notice{closure("a", 10, 14, checkoutOn)}, []look{
			{at: 9, state: Open}, {at: 12, state: Open}, {at: 14, state: Open},
		}},
		{"checkout: on joins no runs", []*notice.Notice{closure("a", 10, 14), closure("b", 14, 16, checkoutOn), closure("c", 16, 18)}, []look{
			{12, Closed, 10, 14, "a", "a", 14},
			{at: 15, state: Open, since: 14, lead: "a", next: 16},
		}},
		{"reopened early", []*notice.Notice{closure("a", 10, 14, reopened(12))}, []look{
			{11, Closed, 10, 12, "a", "a", 12},
			{at: 13, state: Open, since: 12, lead: "a"},
		}},
		{"reopened early breaks a run", []*notice.Notice{closure("a", 10, 14, reopened(12)), closure("b", 14, 18)}, []look{
			{11, Closed, 10, 12, "a", "a", 12},
			{15, Closed, 14, 18, "b", "b", 18},
		}},
		{"reopened late", []*notice.Notice{closure("a", 10, 14, reopened(16))}, []look{
			{15, Closed, 10, 16, "a", "a", 16},
			{at: 16, state: Open, since: 16, lead: "a"},
		}},
		{"reopened beats the plan", []*notice.Notice{closure("a", 10, 14, openStep, reopened(16))}, []look{
			{15, Closed, 10, 16, "a", "a", 16},
			{at: 17, state: Open, since: 16, lead: "a"},
		}},
		{"reopened ends an open-ended one", []*notice.Notice{closure("a", 10, 0, reopened(16))}, []look{
			{at: 17, state: Open, since: 16, lead: "a"},
		}},
		{"reopened as it closed", []*notice.Notice{closure("a", 10, 14, reopened(10))}, []look{
			{at: 9, state: Open}, {at: 10, state: Open}, {at: 12, state: Open},
		}},
		{"other storefronts", []*notice.Notice{closure("a", 10, 14, on("pos")), closure("b", 12, 16, on("pos", "web"))}, []look{
			{at: 11, state: Open, next: 12},
			{12, Closed, 12, 16, "b", "b", 16},
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, l := range test.looks {
				checkLook(t, test.notices, l)
			}
		})
	}
}

func checkLook(t *testing.T, notices []*notice.Notice, l look) {
	t.Helper()
	got := At(notices, []string{"web"}, hour(l.at))[0]
	want := State{"web", l.state, hour(l.since), hour(l.until), strings.Fields(l.notices), l.lead}
	if !got.same(want) || !got.Since.Equal(want.Since) || got.Storefront != "web" {
		t.Errorf("at %d: %+v, want %+v", l.at, got, want)
	}
	if off := l.state != Open; (got.Checkout() == "off") != off || (got.Checkout() == "on") == off {
		t.Errorf("at %d: the checkout is %s", l.at, got.Checkout())
	}
	next, ok := Next(notices, []string{"web"}, hour(l.at))
	if ok != (l.next != 0) || !next.Equal(hour(l.next)) {
		t.Errorf("at %d: next change %v (%v), want hour %d", l.at, next, ok, l.next)
	}
}

func TestEveryStorefrontInTheOrderAsked(t *testing.T) {
	notices := []*notice.Notice{closure("all", 10, 14), closure("b", 12, 16, on("pos"))}
	states := At(notices, []string{"web", "pos", "web-2"}, hour(13))
	for i, want := range []State{
		{"web", Closed, hour(10), hour(14), []string{"all"}, "all"},
		{"pos", Closed, hour(10), hour(16), []string{"all", "b"}, "b"},
		{"web-2", Closed, hour(10), hour(14), []string{"all"}, "all"},
	} {
		if got := states[i]; got.Storefront != want.Storefront || !got.same(want) || !got.Since.Equal(want.Since) {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
	if next, ok := Next(notices, []string{"web", "pos"}, hour(14)); !ok || !next.Equal(hour(16)) {
		t.Errorf("the next change of any of them is at %v (%v)", next, ok)
	}
}

func TestBoundaries(t *testing.T) {
	notices := []*notice.Notice{
		closure("a", 10, 14, openStep), closure("b", 14, 18, reopened(16)), closure("c", 12, 0, checkoutOn),
		closure("d", 11, 13, draft), closure("e", 11, 13, cancelled),
	}
	got, want := Boundaries(notices, hour(10)), []time.Time{hour(12), hour(14), hour(16)}
	if !slices.EqualFunc(got, want, time.Time.Equal) {
		t.Errorf("%v, want %v", got, want)
	}
	for _, now := range []time.Time{hour(10), hour(12)} {
		if first := Boundary(notices, now); !first.Equal(Boundaries(notices, now)[0]) {
			t.Errorf("the first after %v is %v", now, first)
		}
	}
	if none := Boundary(notices, hour(16)); !none.IsZero() {
		t.Errorf("there is one after the last: %v", none)
	}
}

func TestSame(t *testing.T) {
	s := State{"web", Closed, hour(1), hour(2), []string{"a"}, "a"}
	for name, change := range map[string]func(*State){
		"state":   func(s *State) { s.State = Overdue },
		"until":   func(s *State) { s.Until = time.Time{} },
		"notices": func(s *State) { s.Notices = []string{"a", "b"} },
		"lead":    func(s *State) { s.Lead = "b" },
	} {
		o := s
		if change(&o); s.same(o) {
			t.Errorf("another %s is the same", name)
		}
	}
	o := s
	o.Since, o.Until = hour(5), s.Until.In(time.FixedZone("", 3600))
	if !s.same(o) {
		t.Error("another Since, or another zone's name for Until, makes a difference")
	}
}
