package notify

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/backsoon/backsoon/internal/ledger"
)

// TestManyNotices gives the watcher an archive such as no shop has, and then as
// many files again that are no notices: it still does the one thing asked.
func TestManyNotices(t *testing.T) {
	const many = 10_000
	l := newStill(t)
	l.archive(many)
	before := heap()
	began := time.Now()
	l.run()
	l.within(2*time.Minute, "all accepted", func() bool { return len(l.told(ledger.NoticeAccepted)) == many })
	t.Logf("%d notices accepted in %v, then %d MB of heap (%d before)", many, time.Since(began).Round(time.Millisecond), heap(), before)

	s := l.scene("flood").begin()
	for i := range many {
		name := []string{"note-%d.txt", ".n-%d.md.swp", "n-%d.md~", "%d"}[i%4]
		s.put(filepath.Join(l.folder, fmt.Sprintf(name, i)), "---\ntitle: no notice\n")
	}
	s.try(os.Mkdir(filepath.Join(l.folder, "drafts"), 0o755))
	began = time.Now()
	savers["mv-beside"](s, 1)
	s.eventually("the storefront told", func() bool { return l.toldUntil(endOf(1)) })
	t.Logf("then a save reached the checkout in %v", time.Since(began).Round(time.Millisecond))
	l.noAlarm()
	if n := len(l.told(ledger.NoticeAccepted)); n != many+2 {
		t.Errorf("%d notices accepted, not %d", n, many+2)
	}
}

// heap is what is in use, in megabytes.
func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc >> 20
}

// toldUntil tells whether the storefront was sent the end last.
func (l *live) toldUntil(end time.Time) bool {
	l.web.mu.Lock()
	defer l.web.mu.Unlock()
	if len(l.web.got) == 0 {
		return false
	}
	until := l.web.got[len(l.web.got)-1].Data.Until
	return until != nil && until.Equal(end)
}

// TestAuthorsAreAskedForOnce, since each answer may take a run of git: a draft or
// a mistake may stand for weeks.
func TestAuthorsAreAskedForOnce(t *testing.T) {
	b := newBench(t, "2026-11-20 10:00", "")
	asked := map[string]int{}
	b.w.Who = func(path string, _ []byte) ledger.By { asked[path]++; return ledger.By{Name: "Ada"} }
	b.write("draft.md", "---\ntitle: Later\ncloses: 2026-12-20 09:00\ndraft: true\n---\nL\n")
	b.write("wrong.md", "---\ntitle: Later\ncloses: soon\n---\nL\n")
	for range 5 {
		b.settle()
	}
	if len(asked) != 2 || asked["content/closures/draft.md"] != 1 || asked["content/closures/wrong.md"] != 1 {
		t.Errorf("asked for authors: %v", asked)
	}
	b.write("draft.md", "---\ntitle: Later\ncloses: 2026-12-20 09:00\n---\nL\n")
	b.settle()
	equal(t, "log", b.events("storefront.", "webhook."), []string{"notice.refused wrong", "notice.accepted draft"})
}
