package notify

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/backsoon/backsoon/internal/ledger"
	"github.com/backsoon/backsoon/internal/notice"
)

const saveRounds = 21

// TestSaves saves notices in force over and over, as people's programs do, all
// of them at the same time: each content is accepted whole and once, and nobody
// is alarmed.
func TestSaves(t *testing.T) {
	t.Parallel()
	l := newLive(t)
	scenes := map[*scene]func(*scene, int){}
	for slug, save := range savers {
		scenes[l.scene(slug).begin()] = save
	}
	for i := 1; i <= saveRounds; i++ {
		for s, save := range scenes {
			save(s, i)
		}
		for s := range scenes {
			s.accepted(i)
		}
	}
	l.noAlarm()
	for s := range scenes {
		s.eachOnce(saveRounds)
	}
}

// eachOnce checks that the texts up to the given one were accepted, each once,
// and nothing else.
func (s *scene) eachOnce(last int) {
	s.t.Helper()
	got := s.contents(s.slug)
	for i := 0; i <= last; i++ {
		if i >= len(got) || got[i] != closure(s.slug, i) {
			s.t.Errorf("%s: the %d. content accepted is not the %d. that was saved", s.slug, i, i)
			return
		}
	}
	if len(got) != last+1 {
		s.t.Errorf("%s: %d contents accepted of %d", s.slug, len(got), last+1)
	}
}

// TestSlowWriters saves in pieces each of which is a valid notice. As long as no
// pause reaches the time of quiet, no piece is taken for the whole.
func TestSlowWriters(t *testing.T) {
	t.Parallel()
	l := newLive(t)
	var all sync.WaitGroup
	for slug, write := range map[string]func(s *scene, text string) time.Duration{
		"upload": func(s *scene, text string) time.Duration {
			return s.chunks(os.O_TRUNC, 30*time.Millisecond, cut(text)...)
		},
		"upload-anew": func(s *scene, text string) time.Duration {
			s.try(os.Remove(s.file))
			return s.chunks(os.O_CREATE|os.O_EXCL, 12*time.Millisecond, append([]string{""}, cut(text)...)...)
		},
		"append": func(s *scene, text string) (longest time.Duration) {
			s.put(s.file, "")
			for _, part := range cut(text) {
				began := time.Now()
				lasts(60 * time.Millisecond)
				s.chunks(os.O_APPEND, 0, part)
				longest = max(longest, time.Since(began))
			}
			return longest
		},
	} {
		all.Go(func() { l.scene(slug).begin().slowly(write) })
	}
	all.Wait()
	l.noAlarm()
}

// slowly saves round after round. Where the machine was too busy for the writer
// to keep its pauses, a piece may have stood for long enough to count.
func (s *scene) slowly(write func(*scene, string) time.Duration) {
	steady := 0
	for i := 1; i <= saveRounds; i++ {
		before := len(s.contents(s.slug))
		longest := write(s, closure(s.slug, i))
		s.accepted(i)
		if longest > quietWrite-5*time.Millisecond {
			continue
		}
		steady++
		if n := len(s.contents(s.slug)) - before; n != 1 {
			s.t.Errorf("%s, round %d: %d contents accepted of one save", s.slug, i, n)
		}
	}
	if steady < saveRounds/4 {
		s.t.Errorf("%s: only %d of %d saves kept their pauses; that says too little", s.slug, steady, saveRounds)
	}
}

// TestMistakes breaks notices in force, all at the same time. What stands is
// told once; what is mended in time, or comes back, is told to nobody.
func TestMistakes(t *testing.T) {
	t.Parallel()
	const broken = "---\ntitle: [\n"
	l := newLive(t)
	var all sync.WaitGroup
	for slug, c := range map[string]struct {
		harm  func(s *scene)
		event string // that is told once
	}{
		"stands": {func(s *scene) {
			s.put(s.file, broken)
			began := time.Now()
			s.alarmed()
			if d := time.Since(began); d < quietRefuse {
				s.t.Errorf("told after %v", d)
			}
			s.put(s.file, broken) // the same again
			s.rename(s.aside, broken)
			s.quietSince()
		}, ledger.NoticeRefused},
		"mended":     {func(s *scene) { s.put(s.file, broken); lasts(time.Second) }, ""},
		"emptied":    {func(s *scene) { s.put(s.file, ""); lasts(1500 * time.Millisecond) }, ""},
		"very-slow":  {func(s *scene) { s.chunks(os.O_TRUNC, 300*time.Millisecond, cut(closure(s.slug, 1))...) }, ""},
		"cut-in-two": {func(s *scene) { s.chunks(os.O_TRUNC, 0, "---\ntitle: cu"); lasts(300 * time.Millisecond) }, ""},
		"shortly-gone": {func(s *scene) {
			s.remove(s.slug + ".md")
			lasts(500 * time.Millisecond)
		}, ""},
		"gone": {func(s *scene) { s.remove(s.slug + ".md"); s.alarmed() }, ledger.NoticeMissing},
		"linked": {func(s *scene) {
			s.put(s.aside, strings.Replace(closure(s.slug, 1), reopens(1), "reopened: 2026-01-02 09:00", 1))
			s.try(os.Symlink(s.aside, s.aside+".link"))
			s.try(os.Rename(s.aside+".link", s.file))
			s.alarmed()
			s.try(os.Remove(s.file))
			s.put(s.file, closure(s.slug, 0))
		}, ledger.NoticeRefused},
	} {
		all.Go(func() {
			s := l.scene(slug).begin()
			c.harm(s)
			if n := len(s.contents(slug)); n != 1 && slug != "very-slow" {
				t.Errorf("%s: %d contents accepted", slug, n)
			}
			savers["nano-or-code"](s, 2)
			s.accepted(2)
			s.quietSince()
			for _, event := range []string{ledger.NoticeRefused, ledger.NoticeMissing} {
				want := 0
				if event == c.event {
					want = 1
				}
				if n := count(l.told(event), slug); n != want {
					t.Errorf("%s: %d times %s, not %d", slug, n, event, want)
				}
			}
		})
	}
	all.Wait()
	if f := l.front("web"); f.Checkout != "off" {
		t.Errorf("the checkout is %s", f.Checkout)
	}
}

func (s *scene) alarmed() {
	s.t.Helper()
	s.eventually("the owner told of "+s.slug, func() bool { return slices.Contains(s.alarms(), s.slug) })
}

func count(all []string, one string) (n int) {
	for _, s := range all {
		if s == one {
			n++
		}
	}
	return n
}

// TestDroppings leaves what programs leave beside a file, each of it a valid
// notice but for its name.
func TestDroppings(t *testing.T) {
	t.Parallel()
	s := newLive(t).scene("flood").begin()
	for i, name := range []string{".flood.md.swp", ".flood.md.swx", "4913", "flood.md~", ".flood.md.tmp", ".flood.md", "flood.md.bak",
		"#flood.md#", ".#flood.md", "flood.md.sig", "sedAbC123", ".goutputstream-X", "flood.md.part", "Thumbs.db", ".DS_Store"} {
		s.put(filepath.Join(s.folder, name), closure(name, i+1))
	}
	s.noAlarm()
	equal(t, "accepted", s.told(ledger.NoticeAccepted), []string{"flood"})
}

// TestGitCheckout goes from commit to commit, to one without notices, and back.
func TestGitCheckout(t *testing.T) {
	t.Parallel()
	s := newLive(t).scene("flood")
	repo := filepath.Join(t.TempDir(), "repo")
	git := func(dir string, args ...string) {
		s.command("git", append([]string{"-C", dir, "-c", "user.name=Ada", "-c", "user.email=ada@example.org"}, args...)...)
	}
	s.try(os.MkdirAll(filepath.Join(repo, notice.Folder), 0o755))
	git(repo, "init", "-q")
	for i := 0; i <= saveRounds; i++ {
		s.put(filepath.Join(repo, notice.Folder, "flood.md"), closure("flood", i))
		git(repo, "add", ".")
		git(repo, "commit", "-q", "-m", "flood")
		git(repo, "tag", fmt.Sprint("v", i))
	}
	git(repo, "rm", "-q", "-r", "content")
	git(repo, "commit", "-q", "--allow-empty", "-m", "no notices")
	git(repo, "tag", "none")
	s.try(os.Remove(filepath.Join(s.folder, "README.txt")))
	s.try(os.CopyFS(filepath.Join(s.dir, ".git"), os.DirFS(filepath.Join(repo, ".git"))))
	for i := 0; i <= saveRounds; i++ {
		git(s.dir, "checkout", "-q", "-f", fmt.Sprint("v", i))
		s.accepted(i)
	}
	git(s.dir, "checkout", "-q", "none")
	if _, err := os.Stat(filepath.Join(s.dir, "content")); err == nil {
		t.Error("git left the folder, so its coming back is not tried")
	}
	git(s.dir, "checkout", "-q", fmt.Sprint("v", saveRounds))
	s.noAlarm()
	savers["nano-or-code"](s, saveRounds+1)
	s.accepted(saveRounds + 1)
	s.eachOnce(saveRounds + 1)
}

// TestFolderComesAndGoes takes the whole folder away, in several ways, and puts
// it back: nothing reopens, and the watcher follows the folder that is there.
func TestFolderComesAndGoes(t *testing.T) {
	for name, c := range map[string]struct {
		away, back func(s *scene)
		alarms     []string
	}{
		"for a moment": {func(s *scene) { s.moved(s.folder, s.aside) }, func(s *scene) { s.moved(s.aside, s.folder) }, nil},
		"for long": {func(s *scene) {
			s.moved(s.folder, s.aside)
			s.eventually("the alarm", func() bool { return len(s.alarms()) > 0 })
		}, func(s *scene) { s.moved(s.aside, s.folder) }, []string{notice.Folder}},
		"with its parent": {func(s *scene) { s.moved(filepath.Dir(s.folder), s.aside) },
			func(s *scene) { s.moved(s.aside, filepath.Dir(s.folder)) }, nil},
		"removed and made anew": {func(s *scene) { s.try(os.RemoveAll(filepath.Dir(s.folder))) },
			func(s *scene) { s.try(os.MkdirAll(s.folder, 0o755)); s.put(s.file, closure(s.slug, 0)) }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newLive(t).scene("flood").begin()
			c.away(s)
			c.back(s)
			savers["nano-or-code"](s, 1)
			s.accepted(1)
			s.quietSince()
			equal(t, "alarms", s.alarms(), c.alarms)
			s.eachOnce(1)
			if f := s.front("web"); f.Checkout != "off" {
				t.Errorf("the checkout is %s", f.Checkout)
			}
		})
	}
}

func (s *scene) moved(from, to string) {
	s.t.Helper()
	s.try(os.Rename(from, to))
}

// TestFolderBecomesLink puts a symbolic link to another folder in the place of
// the notices', as deployments do, and turns it to a third: what is in there
// counts, and what isn't stays in force.
func TestFolderBecomesLink(t *testing.T) {
	t.Parallel()
	s := newLive(t).scene("flood").begin()
	first, second, link := s.dir+"/first", s.dir+"/second", s.dir+"/link"
	s.try(os.Mkdir(first, 0o755))
	s.try(os.Mkdir(second, 0o755))
	s.moved(s.folder, s.aside)
	s.try(os.Symlink(first, s.folder))
	s.alarmed()
	s.put(second+"/flood.md", closure("flood", 1))
	s.try(os.Symlink(second, link))
	s.moved(link, s.folder)
	s.accepted(1)
	savers["nano-or-code"](s, 2)
	s.accepted(2)
	s.put(first+"/flood.md", closure("flood", 3)) // nobody looks there any more
	s.quietSince()
	s.eachOnce(2)
	equal(t, "alarms", s.alarms(), []string{"flood"})
	if f := s.front("web"); f.Checkout != "off" {
		t.Errorf("the checkout is %s", f.Checkout)
	}
}

// TestWrittenBehindTheEvent lets more be written than the events so far have
// told of: what is read must have been quiet itself.
func TestWrittenBehindTheEvent(t *testing.T) {
	pieces := cut(closure("flood", 0))
	for _, c := range []struct {
		op    fsnotify.Op
		first string
	}{{fsnotify.Create, ""}, {fsnotify.Write, pieces[0]}} {
		b := newBench(t, "2026-11-20 10:00", "")
		b.settle()
		l := &loop{Watcher: b.w}
		b.write("flood.md", c.first)
		l.note(fsnotify.Event{Name: filepath.Join(b.dir, notice.Folder, "flood.md"), Op: c.op})
		b.set(l.wakeAt)
		b.write("flood.md", c.first+pieces[1]) // its event is still on the way
		b.do()
		equal(t, c.op.String(), b.events("storefront.", "webhook."), nil)
	}
}

// TestMadeIsNotMoved takes a file that is still being written for one that was
// moved here whole under no circumstances: neither when its event comes late, nor
// when another file was moved away before.
func TestMadeIsNotMoved(t *testing.T) {
	for _, before := range []string{"", "other.md", "flood.md"} {
		b := newBench(t, "2026-11-20 10:00", "")
		b.settle()
		l, s := &loop{Watcher: b.w}, (&live{bench: b, folder: filepath.Join(b.dir, notice.Folder)}).scene("flood")
		b.write("README.txt", "The folder.")
		if before != "" {
			l.note(fsnotify.Event{Name: filepath.Join(s.folder, before), Op: fsnotify.Rename})
		}
		s.put(s.file, cut(closure("flood", 0))[0])
		l.note(fsnotify.Event{Name: s.file, Op: fsnotify.Create})
		b.do()
		b.set(b.clock().Add(quietWrite - 1))
		b.do()
		equal(t, "flood.md begun", b.events("storefront.", "webhook."), nil)
	}
}

// TestMovedFromElsewhere reads a file that was written before it came almost at
// once.
func TestMovedFromElsewhere(t *testing.T) {
	b := newBench(t, "2026-11-20 10:00", "")
	b.settle()
	b.write("flood.md", closure("flood", 0))
	path := filepath.Join(b.dir, notice.Folder, "flood.md")
	if err := os.Chtimes(path, time.Time{}, time.Now().Add(-time.Second)); err != nil {
		t.Fatal(err)
	}
	l := &loop{Watcher: b.w}
	l.note(fsnotify.Event{Name: path, Op: fsnotify.Create})
	b.set(b.clock().Add(quietCreate))
	b.do()
	equal(t, "log", b.events("storefront.", "webhook."), []string{"notice.accepted flood"})
}

// TestMovedHere tells a rename from a creation by the events as they really are.
func TestMovedHere(t *testing.T) {
	dir := t.TempDir()
	events, err := fsnotify.NewWatcher()
	if err != nil {
		t.Fatal(err)
	}
	defer events.Close()
	if err := events.Add(dir); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, `a " ← "b.md`)
	if err := os.WriteFile(name, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if e := <-events.Events; !e.Has(fsnotify.Create) || movedHere(e) {
		t.Errorf("made: %v", e)
	}
	if err := os.Rename(name, filepath.Join(dir, "b.md")); err != nil {
		t.Fatal(err)
	}
	for e := range events.Events {
		if filepath.Base(e.Name) == "b.md" {
			if !movedHere(e) {
				t.Errorf("moved: %v", e)
			}
			return
		}
	}
}
