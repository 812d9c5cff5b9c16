package site

import (
	"slices"
	"strings"
	"time"

	"github.com/backsoon/backsoon/internal/notice"
)

// distinct gives the changes that differ from the one before.
func distinct(changes []Change) (kept []Change) {
	for _, c := range changes {
		if len(kept) == 0 || !c.same(kept[len(kept)-1]) {
			kept = append(kept, c)
		}
	}
	return kept
}

func (c Change) same(o Change) bool {
	return equal(c.Closes, o.Closes) && equal(c.Reopens, o.Reopens) && c.Cancelled == o.Cancelled && c.sameStorefronts(o)
}

// sameStorefronts tells whether both are about the same ones.
func (c Change) sameStorefronts(o Change) bool {
	return slices.Equal(slices.Sorted(slices.Values(c.Storefronts)), slices.Sorted(slices.Values(o.Storefronts)))
}

func equal(m, o notice.Moment) bool { return m.Equal(o.Time) && m.DateOnly == o.DateOnly }

// changeID is made of when the change came, and never changes. Two may come within
// a second.
func changeID(c Change) string { return "changed-" + c.At.UTC().Format("20060102T150405.000Z") }

// seconds is when the change came, as the pages know it: a present moment has no
// fraction, and the change must not seem to lie ahead of it.
func (c Change) seconds() time.Time { return c.At.Truncate(time.Second) }

// plannedAt gives the closure's ends as they were planned at t, or as they were
// first announced where that was later.
func (f *face) plannedAt(t time.Time) (closes, reopens notice.Moment) {
	if len(f.changes) == 0 {
		return f.n.Closes, f.n.Reopens
	}
	c := f.changes[0]
	for _, later := range f.changes[1:] {
		if !later.seconds().After(t) {
			c = later
		}
	}
	return c.Closes, c.Reopens
}

// change says in sentences what became different: "Now reopens Mon 4 January,
// 09:00 (Lisbon); it was planned for Sat 2 January, 09:00 (Lisbon)."
func (r reader) change(n *notice.Notice, before, after Change) (sentences []period) {
	id := either(n, "change.", "change-on.")
	if after.Cancelled != before.Cancelled {
		id := "change.revived"
		if after.Cancelled {
			id = "change.cancelled"
		}
		sentences = append(sentences, period{r.phrase(id, nil)})
	}
	if !equal(before.Closes, after.Closes) {
		sentences = append(sentences, period{r.phrase(id+"closes", r.written(after.Closes)), r.phrase("change.was", r.written(before.Closes))})
	}
	if !equal(before.Reopens, after.Reopens) {
		sentences = append(sentences, r.changedEnd(id, before.Reopens, after.Reopens))
	}
	if !before.sameStorefronts(after) {
		names := r.voice.List(r.storefrontNames(&notice.Notice{Storefronts: after.Storefronts}))
		sentences = append(sentences, period{{Before: r.voice.Text("change.storefronts", "Storefronts", names)}})
	}
	return sentences
}

func (r reader) changedEnd(id string, before, after notice.Moment) period {
	switch {
	case after.IsZero():
		return period{r.phrase("change.open-ended", nil), r.phrase("change.was", r.written(before))}
	case before.IsZero():
		return period{r.phrase(id+"reopens", r.written(after)), r.phrase("change.was-open-ended", nil)}
	}
	return period{r.phrase(id+"reopens", r.written(after)), r.phrase("change.was", r.written(before))}
}

// paragraph joins sentences as plain text.
func paragraph(sentences []period) string {
	words := make([]string, len(sentences))
	for i, s := range sentences {
		words[i] = s.String()
	}
	return strings.Join(words, " ")
}

// change is one change as a template sees it.
type change struct {
	ID        string // its anchor on the closure's page
	At        phrase
	Sentences []period
}

// Changes are those of times and storefronts, the newest first; none without a
// ledger.
func (c closure) Changes() (changes []change) {
	for i, after := range c.f.changes {
		if i > 0 && !after.seconds().After(c.now) {
			at := c.phrase("closure.changed", c.moment(after.At.Truncate(time.Minute), false))
			changes = append(changes, change{changeID(after), at, c.change(c.f.n, c.f.changes[i-1], after)})
		}
	}
	slices.Reverse(changes)
	return changes
}
