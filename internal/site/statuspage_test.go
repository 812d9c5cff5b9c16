package site

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/backsoon/backsoon/internal/notice"
	"github.com/backsoon/backsoon/internal/statuspage"
)

// api gives one of the documents under api/v2.
func api(t *testing.T, files Files, name string) statuspage.Document {
	t.Helper()
	return decode[statuspage.Document](t, files["api/v2/"+name+".json"])
}

// maintenanceOf is what the list says of the notice in this state.
func maintenanceOf(t *testing.T, now, slug string, k *Known) statuspage.Maintenance {
	t.Helper()
	in := input(t, now)
	in.Known = k
	for _, m := range api(t, build(t, in), "scheduled-maintenances").Maintenances {
		if strings.HasSuffix(m.Shortlink, "/"+slug+"/") {
			return m
		}
	}
	t.Fatalf("nothing of %s", slug)
	return statuspage.Maintenance{}
}

// stamped is a time of the API on Lisbon's clocks; empty where there is none.
func stamped(t *testing.T, at *statuspage.Time) string {
	if at == nil {
		return ""
	}
	return at.In(lisbon(t)).Format("2006-01-02 15:04")
}

func TestMaintenanceFollowsTheClosure(t *testing.T) {
	ledger := known(t)
	for _, c := range []struct {
		now, slug string
		known     *Known

		status, started, verifying, resolved string
		component                            string
		updates                              string // statuses, the newest first
	}{
		{"2026-12-01 10:00", "winter-break", nil, "scheduled", "", "", "", "operational", "scheduled"},
		{"2026-12-29 11:00", "winter-break", ledger, "in_progress", "2026-12-24 18:00", "", "", "under_maintenance", "in_progress in_progress in_progress scheduled scheduled"},
		{"2027-01-05 11:00", "winter-break", nil, "verifying", "2026-12-24 18:00", "2027-01-02 09:00", "", "under_maintenance", "verifying in_progress in_progress in_progress scheduled"},
		{"2026-12-29 11:00", "summer", ledger, "completed", "2026-08-03 00:00", "", "2026-08-16 21:30", "under_maintenance", "completed in_progress scheduled"},
		{"2026-12-29 11:00", "summer", nil, "completed", "2026-08-03 00:00", "", "2026-08-17 00:00", "under_maintenance", "completed in_progress scheduled"},
		{"2026-12-29 11:00", "flood", nil, "completed", "2026-03-02 07:00", "", "2026-03-04 15:20", "under_maintenance", "completed in_progress in_progress"},
		{"2026-12-29 11:00", "strike", nil, "completed", "", "", "", "under_maintenance", "completed scheduled"},
		{"2026-12-29 11:00", "slow-post", nil, "in_progress", "2026-12-10 09:00", "", "", "under_maintenance", "in_progress in_progress in_progress"},
		{"2027-01-05 11:00", "winter-break", &Known{Notices: map[string]Facts{"winter-break": {Missed: true}}}, "verifying", "", "", "", "under_maintenance", "verifying in_progress in_progress scheduled"},
	} {
		m := maintenanceOf(t, c.now, c.slug, c.known)
		var statuses []string
		for _, u := range m.Updates {
			statuses = append(statuses, u.Status)
		}
		got := []string{m.Status, stamped(t, m.StartedAt), stamped(t, m.MonitoringAt), stamped(t, m.ResolvedAt), m.Components[0].Status, strings.Join(statuses, " ")}
		want := []string{c.status, c.started, c.verifying, c.resolved, c.component, c.updates}
		if !slices.Equal(got, want) {
			t.Errorf("%s at %s:\n got %q\nwant %q", c.slug, c.now, got, want)
		}
	}
}

func TestMaintenanceKeepsThePlan(t *testing.T) {
	m := maintenanceOf(t, "2026-12-29 11:00", "move", nil)
	if stamped(t, &m.ScheduledFor) != "2025-10-10 18:00" || stamped(t, m.ScheduledUntil) != "2025-10-14 09:00" || stamped(t, m.ResolvedAt) != "2025-10-15 12:00" {
		t.Errorf("planned %v to %v, over %v", m.ScheduledFor, m.ScheduledUntil, m.ResolvedAt)
	}
	if m = maintenanceOf(t, "2026-12-29 11:00", "flood", nil); m.ScheduledUntil != nil {
		t.Errorf("an end was planned for what was open-ended: %v", m.ScheduledUntil)
	}
	m = maintenanceOf(t, "2026-12-29 11:00", "strike", nil)
	if m.Updates[0].Body != "Cancelled. It will not take place." || m.Status != statuspage.Completed {
		t.Errorf("cancelled: %+v", m)
	}
}

// When a closure is called off, that is the last that is heard of it.
func TestMaintenanceCalledOff(t *testing.T) {
	ledger := known(t)
	closes, reopens := at(t, "2027-03-05 08:00"), at(t, "2027-03-07 20:00")
	ledger.Changes["fair"] = []Change{
		{At: at(t, "2026-12-01 10:01").Time, Closes: closes, Reopens: reopens},
		{At: at(t, "2026-12-14 15:30").Time, Closes: closes, Reopens: reopens, Cancelled: true},
	}
	m := maintenanceOf(t, "2026-12-29 11:00", "fair", ledger)
	if m.Status != statuspage.Completed || m.StartedAt != nil || stamped(t, m.ResolvedAt) != "2026-12-14 15:30" {
		t.Errorf("%s, from %v to %v", m.Status, m.StartedAt, m.ResolvedAt)
	}
	if len(m.Updates) != 2 || m.Updates[0].Status != statuspage.Completed || m.Updates[0].Body != "It is cancelled." || m.Updates[1].Status != statuspage.Scheduled {
		t.Errorf("updates: %+v", m.Updates)
	}
}

// A notice that leaves the checkout alone is no trouble, and whoever reads the
// summary must not be told so.
func TestRollup(t *testing.T) {
	closure := &notice.Notice{Slug: "c", Title: "C", Closes: at(t, "2026-12-24 18:00"), Storefronts: []string{"market"}}
	alongside := &notice.Notice{Slug: "c", Title: "C", Closes: at(t, "2026-12-24 18:00"), CheckoutOn: true}
	for _, c := range []struct {
		notices                        []*notice.Notice
		indicator, description, impact string
		web, market                    string
	}{
		{nil, "none", "Open", "", "operational", "operational"},
		{[]*notice.Notice{closure}, "maintenance", "Online shop: Open · Market stall: Closed until further notice", "maintenance", "operational", "under_maintenance"},
		{[]*notice.Notice{alongside}, "none", "Open", "none", "operational", "operational"},
	} {
		in := input(t, "2026-12-29 11:00")
		in.Notices = c.notices
		d := api(t, build(t, in), "summary")
		var impact string
		for _, m := range d.Maintenances {
			impact = m.Impact
		}
		got := []string{d.Status.Indicator, d.Status.Description, impact, d.Components[0].Status, d.Components[1].Status}
		if want := []string{c.indicator, c.description, c.impact, c.web, c.market}; !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

var (
	idShape   = regexp.MustCompile(`^[a-z0-9]{12}$`)
	timeShape = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$`)
)

// checkShape wants every id and every time in the API's shape, and no time but
// the planned ones ahead of now.
func checkShape(t *testing.T, v any, key string, now time.Time) {
	t.Helper()
	switch v := v.(type) {
	case map[string]any:
		for k, value := range v {
			checkShape(t, value, k, now)
		}
	case []any:
		for _, value := range v {
			checkShape(t, value, key, now)
		}
	case string:
		isTime := strings.HasSuffix(key, "_at") || strings.HasPrefix(key, "scheduled_")
		if isTime && !timeShape.MatchString(v) || (key == "id" || strings.HasSuffix(key, "_id") || key == "code") && !idShape.MatchString(v) {
			t.Errorf("%s is %q", key, v)
		}
		if at, err := time.Parse(time.RFC3339, v); err == nil && at.After(now) && strings.HasSuffix(key, "_at") {
			t.Errorf("%s lies ahead: %s", key, v)
		}
	}
}

func TestStatuspageShape(t *testing.T) {
	in := input(t, "2026-12-29 11:00")
	in.Known, in.Drafts = known(t), true
	files := build(t, in)
	var seen int
	for name, content := range files {
		if !strings.HasPrefix(name, "api/v2/") {
			continue
		}
		seen++
		if bytes.Contains(content, []byte("Maybe closed")) {
			t.Errorf("%s tells of the draft", name)
		}
		checkShape(t, decode[any](t, content), "", in.Now)
	}
	if seen != 8 {
		t.Errorf("%d files", seen)
	}
	for name, keys := range map[string][]string{
		"summary":                         {"components", "incidents", "page", "scheduled_maintenances", "status"},
		"status":                          {"page", "status"},
		"components":                      {"components", "page"},
		"incidents":                       {"incidents", "page"},
		"incidents/unresolved":            {"incidents", "page"},
		"scheduled-maintenances":          {"page", "scheduled_maintenances"},
		"scheduled-maintenances/upcoming": {"page", "scheduled_maintenances"},
		"scheduled-maintenances/active":   {"page", "scheduled_maintenances"},
	} {
		var got []string
		for key := range decode[map[string]json.RawMessage](t, files["api/v2/"+name+".json"]) {
			got = append(got, key)
		}
		if slices.Sort(got); !slices.Equal(got, keys) {
			t.Errorf("%s has %q, want %q", name, got, keys)
		}
	}
}

// Each list holds what its name says, also where that is nothing.
func TestMaintenanceLists(t *testing.T) {
	in := input(t, "2026-12-29 11:00")
	files := build(t, in)
	for name, want := range map[string]string{
		"summary":                         "scheduled in_progress in_progress",
		"scheduled-maintenances/upcoming": "scheduled",
		"scheduled-maintenances/active":   "in_progress in_progress",
	} {
		var got []string
		for _, m := range api(t, files, name).Maintenances {
			got = append(got, m.Status)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	in.Notices = nil
	files = build(t, in)
	for _, name := range []string{"summary", "scheduled-maintenances", "scheduled-maintenances/active"} {
		if !bytes.Contains(files["api/v2/"+name+".json"], []byte(`"scheduled_maintenances":[]`)) {
			t.Errorf("%s without a notice: %s", name, files["api/v2/"+name+".json"])
		}
	}
}

// What is in force or ahead is never crowded out by what is over.
func TestMaintenancesAreCapped(t *testing.T) {
	in := input(t, "2026-12-29 11:00")
	old := &notice.Notice{Slug: "old", Title: "Old, and still closed", Closes: at(t, "2020-01-01"), Storefronts: []string{"market"}}
	in.Notices = append(in.Notices, append(many(t, 100), old)...)
	ms := api(t, build(t, in), "scheduled-maintenances").Maintenances
	if len(ms) != 50 || ms[49].Name != old.Title {
		t.Errorf("%d maintenances, the last one %q", len(ms), ms[len(ms)-1].Name)
	}
	if !slices.IsSortedFunc(ms, func(x, y statuspage.Maintenance) int { return y.ScheduledFor.Compare(x.ScheduledFor.Time) }) {
		t.Error("not the newest first")
	}
}

// Programs know a closure again by its id, whatever else is changed or added.
func TestStatuspageIDsStay(t *testing.T) {
	before := maintenanceOf(t, "2026-12-27 11:00", "winter-break", nil)
	after := maintenanceOf(t, "2027-01-05 11:00", "winter-break", known(t))
	if before.ID != after.ID || before.PageID != after.PageID || before.Components[0].ID != after.Components[0].ID {
		t.Error("the ids of the closure, its page or its storefronts have changed")
	}
	ids := map[string]bool{}
	for _, u := range after.Updates {
		if ids[u.ID] {
			t.Errorf("two updates are %s", u.ID)
		}
		ids[u.ID] = true
	}
	for _, u := range before.Updates {
		if !ids[u.ID] {
			t.Errorf("the update %q has another id", u.Body)
		}
	}
}

// Time alone changes nothing.
func TestStatuspageKnowsNoBuildTime(t *testing.T) {
	in := input(t, "2026-12-29 11:00")
	in.Known = known(t)
	before := build(t, in)
	in.Now = in.Now.Add(37 * time.Minute)
	for name, content := range build(t, in) {
		if strings.HasPrefix(name, "api/") && !bytes.Equal(content, before[name]) {
			t.Errorf("%s has changed", name)
		}
	}
	if got := api(t, before, "status").Page.UpdatedAt; stamped(t, &got) != "2026-12-28 16:00" {
		t.Errorf("updated %v, not when the last update came", got)
	}
}
