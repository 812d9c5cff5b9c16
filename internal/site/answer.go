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
	Word string  // "Closed."
	Then string  // "Reopens", or how the sentence goes on; may be empty
	At   *moment // may be nil
}

// String is the whole sentence.
func (a answer) String() string {
	parts := []string{a.Word}
	if a.Then != "" {
		parts = append(parts, a.Then)
	}
	if a.At != nil {
		parts = append(parts, a.At.String())
	}
	return strings.Join(parts, " ")
}

// storefrontAnswer says how a storefront stands now.
func (b *builder) storefrontAnswer(s schedule.State) answer {
	lead := b.notices[s.Lead]
	switch s.State {
	case schedule.Overdue:
		return b.delayed(lead)
	case schedule.Closed:
		return b.closedUntil(b.moment(s.Until, lead != nil && lead.Until().DateOnly))
	}
	for _, n := range b.coming {
		if n.Phase(b.now) == notice.Scheduled && !n.CheckoutOn && n.Covers(s.Storefront) {
			return answer{toneOpen, "Open.", "Closing", b.written(n.Closes)}
		}
	}
	return answer{Tone: toneOpen, Word: "Open"}
}

func (b *builder) closedUntil(end *moment) answer {
	if end == nil {
		return answer{Tone: toneClosed, Word: "Closed", Then: "until further notice"}
	}
	return answer{toneClosed, "Closed.", "Reopens", end}
}

// delayed keeps the plan in sight: whoever waits wants to know what was said.
func (b *builder) delayed(n *notice.Notice) answer {
	if n == nil {
		return answer{Tone: toneDelayed, Word: "Reopening delayed"}
	}
	return answer{toneDelayed, "Reopening delayed.", "It was planned for", b.written(n.Reopens)}
}

// noticeAnswer says how one notice stands now.
func (b *builder) noticeAnswer(n *notice.Notice) answer {
	phase := n.Phase(b.now)
	switch {
	case phase == notice.Draft:
		return answer{toneDraft, "Draft.", verbsOf(n).Closing, b.written(n.Closes)}
	case phase == notice.Cancelled:
		return answer{Tone: toneCancelled, Word: "Cancelled.", Then: "This does not take place."}
	case phase == notice.Scheduled:
		return answer{toneAhead, "Planned.", verbsOf(n).Closing, b.written(n.Closes)}
	case n.CheckoutOn:
		return b.alongside(n, phase)
	case phase == notice.Reopened:
		return answer{toneOver, "Over.", "Reopened", b.end(n)}
	case phase == notice.Overdue:
		return b.delayed(n)
	}
	return b.closedUntil(b.written(n.Until()))
}

// alongside is the answer of a notice that leaves the checkout on, once it has begun.
func (b *builder) alongside(n *notice.Notice, phase notice.Phase) answer {
	switch {
	case phase == notice.Reopened:
		return answer{toneOver, "Over.", "Ended", b.end(n)}
	case phase == notice.Overdue:
		return answer{toneDelayed, "Delayed.", "The end was planned for", b.written(n.Reopens)}
	case n.Until().IsZero():
		return answer{Tone: toneNotice, Word: "Now", Then: "until further notice"}
	}
	return answer{toneNotice, "Now.", "Ends", b.written(n.Until())}
}

// end is when the notice ended, the actual time before the planned one.
func (b *builder) end(n *notice.Notice) *moment {
	at := b.reopened(n)
	if at.IsZero() {
		return b.written(n.Reopens)
	}
	return b.seen(at, n.Until())
}

// verbs are the words for a notice's two ends. A notice that leaves the checkout
// alone closes nothing.
type verbs struct{ Closes, Closing, Closed, Reopens, Reopened string }

func verbsOf(n *notice.Notice) verbs {
	if n.CheckoutOn {
		return verbs{"Begins", "Beginning", "Began", "ends", "ended"}
	}
	return verbs{"Closes", "Closing", "Closed", "reopens", "reopened"}
}
