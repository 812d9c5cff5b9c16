package letter

import (
	"slices"
	"strings"
	"unicode/utf8"

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

// headline says how the shop stands. A notice that leaves the checkout alone
// closes nothing: it is called by its title.
func (w writer) headline(id string) string {
	if w.Notice.CheckoutOn {
		return w.title()
	}
	return w.say("headline."+id, "Who", w.who())
}

// either is the id of a message of which there is another for a notice that
// leaves the checkout alone.
func (w writer) either(id string) string {
	if w.Notice.CheckoutOn {
		return id + "-on"
	}
	return id
}

// who is the shop, and with it the storefronts where they are not all.
func (w writer) who() string {
	shop, names := w.shop(), w.names(w.Storefronts)
	if len(names) == 0 || len(names) == len(w.cfg.Storefronts) {
		return shop
	}
	return w.say("who", "Shop", shop, "Storefronts", w.list(names))
}

func (w writer) names(ids []string) (names []string) {
	for _, s := range w.cfg.Storefronts {
		if slices.Contains(ids, s.ID) {
			names = append(names, line(s.Name))
		}
	}
	return names
}

// list is names in one sentence, so many as a line takes.
func (w writer) list(names []string) string {
	length := 0
	for i, name := range names {
		if length += utf8.RuneCountInString(name); length > maxTitle {
			names = append(names[:i:i], "…")
			break
		}
	}
	return w.lang.List(names)
}

// spared says which storefronts the closure is no longer about.
func (w writer) spared() []string {
	names := w.names(w.Spared)
	if len(names) == 0 {
		return nil
	}
	return []string{w.say("spared", "Storefronts", w.list(names))}
}

// subject is one and the same for a whole closure, because mailboxes make a
// thread of it. Only the last letter has its own: a customer must see it in the
// list.
func (w writer) subject() string {
	id := "subject.closure"
	switch {
	case w.Kind == Cancelled:
		id = w.either("subject.cancelled")
	case w.Kind == Reopened && w.Notice.CheckoutOn:
		id = "subject.over-on"
	case w.Kind == Reopened:
		return w.headline("over")
	}
	return w.say(id, "Shop", w.shop(), "Title", w.title())
}

// opening says what happened; ok is false for an unknown kind.
func (w writer) opening() (o opening, ok bool) {
	switch w.Kind {
	case Announced, Reminder:
		o.Headline, o.Times = w.headline("ahead"), w.period()
	case ClosedNow:
		o.Headline, o.Times = w.headline("now"), w.until()
	case Changed:
		o = w.standing()
		o.Times = append(o.Times, w.spared()...)
	case Update:
		o = w.standing()
	case Delayed:
		o.Headline, o.Times = w.headline("still"), w.overdue()
	case Reopened:
		return opening{w.say(w.either("occasion.reopened")), w.headline("over"), w.since()}, true
	case Cancelled:
		return opening{w.say("occasion.cancelled"), w.headline("stays"), w.calledOff()}, true
	default:
		return o, false
	}
	o.Label = w.say("occasion." + string(w.Kind))
	if w.Notice.CheckoutOn {
		o.Times = append(o.Times, w.say("as-usual"))
	}
	return o, true
}

// standing says how things stand, before, during or after the closure.
func (w writer) standing() opening {
	switch w.Notice.Phase(w.Now) {
	case notice.Closed:
		return opening{Headline: w.headline("now"), Times: w.until()}
	case notice.Overdue:
		return opening{Headline: w.headline("still"), Times: w.overdue()}
	case notice.Reopened:
		return opening{Headline: w.headline("over"), Times: w.since()}
	}
	return opening{Headline: w.headline("ahead"), Times: w.period()}
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
	from := w.written(w.Notice.Closes)
	if w.Notice.Until().IsZero() {
		return []string{w.say("from-open-ended", "At", from)}
	}
	return append([]string{w.say("from", "At", from)}, w.until()...)
}

// until is the end alone. It names the first moment open again: of a date, a
// reader could not tell whether "until" includes it.
func (w writer) until() []string {
	end := w.Notice.Until()
	switch {
	case end.IsZero():
		return []string{w.say("open-ended")}
	case w.Notice.CheckoutOn:
		return []string{w.say("ends", "At", w.written(end))}
	}
	return []string{w.say("reopens", "At", w.written(end))}
}

func (w writer) overdue() []string {
	planned := w.Notice.Reopens
	if planned.IsZero() {
		return w.until()
	}
	return []string{w.say(w.either("overdue"), "At", w.written(planned)), w.say("no-new-time")}
}

// since is when it ended: as written, if that has come, else now.
func (w writer) since() []string {
	end := w.Notice.End()
	if end.IsZero() || end.After(w.Now) {
		end = w.Now
	}
	if w.Notice.CheckoutOn {
		return []string{w.say("ended", "At", w.stamp(end, false))}
	}
	return []string{w.say("since", "At", w.stamp(end, false)), w.say("order-again")}
}

// calledOff recalls what was announced.
func (w writer) calledOff() []string {
	return []string{w.say(w.either("called-off"), "At", w.written(w.Notice.Closes))}
}
