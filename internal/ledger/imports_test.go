package ledger

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"strings"
	"testing"
	"time"
)

// breakOff begins an import, says so, and never ends it.
func breakOff(path string) error {
	l, err := Open(context.Background(), path, true)
	if err != nil {
		return err
	}
	i, err := l.BeginImport(context.Background())
	if err != nil {
		return err
	}
	if err := i.Add(context.Background(), []Subscriber{{Email: "half@example.com", Confirmed: t0}}); err != nil {
		return err
	}
	fmt.Println(os.Getpid())
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

func beginImport(t testing.TB, l *Ledger) *Import {
	t.Helper()
	i, err := l.BeginImport(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := i.Close(); err != nil {
			t.Error(err)
		}
	})
	return i
}

func addLines(t testing.TB, i *Import, subs ...Subscriber) {
	t.Helper()
	if err := i.Add(context.Background(), subs); err != nil {
		t.Fatal(err)
	}
}

func finish(t testing.TB, i *Import, refused int) Entry {
	t.Helper()
	e, err := i.Finish(context.Background(), refused, t0)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func emails(t *testing.T, l *Ledger) string {
	t.Helper()
	all := read(t, l, func(tx *Tx) ([]Subscriber, error) { return tx.Subscribers(0, 99) })
	var names []string
	for _, s := range all {
		names = append(names, s.Email)
	}
	return strings.Join(names, " ")
}

func entries(t *testing.T, l *Ledger) []Entry {
	t.Helper()
	return read(t, l, func(tx *Tx) ([]Entry, error) { return tx.Entries(0, 9) })
}

// TestImport: nothing counts before the end, then all of it at once, with one
// entry in the log. Who was known stays as before, and the first line counts.
func TestImport(t *testing.T) {
	l := newLedger(t)
	ada := addSubscribers(t, l, Subscriber{Email: "ada@example.com", Storefronts: []string{"web"}, Confirmed: t0})[0]
	i := beginImport(t, l)
	addLines(t, i, Subscriber{Email: "zoe@example.com", Storefronts: []string{"web", "pos"}, Language: "pt", Confirmed: t0},
		Subscriber{Email: "ADA@example.com", Confirmed: t0})
	addLines(t, i)
	addLines(t, i, Subscriber{Email: "Ben@example.com", Confirmed: t0}, Subscriber{Email: "ZOE@example.com", Confirmed: t0})
	if got := emails(t, l); got != "ada@example.com" || len(entries(t, l)) > 0 {
		t.Errorf("before the end: %s, %v", got, entries(t, l))
	}
	e := finish(t, i, 3)
	if want := (Counts{"added": 2, "known": 2, "refused": 3}); e.Event != SubscribersImported || !maps.Equal(e.Counts, want) {
		t.Errorf("%+v, want %v", e, want)
	}
	if log := entries(t, l); len(log) != 1 || log[0].Event != SubscribersImported || !maps.Equal(log[0].Counts, e.Counts) {
		t.Errorf("%+v", log)
	}
	if got := emails(t, l); got != "ada@example.com zoe@example.com Ben@example.com" {
		t.Error(got)
	}
	all := read(t, l, func(tx *Tx) ([]Subscriber, error) { return tx.Subscribers(ada.ID, 2) })
	if zoe := all[0]; fmt.Sprint(zoe.Storefronts) != "[web pos]" || zoe.Language != "pt" || !zoe.Reachable() {
		t.Errorf("%+v", zoe)
	}
}

// TestImportBrokenOff: nobody is added by half a list, neither then nor by the
// next import, be it that its process gave up or was killed.
func TestImportBrokenOff(t *testing.T) {
	place := newPlace(t)
	l := openAt(t, place)
	gaveUp, err := l.BeginImport(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	addLines(t, gaveUp, Subscriber{Email: "gone@example.com", Confirmed: t0})
	if err := gaveUp.Close(); err != nil {
		t.Fatal(err)
	}
	killed := start(t, "import", place)
	killed.line(t)
	killed.kill()
	if n := count(t, l, "SELECT COUNT(*) FROM subscribers"); n != 1 {
		t.Errorf("%d lines are left of the one that was killed, and of the one that gave up", n)
	}
	var i *Import
	for end := time.Now().Add(10 * time.Second); i == nil; time.Sleep(10 * time.Millisecond) {
		if i, err = l.BeginImport(context.Background()); err != nil && time.Now().After(end) {
			t.Fatal(err) // PostgreSQL takes a moment to see that the other is dead
		}
	}
	addLines(t, i, Subscriber{Email: "ada@example.com", Confirmed: t0})
	if e := finish(t, i, 0); e.Counts["added"] != 1 || emails(t, l) != "ada@example.com" {
		t.Errorf("%+v, %s", e, emails(t, l))
	}
}

// TestImportTidied: what a killed import has left is forgotten without another, but
// not one that is under way.
func TestImportTidied(t *testing.T) {
	place := newPlace(t)
	l := openAt(t, place)
	killed := start(t, "import", place)
	killed.line(t)
	tidied := func() int {
		t.Helper()
		if err := l.TidyImports(context.Background()); err != nil {
			t.Fatal(err)
		}
		return count(t, l, "SELECT COUNT(*) FROM subscribers") + count(t, l, "SELECT COUNT(*) FROM imports")
	}
	if left := tidied(); left != 2 {
		t.Errorf("%d rows are left of an import that is under way", left)
	}
	killed.kill()
	for end := time.Now().Add(10 * time.Second); tidied() > 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("a killed import is not forgotten")
		}
	}
}

// TestImportMeanwhile: what happens to an address while an import that has it is
// under way counts, and the import leaves it so.
func TestImportMeanwhile(t *testing.T) {
	l := newLedger(t)
	i := beginImport(t, l)
	line := func(name string) Subscriber { return Subscriber{Email: name + "@example.com", Confirmed: t0} }
	addLines(t, i, line("ada"), line("ben"), line("cora"), line("dan"))
	update(t, l, func(tx *Tx) error {
		if err := tx.Ask(Pending{Email: "ada@example.com", Storefronts: []string{"pos"}, Expires: t0.Add(time.Hour)}, nil, t0); err != nil {
			return err
		}
		came, err := tx.Confirm(Pending{Email: "ada@example.com", Storefronts: []string{"pos"}}, nil, t0)
		if came != Confirmed || err != nil {
			t.Errorf("confirming while an import has the address: %v, %v", came, err)
		}
		if subscribed, _, err := tx.Forget("ben@example.com", "seal"); subscribed || err != nil {
			t.Errorf("an address that doesn't count yet was subscribed: %v, %v", subscribed, err)
		}
		return tx.Bar("cora@example.com", "seal of cora")
	})
	if got := emails(t, l); got != "ada@example.com" {
		t.Errorf("before the end: %s", got)
	}
	finish(t, i, 0)
	if got := emails(t, l); got != "dan@example.com ada@example.com" {
		t.Error(got)
	}
	all := read(t, l, func(tx *Tx) ([]Subscriber, error) { return tx.Subscribers(0, 9) })
	if ada := all[1]; fmt.Sprint(ada.Storefronts) != "[pos]" {
		t.Errorf("%+v", ada)
	}
}

// TestFiredBesideAnImport: a mail goes to those who were subscribers when it began,
// whichever half of a list was down by then and whenever the rest follows.
func TestFiredBesideAnImport(t *testing.T) {
	l := newLedger(t)
	first, err := l.BeginImport(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	addLines(t, first, Subscriber{Email: "early@example.com", Confirmed: t0})
	finish(t, first, 0)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second := beginImport(t, l)
	addLines(t, second, Subscriber{Email: "half@example.com", Confirmed: t0})
	c := fire(t, l, Campaign{Slug: "a", Kind: "closed"})
	addLines(t, second, Subscriber{Email: "rest@example.com", Confirmed: t0})
	finish(t, second, 0)
	expandAll(t, l, c.ID, 10)
	if n := count(t, l, "SELECT COUNT(*) FROM letters"); n != 1 {
		t.Errorf("%d letters", n)
	}
	d := fire(t, l, Campaign{Slug: "b", Kind: "closed"})
	expandAll(t, l, d.ID, 10)
	if n := count(t, l, "SELECT COUNT(*) FROM letters"); n != 4 {
		t.Errorf("%d letters", n)
	}
}

// TestImportReplaced: an import whose place another has taken adds nobody more.
func TestImportReplaced(t *testing.T) {
	l := newLedger(t)
	stale := beginImport(t, l)
	addLines(t, stale, Subscriber{Email: "stale@example.com", Confirmed: t0})
	if err := l.forgetUnfinished(context.Background()); err != nil { // as the next one does
		t.Fatal(err)
	}
	err := stale.Add(context.Background(), []Subscriber{{Email: "more@example.com", Confirmed: t0}})
	_, finished := stale.Finish(context.Background(), 0, t0)
	for _, err := range []error{err, finished} {
		if err == nil || !strings.Contains(err.Error(), "another import has begun") {
			t.Errorf("%v", err)
		}
	}
	if got := emails(t, l); got != "" {
		t.Error(got)
	}
}

func TestOneImportAtATime(t *testing.T) {
	place := newPlace(t)
	l := openAt(t, place)
	other := start(t, "import", place)
	pid := other.line(t)
	_, err := l.BeginImport(context.Background())
	if err == nil || !strings.Contains(err.Error(), "another import is under way (process "+pid) {
		t.Errorf("%v", err)
	}
	if n := count(t, l, "SELECT COUNT(*) FROM subscribers"); n != 1 {
		t.Errorf("the other's %d lines", n)
	}
}
