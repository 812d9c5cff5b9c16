package notify

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/backsoon/backsoon/internal/ledger"
	"github.com/backsoon/backsoon/internal/notice"
)

// again is what the loop does when an event named the files: a round that looks
// at no others.
func (b *bench) again(named ...string) {
	b.t.Helper()
	for _, slug := range named {
		b.w.folder.event(slug, 0, b.clock())
	}
	if _, err := b.w.reconcile(b.t.Context(), b.clock()); err != nil {
		b.t.Fatal(err)
	}
}

// TestLookAtNews holds that a save costs no look at all the others, and that
// nothing depends on having seen an event all the same.
func TestLookAtNews(t *testing.T) {
	b := newBench(t, "2026-11-20 10:00", "")
	b.write("old.md", closure("old", 1))
	b.settle()
	b.write("named.md", closure("named", 1))
	b.write("unnamed.md", closure("unnamed", 1))
	b.again("named")
	equal(t, "log", b.events("storefront.", "webhook."), []string{"notice.accepted old", "notice.accepted named"})
	if len(b.w.folder.news) > 1 {
		t.Errorf("still news: %v", b.w.folder.news)
	}
	b.settle() // as each minute
	equal(t, "log", b.events("storefront.", "webhook."), []string{"notice.accepted old", "notice.accepted named", "notice.accepted unnamed"})
	if len(b.w.folder.news) > 0 {
		t.Errorf("still news: %v", b.w.folder.news)
	}
}

// TestTheMinutesLook: a save of which no event told is seen within a minute.
func TestTheMinutesLook(t *testing.T) {
	b := newBench(t, "2026-11-20 10:00", "")
	b.write("old.md", closure("old", 1))
	events, err := fsnotify.NewWatcher()
	if err != nil {
		t.Fatal(err)
	}
	defer events.Close() // what it tells is never heard
	l := &loop{Watcher: b.w, events: events, pages: make(chan Snapshot, 1), mail: make(chan struct{}, 1)}
	for _, after := range []time.Duration{0, quietGone, minute - time.Second} {
		b.set(b.clock().Add(after))
		l.once(t.Context())
	}
	b.write("flood.md", closure("flood", 1))
	for end := b.clock().Add(minute + quietGone); b.clock().Before(end); b.set(l.wakeAt) {
		l.once(t.Context())
	}
	equal(t, "log", b.events("storefront.", "webhook.", "mail."), []string{"notice.accepted old", "notice.accepted flood"})
}

// TestFileNamedAndGone: an event may name what is no longer there, or never was.
func TestFileNamedAndGone(t *testing.T) {
	b := newBench(t, "2026-11-20 10:00", "")
	b.write("flood.md", closure("flood", 1))
	b.settle()
	b.remove("flood.md")
	b.again("flood", "never")
	b.set(b.clock().Add(quietGone))
	b.again()
	b.again()
	equal(t, "log", b.events("storefront.", "webhook."), []string{"notice.accepted flood", "notice.missing flood"})
	b.write("flood.md", closure("flood", 2))
	b.again("flood")
	equal(t, "log", b.events("storefront.", "webhook."), []string{"notice.accepted flood", "notice.missing flood", "notice.accepted flood"})
}

// TestFolderComesBackUnseen: after a folder that could not be read, all of it is
// looked at, whatever events told of it.
func TestFolderComesBackUnseen(t *testing.T) {
	b := newBench(t, "2026-11-20 10:00", "")
	b.write("flood.md", closure("flood", 1))
	b.settle()
	folder := filepath.Join(b.dir, notice.Folder)
	if err := os.Rename(folder, folder+".away"); err != nil {
		t.Fatal(err)
	}
	b.again()
	if err := os.Rename(folder+".away", folder); err != nil {
		t.Fatal(err)
	}
	b.write("strike.md", closure("strike", 1))
	for range 2 {
		b.set(b.clock().Add(quietRefuse))
		b.again()
	}
	equal(t, "log", b.events("storefront.", "webhook."), []string{"notice.accepted flood", "notice.accepted strike"})
}

// TestFolderGone: the owner hears in one plain sentence that the folder is gone.
func TestFolderGone(t *testing.T) {
	b := newBench(t, "2026-11-20 10:00", "")
	b.write("flood.md", closure("flood", 1))
	b.settle()
	if err := os.RemoveAll(filepath.Join(b.dir, notice.Folder)); err != nil {
		t.Fatal(err)
	}
	b.settle()
	last := b.log()[len(b.log())-1]
	want := "content/closures: the folder can't be read (no such file or directory); every accepted notice stays in force. Put the folder back"
	if last.Event != ledger.NoticeRefused || last.Reason != want {
		t.Errorf("%s %q", last.Event, last.Reason)
	}
}

// TestSnapshotsStand: what the pages were given does not change under them, in
// rounds that are written and in one that is not.
func TestSnapshotsStand(t *testing.T) {
	b := newBench(t, "2026-11-20 10:00", "")
	b.subscribe("ann@example.org")
	b.write("flood.md", "---\ntitle: Flood\ncloses: 2026-11-21 10:00\nreopens: 2026-11-22 10:00\n---\nWater.\n")
	b.settle()
	before := b.w.snapshot(b.clock())
	notice, row, front := *before.Notices[0], *before.Rows[0], before.Storefronts["web"].State
	if !row.Closed.IsZero() {
		t.Fatalf("closed already: %+v", row)
	}
	b.until("2026-11-21 11:00")
	if len(b.mailbox.take()) == 0 {
		t.Fatal("no mail")
	}
	if now := b.w.snapshot(b.clock()).Rows[0]; now.Closed.IsZero() || now.Told.Kind != "closed" {
		t.Fatalf("the closing is not shown: %+v", now)
	}
	shown := *b.w.shown.notices[0]
	b.w.Story = func(e ledger.Entry) { t.Errorf("told of what is not written: %+v", e) }
	if err := b.l.Close(); err != nil {
		t.Fatal(err)
	}
	b.set(at("2026-11-22 11:00"))
	if _, err := b.w.reconcile(t.Context(), b.clock()); err == nil {
		t.Fatal("a closed ledger was written")
	}
	if now := b.w.shown.notices[0]; !now.row.Ended.IsZero() || now.row.Told.Kind != shown.row.Told.Kind {
		t.Errorf("a round that was not written is shown: %+v", now.row)
	}
	if before.Notices[0].Title != notice.Title || !before.Rows[0].Closed.Equal(row.Closed) || before.Rows[0].Told.Kind != row.Told.Kind || before.Storefronts["web"].State != front {
		t.Errorf("the snapshot has changed: %+v", before.Rows[0])
	}
}
