package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/backsoon/backsoon/internal/ledger"
	"github.com/backsoon/backsoon/internal/verify"
)

// publishing is a site with a ledger that its log can be written to.
func publishing(t *testing.T) (*site, *ledger.Ledger) {
	t.Helper()
	dir := t.TempDir()
	if err := beginSite(dir, time.Now()); err != nil {
		t.Fatal(err)
	}
	s := &site{dir: dir}
	if err := s.load(); err != nil {
		t.Fatal(err)
	}
	l, err := s.openToWrite(t.Context(), true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return s, l
}

func writeEntry(t *testing.T, l *ledger.Ledger) {
	t.Helper()
	err := l.Update(t.Context(), func(tx *ledger.Tx) error {
		_, err := tx.Audit(ledger.Entry{Time: time.Now(), Event: ledger.NoticeMissed})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestPublishedIsRemembered: what is handed out to be published is in the file that
// remembers it, and in the ledger, at that moment; a crash at any other leaves a
// ledger that goes on.
func TestPublishedIsRemembered(t *testing.T) {
	s, l := publishing(t)
	p := s.publication(l, slog.New(slog.DiscardHandler))
	if got := p.newest(t.Context()); got.Checkpoint != "" {
		t.Errorf("of an empty log: %+v", got)
	}
	for range 3 {
		writeEntry(t, l)
		got := p.newest(t.Context())
		remembered, err := os.ReadFile(s.publishedFile())
		if err != nil || string(remembered) != got.Checkpoint || got.Checkpoint == "" {
			t.Fatalf("%v: %s published, %s remembered", err, got.Checkpoint, remembered)
		}
		writeEntry(t, l) // a crash here: written, and not published
		again, err := s.openToWrite(t.Context(), false)
		if err != nil {
			t.Fatal(err)
		}
		again.Close()
	}
}

// TestNothingIsPublishedUnremembered: where the file can't be written, what was
// published before stands.
func TestNothingIsPublishedUnremembered(t *testing.T) {
	s, l := publishing(t)
	p := s.publication(l, slog.New(slog.DiscardHandler))
	writeEntry(t, l)
	first := p.newest(t.Context())
	writeEntry(t, l)
	was := p.path
	p.path = filepath.Join(s.dir, "nowhere", "log.published")
	if got := p.newest(t.Context()); got != first {
		t.Errorf("%s is published", got.Checkpoint)
	}
	ended, end := context.WithCancel(t.Context())
	end() // the ledger can't be read, either
	if got := p.newest(ended); got != first {
		t.Errorf("%s is published", got.Checkpoint)
	}
	p.path = was
	if got := p.newest(t.Context()); got == first || got.Checkpoint == "" {
		t.Error("the newer one is never published")
	}
}

// TestDamagedMemory: a file that remembers nothing that can be read is not passed over.
func TestDamagedMemory(t *testing.T) {
	s, l := publishing(t)
	writeEntry(t, l)
	for _, text := range []string{"", "x"} {
		if err := os.WriteFile(s.publishedFile(), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := s.openToWrite(t.Context(), false); err == nil {
			t.Errorf("%q is passed over", text)
		}
	}
}

// TestForgedPage: whoever can write the page, but has no key, can't keep the watcher
// from starting; where the ledger is gone, the page is believed.
func TestForgedPage(t *testing.T) {
	s, l := publishing(t)
	writeEntry(t, l)
	page := filepath.Join(s.public(), "status.json")
	const forged = `{"log":{"checkpoint":"status.myshop.example/log\n999\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n— status.myshop.example/log AAAAAAAA\n"}}`
	if err := errors.Join(os.MkdirAll(s.public(), 0o755), os.WriteFile(page, []byte(forged), 0o600)); err != nil {
		t.Fatal(err)
	}
	again, err := s.openToWrite(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	again.Close()
	l.Close()
	if err := os.Remove(s.cfg.Database); err != nil {
		t.Fatal(err)
	}
	var loss *verify.LossError
	if _, err := s.openToWrite(t.Context(), true); !errors.As(err, &loss) {
		t.Errorf("%v", err)
	}
	other := []byte(`{"log":{"checkpoint":"elsewhere.example/log\n999\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n— elsewhere.example/log AAAAAAAA\n"}}`)
	if err := os.WriteFile(page, other, 0o600); err != nil {
		t.Fatal(err)
	}
	fresh, err := s.openToWrite(t.Context(), true)
	if err != nil {
		t.Fatalf("another shop's page: %v", err)
	}
	fresh.Close()
}
