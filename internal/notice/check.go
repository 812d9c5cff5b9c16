package notice

import (
	"slices"
	"strings"
	"time"

	"github.com/backsoon/backsoon/internal/strictyaml"
)

// ahead is how far the clock of whoever writes `reopened:` may be ahead of ours.
const ahead = 5 * time.Minute

// Check finds what depends on the surroundings: an actual end or an update that
// is still to come at now, and a storefront that the settings don't have, unless
// the closure is over. file is the path that problems name.
func (n *Notice) Check(file string, now time.Time, storefronts []string) strictyaml.Problems {
	var problems strictyaml.Problems
	if n.Reopened.After(now.Add(ahead)) {
		problems = append(problems, n.problem(file, "reopened", "reopened: "+n.Reopened.String()+
			" is still to come; write reopened when the shop is open, and until then reopens: "+n.Reopened.String()))
	}
	for _, u := range n.Updates {
		if u.At.After(now) {
			problems = append(problems, strictyaml.Problem{File: file, Line: u.line, Column: u.column,
				Text: "update: " + Moment{Time: u.At}.String() + " is still to come; write the time at which you publish it"})
		}
	}
	if !n.Closes.IsZero() && !n.Over(now) {
		problems = append(problems, n.unknownStorefronts(file, storefronts)...)
	}
	problems.Sort()
	return problems
}

func (n *Notice) unknownStorefronts(file string, known []string) strictyaml.Problems {
	var problems strictyaml.Problems
	for _, id := range n.Storefronts {
		if slices.Contains(known, id) {
			continue
		}
		hint := "write one of " + strings.Join(known, ", ")
		if near, ok := strictyaml.Nearest(id, known); ok {
			hint = "did you mean " + near + "?"
		}
		problems = append(problems, n.problem(file, "storefronts "+id,
			"storefronts: backsoon.yaml has no storefront "+strictyaml.Scalar(strictyaml.Clip(id))+"; "+hint))
	}
	return problems
}

// CheckChange finds what depends on the version that was accepted before, nil if
// there is none: one that is in force at now cannot become cancelled, and one
// that the public knows cannot become a draft.
func (n *Notice) CheckChange(file string, now time.Time, prev *Notice) strictyaml.Problems {
	if prev == nil {
		return nil
	}
	var problems strictyaml.Problems
	inForce := prev.InForce(now)
	end := "reopened: " + Moment{Time: now.In(n.Closes.Location()).Truncate(time.Minute)}.String() + " instead"
	switch {
	case n.Draft && inForce:
		problems = append(problems, n.problem(file, "draft", "draft: yes on a closure that is in force already would hide that the shop was closed; say "+end))
	case n.Draft && prev.Over(now):
		problems = append(problems, n.problem(file, "draft", "draft: yes would take away a page that the public knows; leave the line out"))
	case n.Draft && !prev.Draft:
		problems = append(problems, n.problem(file, "draft", "draft: yes would take away a page that the public knows; say cancelled: yes instead"))
	}
	if n.Cancelled && inForce {
		problems = append(problems, n.problem(file, "cancelled", "cancelled: yes on a closure that is in force already would hide that the shop was closed; say "+end))
	}
	problems.Sort()
	return problems
}

// problem is about a key; its place is unknown in a notice that wasn't parsed.
func (n *Notice) problem(file, key, text string) strictyaml.Problem {
	at := n.where[key]
	return strictyaml.Problem{File: file, Line: at.line, Column: at.column, Text: text}
}
