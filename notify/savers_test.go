package notify

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// scene is one notice's file in a shop, and a place that nobody watches.
type scene struct {
	*live
	slug, file, aside string
}

func (l *live) scene(slug string) *scene {
	return &scene{l, slug, filepath.Join(l.folder, slug+".md"), filepath.Join(l.elsewhere, slug)}
}

// begin has the notice's first text accepted.
func (s *scene) begin() *scene {
	s.t.Helper()
	s.write(s.slug+".md", closure(s.slug, 0))
	s.accepted(0)
	return s
}

// accepted waits until the i-th text is in force.
func (s *scene) accepted(i int) {
	s.t.Helper()
	s.eventually("a save of "+s.slug, func() bool { return s.inForce(s.slug, closure(s.slug, i)) })
}

// savers are people's programs, each with its way to put the i-th text into the
// notice's file.
var savers = map[string]func(s *scene, i int){
	"vim-copies":   func(s *scene, i int) { s.vim("yes", i) },
	"vim-renames":  func(s *scene, i int) { s.vim("no", i) },
	"nano-or-code": func(s *scene, i int) { s.chunks(os.O_CREATE|os.O_TRUNC, 0, closure(s.slug, i)) },
	"gedit": func(s *scene, i int) {
		s.rename(filepath.Join(s.folder, ".goutputstream-"+s.slug), closure(s.slug, i))
	},
	"cp": func(s *scene, i int) {
		s.put(s.aside, closure(s.slug, i))
		s.command("cp", s.aside, s.file)
	},
	"mv-from-elsewhere": func(s *scene, i int) {
		s.put(s.aside, closure(s.slug, i))
		s.command("mv", s.aside, s.file)
	},
	"mv-beside": func(s *scene, i int) {
		s.put(s.file+".new", closure(s.slug, i))
		s.command("mv", s.file+".new", s.file)
	},
	"sed":   func(s *scene, i int) { s.command("sed", "-i", "s/^reopens:.*/"+reopens(i)+"/", s.file) },
	"rsync": (*scene).rsync,
	"rm-and-write": func(s *scene, i int) {
		s.try(os.Remove(s.file))
		s.chunks(os.O_CREATE|os.O_EXCL, 0, closure(s.slug, i))
	},
}

func (s *scene) vim(backupcopy string, i int) {
	if _, err := exec.LookPath("vim"); err != nil {
		s.asVim(backupcopy, closure(s.slug, i))
		return
	}
	s.command("vim", "-es", "-u", "NONE", "-i", "NONE", "-c", "set backup writebackup swapfile backupcopy="+backupcopy,
		"-c", "%s/^reopens:.*/"+reopens(i)+"/", "-c", "wq", s.file)
}

// asVim saves as vim does, where there is none.
func (s *scene) asVim(backupcopy, text string) {
	swap, probe := filepath.Join(s.folder, "."+s.slug+".md.swp"), filepath.Join(s.folder, "4913")
	s.put(swap, "b0VIM")
	if backupcopy == "yes" {
		s.command("cp", s.file, s.file+"~")
	} else {
		s.put(probe, "")
		s.try(os.Remove(probe))
		s.try(os.Rename(s.file, s.file+"~"))
	}
	s.chunks(os.O_CREATE|os.O_TRUNC, 0, text)
	s.try(os.Chmod(s.file, 0o644))
	s.try(os.Remove(swap))
}

func (s *scene) rsync(i int) {
	if _, err := exec.LookPath("rsync"); err != nil {
		s.rename(filepath.Join(s.folder, "."+s.slug+".md.Ab3xYz"), closure(s.slug, i))
		return
	}
	from := s.aside + "/"
	s.try(os.MkdirAll(from, 0o755))
	s.put(from+s.slug+".md", closure(s.slug, i))
	s.command("rsync", "--archive", "--ignore-times", from, s.folder+"/")
}

func (s *scene) rename(from, text string) {
	s.put(from, text)
	s.try(os.Rename(from, s.file))
}

func (s *scene) put(path, text string) { s.try(os.WriteFile(path, []byte(text), 0o644)) }

func (s *scene) try(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Error(err)
	}
}

func (s *scene) command(name string, args ...string) {
	s.t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		s.t.Errorf("%s %q: %v\n%s", name, args, err, out)
	}
}

// chunks writes the parts through one descriptor, with pauses, and gives the
// longest time that it left the file as it was.
func (s *scene) chunks(flags int, pause time.Duration, parts ...string) (longest time.Duration) {
	s.t.Helper()
	f, err := os.OpenFile(s.file, os.O_WRONLY|flags, 0o644)
	s.try(err)
	last := time.Now()
	for i, part := range parts {
		if i > 0 {
			lasts(pause)
		}
		_, err := f.WriteString(part)
		s.try(err)
		longest, last = max(longest, time.Since(last)), time.Now()
	}
	s.try(f.Close())
	return longest
}

// cut cuts a notice into pieces; the first holds all of the front matter.
func cut(text string) []string {
	q := len(text) / 4
	return []string{text[:q], text[q : 2*q], text[2*q : 3*q], text[3*q:]}
}

// TestCut shows that pieces of a notice could be taken for the whole.
func TestCut(t *testing.T) {
	b := newBench(t, "2026-11-20 10:00", "")
	b.write("flood.md", cut(closure("flood", 1))[0])
	b.settle()
	equal(t, "log", b.events("storefront.", "webhook."), []string{"notice.accepted flood"})
}
