package ledger

import (
	"bytes"
	"reflect"
	"testing"
	"time"
)

var ada = By{Name: "Ada", Email: "ada@example.com", How: "git-author"}

func accept(t *testing.T, l *Ledger, v Version) int64 {
	t.Helper()
	var id int64
	update(t, l, func(tx *Tx) (err error) {
		id, err = tx.Accept(v)
		return err
	})
	return id
}

func TestAccept(t *testing.T) {
	l := newLedger(t)
	one := Version{Slug: "flood", SHA256: "s1", Content: []byte("one\x00\xff"), Accepted: t0, By: ada}
	two := Version{Slug: "flood", SHA256: "s2", Content: []byte{}, Accepted: t0.Add(time.Minute), By: By{Name: "Bob", How: "git-signature"}, Commit: "c2"}
	one.ID = accept(t, l, one)
	accept(t, l, Version{Slug: "a-party", SHA256: "s3", Content: []byte("three"), Accepted: t0})
	two.ID = accept(t, l, two)
	notices := read(t, l, (*Tx).Notices)
	if len(notices) != 2 || notices[0].Slug != "a-party" {
		t.Fatalf("%+v", notices)
	}
	want := Notice{Version: two, First: t0}
	want.Content = nil
	if !reflect.DeepEqual(notices[1], want) {
		t.Errorf("%+v, want %+v", notices[1], want)
	}
	for _, v := range []Version{one, two} {
		if content := read(t, l, func(tx *Tx) ([]byte, error) { return tx.Content(v.ID) }); !bytes.Equal(content, v.Content) {
			t.Errorf("version %d is %q", v.ID, content)
		}
	}
}

func TestSaveNotice(t *testing.T) {
	l := newLedger(t)
	accept(t, l, Version{Slug: "flood", SHA256: "s1", Content: []byte("one"), Accepted: t0})
	n := read(t, l, (*Tx).Notices)[0]
	n.Closed, n.Ended, n.Overdue = t0.Add(time.Millisecond), t0.Add(2*time.Hour), t0.Add(time.Hour)
	n.Told = Told{Kind: "closed", Closes: t0, Reopens: t0.Add(time.Hour), Storefronts: []string{"web"},
		Updates: []time.Time{t0}, Reminders: []time.Time{t0, t0.Add(time.Minute)}, Opened: []string{"pos"}}
	update(t, l, func(tx *Tx) error { return tx.SaveNotice(n) })
	if got := read(t, l, (*Tx).Notices)[0]; !reflect.DeepEqual(got, n) {
		t.Errorf("%+v, want %+v", got, n)
	}
	// A new version changes nothing of what was done and told.
	v := Version{Slug: "flood", SHA256: "s2", Content: []byte("two"), Accepted: t0.Add(time.Hour), By: ada}
	v.ID = accept(t, l, v)
	v.Content = nil
	n.Version = v
	if got := read(t, l, (*Tx).Notices)[0]; !reflect.DeepEqual(got, n) {
		t.Errorf("after another version: %+v, want %+v", got, n)
	}
	n.Closed, n.Ended, n.Overdue, n.Told = time.Time{}, time.Time{}, time.Time{}, Told{}
	update(t, l, func(tx *Tx) error { return tx.SaveNotice(n) })
	if got := read(t, l, (*Tx).Notices)[0]; !reflect.DeepEqual(got, n) {
		t.Errorf("with zero times: %+v, want %+v", got, n)
	}
}

func TestContentOwner(t *testing.T) {
	l := newLedger(t)
	for i, slug := range []string{"z-first", "a-second"} {
		accept(t, l, Version{Slug: slug, SHA256: "same", Content: []byte("x"), Accepted: t0.Add(time.Duration(i))})
	}
	for sha, want := range map[string]string{"same": "z-first", "other": ""} {
		if got := read(t, l, func(tx *Tx) (string, error) { return tx.ContentOwner(sha) }); got != want {
			t.Errorf("%s belongs to %q, want %q", sha, got, want)
		}
	}
}

func TestRefusals(t *testing.T) {
	l := newLedger(t)
	check := func(want ...Refusal) {
		t.Helper()
		got := read(t, l, (*Tx).Refusals)
		if len(got) != len(want) {
			t.Errorf("%d refusals stand, want %d", len(got), len(want))
		}
		for _, r := range want {
			if got[r.Slug] != r {
				t.Errorf("%+v, want %+v", got[r.Slug], r)
			}
		}
	}
	flood, party := Refusal{"flood", "s1", "no title", t0}, Refusal{"party", "", "it is gone", t0.Add(time.Millisecond)}
	refuse := func(r Refusal) { update(t, l, func(tx *Tx) error { return tx.Refuse(r) }) }
	check()
	refuse(flood)
	refuse(party)
	check(flood, party)
	flood.SHA256, flood.Reason, flood.At = "s2", "no time", t0.Add(time.Hour)
	refuse(flood)
	check(flood, party)
	accept(t, l, Version{Slug: "flood", SHA256: "s3", Accepted: t0, Content: []byte("fine")})
	check(party)
	update(t, l, func(tx *Tx) error { return tx.Forgive("party") })
	check()
}
