package site

import (
	"bytes"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"
)

// However a site came to an edition, over whatever moments and changes, it is
// what a site makes that begins with it; and so is the folder.
func TestEditionsDependOnTheirInputAlone(t *testing.T) {
	in := input(t, "2025-01-01 00:00")
	all, r := in.Notices, rand.New(rand.NewPCG(1, 2))
	maker, folder := New(in.Config, in.Theme), NewFolder(filepath.Join(t.TempDir(), "public"))
	for step := range 20 {
		in.Now = at(t, "2025-01-01 00:00").Add(time.Duration(r.IntN(3*365*24)) * time.Hour)
		if in.Known = nil; r.IntN(2) == 0 {
			in.Known = known(t)
		}
		in.Notices = nil
		for i, n := range all {
			if r.IntN(8) == 0 {
				changed := *n
				changed.Title += "!"
				all[i] = &changed
			}
			if r.IntN(8) > 0 {
				in.Notices = append(in.Notices, all[i])
			}
		}
		in.Drafts = r.IntN(4) == 0
		e, err := maker.Edition(in.Input)
		if err != nil {
			t.Fatal(err)
		}
		got, err := e.Files()
		if err != nil {
			t.Fatal(err)
		}
		want := build(t, in)
		for name := range want {
			if !bytes.Equal(got[name], want[name]) {
				t.Fatalf("step %d, %v: %s differs", step, in.Now, name)
			}
		}
		if len(got) != len(want) {
			t.Fatalf("step %d: %d files, want %d", step, len(got), len(want))
		}
		if _, err := folder.Update(e); err != nil {
			t.Fatal(err)
		}
		holds(t, folder.dir, want)
	}
}

// What a save doesn't touch is the very same file in the next edition.
func TestEditionKeepsWhatDidNotChange(t *testing.T) {
	in := input(t, "2026-12-29 11:00")
	maker := New(in.Config, in.Theme)
	first, err := maker.Edition(in.Input)
	if err != nil {
		t.Fatal(err)
	}
	saved := *in.Notices[0]
	saved.Body += "\n\nMore."
	in.Notices[0] = &saved
	in.Now = in.Now.Add(time.Second)
	second, err := maker.Edition(in.Input)
	if err != nil {
		t.Fatal(err)
	}
	for name, same := range map[string]bool{
		"closures/winter-break/index.html": false, "closures/flood/index.html": true, "history/2025/index.html": true, "robots.txt": true,
	} {
		if first.Same(second, name) != same {
			t.Errorf("%s: same %v, want %v", name, !same, same)
		}
	}
}
