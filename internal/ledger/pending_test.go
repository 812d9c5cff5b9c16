package ledger

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"
)

// ask asks for the address at the moment, in a transaction of its own.
func ask(t *testing.T, l *Ledger, p Pending, now time.Time) {
	t.Helper()
	p.Expires = now.Add(48 * time.Hour)
	update(t, l, func(tx *Tx) error { return tx.Ask(p, []string{"seal of " + p.Email}, now) })
}

// due are the addresses to which a mail is due.
func due(t *testing.T, l *Ledger, now time.Time) (emails []string) {
	t.Helper()
	for _, p := range read(t, l, func(tx *Tx) ([]Pending, error) { return tx.DuePending(now, 9) }) {
		emails = append(emails, p.Email)
	}
	return emails
}

func sent(t *testing.T, l *Ledger, email string, now time.Time) {
	t.Helper()
	update(t, l, func(tx *Tx) error {
		p, err := tx.PendingFor(email, now)
		if err != nil {
			return err
		}
		return tx.PendingSent(p)
	})
}

func confirm(t *testing.T, l *Ledger, p Pending, now time.Time) (c Confirmation) {
	t.Helper()
	update(t, l, func(tx *Tx) (err error) {
		c, err = tx.Confirm(p, []string{"seal of " + p.Email}, now)
		return err
	})
	return c
}

// TestAskConfirm: from the form to the subscriber, and no further.
func TestAskConfirm(t *testing.T) {
	l := newLedger(t)
	p := Pending{Email: "ada@example.com", Storefronts: []string{"web"}, Language: "pt", UntilReopen: true}
	if got := confirm(t, l, p, t0); got != NothingAsked {
		t.Errorf("confirmed before anybody asked: %v", got)
	}
	ask(t, l, p, t0)
	got := read(t, l, func(tx *Tx) (Pending, error) { return tx.PendingFor("ADA@example.com", t0) })
	want := p
	want.Expires, want.Owed = t0.Add(48*time.Hour), true
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	if owed := read(t, l, (*Tx).Owed); owed.Mail != 1 {
		t.Errorf("owed: %+v", owed)
	}
	sent(t, l, p.Email, t0)
	if got := due(t, l, t0.Add(time.Hour)); got != nil {
		t.Errorf("owed once more: %q", got)
	}
	for i, want := range []Confirmation{Confirmed, Unchanged} {
		if got := confirm(t, l, p, t0.Add(time.Minute)); got != want {
			t.Errorf("time %d: %v, want %v", i+1, got, want)
		}
	}
	s := read(t, l, func(tx *Tx) (Subscriber, error) { return tx.Subscriber("Ada@example.com") })
	if !s.Reachable() || !p.Same(s) || !s.Confirmed.Equal(t0.Add(time.Minute)) {
		t.Errorf("%+v", s)
	}
	p.Storefronts, p.UntilReopen = nil, false
	if got := confirm(t, l, p, t0.Add(time.Hour)); got != Rechosen {
		t.Errorf("something else: %v", got)
	}
	update(t, l, func(tx *Tx) error { _, _, err := tx.Forget(p.Email, "seal"); return err })
	if got := confirm(t, l, p, t0.Add(time.Hour)); got != NothingAsked {
		t.Errorf("an old link brings back who has left: %v", got)
	}
}

// TestMailsToOneAddress: whoever asks, and however often.
func TestMailsToOneAddress(t *testing.T) {
	l := newLedger(t)
	mails := 0
	now := t0
	for ; now.Before(t0.Add(24 * time.Hour)); now = now.Add(time.Minute) {
		email := []string{"ada@example.com", "ADA@example.com"}[now.Minute()%2]
		ask(t, l, Pending{Email: email}, now)
		if got := due(t, l, now); len(got) > 0 {
			mails++
			sent(t, l, email, now)
		}
	}
	if mails != mostMails {
		t.Errorf("%d mails within a day", mails)
	}
	if n := count(t, l, "SELECT COUNT(*) FROM pending"); n != 1 {
		t.Errorf("%d are pending for one address", n)
	}
	now = now.Add(72 * time.Hour)
	ask(t, l, Pending{Email: "ada@example.com"}, now)
	if got := due(t, l, now); len(got) != 1 {
		t.Error("nothing comes of it days later")
	}
}

// TestAskedAnew: the mail under way is not the one that is owed now.
func TestAskedAnew(t *testing.T) {
	l := newLedger(t)
	ask(t, l, Pending{Email: "ada@example.com"}, t0)
	first := read(t, l, func(tx *Tx) ([]Pending, error) { return tx.DuePending(t0, 9) })[0]
	later := t0.Add(time.Hour)
	ask(t, l, Pending{Email: "ada@example.com", Storefronts: []string{"web"}}, later)
	update(t, l, func(tx *Tx) error { return tx.PendingSent(first) })
	if got := due(t, l, later); len(got) != 1 {
		t.Errorf("due: %q", got)
	}
	update(t, l, func(tx *Tx) error { return tx.PendingLater(first, later.Add(time.Hour)) })
	if got := due(t, l, later); len(got) != 1 {
		t.Errorf("put off by the other: %q", got)
	}
}

// TestNothingIsSentTo who is suppressed, whether or not the address is forgotten.
func TestNothingIsSentTo(t *testing.T) {
	l := newLedger(t)
	s := followers(t, l, 1)[0]
	p := Pending{Email: s.Email}
	ask(t, l, p, t0)
	update(t, l, func(tx *Tx) error { return tx.Suppress(s.ID, "550 no such user") })
	if got := confirm(t, l, p, t0); got != NothingAsked {
		t.Errorf("confirmed: %v", got)
	}
	update(t, l, func(tx *Tx) error { _, _, err := tx.Forget(s.Email, "seal of "+s.Email); return err })
	ask(t, l, p, t0)
	if got := due(t, l, t0); got != nil {
		t.Errorf("due: %q", got)
	}
	if got := confirm(t, l, p, t0); got != NothingAsked {
		t.Errorf("confirmed: %v", got)
	}
}

func TestExpired(t *testing.T) {
	l := newLedger(t)
	ask(t, l, Pending{Email: "ada@example.com"}, t0)
	late := t0.Add(48 * time.Hour)
	if got := due(t, l, late); got != nil {
		t.Errorf("a mail whose link has ended is due: %q", got)
	}
	update(t, l, func(tx *Tx) error { return tx.DropExpired(late.Add(-time.Millisecond)) })
	if n := count(t, l, "SELECT COUNT(*) FROM pending"); n != 1 {
		t.Error("forgotten too early")
	}
	update(t, l, func(tx *Tx) error { return tx.DropExpired(late) })
	if n := count(t, l, "SELECT COUNT(*) FROM pending"); n != 0 {
		t.Error("not forgotten")
	}
}

// TestForgottenLeavesNothing looks into the bytes of every file of the ledger.
func TestForgottenLeavesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "backsoon.db")
	l := openAt(t, path)
	const email = "Ada.Lovelace@example.com"
	all := addSubscribers(t, l, Subscriber{Email: email, Confirmed: t0})
	followers(t, l, 300)
	c := fire(t, l, Campaign{Slug: "a", Kind: "closed"})
	expandAll(t, l, c.ID, 1000)
	ask(t, l, Pending{Email: email}, t0)
	update(t, l, func(tx *Tx) error { return tx.Suppress(all[0].ID, "550 5.1.1 no such user") })
	into, err := l.BeginImport(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := into.Add(t.Context(), []Subscriber{{Email: email, Confirmed: t0}}); err != nil {
		t.Fatal(err)
	}
	if err := l.Scrub(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !inFiles(t, path, "ovelace") {
		t.Fatal("this looks in the wrong place")
	}
	update(t, l, func(tx *Tx) error {
		subscribed, asked, err := tx.Forget("ada.lovelace@EXAMPLE.com", "0123abcd")
		if !subscribed || !asked {
			t.Errorf("subscribed %v, asked %v", subscribed, asked)
		}
		return err
	})
	if err := l.Scrub(t.Context()); err != nil {
		t.Fatal(err)
	}
	if inFiles(t, path, "ovelace") {
		t.Error("the address is still in the ledger's files")
	}
	if !inFiles(t, path, "0123abcd") {
		t.Error("nothing is left that keeps the address suppressed")
	}
	if err := into.Close(); err != nil {
		t.Fatal(err)
	}
}

// inFiles tells whether the text is in one of the files beside the ledger.
func inFiles(t *testing.T, path, text string) bool {
	t.Helper()
	files, err := filepath.Glob(path + "*")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(bytes.ToLower(b), []byte(text)) {
			return true
		}
	}
	return false
}

// TestClaimPending: of several watchers one sends the mail, and whoever takes over
// from one that died.
func TestClaimPending(t *testing.T) {
	l := newLedger(t)
	m := watcherOf(t, l)
	ask(t, l, Pending{Email: "ada@example.com"}, t0)
	p := read(t, l, func(tx *Tx) ([]Pending, error) { return tx.DuePending(t0, 9) })[0]
	take := func(now time.Time) (mine bool) {
		err := m.Claim(t.Context(), func(tx *Tx) (err error) {
			mine, err = tx.ClaimPending(p, now)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return mine
	}
	if take(t0.Add(-time.Second)) || !take(t0) || take(t0) {
		t.Error("taken before it is due, or twice")
	}
	update(t, l, func(tx *Tx) error { return tx.PendingLater(p, t0.Add(time.Minute)) })
	if take(t0) || !take(t0.Add(time.Minute)) {
		t.Error("put off")
	}
	update(t, l, func(tx *Tx) error { return tx.PendingSent(p) })
	if take(t0.Add(time.Hour)) {
		t.Error("taken although it is sent")
	}
}
