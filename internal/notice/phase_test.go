package notice

import (
	"testing"
	"time"
)

func at(hour int) time.Time { return time.Date(2026, 12, 24, hour, 0, 0, 0, time.UTC) }

// TestPhase: every notice closes at 10; planned to reopen at 14 where it is.
func TestPhase(t *testing.T) {
	moment := func(hour int) Moment { return Moment{Time: at(hour)} }
	open, done := []Step{{"stock counted", true}, {"test order", false}}, []Step{{"stock counted", true}, {"test order", true}}
	for _, test := range []struct {
		name   string
		notice Notice
		hour   int
		want   Phase
		end    int // 0: none
	}{
		{"ahead", Notice{Reopens: moment(14)}, 9, Scheduled, 14},
		{"at closes", Notice{Reopens: moment(14)}, 10, Closed, 14},
		{"within", Notice{Reopens: moment(14)}, 13, Closed, 14},
		{"at reopens", Notice{Reopens: moment(14)}, 14, Reopened, 14},
		{"open-ended", Notice{}, 23, Closed, 0},
		{"draft", Notice{Draft: true, Reopens: moment(14)}, 12, Draft, 14},
		{"cancelled", Notice{Cancelled: true, Reopens: moment(14)}, 12, Cancelled, 14},
		{"draft beats cancelled", Notice{Draft: true, Cancelled: true}, 12, Draft, 0},
		{"a step open", Notice{Reopens: moment(14), Reopening: open}, 13, Closed, 0},
		{"a step open at reopens", Notice{Reopens: moment(14), Reopening: open}, 14, Overdue, 0},
		{"the last step ticked", Notice{Reopens: moment(14), Reopening: done}, 15, Reopened, 14},
		{"open-ended with a step open", Notice{Reopening: open}, 23, Closed, 0},
		{"early", Notice{Reopens: moment(14), Reopened: moment(12)}, 12, Reopened, 12},
		{"before the early end", Notice{Reopens: moment(14), Reopened: moment(12)}, 11, Closed, 12},
		{"before the late end", Notice{Reopens: moment(14), Reopened: moment(16)}, 15, Closed, 16},
		{"late", Notice{Reopens: moment(14), Reopened: moment(16)}, 16, Reopened, 16},
		{"reopened beats the plan", Notice{Reopens: moment(14), Reopened: moment(16), Reopening: open}, 16, Reopened, 16},
		{"at the moment it closed", Notice{Reopened: moment(10)}, 10, Reopened, 10},
	} {
		n := test.notice
		n.Closes = moment(10)
		if got := n.Phase(at(test.hour)); got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
		inForce, over := test.want == Closed || test.want == Overdue, test.want == Reopened || test.want == Cancelled
		if n.InForce(at(test.hour)) != inForce || n.Over(at(test.hour)) != over {
			t.Errorf("%s: in force %v, over %v", test.name, !inForce, !over)
		}
		if end := n.End(); end.IsZero() != (test.end == 0) || !end.IsZero() && !end.Equal(at(test.end)) {
			t.Errorf("%s: ends at %v", test.name, end)
		}
	}
}

func TestCovers(t *testing.T) {
	all, some := Notice{}, Notice{Storefronts: []string{"web"}}
	if !all.Covers("web") || !all.Covers("pos") || !some.Covers("web") || some.Covers("pos") {
		t.Error("no storefronts means all of them, and some means those")
	}
}
