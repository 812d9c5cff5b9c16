package site

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/backsoon/backsoon/internal/notice"
)

// published is the schema of a site, read as by a program elsewhere: by its address.
func published(t *testing.T, files Files) *jsonschema.Schema {
	t.Helper()
	const address = "https://status.harbourbooks.example/open/status.schema.json"
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(files["status.schema.json"]))
	if err != nil {
		t.Fatal(err)
	}
	if id := doc.(map[string]any)["$id"]; id != address {
		t.Fatalf("the schema calls itself %v, not %s", id, address)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	if err := c.AddResource(address, doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile(address)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func validate(t *testing.T, schema *jsonschema.Schema, content []byte) error {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	return schema.Validate(doc)
}

func TestStatusFollowsItsSchema(t *testing.T) {
	states := map[string]bool{}
	for _, now := range []string{
		"2025-01-01", "2025-10-12 10:00", "2026-03-03 10:00", "2026-08-10 10:00", "2026-12-24 18:00",
		"2026-12-29 11:00", "2027-01-02 09:00", "2027-01-05 11:00", "2027-02-02 10:00", "2099-01-01",
	} {
		for _, k := range []*Known{nil, known(t)} {
			in := input(t, now)
			in.Known = k
			files := build(t, in)
			if err := validate(t, published(t, files), files["status.json"]); err != nil {
				t.Errorf("at %s: %v\n%s", now, err, files["status.json"])
			}
			for _, s := range decode[status](t, files["status.json"]).Storefronts {
				states[s.State] = true
			}
		}
	}
	if seen := slices.Sorted(maps.Keys(states)); !slices.Equal(seen, []string{"closed", "open", "overdue"}) {
		t.Errorf("only these states were looked at: %s", seen)
	}
	in := input(t, "2026-12-29 11:00")
	in.Notices = nil
	files := build(t, in)
	if err := validate(t, published(t, files), files["status.json"]); err != nil {
		t.Errorf("without a notice: %v", err)
	}
	in.Notices = []*notice.Notice{{Slug: "flood", Title: `"Water" & <mud>`, Closes: at(t, "2026-12-29 07:00")}}
	if err := validate(t, published(t, files), build(t, in)["status.json"]); err != nil {
		t.Errorf("open-ended: %v", err)
	}
}

func decode[T any](t *testing.T, content []byte) (v T) {
	t.Helper()
	if err := json.Unmarshal(content, &v); err != nil {
		t.Fatalf("%v in %s", err, content)
	}
	return v
}

func TestSchemaRefusesWhatIsWrong(t *testing.T) {
	in := input(t, "2026-12-29 11:00")
	in.Known = known(t)
	files := build(t, in)
	schema, right := published(t, files), string(files["status.json"])
	for from, to := range map[string]string{
		`"shop":"Harbour Books",`:                 ``,
		`"shop":`:                                 `"store":`,
		`"generated":"2026-12-29T11:00:00Z"`:      `"generated":"2026-12-29 11:00"`,
		`"next_change":"2027-01-02T09:00:00Z"`:    `"next_change":"2027-13-02T09:00:00Z"`,
		`"storefronts":{`:                         `"more":1,"storefronts":{`,
		`"web":{`:                                 `"Web Shop":{`,
		`"state":"closed"`:                        `"state":"shut"`,
		`"state":"closed","checkout":"off"`:       `"state":"closed","checkout":"on"`,
		`"state":"open","checkout":"on"`:          `"state":"open","checkout":"off"`,
		`"state":"closed",`:                       `"state":"overdue",`, // whose end nobody knows
		`"revision":1798135200123`:                `"revision":"1798135200123"`,
		`"revision":1798135200001`:                `"revision":0`,
		`"since":"2026-12-24T18:00:00Z"`:          `"since":null`,
		`"until":"2027-01-02T09:00:00Z"`:          `"until":"2027-01-02T09:00:00+00:00"`,
		`"message":"Closed for the winter break"`: `"message":null`,
		`"notices":["winter-break"]`:              `"notices":[]`,
		`["winter-break"]`:                        `["winter-break","winter-break"]`,
		`"winter-break"]`:                         `"Winter Break"]`,
	} {
		if !strings.Contains(right, from) {
			t.Fatalf("no %s in %s", from, right)
		}
		if err := validate(t, schema, []byte(strings.Replace(right, from, to, 1))); err == nil {
			t.Errorf("%s passes in the place of %s", to, from)
		}
	}
}
