package ledger

import (
	"reflect"
	"testing"
	"time"
)

func TestSubscriberRoundTrip(t *testing.T) {
	l := newLedger(t)
	all := addSubscribers(t, l,
		Subscriber{Email: "Ada@example.com", Storefronts: []string{"web", "web-2"}, Language: "pt", Confirmed: t0},
		Subscriber{Email: "once@example.com", UntilReopen: true, Confirmed: t0},
		Subscriber{Email: "asked@example.com"})
	for i := range all {
		if all[i].Storefronts == nil {
			all[i].Storefronts = []string{}
		}
	}
	if got := read(t, l, func(tx *Tx) ([]Subscriber, error) { return tx.Subscribers(0, 9) }); !reflect.DeepEqual(got, all) {
		t.Errorf("%+v, want %+v", got, all)
	}
	page := read(t, l, func(tx *Tx) ([]Subscriber, error) { return tx.Subscribers(all[0].ID, 1) })
	if len(page) != 1 || page[0].ID != all[1].ID {
		t.Errorf("%+v", page)
	}
	if all[2].Reachable() || !all[0].Reachable() || (Subscriber{}).Reachable() {
		t.Error("who has confirmed can be reached, and nobody else")
	}
}

func TestAddAndRemoveSubscriber(t *testing.T) {
	l := newLedger(t)
	ada := addSubscribers(t, l, Subscriber{Email: "Ada@example.com", Storefronts: []string{"web"}, Confirmed: t0})[0]
	for _, email := range []string{"Ada@example.com", "ada@EXAMPLE.com"} {
		update(t, l, func(tx *Tx) error {
			added, err := tx.AddSubscriber(Subscriber{Email: email, Confirmed: t0.Add(time.Hour)})
			if added {
				t.Errorf("%s is new", email)
			}
			return err
		})
	}
	if got := read(t, l, func(tx *Tx) ([]Subscriber, error) { return tx.Subscribers(0, 9) }); !reflect.DeepEqual(got, []Subscriber{ada}) {
		t.Errorf("%+v, want %+v", got, ada)
	}
	for i, email := range []string{"ADA@example.com", "ada@example.com"} {
		update(t, l, func(tx *Tx) error {
			known, err := tx.RemoveSubscriber(email)
			if known != (i == 0) {
				t.Errorf("%s, time %d: known %v", email, i+1, known)
			}
			return err
		})
	}
	back := addSubscribers(t, l, Subscriber{Email: "ada@example.com", Confirmed: t0})[0]
	if back.ID <= ada.ID {
		t.Errorf("who comes back gets number %d, no higher than %d", back.ID, ada.ID)
	}
}

// TestThreeFailuresSuppress: three in a row, and no other three.
func TestThreeFailuresSuppress(t *testing.T) {
	l := newLedger(t)
	s := followers(t, l, 1)[0]
	state := func() Subscriber {
		return read(t, l, func(tx *Tx) ([]Subscriber, error) { return tx.Subscribers(0, 1) })[0]
	}
	fail := func() { update(t, l, func(tx *Tx) error { return tx.CountFailure(s.ID, "550 full") }) }
	fail()
	fail()
	if got := state(); got.Failures != 2 || !got.Reachable() {
		t.Errorf("after two: %+v", got)
	}
	c := fire(t, l, Campaign{Slug: "a", Kind: "closed"})
	expandAll(t, l, c.ID, 10)
	update(t, l, func(tx *Tx) error { return tx.LetterSent(Letter{Campaign: c.ID, Subscriber: state()}) })
	if got := state(); got.Failures != 0 {
		t.Errorf("after one that arrived: %+v", got)
	}
	for range 3 {
		if !state().Reachable() {
			t.Error("suppressed too soon")
		}
		fail()
	}
	if got := state(); got.Suppressed != "550 full" || got.Reachable() {
		t.Errorf("after three: %+v", got)
	}
}

func TestAlerts(t *testing.T) {
	l := newLedger(t)
	due := func(now time.Time) []Alert {
		return read(t, l, func(tx *Tx) ([]Alert, error) { return tx.DueAlerts(now) })
	}
	update(t, l, func(tx *Tx) error {
		_, err := tx.AddAlert([]string{"a@x", "b@x"}, "Refused", "why", t0, t0)
		return err
	})
	if early := due(t0.Add(-time.Millisecond)); len(early) > 0 {
		t.Errorf("%+v", early)
	}
	all := due(t0)
	want := []Alert{{all[0].ID, "a@x", "Refused", "why", t0, 0}, {all[0].ID + 1, "b@x", "Refused", "why", t0, 0}}
	if !reflect.DeepEqual(all, want) {
		t.Errorf("%+v, want %+v", all, want)
	}
	later := t0.Add(time.Minute)
	update(t, l, func(tx *Tx) error {
		if err := tx.AlertDone(all[0].ID); err != nil {
			return err
		}
		return tx.AlertLater(all[1].ID, later)
	})
	want[1].Attempts = 1
	if got := due(later.Add(-time.Millisecond)); len(got) > 0 {
		t.Errorf("put off, yet due: %+v", got)
	}
	if got := due(later); !reflect.DeepEqual(got, want[1:]) {
		t.Errorf("%+v, want %+v", got, want[1:])
	}
}
