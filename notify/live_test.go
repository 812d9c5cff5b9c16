package notify

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/backsoon/backsoon/internal/ledger"
	"github.com/backsoon/backsoon/internal/notice"
)

// live is a shop whose watcher really runs: real file events in real time.
type live struct {
	*bench
	folder    string // of the notices
	elsewhere string // on the same file system
	mu        sync.Mutex
	seen      []ledger.Entry // the audit log, as the watcher tells it
}

// newStill begins a shop whose watcher is yet to run.
func newStill(t testing.TB) *live {
	t.Helper()
	l := &live{bench: newBench(t, "2026-11-20 10:00", ""), elsewhere: t.TempDir()}
	l.folder = filepath.Join(l.dir, notice.Folder)
	l.write("README.txt", "The folder is there before the watcher.")
	return l
}

// newLive begins a shop and lets its watcher run until the test ends.
func newLive(t testing.TB) *live {
	t.Helper()
	l := newStill(t)
	l.run()
	l.eventually("the first look", func() bool { return len(l.told(ledger.StorefrontOpened)) > 0 })
	return l
}

func (l *live) run() {
	l.w.Now = time.Now
	l.w.Story = func(e ledger.Entry) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.seen = append(l.seen, e)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- l.w.Run(ctx) }()
	l.t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			l.t.Errorf("the watcher ended: %v", err)
		}
	})
}

// told gives the slugs of the audit entries of one kind, in order.
func (l *live) told(event string) (slugs []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range l.seen {
		if e.Event == event {
			slugs = append(slugs, e.Notice)
		}
	}
	return slugs
}

// eventually polls for what can be observed from outside. It gives up before the
// minute's look could make up for an event that the watcher missed.
func (l *live) eventually(what string, holds func() bool) {
	l.t.Helper()
	l.within(minute/2, what, holds)
}

func (l *live) within(d time.Duration, what string, holds func() bool) {
	l.t.Helper()
	deadline := time.Now().Add(d)
	for !holds() {
		if time.Now().After(deadline) {
			l.t.Errorf("not within %v: %s", d, what)
			return
		}
		time.Sleep(3 * time.Millisecond)
	}
}

// inForce tells whether the text is the accepted version of the notice.
func (l *live) inForce(slug, text string) bool {
	sum := sha256.Sum256([]byte(text))
	var have string
	err := l.l.View(l.t.Context(), func(tx *ledger.Tx) error {
		rows, err := tx.Notices()
		if i := slices.IndexFunc(rows, func(n ledger.Notice) bool { return n.Slug == slug }); i >= 0 {
			have = rows[i].SHA256
		}
		return err
	})
	if err != nil {
		l.t.Error(err)
	}
	return have == hex.EncodeToString(sum[:])
}

// contents gives every content that was ever accepted of a notice, in order. A
// notice's title is its slug here.
func (l *live) contents(slug string) (all []string) {
	l.t.Helper()
	err := l.l.View(l.t.Context(), func(tx *ledger.Tx) error {
		for id := int64(1); ; id++ {
			content, err := tx.Content(id)
			if err != nil {
				return nil // that was the last
			}
			if strings.Contains(string(content), "title: "+slug+"\n") {
				all = append(all, string(content))
			}
		}
	})
	if err != nil {
		l.t.Error(err)
	}
	return all
}

// quietSince waits until whatever is wrong in the folder has stood for long
// enough to be told: a mistake that is made now is refused after all others.
func (l *live) quietSince() {
	l.t.Helper()
	canary := fmt.Sprintf("canary-%d", time.Now().UnixNano())
	l.write(canary+".md", "no notice\n")
	l.eventually("the canary refused", func() bool { return slices.Contains(l.told(ledger.NoticeRefused), canary) })
	l.remove(canary + ".md")
}

// alarms gives the notices of which the owner was told that something is wrong,
// canaries apart.
func (l *live) alarms() []string {
	all := append(l.told(ledger.NoticeRefused), l.told(ledger.NoticeMissing)...)
	return slices.DeleteFunc(all, func(slug string) bool { return strings.HasPrefix(slug, "canary") })
}

// noAlarm checks that what went on until now alarms nobody, and that no
// checkout was switched on.
func (l *live) noAlarm() {
	l.t.Helper()
	l.quietSince()
	equal(l.t, "alarms", l.alarms(), nil)
	if f := l.front("web"); f.Checkout != "off" {
		l.t.Errorf("the checkout is %s", f.Checkout)
	}
}

// lasts lets real time pass, where the time that somebody takes is the point.
func lasts(d time.Duration) { time.Sleep(d) }

// endOf is the i-th planned end of a closure; each is another.
func endOf(i int) time.Time {
	return time.Date(2100, 1, 1, 0, i, 0, 0, lisbon)
}

// closure is a notice in force, until its i-th end. Cut short anywhere behind
// its front matter it is another valid notice.
func closure(slug string, i int) string {
	return fmt.Sprintf("---\ntitle: %s\npublished: 2026-01-01 09:00\ncloses: 2026-01-01 09:00\n%s\n---\n%s",
		slug, reopens(i), strings.Repeat("The water is still in the cellar. The pumps run.\n", 400))
}

// reopens is the line that differs between one save and the next.
func reopens(i int) string { return "reopens: " + endOf(i).Format("2006-01-02 15:04") }
