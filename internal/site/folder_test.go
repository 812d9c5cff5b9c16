package site

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/backsoon/backsoon/internal/notice"
)

func TestUpdateTouchesOnlyWhatDiffers(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "public")
	put(t, dir, Files{"index.html": []byte("1"), "closures/a/index.html": []byte("a"), "closures/b/index.html": []byte("b")})
	kept := inode(t, filepath.Join(dir, "closures/a/index.html"))
	files := Files{"index.html": []byte("2"), "closures/a/index.html": []byte("a"), "closures/c/index.html": []byte("c")}
	changed, err := renew(dir, files)
	if err != nil || changed != 3 { // one altered, one new, one deleted
		t.Errorf("changed %d, %v", changed, err)
	}
	holds(t, dir, files)
	if inode(t, filepath.Join(dir, "closures/a/index.html")) != kept {
		t.Error("a file that did not differ was written")
	}
	if _, err := os.Stat(filepath.Join(dir, "closures/b")); err == nil {
		t.Error("an empty folder is left")
	}
	if changed, err = renew(dir, files); err != nil || changed != 0 {
		t.Errorf("again: changed %d, %v", changed, err)
	}
}

func TestUpdateMakesTheFolderAndClearsLeftovers(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "public")
	files := Files{"index.html": []byte("1"), "a/b/index.html": []byte("b")}
	if _, err := renew(dir, files); err != nil {
		t.Fatal(err)
	}
	holds(t, dir, files)
	// What an update that was killed leaves: files that wait for their rename.
	for _, name := range []string{".new-index.html", "a/.new-gone.html"} {
		if err := os.WriteFile(place(dir, name), []byte("half"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	files["index.html"] = []byte("2")
	if _, err := renew(dir, files); err != nil {
		t.Fatal(err)
	}
	holds(t, dir, files)
}

// After every single step of an update each page that a reader can come to is
// whole, old or new, and none of its links is dead.
func TestNoDeadLinkAtAnyStep(t *testing.T) {
	stages := []struct {
		now   string
		known bool
		drop  string
	}{
		{"2025-04-05 11:00", false, "winter-break"}, {"2026-12-24 18:00", false, ""}, {"2027-03-20 11:00", true, "move"},
		{"2025-04-05 11:00", false, ""}, {"2027-03-20 11:00", true, "summer"},
	}
	dir := filepath.Join(t.TempDir(), "public")
	for i, stage := range stages {
		in := input(t, stage.now)
		in.Notices = without(in.Notices, stage.drop)
		if stage.known {
			in.Known = known(t)
		}
		files := build(t, in)
		if i == 0 {
			put(t, dir, files)
			continue
		}
		before, steps := read(t, dir), 0
		folder := NewFolder(dir)
		folder.step = func() {
			steps++
			checkStep(t, dir, before, files, in.Config.Shop.URL.String())
		}
		_, err := folder.Update(literal(files))
		if err != nil || steps < 5 {
			t.Errorf("%d steps, %v", steps, err)
		}
		holds(t, dir, files)
	}
}

func without(notices []*notice.Notice, slug string) (kept []*notice.Notice) {
	for _, n := range notices {
		if n.Slug != slug {
			kept = append(kept, n)
		}
	}
	return kept
}

// checkStep looks at the folder as a reader would who comes in between.
func checkStep(t *testing.T, dir string, before, after Files, home string) {
	t.Helper()
	present := read(t, dir)
	for name, content := range present {
		if strings.Contains(name, ".new-") {
			delete(present, name)
		} else if s := string(content); s != string(before[name]) && s != string(after[name]) {
			t.Errorf("%s is neither the old nor the new", name)
		}
	}
	if _, dead := walk(t, present, home); len(dead) > 0 {
		t.Errorf("dead: %q", dead)
	}
}
