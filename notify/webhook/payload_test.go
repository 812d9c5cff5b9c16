package webhook

import (
	"encoding/json"
	"testing"
	"time"
)

func TestPayloadJSON(t *testing.T) {
	lisbon := time.FixedZone("WEST", 3600)
	since, until := moment.In(lisbon), time.Date(2027, 7, 2, 9, 0, 0, 0, lisbon)
	tests := map[string]struct {
		payload Payload
		want    string
	}{
		"closed": {
			Payload{TypeClosed, moment.In(lisbon), Data{
				Storefront: "web", Checkout: "off", Revision: 1798135200123, Since: &since, Until: &until,
				Message: "Closed", URL: "https://status.example/c/", Notices: []string{"winter-break"}, PublishedBy: "Ada",
			}},
			`{"type":"storefront.closed","timestamp":"2026-12-24T18:00:00Z","data":{"storefront":"web","checkout":"off",` +
				`"revision":1798135200123,"since":"2026-12-24T18:00:00Z","until":"2027-07-02T08:00:00Z","message":"Closed",` +
				`"url":"https://status.example/c/","notices":["winter-break"],"published_by":"Ada"}}`,
		},
		"never closed": {
			Payload{TypeOpened, moment, Data{Storefront: "web", Checkout: "on", Revision: 1}},
			`{"type":"storefront.opened","timestamp":"2026-12-24T18:00:00Z","data":{"storefront":"web","checkout":"on",` +
				`"revision":1,"since":null,"until":null,"message":"","url":"","notices":[],"published_by":""}}`,
		},
	}
	for name, test := range tests {
		got, err := json.Marshal(test.payload)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != test.want {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, test.want)
		}
	}
	if until.Location() != lisbon {
		t.Error("writing changes the caller's time")
	}
}
