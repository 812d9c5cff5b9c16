package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/backsoon/backsoon/internal/ledger"
)

// onRead runs once the reader before it has been read.
type onRead func()

func (f onRead) Read([]byte) (int, error) {
	f()
	return 0, io.EOF
}

// TestInterruptedImport: a list that was not taken to its end adds nobody, and
// nothing of it is in the log.
func TestInterruptedImport(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	l, err := ledger.Open(ctx, filepath.Join(t.TempDir(), "backsoon.db"), true)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	lines := func(n int) io.Reader { return strings.NewReader(strings.Repeat("ada@harbourbooks.example\n", n)) }
	list := io.MultiReader(strings.NewReader("email\n"), lines(importSorted+1), onRead(interrupt), lines(importSorted))
	in, err := newImport(list, nil)
	if err != nil {
		t.Fatal(err)
	}
	if done, err := in.run(ctx, l); !errors.Is(err, context.Canceled) {
		t.Errorf("%+v, %v", done, err)
	}
	if in.lines < importSorted {
		t.Errorf("interrupted after %d lines, before anything was put down", in.lines)
	}
	err = l.View(t.Context(), func(tx *ledger.Tx) error {
		subs, err := tx.Subscribers(0, 9)
		if len(subs) > 0 || err != nil {
			t.Errorf("%v, %v", subs, err)
		}
		entries, err := tx.Entries(0, 9)
		if len(entries) > 0 {
			t.Errorf("%v", entries)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// TestImportKilledAtAnyMoment: of a list that was killed on its way everybody is in,
// or nobody, and the ledger is there for the watcher all the while.
func TestImportKilledAtAnyMoment(t *testing.T) {
	const n = 10_000
	s := &site{dir: filepath.Join(t.TempDir(), "shop")}
	spend(t, "backsoon", "init", s.dir)
	spend(t, "backsoon", "--site", s.dir, "watch", "--once")
	list := func(round int) *exec.Cmd {
		var lines strings.Builder
		lines.WriteString("email\n")
		for i := range n {
			fmt.Fprintf(&lines, "%d.reader%d@example.org\n", i*7919%n, round)
		}
		path := filepath.Join(s.dir, "list.csv")
		write(t, path, lines.String())
		return exec.Command("backsoon", "--site", s.dir, "subscribers", "import", path)
	}
	began := time.Now()
	if out, err := list(0).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	whole := time.Since(began)
	lists, killed := 1, 0
	for round := 1; round <= 8; round++ {
		cmd := list(round)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		end := time.AfterFunc(time.Duration(rand.Int64N(int64(whole))), func() { cmd.Process.Kill() })
		if err := s.update(t.Context(), false, func(tx *ledger.Tx) error { return tx.MakeDue(time.Now()) }); err != nil {
			t.Errorf("beside an import: %v", err)
		}
		died := cmd.Wait()
		end.Stop()
		if died != nil {
			killed++
		}
		in, told := s.entered(t)
		if in%n != 0 || in/n != told || told < lists || died == nil && told == lists {
			t.Errorf("%d are in, and %d imports in the log, after %d; the last one ended with %v", in, told, lists, died)
		}
		lists = told
	}
	if killed == 0 {
		t.Error("no import was killed on its way")
	}
}

// entered counts the subscribers, and the imports in the log.
func (s *site) entered(t *testing.T) (in, told int) {
	t.Helper()
	err := s.eachSubscriber(t.Context(), func(ledger.Subscriber) error { in++; return nil })
	if err != nil {
		t.Fatal(err)
	}
	err = s.view(t.Context(), func(tx *ledger.Tx) error {
		entries, err := tx.Entries(0, 1000)
		for _, e := range entries {
			if e.Event == ledger.SubscribersImported && e.Counts["added"] > 0 {
				told++
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return in, told
}

// TestStrayQuote loses the line that has one, and none of those that follow.
func TestStrayQuote(t *testing.T) {
	var list strings.Builder
	list.WriteString("email\n\"oops@example.org\n")
	for i := range 100 {
		fmt.Fprintf(&list, "a%d@example.org\n", i)
	}
	in, err := newImport(strings.NewReader(list.String()), []string{"web"})
	if err != nil {
		t.Fatal(err)
	}
	var told strings.Builder
	in.name, in.out = "list.csv", &told
	subs, last, err := in.take(time.Now())
	if err != nil || !last || len(subs) != 100 || in.refused != 1 || !strings.HasPrefix(told.String(), "list.csv:2: ") {
		t.Errorf("%d taken, refused %q, %v", len(subs), told.String(), err)
	}
}

// TestRemovedWhileSuppressed: nothing is left of the address but a keyed hash, by
// which it stays suppressed, under a new key as well.
func TestRemovedWhileSuppressed(t *testing.T) {
	d := counter(t)
	const lost = "lost@example.org"
	err := d.watcher.Ledger.Update(t.Context(), func(tx *ledger.Tx) error {
		if _, err := tx.AddSubscriber(ledger.Subscriber{Email: lost, Confirmed: time.Now()}); err != nil {
			return err
		}
		return tx.Suppress(1, "550 5.1.1 no such user")
	})
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := d.removeSubscriber(t.Context(), &out, "LOST@example.org"); err != nil || out.String() != "LOST@example.org is removed\n" {
		t.Errorf("%s, %v", out.String(), err)
	}
	write(t, d.keyFile(), fmt.Sprintf("%x\n%x\n", newKey(), d.keys[0]))
	k, err := d.knownOf(t.Context(), lost)
	if err != nil || !k.KeyedHash || k.Subscription != nil || k.Asked != nil {
		t.Errorf("%+v, %v", k, err)
	}
	csv := filepath.Join(d.dir, "again.csv")
	write(t, csv, "email,until_reopen\nfound@example.org,yes\nlost@example.org,\nodd@example.org,perhaps\n")
	out.Reset()
	if err := d.importSubscribers(t.Context(), &out, io.Discard, csv); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`:3: "lost@example.org" was removed after mail to it had come back`, `:4: until_reopen is "perhaps"; write yes or no`, "1 added, 0 known, 2 refused"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %s in\n%s", want, out.String())
		}
	}
	if k, err := d.knownOf(t.Context(), "found@example.org"); err != nil || k.Subscription == nil || !k.Subscription.UntilReopen {
		t.Errorf("%+v, %v", k, err)
	}
}
