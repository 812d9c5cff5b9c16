package site

import (
	"strings"
	"testing"

	"github.com/backsoon/backsoon/internal/notice"
)

// The order of the fields and every null is a promise to those who read it.
func TestStatus(t *testing.T) {
	in := input(t, "2026-12-24 18:00")
	in.Notices, in.Known = []*notice.Notice{winter(t)}, known(t)
	market := `"market":{"name":"Market stall","state":"open","checkout":"on","revision":1798135200001,` +
		`"since":null,"until":null,"message":"","notices":[]}`
	web := `"web":{"name":"Online shop","state":"closed","checkout":"off","revision":1798135200123,` +
		`"since":"2026-12-24T18:00:00Z","until":"2027-01-02T09:00:00Z","message":"Closed for the winter break","notices":["winter-break"]}`
	want := `{"shop":"Harbour Books","generated":"2026-12-24T18:00:00Z","next_change":"2027-01-02T09:00:00Z","storefronts":{` +
		market + "," + web + "}}\n"
	if got := string(build(t, in)["status.json"]); got != want {
		t.Errorf("got  %swant %s", got, want)
	}
}

func TestStatusWithoutLedger(t *testing.T) {
	in := input(t, "2026-12-30 11:00")
	in.Notices = []*notice.Notice{{Slug: "flood", Title: `"Water" & <mud>`, Closes: at(t, "2026-12-29 07:00")}}
	got := string(build(t, in)["status.json"])
	if strings.Contains(got, "revision") {
		t.Errorf("a revision, which only the ledger knows: %s", got)
	}
	for _, want := range []string{`"next_change":null`, `"until":null`, `"since":"2026-12-29T07:00:00Z"`, `"message":"\"Water\" & <mud>"`} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in %s", want, got)
		}
	}
}

// What the ledger saw is the truth of when a state began.
func TestStatusSinceIsTheLedgers(t *testing.T) {
	in := input(t, "2026-12-30 11:00")
	in.Notices = []*notice.Notice{winter(t)}
	in.Known = &Known{Storefronts: map[string]Storefront{"web": {Revision: 7, Since: at(t, "2026-12-24 18:07").Time}}}
	if got := string(build(t, in)["status.json"]); !strings.Contains(got, `"revision":7,"since":"2026-12-24T18:07:00Z"`) {
		t.Error(got)
	}
}
