package notify

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/backsoon/backsoon/internal/ledger"
	"github.com/backsoon/backsoon/internal/notice"
)

// liveGit is a shop in a checkout whose watcher really runs, with Ada's clone of it on
// another machine.
type liveGit struct {
	*live
	shop   *gitShop
	laptop string
	n      int // closures so far
}

func newLiveGit(t *testing.T, publishers ...person) *liveGit {
	t.Helper()
	g := beginGitShop(t, "", publishers...)
	l := &liveGit{shop: g, live: &live{bench: g.bench, elsewhere: t.TempDir()}, laptop: filepath.Join(t.TempDir(), "laptop")}
	l.folder = filepath.Join(g.dir, notice.Folder)
	g.put("Ada", "flood.md", closure("flood", 0))
	g.git("config", "receive.denyCurrentBranch", "updateInstead")
	g.gitIn(g.dir, "clone", "-q", g.dir, l.laptop)
	l.run()
	l.counts("at first")
	return l
}

// edit changes the notice on the laptop and commits it there, signed by Ada, with much
// else beside it.
func (l *liveGit) edit() {
	l.t.Helper()
	l.n++
	for i := range 200 {
		l.put(filepath.Join("pictures", fmt.Sprint(i)), fmt.Sprint(l.n))
	}
	l.put(filepath.Join(notice.Folder, "flood.md"), closure("flood", l.n))
	l.shop.gitIn(l.laptop, "add", "-A")
	l.shop.gitIn(l.laptop, l.shop.signing("Ada", "commit", "-q", "-m", "later")...)
}

func (l *liveGit) put(name, text string) {
	l.t.Helper()
	file := filepath.Join(l.laptop, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		l.t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		l.t.Fatal(err)
	}
}

// counts waits for the laptop's last closure to be in force.
func (l *liveGit) counts(what string) {
	l.t.Helper()
	l.within(5*time.Second, what, func() bool { return l.inForce("flood", closure("flood", l.n)) })
}

// TestGitInRealTime: whatever git does in the checkout, what it brings is seen within
// 5 seconds, and nobody is alarmed; what isn't committed is told as soon.
func TestGitInRealTime(t *testing.T) {
	l := newLiveGit(t, adaMay)
	here := func(args ...string) { l.shop.git(l.shop.signing("Ada", args...)...) }

	l.edit()
	l.shop.gitIn(l.laptop, "push", "-q")
	l.counts("a push")
	l.shop.git("pack-refs", "--all")
	l.edit()
	l.shop.gitIn(l.laptop, "push", "-q")
	l.counts("a push to a packed branch")
	l.edit()
	here("pull", "-q", l.laptop, "main")
	l.counts("a pull")

	here("switch", "-q", "-c", "topic/words")
	here("commit", "-q", "--allow-empty", "-m", "anything")
	l.edit()
	here("pull", "-q", "--rebase", l.laptop, "main")
	l.counts("a rebase, on a branch of another name")
	here("switch", "-q", "main")
	here("merge", "-q", "--ff-only", "topic/words")
	l.write("flood.md", closure("flood", 1000))
	here("stash", "-q")
	here("gc", "-q", "--prune=now")

	l.shop.git("config", "receive.denyCurrentBranch", "ignore")
	l.shop.gitIn(l.laptop, "pull", "-q", l.dir, "main")
	l.edit()
	l.shop.gitIn(l.laptop, "push", "-q")
	l.counts("a push that leaves the work tree as it is")
	l.noAlarm()

	l.write("flood.md", closure("flood", 1001))
	l.within(5*time.Second, "what isn't committed", func() bool { return len(l.told(ledger.NoticeRefused)) == 2 }) // and the canary
	equal(t, "alarms", l.alarms(), []string{"flood"})
}

// TestWorkTreeElsewhere: the site's checkout is one of several of a repository, and the
// site lies in a folder of it.
func TestWorkTreeElsewhere(t *testing.T) {
	l := newLiveGit(t, adaMay)
	other := filepath.Join(t.TempDir(), "other")
	l.shop.git("worktree", "add", "-q", "-b", "shop", other)
	equal(t, "still in force", []string{fmt.Sprint(l.inForce("flood", closure("flood", 0)))}, []string{"true"})
	settings, err := os.ReadFile(filepath.Join(l.dir, "backsoon.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	site := filepath.Join(other, "site")
	b := &bench{t: t, dir: site, now: l.clock(), web: l.web, mailbox: l.mailbox}
	b.write("../../backsoon.yaml", string(settings))
	b.write("flood.md", closure("flood", 0))
	l.shop.gitIn(other, "add", "-A")
	l.shop.gitIn(other, l.shop.signing("Ada", "commit", "-q", "-m", "a site in a folder")...)
	b.start()
	second := &live{bench: b, elsewhere: t.TempDir(), folder: filepath.Join(site, notice.Folder)}
	second.run()
	second.within(5*time.Second, "the first look", func() bool { return second.inForce("flood", closure("flood", 0)) })
	b.write("flood.md", closure("flood", 1))
	l.shop.gitIn(other, "add", "-A")
	l.shop.gitIn(other, l.shop.signing("Ada", "commit", "-q", "-m", "later")...)
	second.within(5*time.Second, "a commit", func() bool { return second.inForce("flood", closure("flood", 1)) })
	second.noAlarm()
}
