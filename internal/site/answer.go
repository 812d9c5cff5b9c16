package site

import (
	"strings"
	"unicode/utf8"

	"github.com/backsoon/backsoon/internal/notice"
	"github.com/backsoon/backsoon/internal/schedule"
)

// The tones of an answer. Each has its own colour, its own shape and its own words.
const (
	toneOpen      = "open"
	toneClosed    = "closed"
	toneUnplanned = "unplanned" // closed, and nobody knew beforehand
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
	Word string  // "Closed."
	Then phrase  // "Reopens Sat 2 January, 09:00 (Lisbon)"; may be empty
	Note string  // one more sentence; may be empty
	Next *moment // when this is to change; nil: not foreseen

	Storefronts string // for which it is, where it is a closure's
}

// String is the answer as plain text, without the note.
func (a answer) String() string {
	return strings.TrimSpace(a.Word + " " + a.Then.String())
}

// Long tells whether the word is too long to be written as large as others are,
// which it is with its full stop as much as without.
func (a answer) Long() bool { return utf8.RuneCountInString(strings.TrimSuffix(a.Word, ".")) > 9 }

// answer words the messages answer.<id>.word and, around a moment,
// answer.<id>.then.
func (r reader) answer(tone, id string, at *moment) answer {
	return answer{Tone: tone, Word: r.voice.Text("answer." + id + ".word"), Then: r.phrase("answer."+id+".then", at)}
}

// word is an answer of one word.
func (r reader) word(tone, id string) answer {
	return answer{Tone: tone, Word: r.voice.Text("answer." + id + ".word")}
}

// toward is an answer about a moment at which it changes.
func (r reader) toward(tone, id string, at *moment) answer {
	a := r.answer(tone, id, at)
	a.Next = at
	return a
}

// storefrontAnswer says how a storefront stands at the reader's moment, which may
// lie ahead of that of the listing.
func (r reader) storefrontAnswer(s schedule.State, closures listing) answer {
	lead := closures.lead(s.Lead)
	switch s.State {
	case schedule.Overdue:
		if lead == nil {
			return r.word(toneDelayed, "delayed")
		}
		return r.delayed(lead.n)
	case schedule.Closed:
		end := r.moment(s.Until, lead != nil && lead.n.Until().DateOnly)
		return r.closedUntil(end, lead != nil && lead.unplanned())
	}
	for _, f := range closures.coming {
		if f.n.Phase(r.now) == notice.Scheduled && !f.n.CheckoutOn && f.n.Covers(s.Storefront) {
			return r.toward(toneOpen, "closing", r.written(f.n.Closes))
		}
	}
	return r.word(toneOpen, "open")
}

func (r reader) closedUntil(end *moment, unplanned bool) answer {
	a := r.answer(toneClosed, "closed", nil)
	if end != nil {
		a = r.toward(toneClosed, "closed-until", end)
	}
	if unplanned {
		a.Tone, a.Note = toneUnplanned, r.voice.Text("answer.unplanned")
	}
	return a
}

// delayed keeps the plan in sight: whoever waits wants to know what was said.
func (r reader) delayed(n *notice.Notice) answer {
	return r.answer(toneDelayed, "delayed", r.written(n.Reopens))
}

// unplanned tells whether nobody could know of the closure before it began.
func (f *face) unplanned() bool {
	return !f.announced.IsZero() && !f.announced.Before(f.n.Closes.Time)
}

// noticeAnswer says how one notice stands at the reader's moment.
func (r reader) noticeAnswer(f *face) answer {
	n := f.n
	switch n.Phase(r.now) {
	case notice.Draft:
		return r.answer(toneDraft, either(n, "draft", "draft-on"), r.written(n.Closes))
	case notice.Cancelled:
		return r.answer(toneCancelled, "cancelled", nil)
	case notice.Scheduled:
		return r.toward(toneAhead, either(n, "planned", "planned-on"), r.written(n.Closes))
	case notice.Reopened:
		return r.answer(toneOver, either(n, "over", "over-on"), r.end(f))
	case notice.Overdue:
		if n.CheckoutOn {
			return r.answer(toneDelayed, "delayed-on", r.written(n.Reopens))
		}
		return r.delayed(n)
	}
	if !n.CheckoutOn {
		return r.closedUntil(r.written(n.Until()), f.unplanned())
	}
	if n.Until().IsZero() {
		return r.answer(toneNotice, "now", nil)
	}
	return r.toward(toneNotice, "now-until", r.written(n.Until()))
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
