package letter

import (
	"slices"
	"strings"

	"github.com/backsoon/backsoon/internal/locale"
	"github.com/backsoon/backsoon/internal/notice"
)

// opening is a letter's first two lines: whoever reads no further knows whether
// the shop is open or closed, and until when.
type opening struct {
	Label    string   // the occasion: "Reminder"
	Headline string   // "Harbour Books will be closed"
	Times    []string // sentences: "From Thu 24 December, 18:00 (Lisbon).", "Reopens …"
}

// When is the second line.
func (o opening) When() string { return strings.Join(o.Times, " ") }

// words are what a closure is called by. A notice that leaves the checkout
// alone closes nothing: it is called by its title.
type words struct {
	ahead, now, still, over, off string // headlines
	ends, end                    string // "Reopens", "Reopening"
}

func (w writer) words() words {
	if w.Notice.CheckoutOn {
		title := w.title()
		return words{ahead: title, now: title, still: title, over: title, off: title, ends: "Ends", end: "The end"}
	}
	who := w.who()
	return words{
		ahead: who + " will be closed", now: who + " is closed", still: who + " is still closed",
		over: who + " is open again", off: who + " stays open", ends: "Reopens", end: "Reopening",
	}
}

// who is the shop, and in brackets the storefronts where they are not all.
func (w writer) who() string {
	shop, names := w.shop(), w.names(w.Storefronts)
	if len(names) == 0 || len(names) == len(w.cfg.Storefronts) {
		return shop
	}
	return shop + " (" + clip(strings.Join(names, ", "), maxTitle) + ")"
}

func (w writer) names(ids []string) (names []string) {
	for _, s := range w.cfg.Storefronts {
		if slices.Contains(ids, s.ID) {
			names = append(names, line(s.Name))
		}
	}
	return names
}

// spared says which storefronts the closure is no longer about.
func (w writer) spared() []string {
	names := w.names(w.Spared)
	if len(names) == 0 {
		return nil
	}
	return []string{"It is no longer about " + clip(locale.English().List(names), maxTitle) + "."}
}

// subject is one and the same for a whole closure, because mailboxes make a
// thread of it. Only the last letter has its own: a customer must see it in the
// list.
func (w writer) subject() string {
	shop := w.shop()
	switch {
	case w.Kind == Cancelled && w.Notice.CheckoutOn:
		return shop + ": cancelled: " + w.title()
	case w.Kind == Cancelled:
		return shop + ": closure cancelled: " + w.title()
	case w.Kind == Reopened && w.Notice.CheckoutOn:
		return shop + ": over: " + w.title()
	case w.Kind == Reopened:
		return w.words().over
	}
	return shop + ": " + w.title()
}

// opening says what happened; ok is false for an unknown kind.
func (w writer) opening() (o opening, ok bool) {
	say := w.words()
	switch w.Kind {
	case Announced:
		o = opening{"Announcement", say.ahead, w.period()}
	case Reminder:
		o = opening{"Reminder", say.ahead, w.period()}
	case ClosedNow:
		o = opening{"As of now", say.now, w.until()}
	case Changed:
		o = w.standing("Changed")
		o.Times = append(o.Times, w.spared()...)
	case Update:
		o = w.standing("Update")
	case Delayed:
		o = opening{"Delay", say.still, w.overdue()}
	case Reopened:
		o = opening{"It’s over", say.over, w.since()}
		if !w.Notice.CheckoutOn {
			o.Label = "Welcome back"
		}
		return o, true
	case Cancelled:
		o = opening{"Cancelled", say.off, w.calledOff()}
		return o, true
	default:
		return o, false
	}
	if w.Notice.CheckoutOn {
		o.Times = append(o.Times, "Orders are taken as usual.")
	}
	return o, true
}

// standing says how things stand, before, during or after the closure.
func (w writer) standing(label string) opening {
	say := w.words()
	switch w.Notice.Phase(w.Now) {
	case notice.Closed:
		return opening{label, say.now, w.until()}
	case notice.Overdue:
		return opening{label, say.still, w.overdue()}
	case notice.Reopened:
		return opening{label, say.over, w.since()}
	}
	return opening{label, say.ahead, w.period()}
}

// tone is the colour of the sign.
func (w writer) tone() string {
	phase := w.Notice.Phase(w.Now)
	switch {
	case w.Kind == Reopened || w.Kind == Cancelled:
		return "open"
	case w.Kind == Delayed || phase == notice.Overdue:
		return "delayed"
	case w.Kind == Update && phase == notice.Reopened:
		return "open"
	}
	return "planned"
}

// period is both ends of the closure.
func (w writer) period() []string {
	closes := w.Notice.Closes
	from := "From " + w.stamp(closes.Time, closes.DateOnly)
	if w.Notice.Until().IsZero() {
		return []string{from + " until further notice."}
	}
	return append([]string{from + "."}, w.until()...)
}

// until is the end alone. It names the first moment open again: of a date, a
// reader could not tell whether "until" includes it.
func (w writer) until() []string {
	end := w.Notice.Until()
	if end.IsZero() {
		return []string{"Until further notice."}
	}
	return []string{w.words().ends + " " + w.stamp(end.Time, end.DateOnly) + "."}
}

func (w writer) overdue() []string {
	planned := w.Notice.Reopens
	if planned.IsZero() {
		return w.until()
	}
	return []string{w.words().end + " was planned for " + w.stamp(planned.Time, planned.DateOnly) + ".", "There is no new time yet."}
}

// since is when it ended: as written, if that has come, else now.
func (w writer) since() []string {
	end := w.Notice.End()
	if end.IsZero() || end.After(w.Now) {
		end = w.Now
	}
	if w.Notice.CheckoutOn {
		return []string{"Ended " + w.stamp(end, false) + "."}
	}
	return []string{"Since " + w.stamp(end, false) + ".", "You can order again."}
}

// calledOff recalls what was announced.
func (w writer) calledOff() []string {
	closes := w.Notice.Closes
	what := "The closure"
	if w.Notice.CheckoutOn {
		what = "What was"
	}
	return []string{what + " announced for " + w.stamp(closes.Time, closes.DateOnly) + " will not take place."}
}
