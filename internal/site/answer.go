package site

import (
	"strings"

	"github.com/backsoon/backsoon/internal/notice"
	"github.com/backsoon/backsoon/internal/schedule"
)

// The tones of an answer. Each has its own colour, its own shape and its own words.
const (
	toneOpen      = "open"
	toneClosed    = "closed"
	toneDelayed   = "delayed"
	toneAhead     = "ahead"
	toneNotice    = "notice" // in force, but the checkout stays on
	toneOver      = "over"
	toneCancelled = "cancelled"
	toneDraft     = "draft"
)

// answer says in words how something stands: "Closed. Reopens Sat 2 January,
// 09:00 (Lisbon)".
type answer struct {
	Tone string
	Word string // "Closed."
	Then phrase // "Reopens Sat 2 January, 09:00 (Lisbon)"; may be empty
}

// String is the whole sentence.
func (a answer) String() string {
	return strings.TrimSpace(a.Word + " " + a.Then.String())
}

// answer words the messages answer.<id>.word and, around a moment,
// answer.<id>.then.
func (r reader) answer(tone, id string, at *moment) answer {
	return answer{tone, r.voice.Text("answer." + id + ".word"), r.phrase("answer."+id+".then", at)}
}

// word is an answer of one word.
func (r reader) word(tone, id string) answer {
	return answer{Tone: tone, Word: r.voice.Text("answer." + id + ".word")}
}

// storefrontAnswer says how a storefront stands now.
func (b *builder) storefrontAnswer(s schedule.State) answer {
	lead := b.leads[s.Lead]
	switch s.State {
	case schedule.Overdue:
		if lead == nil {
			return b.word(toneDelayed, "delayed")
		}
		return b.delayed(lead.n)
	case schedule.Closed:
		return b.closedUntil(b.moment(s.Until, lead != nil && lead.n.Until().DateOnly))
	}
	for _, f := range b.all.coming {
		if f.basis.phase == notice.Scheduled && !f.n.CheckoutOn && f.n.Covers(s.Storefront) {
			return b.answer(toneOpen, "closing", b.written(f.n.Closes))
		}
	}
	return b.word(toneOpen, "open")
}

func (r reader) closedUntil(end *moment) answer {
	if end == nil {
		return r.answer(toneClosed, "closed", nil)
	}
	return r.answer(toneClosed, "closed-until", end)
}

// delayed keeps the plan in sight: whoever waits wants to know what was said.
func (r reader) delayed(n *notice.Notice) answer {
	return r.answer(toneDelayed, "delayed", r.written(n.Reopens))
}

// noticeAnswer says how one notice stands now.
func (r reader) noticeAnswer(f *face) answer {
	n := f.n
	switch f.basis.phase {
	case notice.Draft:
		return r.answer(toneDraft, either(n, "draft", "draft-on"), r.written(n.Closes))
	case notice.Cancelled:
		return r.answer(toneCancelled, "cancelled", nil)
	case notice.Scheduled:
		return r.answer(toneAhead, either(n, "planned", "planned-on"), r.written(n.Closes))
	case notice.Reopened:
		return r.answer(toneOver, either(n, "over", "over-on"), r.end(f))
	case notice.Overdue:
		if n.CheckoutOn {
			return r.answer(toneDelayed, "delayed-on", r.written(n.Reopens))
		}
		return r.delayed(n)
	}
	if !n.CheckoutOn {
		return r.closedUntil(r.written(n.Until()))
	}
	if n.Until().IsZero() {
		return r.answer(toneNotice, "now", nil)
	}
	return r.answer(toneNotice, "now-until", r.written(n.Until()))
}

// either chooses between the words for a closure and those for a notice that
// leaves the checkout alone: that one closes nothing.
func either(n *notice.Notice, closure, alongside string) string {
	if n.CheckoutOn {
		return alongside
	}
	return closure
}

// end is when the notice ended, the actual time before the planned one.
func (r reader) end(f *face) *moment {
	if f.reopened.IsZero() {
		return r.written(f.n.Reopens)
	}
	return r.seen(f.reopened, f.n.Until())
}
