package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/backsoon/backsoon/internal/notice"
)

// loaded is a site with one draft, its settings read.
func loaded(t *testing.T) *site {
	t.Helper()
	s := &site{dir: newSite(t)}
	if err := s.load(); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestNewKeepsAnyTitle(t *testing.T) {
	s := loaded(t)
	now := time.Date(2026, 11, 20, 10, 0, 30, 0, time.UTC)
	for _, title := range []string{
		"Closed for the winter break", `"Gone" fishing`, "it's: closed", "# 1", "null", "~", "yes", "2026-11-20", "0x10", "1e3",
		"- a", "[x]", "{y}", "a: b", "a #b", "*all*", "&c", "!tag", "%d", "@home", "`x`", "| pipe", "> fold", "? who", "--- end", "...",
		`back\slash`, "${HOME}", "{{.Title}}", "Água até já", "水", "مغلق", "🌊🌊", "a\u200bb", "a\u2028b", "x\ufeffy", strings.Repeat("ü", 200),
	} {
		n, err := s.announce(t.Context(), title, now)
		if err != nil {
			t.Errorf("%q: %v", title, err)
			continue
		}
		if n.Title != title || !n.Draft {
			t.Errorf("%q became %q, draft %t", title, n.Title, n.Draft)
		}
	}
	if _, problems, err := s.notices(now); err != nil || len(problems) > 0 {
		t.Errorf("check finds %v, %v in what new wrote", problems, err)
	}
}

func TestNewRefusesWhatIsNoTitle(t *testing.T) {
	s := loaded(t)
	before, _, err := s.notices(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for _, title := range []string{"", " \u00a0", "two\nlines", "a\ttab", "bell\a", "next\u0085line", "\xff", strings.Repeat("ü", 201)} {
		if n, err := s.announce(t.Context(), title, time.Now()); err == nil {
			t.Errorf("%q became %s", title, n.Slug)
		}
	}
	if after, _, err := s.notices(time.Now()); err != nil || len(after) != len(before) {
		t.Errorf("%d notices after, %d before (%v)", len(after), len(before), err)
	}
}

// A long title's second notice needs room for its number.
func TestNewNumbersLongSlugs(t *testing.T) {
	s := loaded(t)
	title := strings.Repeat("abcdefghi ", 8) // 79 characters as a slug
	for _, suffix := range []string{"-abcdefghi", "-2", "-3"} {
		n, err := s.announce(t.Context(), title, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		if !notice.ValidSlug(n.Slug) || !strings.HasSuffix(n.Slug, suffix) || strings.Contains(n.Slug, "--") {
			t.Errorf("slug %q, want one that ends in %s", n.Slug, suffix)
		}
	}
}

func TestNewCountsOnTheShopsClocks(t *testing.T) {
	s := loaded(t)
	var err error
	if s.cfg.Shop.Location, err = time.LoadLocation("Pacific/Auckland"); err != nil {
		t.Fatal(err)
	}
	n, err := s.announce(t.Context(), "Flood", time.Date(2026, 11, 20, 23, 30, 30, 0, time.UTC)) // the 21st there
	if err != nil {
		t.Fatal(err)
	}
	for key, got := range map[string]notice.Moment{"2026-11-21 12:30": n.Published, "2026-11-28 18:00": n.Closes, "2026-12-05 09:00": n.Reopens} {
		if got.Format("2006-01-02 15:04") != key || got.Location() != s.cfg.Shop.Location {
			t.Errorf("%s, want %s", got, key)
		}
	}
}

func TestWrittenReadsBackWithoutDoubt(t *testing.T) {
	for _, c := range []struct{ zone, at, want string }{
		{"Europe/Lisbon", "2026-12-24T18:00:00Z", "2026-12-24 18:00"},
		{"Europe/Lisbon", "2026-12-24T18:00:07Z", "2026-12-24 18:00:07"},
		{"UTC", "2026-12-24T18:00:00Z", "2026-12-24 18:00"},
		{"Europe/Lisbon", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00+01:00"}, // the hour that comes twice
		{"Europe/Lisbon", "2026-10-25T01:30:00Z", "2026-10-25T01:30:00Z"},
		{"Australia/Lord_Howe", "2026-04-04T14:45:00Z", "2026-04-05T01:45:00+11:00"}, // the half hour that does
		{"Australia/Lord_Howe", "2026-04-04T15:15:00Z", "2026-04-05T01:45:00+10:30"},
	} {
		zone, err := time.LoadLocation(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		got := written(at, zone)
		m, doubt, err := notice.ParseMoment(got, zone)
		if got != c.want || err != nil || doubt != "" || !m.Equal(at) {
			t.Errorf("%s in %s: %s, want %s; it reads %s (%s, %v)", c.at, c.zone, got, c.want, m, doubt, err)
		}
	}
}

// Of many who create the same file at once, one does, and nothing else is left.
func TestCreateFileNeverOverwrites(t *testing.T) {
	path := filepath.Join(t.TempDir(), "flood.md")
	var all sync.WaitGroup
	var created atomic.Int32
	for range 20 {
		all.Go(func() {
			switch err := createFile(path, []byte("flood\n")); {
			case err == nil:
				created.Add(1)
			case !errors.Is(err, fs.ErrExist):
				t.Error(err)
			}
		})
	}
	all.Wait()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || created.Load() != 1 || len(entries) != 1 {
		t.Errorf("%d created it, %d files in the folder (%v)", created.Load(), len(entries), err)
	}
}

func TestReplaceFileKeepsPermissions(t *testing.T) {
	path := filepath.Join(t.TempDir(), "flood.md")
	if err := os.WriteFile(path, []byte("before\n"), 0o640); err != nil {
		t.Fatal(err)
	}
	if err := replaceFile(path, []byte("after\n")); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	src, err := os.ReadFile(path)
	if err != nil || string(src) != "after\n" || info.Mode().Perm() != 0o640 {
		t.Errorf("%q with %s (%v)", src, info.Mode(), err)
	}
}
