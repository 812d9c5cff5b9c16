package site

import (
	"cmp"
	"html"
	"slices"
	"strings"
	"time"

	"github.com/backsoon/backsoon/internal/notice"
)

// event is something that happened to a notice and that a feed tells.
type event struct {
	f      *face
	id     string // the anchor on the closure's page; never changes
	at     time.Time
	edited time.Time // when its words were last changed; zero: they never were
	what   string    // ends the entry's title
	change int       // the index of the change that it tells of; 0: none
	body   string    // Markdown
	words  string    // the body's language; empty: the notices' own
}

// newest gives the faces that concern the channel, at most count, to which something
// happened last: the newest first. Drafts are left out. Faces are best given the
// oldest first: few of them then have to be put in their place.
func newest(faces []*face, c channel, count int) []*face {
	var top []*face
	later := func(x, y *face) int {
		if c := y.latest.Compare(x.latest); c != 0 {
			return c
		}
		return cmp.Compare(x.n.Slug, y.n.Slug)
	}
	for _, f := range slices.Backward(faces) {
		if len(top) == count && later(f, top[count-1]) > 0 || f.n.Draft || !c.concerns(f) {
			continue
		}
		i, _ := slices.BinarySearchFunc(top, f, later)
		top = slices.Insert(top[:min(len(top), count-1)], i, f)
	}
	return top
}

// events are the newest of all that the channel tells of the notices, at most count,
// newest first. None lies ahead.
func (r reader) events(faces []*face, c channel, count int) []event {
	var all []event
	for _, f := range newest(faces, c, count) {
		all = append(all, r.eventsOf(f)...)
	}
	all = slices.DeleteFunc(all, func(e event) bool { return e.at.IsZero() || e.at.After(r.now) })
	slices.SortFunc(all, func(x, y event) int {
		return cmp.Or(y.at.Compare(x.at), cmp.Compare(x.f.n.Slug, y.f.n.Slug), cmp.Compare(y.change, x.change), cmp.Compare(y.id, x.id))
	})
	return all[:min(count, len(all))]
}

// eventsOf may give moments that are not known, or lie ahead.
func (r reader) eventsOf(f *face) []event {
	n := f.n
	es := []event{{f: f, id: "announced", at: f.announced, what: r.voice.Text("event.announced"), body: n.Body, words: n.Language, edited: f.edited(time.Time{}, n.Language)}}
	if f.calledOffUnseen() {
		es[0].what = r.voice.Text("event.cancelled")
	}
	for i := range f.changes[min(1, len(f.changes)):] {
		es = append(es, r.changeEvent(f, i+1))
	}
	for _, u := range n.Updates {
		es = append(es, event{f: f, id: updateID(u), at: u.At, what: cmp.Or(u.Title, r.voice.Text("event.update")), body: u.Body, words: u.Language, edited: f.edited(u.At, u.Language)})
	}
	closed := event{f: f, id: "closed", at: f.closed, what: r.voice.Text(either(n, "event.closed", "event.began")), body: n.Body, words: n.Language, edited: f.edited(time.Time{}, n.Language)}
	switch phase := f.basis.phase; {
	case f.facts.Missed: // nothing happened
	case phase == notice.Closed || phase == notice.Overdue:
		es = append(es, closed)
	case phase == notice.Reopened:
		end := event{f: f, id: "reopened", at: cmp.Or(f.reopened, n.End()), what: r.voice.Text(either(n, "event.reopened", "event.ended"))}
		es = append(es, closed, end)
	}
	return es
}

// edited is when the words of an update, or with the zero time the notice's own, were
// last changed. Of translated ones nobody knows.
func (f *face) edited(update time.Time, language string) time.Time {
	if language != "" {
		return time.Time{}
	}
	return f.reworded[update.UTC()].Truncate(time.Second)
}

// updated is when the entry last became another: when it happened or, after that,
// when its words were changed.
func (e event) updated(now time.Time) time.Time {
	if e.edited.After(e.at) && !e.edited.After(now) {
		return e.edited
	}
	return e.at
}

// calledOffUnseen tells whether the notice is cancelled and nobody knows since
// when. Then the announcement has to say so.
func (f *face) calledOffUnseen() bool {
	return f.n.Cancelled && (len(f.changes) == 0 || f.changes[0].Cancelled)
}

func (r reader) changeEvent(f *face, i int) event {
	c, what := f.changes[i], "event.changed"
	if c.Cancelled && !f.changes[i-1].Cancelled {
		what = "event.cancelled"
	}
	return event{f: f, id: changeID(c), at: c.seconds(), what: r.voice.Text(what), change: i}
}

// lead is what an entry says before the owner's own words; it may be empty. It is
// worded for whoever reads it when it happens, so that it does not change as time
// goes by.
func (r reader) lead(e event) string {
	r = r.asOf(e.at)
	switch n := e.f.n; {
	case e.change > 0:
		return paragraph(r.change(n, e.f.changes[e.change-1], e.f.changes[e.change]))
	case e.id == "announced" && e.f.calledOffUnseen():
		return period{r.phrase("change.cancelled", nil)}.String()
	case e.id == "announced":
		closes, reopens := e.f.plannedAt(time.Time{})
		return r.planned(n, closes, reopens).String()
	case e.id == "closed":
		closes, reopens := e.f.plannedAt(e.at)
		return r.planned(n, closes, reopens).String()
	case e.id == "reopened":
		return r.voice.Text("event.is-over", "Title", n.Title)
	}
	return ""
}

// summary is the entry in a line or two of plain text.
func (r reader) summary(e event) string {
	return cmp.Or(strings.TrimSpace(r.lead(e)+" "+notice.Summary(e.body)), e.what)
}

// content is the whole entry in HTML.
func (r reader) content(e event) string {
	lead := r.lead(e)
	if lead == "" && e.body == "" {
		lead = e.what
	}
	if lead != "" {
		lead = "<p>" + html.EscapeString(lead) + "</p>\n"
	}
	return lead + string(r.markdown(e.f.n.Slug, e.words, 3).HTML(e.body))
}
