package ledger

import (
	"reflect"
	"testing"
	"time"
)

// TestPublishers: what was recorded comes back whole, the newest first, whatever else
// is in the log.
func TestPublishers(t *testing.T) {
	l := newLedger(t)
	nobody := Publishers{People: []Publisher{}, Needs: map[string]int{}}
	ada := Publisher{Name: "Ada", Email: "ada@a.example", Keys: []string{"SHA256:a"}, May: []string{"close"}, Storefronts: []string{"web"}, Touch: "required", Expires: t0}
	one, two := Publishers{[]Publisher{ada}, map[string]int{"close": 2}}, Publishers{[]Publisher{ada}, map[string]int{}}
	if all := read(t, l, func(tx *Tx) ([]Publishers, error) { return tx.Publishers() }); len(all) != 0 {
		t.Errorf("at first: %+v", all)
	}
	update(t, l, func(tx *Tx) error {
		for _, e := range []Entry{{Event: PublishersChanged, Before: &nobody, After: &one}, {Event: NoticeAccepted}, {Event: PublishersChanged, Before: &one, After: &two}} {
			e.Time = t0
			if _, err := tx.Audit(e); err != nil {
				return err
			}
		}
		return nil
	})
	all := read(t, l, func(tx *Tx) ([]Publishers, error) { return tx.Publishers() })
	if !reflect.DeepEqual(all, []Publishers{two, one}) {
		t.Errorf("%+v", all)
	}
	later := ada
	later.Expires = t0.Add(time.Second)
	if !one.Same(all[1]) || one.Same(two) || two.Same(Publishers{[]Publisher{later}, map[string]int{}}) {
		t.Error("the same, and others, are not told apart")
	}
}
