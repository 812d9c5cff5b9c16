package site

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/backsoon/backsoon/internal/notice"
	"github.com/backsoon/backsoon/internal/schedule"
	"github.com/backsoon/backsoon/internal/statuspage"
)

// statuspages makes api/v2 in the shape of the Statuspage API: a storefront is a
// component, a closure is a scheduled maintenance, and nothing is an incident.
func (b *builder) statuspages() {
	page, status, components, shown := b.statuspage(), b.rollup(), b.components(), b.maintained()
	key := b.site.key(page.UpdatedAt.Unix(), *status)
	for _, c := range components {
		key = b.site.key(key, c.Status, c.CreatedAt.Unix(), c.UpdatedAt.Unix())
	}
	key = b.site.key(key, b.site.keyOf(shown))
	r := b.reader
	put := func(name string, document func() statuspage.Document) {
		b.keep("api/v2/"+name+".json", key, func(out *bytes.Buffer) error { return encode(out, document()) })
	}
	maintenances := func(statuses ...string) func() statuspage.Document {
		return func() statuspage.Document {
			return statuspage.Document{Page: page, Maintenances: r.maintenances(shown, components, statuses...)}
		}
	}
	incidents := func() statuspage.Document { return statuspage.Document{Page: page, Incidents: []struct{}{}} }
	put("summary", func() statuspage.Document {
		d := maintenances(statuspage.Scheduled, statuspage.InProgress, statuspage.Verifying)()
		d.Components, d.Incidents, d.Status = components, []struct{}{}, status
		return d
	})
	put("status", func() statuspage.Document { return statuspage.Document{Page: page, Status: status} })
	put("components", func() statuspage.Document { return statuspage.Document{Page: page, Components: components} })
	put("incidents", incidents)
	put("incidents/unresolved", incidents)
	put("scheduled-maintenances", maintenances())
	put("scheduled-maintenances/upcoming", maintenances(statuspage.Scheduled))
	put("scheduled-maintenances/active", maintenances(statuspage.InProgress, statuspage.Verifying))
}

// statuspageID is the id of what has that name among those of its kind. The
// site's address is in it: no two shops share one.
func (r reader) statuspageID(kind, name string) string {
	return statuspage.ID(r.site.cfg.Shop.URL.String(), kind, name)
}

func (b *builder) statuspage() statuspage.Page {
	shop := b.site.cfg.Shop
	return statuspage.Page{
		ID: b.statuspageID("page", ""), Name: shop.Name, URL: strings.TrimSuffix(shop.URL.String(), "/"),
		TimeZone: shop.Location.String(), UpdatedAt: statuspage.Time{Time: b.changed()},
	}
}

// changed is when something last happened to a notice or a storefront; zero:
// nothing ever did.
func (b *builder) changed() (last time.Time) {
	for _, f := range b.oldest {
		if t := lastOf(f); !f.n.Draft && t.After(last) {
			last = t
		}
	}
	for _, s := range b.states {
		if t := b.since(s); t.After(last) {
			last = t
		}
	}
	return last
}

// lastOf is when something last happened to the notice. That its end was missed
// is nothing that a feed tells.
func lastOf(f *face) time.Time {
	if f.basis.phase == notice.Overdue && f.n.Reopens.After(f.latest) {
		return f.n.Reopens.Time
	}
	return f.latest
}

// since is when the storefront came to be in its present state; zero: always was.
func (b *builder) since(s schedule.State) time.Time {
	if b.Known != nil && !b.Known.Storefronts[s.Storefront].Since.IsZero() {
		return b.Known.Storefronts[s.Storefront].Since
	}
	return s.Since
}

func (b *builder) rollup() *statuspage.Status {
	status := &statuspage.Status{Indicator: statuspage.None, Description: b.headline(b.signs(b.reader, b.states, b.all), false)}
	if slices.ContainsFunc(b.states, func(s schedule.State) bool { return s.State != schedule.Open }) {
		status.Indicator = statuspage.Planned
	}
	return status
}

func (b *builder) components() []statuspage.Component {
	components := make([]statuspage.Component, len(b.states))
	for i, s := range b.states {
		front, _ := b.site.cfg.Storefront(s.Storefront)
		c := &components[i]
		*c = statuspage.Component{
			ID: b.statuspageID("storefront", front.ID), Name: front.Name, Status: statuspage.Operational,
			CreatedAt: statuspage.Time{Time: b.born()}, Position: i + 1, Showcase: true, PageID: b.statuspageID("page", ""),
		}
		if s.State != schedule.Open {
			c.Status = statuspage.UnderMaintenance
		}
		if c.UpdatedAt.Time = b.since(s); c.UpdatedAt.Before(c.CreatedAt.Time) {
			c.UpdatedAt = c.CreatedAt
		}
	}
	return components
}

// born is when the site had its first closure to tell of; zero: it has none.
func (b *builder) born() time.Time {
	for _, faces := range [][]*face{b.all.past[max(0, len(b.all.past)-1):], b.all.ongoing, b.all.coming} {
		if len(faces) > 0 {
			return b.created(faces[0])
		}
	}
	return time.Time{}
}

// created is when the public could first know of the notice; zero: nobody said.
func (r reader) created(f *face) (first time.Time) {
	for _, t := range []time.Time{f.announced, f.closed} {
		if !t.IsZero() && !t.After(r.now) && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	return first
}

// maintained are the closures that the lists show: those in force and the nearest
// ahead, then the latest that are over. The one that begins last comes first.
func (b *builder) maintained() []*face {
	var shown []*face
	for _, faces := range [][]*face{b.all.ongoing, b.all.coming, b.all.past} {
		for _, f := range faces {
			if len(shown) < statuspage.Length && !f.n.Draft {
				shown = append(shown, f)
			}
		}
	}
	slices.SortFunc(shown, func(x, y *face) int {
		return cmp.Or(y.n.Closes.Compare(x.n.Closes.Time), cmp.Compare(x.n.Slug, y.n.Slug))
	})
	return shown
}

// maintenances gives the closures that have one of the statuses; without any
// named, all of them.
func (r reader) maintenances(faces []*face, components []statuspage.Component, statuses ...string) []statuspage.Maintenance {
	list := []statuspage.Maintenance{}
	for _, f := range faces {
		if len(statuses) == 0 || slices.Contains(statuses, maintenanceStatus(f.basis.phase)) {
			list = append(list, r.maintenance(f, components))
		}
	}
	return list
}

func (r reader) maintenance(f *face, components []statuspage.Component) statuspage.Maintenance {
	n, created := f.n, r.created(f)
	m := statuspage.Maintenance{
		ID: r.statuspageID("notice", n.Slug), Name: n.Title, Status: maintenanceStatus(f.basis.phase),
		CreatedAt: statuspage.Time{Time: created}, UpdatedAt: statuspage.Time{Time: lastOf(f)},
		Impact: either(n, statuspage.Planned, statuspage.None), Shortlink: r.closureURL(n.Slug).String(),
		PageID: r.statuspageID("page", ""), Updates: r.maintenanceUpdates(f), Components: []statuspage.Component{},
		ScheduledFor: statuspage.Time{Time: n.Closes.Time}, ScheduledUntil: statuspage.Known(n.Reopens.Time),
	}
	for i, front := range r.site.cfg.Storefronts {
		if n.Covers(front.ID) {
			m.Components = append(m.Components, components[i])
		}
	}
	switch phase := f.basis.phase; {
	case f.facts.Missed: // nothing happened
	case phase == notice.Overdue:
		m.MonitoringAt = statuspage.Known(n.Reopens.Time)
		fallthrough
	case phase == notice.Closed:
		m.StartedAt = statuspage.Known(f.closed)
	case phase == notice.Cancelled && !f.calledOffUnseen():
		m.ResolvedAt = statuspage.Known(f.changes[len(f.changes)-1].seconds())
	case phase == notice.Reopened:
		m.StartedAt, m.ResolvedAt = statuspage.Known(f.closed), statuspage.Known(cmp.Or(f.reopened, n.End()))
	}
	return m
}

// maintenanceStatus says where a closure stands. There is no word for a cancelled
// one: it is over, and its last update says why.
func maintenanceStatus(phase notice.Phase) string {
	switch phase {
	case notice.Scheduled:
		return statuspage.Scheduled
	case notice.Closed:
		return statuspage.InProgress
	case notice.Overdue:
		return statuspage.Verifying
	}
	return statuspage.Completed
}

// maintenanceUpdates are made once for a face, and shared by the lists.
func (r reader) maintenanceUpdates(f *face) []statuspage.Update {
	if us := f.updates.Load(); us != nil {
		return *us
	}
	events := slices.DeleteFunc(r.eventsOf(f), func(e event) bool { return e.at.IsZero() || e.at.After(r.now) })
	slices.SortStableFunc(events, func(x, y event) int { return x.at.Compare(y.at) })
	us := []statuspage.Update{}
	for _, e := range events {
		us = append(us, r.maintenanceUpdate(f, e.id, statusAt(e), r.body(e), e.at))
	}
	switch {
	case f.basis.phase == notice.Overdue:
		us = append(us, r.maintenanceUpdate(f, "delayed", statuspage.Verifying, r.noticeAnswer(f).String(), f.n.Reopens.Time))
	case f.calledOffUnseen(): // what was seen is one of the events
		us = append(us, r.maintenanceUpdate(f, "cancelled", statuspage.Completed, r.noticeAnswer(f).String(), lastOf(f)))
	}
	slices.SortStableFunc(us, func(x, y statuspage.Update) int { return x.DisplayAt.Compare(y.DisplayAt.Time) })
	before := statuspage.Operational
	for i := range us {
		after := effect(f.n, us[i].Status)
		us[i].AffectedComponents = r.affected(f, before, after)
		before = after
	}
	slices.Reverse(us)
	f.updates.Store(&us)
	return us
}

// body is the summary, below the title that an owner gave to an update: there is
// no other place for it.
func (r reader) body(e event) string {
	summary := r.summary(e)
	if !strings.HasPrefix(e.id, "update-") || e.what == summary || e.what == r.voice.Text("event.update") {
		return summary
	}
	return e.what + "\n" + summary
}

// statusAt is how the closure stood from the event on, by what was planned then.
// One that is cancelled today stood as if it were to be.
func statusAt(e event) string {
	switch {
	case e.id == "closed":
		return statuspage.InProgress
	case e.id == "reopened", e.change > 0 && e.f.changes[e.change].Cancelled:
		return statuspage.Completed
	}
	n := *e.f.n
	n.Cancelled = false
	n.Closes, n.Reopens = e.f.plannedAt(e.at)
	return maintenanceStatus(n.Phase(e.at))
}

func (r reader) maintenanceUpdate(f *face, id, status, body string, at time.Time) statuspage.Update {
	t := statuspage.Time{Time: at}
	return statuspage.Update{
		ID: r.statuspageID("update", f.n.Slug+"#"+id), Status: status, Body: body,
		IncidentID: r.statuspageID("notice", f.n.Slug), CreatedAt: t, UpdatedAt: t, DisplayAt: t,
	}
}

// effect is what a notice that stands so does to its storefronts.
func effect(n *notice.Notice, status string) string {
	if !n.CheckoutOn && (status == statuspage.InProgress || status == statuspage.Verifying) {
		return statuspage.UnderMaintenance
	}
	return statuspage.Operational
}

func (r reader) affected(f *face, before, after string) []statuspage.AffectedComponent {
	all := []statuspage.AffectedComponent{}
	for _, front := range r.site.cfg.Storefronts {
		if f.n.Covers(front.ID) {
			all = append(all, statuspage.AffectedComponent{
				Code: r.statuspageID("storefront", front.ID), Name: front.Name, OldStatus: before, NewStatus: after,
			})
		}
	}
	return all
}
