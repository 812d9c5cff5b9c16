package notify

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/backsoon/backsoon/internal/ledger"
	"github.com/backsoon/backsoon/notify/email"
)

// TestRest follows the mail's rests over batches of outcomes.
func TestRest(t *testing.T) {
	away := email.Outcome{Verdict: email.Retry, Err: errors.New("connection refused")}
	closing := email.Outcome{Verdict: email.Retry, Code: 421, Err: errors.New("421 closing")}
	fault := email.Outcome{Verdict: email.SenderFault, Code: 535, Err: errors.New("535 who are you")}
	grey := email.Outcome{Verdict: email.Retry, Code: 451, Err: errors.New("451 later")}
	deferred := email.Outcome{Verdict: email.Deferred, Code: 550, Err: errors.New("550 5.7.1 spam")}
	sent, untried := email.Outcome{Verdict: email.Sent}, email.Outcome{}
	row := make([]email.Outcome, faultsInARow)
	for i := range row {
		row[i] = deferred
	}
	for name, batches := range map[string]struct {
		of     [][]email.Outcome
		alerts []int // the batches, from 0, after which the owner hears of it
		rests  bool  // in the end
	}{
		"all well":                         {of: [][]email.Outcome{{sent, sent}}},
		"one greylisted":                   {of: [][]email.Outcome{{grey}, {grey}}},
		"away for a moment":                {of: [][]email.Outcome{{away}, {sent}}},
		"away for long":                    {of: [][]email.Outcome{{away}, {closing}, {away}, {away}, {away}, {away}}, alerts: []int{3}, rests: true},
		"refused":                          {of: [][]email.Outcome{{fault, untried}, {fault}}, alerts: []int{0}, rests: true},
		"refused after it was away":        {of: [][]email.Outcome{{away}, {fault}, {fault}}, alerts: []int{1}, rests: true},
		"refused twice, with mail between": {of: [][]email.Outcome{{fault}, {sent}, {fault}}, alerts: []int{0, 2}, rests: true},
		"nobody wants it":                  {of: [][]email.Outcome{row}, alerts: []int{0}, rests: true},
		"nobody wants it, then shut down":  {of: [][]email.Outcome{append(row[:len(row):len(row)], untried)}, alerts: []int{0}, rests: true},
		"nineteen, then one fine":          {of: [][]email.Outcome{row[:19], {sent}, row[:19]}},
		"most want it":                     {of: [][]email.Outcome{append(row[:10:10], sent), row[:19]}},
	} {
		t.Run(name, func(t *testing.T) {
			now := at("2026-11-20 10:00")
			var r rest
			var alerts []int
			for i, outcomes := range batches.of {
				next, why := r.after(backWith(outcomes), now)
				if why != nil {
					alerts = append(alerts, i)
				}
				r = next
				now = now.Add(4 * time.Minute)
			}
			if fmt.Sprint(alerts) != fmt.Sprint(batches.alerts) || (r.pauses > 0) != batches.rests {
				t.Errorf("alerts after %v, expected %v; %d rests", alerts, batches.alerts, r.pauses)
			}
		})
	}
}

// TestRowOfDeferred: twenty in a row over three domains are the sender's fault;
// fewer, or over fewer, are theirs.
func TestRowOfDeferred(t *testing.T) {
	for _, test := range []struct {
		letters, domains int
		fault            bool
	}{{19, 3, false}, {20, 2, false}, {20, 3, true}, {40, 1, false}, {20, 20, true}} {
		var r rest
		back := backWith(slices.Repeat([]email.Outcome{{Verdict: email.Deferred, Code: 550, Err: errors.New("550 5.7.1 spam")}}, test.letters))
		for i, s := range back {
			s.letter.Subscriber.Email = fmt.Sprintf("a%d@d%d.example.org", i, i%test.domains)
		}
		if r, why := r.after(back, at("2026-11-20 10:00")); (why != nil) != test.fault || (r.pauses > 0) != test.fault {
			t.Errorf("%d over %d domains: %d rests, alert %v", test.letters, test.domains, r.pauses, why)
		}
	}
}

// backWith gives letters to as many domains, with what came of them.
func backWith(outcomes []email.Outcome) []*sending {
	back := make([]*sending, len(outcomes))
	for i, out := range outcomes {
		back[i] = &sending{letter: ledger.Letter{Subscriber: ledger.Subscriber{Email: fmt.Sprintf("a@d%d.example.org", i)}}, outcome: out}
	}
	return back
}
