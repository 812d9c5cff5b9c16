package torture

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

const theOwner = "owner@harbour.example"

// TestFolder does to the folder of notices whatever disks, mounts and scripts do
// to folders. What was accepted stands, at the checkout and on the page; the owner
// hears of it once; and memory stays bounded.
func TestFolder(t *testing.T) {
	t.Parallel()
	faults := []struct {
		name   string
		do     func(w *world) (undo func())
		alerts int
	}{
		{"emptied", (*world).emptied, 1},
		{"gone", (*world).gone, 1},
		{"a symbolic link to an empty one", (*world).linked, 1},
		{"a file in its place", (*world).replaced, 1},
		{"unreadable", (*world).closed, 1},
		{"its files unreadable", (*world).sealed, 1},
		{"10,000 files of garbage", (*world).littered, 1},
		{"one file written 1,000 times a second", (*world).hammered, 0},
	}
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 2, 0, "alerts: ["+theOwner+"]\n")
			now := time.Now()
			w.notice("flood", front(0), "closes: "+now.Add(-time.Hour).Format(time.RFC3339))
			w.notice("holiday", front(1), "closes: "+now.Add(240*time.Hour).Format(time.RFC3339), "reopens: "+now.Add(480*time.Hour).Format(time.RFC3339))
			w.settle()
			before := w.status()
			p := w.startWith(mortal(), "watch")
			p.watches()
			undo := f.do(w)
			time.Sleep(8 * time.Second) // longer than a refusal waits to be announced
			w.standsAs(before)
			if got, _ := w.mail.letters(theOwner); got != f.alerts {
				t.Errorf("%d alerts\n%s", got, p.out)
			}
			undo()
			time.Sleep(3 * time.Second)
			w.standsAs(before)
			if peak := p.peakMemory(); peak > 120<<20 {
				t.Errorf("%d MiB of memory at the peak", peak>>20)
			}
			w.notice("holiday", front(1), "closes: "+now.Add(-time.Minute).Format(time.RFC3339))
			w.within(30*time.Second, "it still follows", func() bool { _, state := w.fronts[1].seen(); return state == "off" })
			p.terminate()
		})
	}
}

// standsAs checks that nothing has changed for anybody.
func (w *world) standsAs(before status) {
	w.t.Helper()
	now := w.status()
	for i, c := range w.fronts {
		revision, _ := c.seen()
		want, got := before.Storefronts[front(i)], now.Storefronts[front(i)]
		if got.State != want.State || got.Revision != want.Revision || revision != want.Revision {
			w.t.Errorf("%s was %s at %d; it is %s at %d, and the checkout heard of %d", front(i), want.State, want.Revision, got.State, got.Revision, revision)
		}
	}
	for _, slug := range []string{"flood", "holiday"} {
		if _, err := os.Stat(filepath.Join(w.dir, "public", "closures", slug, "index.html")); err != nil {
			w.t.Errorf("its page is gone: %v", err)
		}
	}
	if w.public() != "off" {
		w.t.Error("public/status.json opens the checkout")
	}
}

func (w *world) folder() string { return filepath.Join(w.dir, "content", "closures") }

// moved moves the folder away, and gives how it comes back.
func (w *world) moved() (back func()) {
	w.t.Helper()
	away := w.dir + "-away"
	must(w.t, os.Rename(w.folder(), away))
	return func() {
		w.t.Helper()
		must(w.t, os.RemoveAll(w.folder()))
		must(w.t, os.Rename(away, w.folder()))
	}
}

func (w *world) gone() (undo func()) { return w.moved() }

func (w *world) emptied() (undo func()) {
	w.t.Helper()
	texts := map[string][]byte{}
	entries, err := os.ReadDir(w.folder())
	must(w.t, err)
	for _, e := range entries {
		path := filepath.Join(w.folder(), e.Name())
		texts[e.Name()] = readFile(w.t, path)
		must(w.t, os.Remove(path))
	}
	return func() {
		w.t.Helper()
		for name, text := range texts {
			w.write("content/closures/"+name, string(text))
		}
	}
}

func (w *world) linked() (undo func()) {
	w.t.Helper()
	back := w.moved()
	must(w.t, os.Symlink(w.t.TempDir(), w.folder()))
	return back
}

func (w *world) replaced() (undo func()) {
	w.t.Helper()
	back := w.moved()
	must(w.t, os.WriteFile(w.folder(), []byte("not a folder"), 0o644))
	return back
}

// mortal has root's program heed permissions as anybody's does.
func mortal() (below []string) {
	if os.Getuid() == 0 {
		below = []string{"setpriv", "--bounding-set", "-dac_override,-dac_read_search"}
	}
	return below
}

func (w *world) closed() (undo func()) {
	w.t.Helper()
	must(w.t, os.Chmod(w.folder(), 0))
	return func() {
		w.t.Helper()
		must(w.t, os.Chmod(w.folder(), 0o755))
	}
}

func (w *world) sealed() (undo func()) {
	w.t.Helper()
	files, err := filepath.Glob(filepath.Join(w.folder(), "*.md"))
	must(w.t, err)
	set := func(mode os.FileMode) {
		w.t.Helper()
		for _, f := range files {
			must(w.t, os.Chmod(f, mode))
		}
	}
	set(0)
	return func() { set(0o644) }
}

// littered has 10,000 files, each wrong in its own way, some of them large.
func (w *world) littered() (undo func()) {
	w.t.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	var names []string
	for i := range 10_000 {
		text := make([]byte, r.IntN(4000))
		for j := range text {
			text[j] = byte(r.IntN(256))
		}
		if i%100 == 0 {
			text = append([]byte("---\ntitle: x\n"), text...)
		}
		name := filepath.Join(w.folder(), fmt.Sprintf("garbage-%d.md", i))
		must(w.t, os.WriteFile(name, text, 0o644))
		names = append(names, name)
	}
	return func() {
		w.t.Helper()
		for _, name := range names {
			must(w.t, os.Remove(name))
		}
	}
}

// hammered has one good notice rewritten 1,000 times a second, for as long as the
// test looks, and then whole for good.
func (w *world) hammered() (undo func()) {
	path := filepath.Join(w.folder(), "flood.md")
	text := readFile(w.t, path)
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				os.WriteFile(path, text, 0o644)
			}
		}
	}()
	return func() { close(stop); <-stopped }
}

// peakMemory is the most memory that the process held, in bytes.
func (p *process) peakMemory() int {
	p.t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Process.Pid))
	must(p.t, err)
	_, after, _ := strings.Cut(string(text), "VmHWM:")
	kib, err := strconv.Atoi(strings.Fields(after)[0])
	must(p.t, err)
	return kib << 10
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
