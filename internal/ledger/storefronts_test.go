package ledger

import (
	"reflect"
	"testing"
	"time"
)

func TestStorefrontRoundTrip(t *testing.T) {
	l := newLedger(t)
	web := Storefront{"web", "closed", "off", 1798135200123, t0, t0.Add(time.Hour), "Closed for the \"winter\" break", "https://x/", []string{"a", "b"}, "b", ada}
	pos := Storefront{ID: "pos", State: "open", Checkout: "on", Revision: 1}
	update(t, l, func(tx *Tx) error {
		if err := tx.SaveStorefront(pos, t0); err != nil {
			return err
		}
		return tx.SaveStorefront(web, t0)
	})
	if got := read(t, l, (*Tx).Storefronts); !reflect.DeepEqual(got, map[string]Storefront{"web": web, "pos": pos}) {
		t.Errorf("%+v", got)
	}
	web.State, web.Checkout, web.Until, web.Notices, web.Revision = "open", "on", time.Time{}, nil, web.Revision+1
	update(t, l, func(tx *Tx) error { return tx.SaveStorefront(web, t0) })
	if got := read(t, l, (*Tx).Storefronts)["web"]; !reflect.DeepEqual(got, web) {
		t.Errorf("%+v, want %+v", got, web)
	}
}

func TestEndpointRoundTrip(t *testing.T) {
	l := newLedger(t)
	full := Endpoint{"web", "https://a/", 7, 3, 2, "no answer", t0, t0.Add(time.Second), t0.Add(-time.Hour), true, t0.Add(time.Minute), false, false}
	empty := Endpoint{Storefront: "pos", URL: "https://a/"}
	check := func(want ...Endpoint) {
		t.Helper()
		if got := read(t, l, (*Tx).Endpoints); !reflect.DeepEqual(got, want) {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
	save := func(e Endpoint) { update(t, l, func(tx *Tx) error { return tx.SaveEndpoint(e) }) }
	save(full)
	save(empty)
	check(empty, full)
	full = Endpoint{Storefront: "web", URL: "https://a/", Acknowledged: 8}
	save(full)
	check(empty, full)
	update(t, l, func(tx *Tx) error { return tx.DropEndpoint(empty) })
	check(full)
}

// TestNewRevisionIsOwedAtOnce: to the storefront's own endpoints, and not to
// those that want no more.
func TestNewRevisionIsOwedAtOnce(t *testing.T) {
	l := newLedger(t)
	later, now := t0.Add(time.Hour), t0.Add(time.Minute)
	update(t, l, func(tx *Tx) error {
		for _, e := range []Endpoint{
			{Storefront: "web", URL: "behind", Acknowledged: 4, Attempts: 6, Sendings: 1, NextTry: later, Error: "no answer", Failing: t0},
			{Storefront: "web", URL: "there", Acknowledged: 5},
			{Storefront: "web", URL: "gone", Acknowledged: 5, Attempts: 2, Disabled: t0},
			{Storefront: "web-2", URL: "other", Acknowledged: 5, Attempts: 6, NextTry: later},
		} {
			if err := tx.SaveEndpoint(e); err != nil {
				return err
			}
		}
		return tx.SaveStorefront(Storefront{ID: "web", Revision: 6}, now)
	})
	want := []Endpoint{
		{Storefront: "web", URL: "behind", Acknowledged: 4, NextTry: now, Error: "no answer", Failing: t0},
		{Storefront: "web", URL: "gone", Acknowledged: 5, Attempts: 2, Disabled: t0},
		{Storefront: "web", URL: "there", Acknowledged: 5, NextTry: now},
		{Storefront: "web-2", URL: "other", Acknowledged: 5, Attempts: 6, NextTry: later},
	}
	if got := read(t, l, (*Tx).Endpoints); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// TestSameRevisionKeepsItsBackOff: the state's word may change without a new
// revision (overdue), and then nobody is told anything new.
func TestSameRevisionKeepsItsBackOff(t *testing.T) {
	l := newLedger(t)
	e := Endpoint{Storefront: "web", URL: "behind", Acknowledged: 5, Attempts: 6, Sendings: 1, NextTry: t0.Add(time.Hour)}
	update(t, l, func(tx *Tx) error { return tx.SaveStorefront(Storefront{ID: "web", State: "closed", Revision: 6}, t0) })
	update(t, l, func(tx *Tx) error { return tx.SaveEndpoint(e) })
	update(t, l, func(tx *Tx) error { return tx.SaveStorefront(Storefront{ID: "web", State: "overdue", Revision: 6}, t0) })
	if got := read(t, l, (*Tx).Endpoints); !reflect.DeepEqual(got, []Endpoint{e}) {
		t.Errorf("%+v, want %+v", got[0], e)
	}
	if f := read(t, l, (*Tx).Storefronts)["web"]; f.State != "overdue" {
		t.Errorf("it is %s", f.State)
	}
}

func TestEndpointOwedAndDue(t *testing.T) {
	soon, late := t0.Add(time.Second), t0.Add(time.Minute)
	for _, test := range []struct {
		name string
		e    Endpoint
		owed bool
		due  time.Time
	}{
		{"told", Endpoint{Acknowledged: 6}, false, time.Time{}},
		{"told more than there is", Endpoint{Acknowledged: 7}, false, time.Time{}},
		{"behind", Endpoint{Acknowledged: 5, NextTry: soon}, true, soon},
		{"never told", Endpoint{NextTry: soon}, true, soon},
		{"told, once more", Endpoint{Acknowledged: 6, Reassert: late}, true, late},
		{"told, once more, whatever the next try says", Endpoint{Acknowledged: 6, NextTry: soon, Reassert: late}, true, late},
		{"behind, whatever once more says", Endpoint{Acknowledged: 5, NextTry: late, Reassert: soon}, true, late},
		{"disabled", Endpoint{Acknowledged: 5, NextTry: soon, Reassert: late, Disabled: t0}, false, time.Time{}},
	} {
		f := Storefront{Revision: 6}
		if owed := test.e.Owed(f); owed != test.owed {
			t.Errorf("%s: owed %v", test.name, owed)
		}
		if due := test.e.Due(f); !due.Equal(test.due) {
			t.Errorf("%s: due %v, want %v", test.name, due, test.due)
		}
	}
}
