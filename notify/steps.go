package notify

import (
	"slices"

	"github.com/backsoon/backsoon/internal/ledger"
	"github.com/backsoon/backsoon/internal/notice"
)

// planOf is the notice's reopening plan as it was accepted last; nil: there is no
// notice yet.
func (s *situation) planOf(slug string) []notice.Step {
	t := s.find(slug)
	if t == nil {
		return nil
	}
	return append([]notice.Step{}, t.Reopening...)
}

// stepsTaken leaves a trail of what an accepted version does to the reopening plan:
// each step that it ticks or unticks, adds or removes. A new notice's plan is in the
// notice; of that only what is done already is logged.
func stepsTaken(plan []notice.Step, c candidate, accepted ledger.Entry) (entries []ledger.Entry) {
	if accepted.Event != ledger.NoticeAccepted {
		return nil
	}
	log := func(event, step string) {
		entries = append(entries, ledger.Entry{Time: accepted.Time, Event: event, Notice: c.slug, Step: step, By: accepted.By, Also: accepted.Also})
	}
	for _, step := range c.parsed.Reopening {
		i := slices.IndexFunc(plan, func(s notice.Step) bool { return s.Name == step.Name })
		if i < 0 && plan != nil {
			log(ledger.StepAdded, step.Name)
		}
		switch was := i >= 0 && plan[i].Done; {
		case step.Done && !was:
			log(ledger.StepDone, step.Name)
		case !step.Done && was:
			log(ledger.StepUndone, step.Name)
		}
	}
	for _, was := range plan {
		if !slices.ContainsFunc(c.parsed.Reopening, func(s notice.Step) bool { return s.Name == was.Name }) {
			log(ledger.StepRemoved, was.Name)
		}
	}
	return entries
}
