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

// What an outsider needs to hold the log to its word stands last, where there is one.
func TestStatusHasTheLog(t *testing.T) {
	in := input(t, "2026-12-24 18:00")
	in.Notices, in.Known = []*notice.Notice{winter(t)}, known(t)
	in.Known.Log = Log{Checkpoint: "status.harbourbooks.example/open/log\n12\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n— x AAAA\n", Key: "status.harbourbooks.example/open/log+0123abcd+AQID"}
	files := build(t, in)
	got := string(files["status.json"])
	if want := `,"log":{"checkpoint":"status.harbourbooks.example/open/log\n12\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n— x AAAA\n",` +
		`"key":"status.harbourbooks.example/open/log+0123abcd+AQID"}}` + "\n"; !strings.HasSuffix(got, want) {
		t.Errorf("got  %swant … %s", got, want)
	}
	schema := published(t, files)
	if err := validate(t, schema, files["status.json"]); err != nil {
		t.Error(err)
	}
	for from, to := range map[string]string{`\n12\n`: `\n012\n`, "47DEQ": "47D", `"key":"status`: `"key":"a b`, `,"key"`: `,"kee"`, "+0123abcd+": "+0123+"} {
		if err := validate(t, schema, []byte(strings.Replace(got, from, to, 1))); err == nil || !strings.Contains(got, from) {
			t.Errorf("%s passes in the place of %s", to, from)
		}
	}
}

// A newer checkpoint alone is reason enough to write status.json anew, and nothing else.
func TestNewerCheckpoint(t *testing.T) {
	in := input(t, "2026-12-24 18:00")
	in.Known = known(t)
	in.Known.Log = Log{"one", "key"}
	before := build(t, in)
	in.Known.Log = Log{"two", "key"}
	for name, content := range build(t, in) {
		if same := string(content) == string(before[name]); same != (name != "status.json") {
			t.Errorf("%s is the same: %t", name, same)
		}
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
