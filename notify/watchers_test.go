package notify

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/backsoon/backsoon/internal/ledger"
	"github.com/backsoon/backsoon/internal/notice"
	"github.com/backsoon/backsoon/internal/postgrestest"
)

// fleet is one shop on several machines, each with the real program, a folder and a
// mail server of its own; the ledger and the storefront are shared.
type fleet struct {
	*bench
	program  string
	machines []*machine
}

type machine struct {
	dir     string
	mailbox *mailbox
	*running
	log *words
}

// words is a log that is read while it is written.
type words struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (w *words) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.Write(p)
}

func (w *words) count(text string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Count(w.b.String(), text)
}

// newFleet readies the machines; none runs yet. Its test's name has PostgreSQL in it.
func newFleet(t *testing.T, machines int) *fleet {
	t.Helper()
	f := &fleet{bench: newBench(t, "2026-11-20 10:00", ""), program: filepath.Join(t.TempDir(), "backsoon")}
	if err := f.w.Close(); err != nil { // it only began the ledger
		t.Fatal(err)
	}
	if out, err := exec.Command("go", "build", "-o", f.program, "../cmd/backsoon").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	settings, err := os.ReadFile(filepath.Join(f.dir, "backsoon.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for range machines {
		m := &machine{dir: t.TempDir(), mailbox: newMailbox(t), log: &words{}}
		own := strings.Replace(string(settings), f.bench.mailbox.addr, m.mailbox.addr, 1)
		f.put(m, "../../backsoon.yaml", strings.Replace(own, "email: {", "email: {settle: 0s, ", 1))
		f.put(m, "../../data/site.key", strings.Repeat("5e", 32)+"\n")
		f.put(m, "../../data/log.key", string(logKey.PEM()))
		f.machines = append(f.machines, m)
	}
	for i := range followers {
		f.subscribe(fmt.Sprintf("follower%d@example.org", i))
	}
	return f
}

// put moves a file into a machine's folder of notices, whole.
func (f *fleet) put(m *machine, name, text string) {
	f.t.Helper()
	path := filepath.Join(m.dir, notice.Folder, name)
	for _, dir := range []string{filepath.Join(m.dir, notice.Folder), filepath.Dir(path)} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			f.t.Fatal(err)
		}
	}
	if err := os.WriteFile(path+"~", []byte(text), 0o600); err != nil {
		f.t.Fatal(err)
	}
	if err := os.Rename(path+"~", path); err != nil {
		f.t.Fatal(err)
	}
}

// save puts the i-th version of the notice onto the machines.
func (f *fleet) save(i int, machines ...*machine) {
	f.t.Helper()
	for _, m := range machines {
		f.put(m, "flood.md", closure("flood", i))
	}
}

func (f *fleet) start(m *machine) {
	f.t.Helper()
	m.running = &running{exec.Command(f.program, "--site", m.dir, "watch"), f.t.(*testing.T), &bytes.Buffer{}}
	m.Stdout, m.Stderr = m.log, m.log
	if err := m.Start(); err != nil {
		f.t.Fatal(err)
	}
	process := m.Process
	f.t.Cleanup(func() {
		process.Kill()
		if f.t.Failed() {
			m.log.mu.Lock()
			defer m.log.mu.Unlock()
			f.t.Logf("%s:\n%s", m.dir, m.log.b.String())
		}
	})
}

func (f *fleet) startAll() {
	f.t.Helper()
	for _, m := range f.machines {
		f.start(m)
	}
	f.within(30*time.Second, "a watcher that reconciles", func() bool { return f.leader() != nil })
}

func (f *fleet) leader() *machine {
	var place string
	err := f.l.View(f.t.Context(), func(tx *ledger.Tx) (err error) {
		place, err = tx.Leader()
		return err
	})
	if err != nil {
		f.t.Fatal(err)
	}
	i := slices.IndexFunc(f.machines, func(m *machine) bool { return strings.HasSuffix(place, ":"+m.dir) })
	if i < 0 {
		return nil
	}
	return f.machines[i]
}

// others are the machines but for the one.
func (f *fleet) others(m *machine) []*machine {
	return slices.DeleteFunc(slices.Clone(f.machines), func(o *machine) bool { return o == m })
}

func (f *fleet) signal(m *machine, s syscall.Signal) {
	f.t.Helper()
	if err := m.Process.Signal(s); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fleet) within(d time.Duration, what string, holds func() bool) { // see live.within
	f.t.Helper()
	(&live{bench: f.bench}).within(d, what, holds)
}

// told waits until the storefront is told the i-th end, and nothing is owed.
func (f *fleet) told(i int, d time.Duration) {
	f.t.Helper()
	f.within(d, fmt.Sprintf("the storefront told of version %d", i), func() bool { return (&live{bench: f.bench}).toldUntil(endOf(i)) })
}

func (f *fleet) nothingOwed() {
	f.t.Helper()
	f.within(30*time.Second, "nothing owed", func() bool {
		var owed ledger.Owed
		err := f.l.View(f.t.Context(), func(tx *ledger.Tx) (err error) {
			owed, err = tx.Owed()
			return err
		})
		return err == nil && owed.Mail == 0
	})
}

// shares takes all letters, and gives how many came by each machine and how many
// of them were repeated. Nobody may lack one.
func (f *fleet) shares(campaigns int) (by []int, repeated int) {
	f.t.Helper()
	ids := map[string]map[string]bool{}
	for _, m := range f.machines {
		n := 0
		for _, r := range m.mailbox.take() {
			if !strings.HasPrefix(r.to, "follower") {
				continue
			}
			n++
			if ids[r.to] == nil {
				ids[r.to] = map[string]bool{}
			}
			if id := r.header.Get("Message-ID"); ids[r.to][id] {
				repeated++
			} else {
				ids[r.to][id] = true
			}
		}
		by = append(by, n)
	}
	for i := range followers {
		if got := len(ids[fmt.Sprintf("follower%d@example.org", i)]); got != campaigns {
			f.t.Errorf("follower %d has %d different letters of %d", i, got, campaigns)
		}
	}
	return by, repeated
}

// inOrder checks that the storefront never heard of something older.
func (f *fleet) inOrder() {
	f.t.Helper()
	got, _ := f.web.payloads()
	var last int64
	for _, p := range got {
		if p.Data.Revision < last {
			f.t.Errorf("revision %d after %d", p.Data.Revision, last)
		}
		last = p.Data.Revision
	}
}

// campaigns counts the mails that were started.
func (f *fleet) campaigns() (n int) {
	for _, e := range f.bench.log() {
		if e.Event == ledger.MailStarted {
			n++
		}
	}
	return n
}

// TestPostgreSQLWatchers runs three watchers on one ledger. All send: each follower
// has each letter once. Then the one that reconciles is killed, and another has its
// work within ten seconds.
func TestPostgreSQLWatchers(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 3)
	f.startAll()
	for i := 1; i <= 5; i++ {
		f.save(i, f.machines...)
		f.told(i, 10*time.Second)
	}
	f.nothingOwed()
	started := f.campaigns()
	by, repeated := f.shares(started)
	t.Logf("%d campaigns; letters by machine: %v", started, by)
	if repeated > 0 || slices.Min(by) == 0 {
		t.Errorf("%d letters repeated though nobody died; by machine: %v", repeated, by)
	}
	dead := f.leader()
	dead.kill()
	killed := time.Now()
	f.save(6, f.others(dead)...)
	f.told(6, 20*time.Second)
	took := time.Since(killed)
	t.Logf("handed over and told in %v", took.Round(time.Millisecond))
	if took > 10*time.Second {
		t.Errorf("handed over in %v", took)
	}
	f.nothingOwed()
	f.shares(f.campaigns() - started)
	f.inOrder()
	f.everywhere(endOf(6), f.others(dead)...)
}

// everywhere waits until the pages of the machines show the end.
func (f *fleet) everywhere(end time.Time, machines ...*machine) {
	f.t.Helper()
	for _, m := range machines {
		f.within(10*time.Second, "the pages in "+m.dir, func() bool {
			page, err := os.ReadFile(filepath.Join(m.dir, "public", "status.json"))
			return err == nil && strings.Contains(string(page), end.UTC().Format(time.RFC3339))
		})
	}
}

// TestPostgreSQLStopped stops the watcher that reconciles, past its lease and while
// its mail goes out, and lets it go on when another has changed the state: its late
// transaction is refused, and nothing of it arrives.
func TestPostgreSQLStopped(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 3)
	f.startAll()
	f.save(1, f.machines...)
	f.told(1, 10*time.Second)
	stopped := f.leader()
	f.save(2, f.machines...)
	f.told(2, 10*time.Second)
	f.signal(stopped, syscall.SIGSTOP)
	at := time.Now()
	f.save(3, f.others(stopped)...)
	f.told(3, 20*time.Second)
	t.Logf("taken over from the stopped one in %v", time.Since(at).Round(time.Millisecond))
	f.put(stopped, "late.md", closure("late", 9)) // it would accept this at once
	f.signal(stopped, syscall.SIGCONT)
	f.within(10*time.Second, "its transaction refused", func() bool { return stopped.log.count(ledger.ErrFenced.Error()) > 0 })
	f.everywhere(endOf(3), f.machines...)
	f.nothingOwed()
	if _, repeated := f.shares(f.campaigns()); repeated > sendBatch {
		t.Errorf("%d letters repeated", repeated)
	}
	f.inOrder()
	equal(t, "accepted", slices.Compact(f.events("storefront", "webhook", "mail")), []string{"notice.accepted flood"})
	if leader := f.leader(); leader == nil || leader == stopped {
		t.Error("nobody else leads")
	}
}

// TestPostgreSQLOlderCopy has a machine take over whose folder was left behind:
// nothing changes, and the owner is told once. Words that are put back there after
// that are an edit.
func TestPostgreSQLOlderCopy(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 2)
	ahead, behind := f.machines[0], f.machines[1]
	f.put(ahead, "flood.pt.md", "---\ntitle: Inundação\n---\nÁgua.\n")
	f.save(1, f.machines...)
	f.start(ahead)
	f.told(1, 20*time.Second)
	f.put(ahead, "post.md", strings.Replace(closure("post", 1), "---\n", "---\nstorefronts: [market]\n", 1))
	f.save(2, ahead)
	f.told(2, 10*time.Second)
	f.within(10*time.Second, "the other notice and the translation accepted", func() bool {
		return len(f.events("storefront", "webhook", "mail", "notice.refused")) == 4
	})
	f.nothingOwed()
	campaigns, web, market := f.campaigns(), f.front("web"), f.front("market")
	before := f.events("notice.refused", "notice.missing", "mail.finished", "webhook")
	ahead.kill()
	f.start(behind)
	f.within(20*time.Second, "the owner told", func() bool { return behind.log.count("is an older version") > 0 })
	lasts(3 * time.Second) // for whatever might still come of it
	equal(t, "what happened", f.events("notice.refused", "notice.missing", "mail.finished", "webhook"), before)
	if f.campaigns() != campaigns || f.front("web").Revision != web.Revision || f.front("market").Revision != market.Revision {
		t.Errorf("it changed something: %d mails, then %d; %+v", campaigns, f.campaigns(), f.front("web"))
	}
	if n := len(f.refused("flood")); n != 1 {
		t.Errorf("the owner was told %d times", n)
	}
	f.everywhere(endOf(2), behind)
	behind.terminate()
	f.start(behind) // it was the last to lead: the older words are still none
	f.within(10*time.Second, "it leads again", func() bool { return behind.log.count("reconciles from now on") > 1 })
	lasts(3 * time.Second)
	if f.front("web").Revision != web.Revision {
		t.Error("a restart changed it")
	}
	f.save(1, behind) // the very same bytes, saved
	f.told(1, 10*time.Second)
}

func (f *fleet) refused(slug string) (reasons []string) {
	for _, e := range f.bench.log() {
		if e.Event == ledger.NoticeRefused && e.Notice == slug {
			reasons = append(reasons, e.Reason)
		}
	}
	return reasons
}

// TestPostgreSQLStoppedInARequest: the endpoint of a watcher that was stopped in
// the middle of a request is another's once its lease is over. What it was sending
// may still arrive, so the newest state goes out once more, under a new id; and what
// it says of it later doesn't count.
func TestPostgreSQLStoppedInARequest(t *testing.T) {
	b := newBench(t, "2026-11-20 10:00", "")
	b.settle()
	b.web.payloads()
	<-b.web.asked
	hanging, asked := make(chan struct{}), make(chan struct{})
	b.web.answering(func(n int) int {
		if n == 0 {
			close(asked)
			<-hanging
			return 500
		}
		return 204
	})
	b.write("flood.md", flood)
	for range 3 {
		b.set(b.clock().Add(time.Second))
		if _, err := b.w.Reconcile(t.Context(), b.clock()); err != nil {
			t.Fatal(err)
		}
	}
	stopped := b.w
	if _, err := stopped.SendWebhooks(t.Context(), b.clock()); err != nil {
		t.Fatal(err)
	}
	<-asked
	b.place = "elsewhere"
	b.start()
	send := func() []string {
		t.Helper()
		if _, err := b.w.SendWebhooks(t.Context(), b.clock()); err != nil {
			t.Fatal(err)
		}
		b.w.sending.Wait()
		_, ids := b.web.payloads()
		return ids
	}
	if ids := send(); len(ids) != 1 { // the first one's
		t.Errorf("two requests at once: %d", len(ids))
	}
	postgrestest.Exec(t, b.w.Config.Database, "DELETE FROM leases WHERE token = (SELECT claim FROM endpoints WHERE claim <> 0)")
	b.web.answering(nil)
	once := send()
	close(hanging)
	stopped.sending.Wait()
	if f, e := b.front("web"), b.endpoint(); len(once) != 1 || e.Acknowledged != f.Revision || e.Error != "" {
		t.Errorf("after %d requests: %+v", len(once), e)
	}
	if early := send(); len(early) != 0 {
		t.Error("once more at once")
	}
	b.set(b.clock().Add(reassertAfter))
	if again := send(); len(again) != 1 || again[0] == once[0] {
		t.Errorf("once more: %v after %v", again, once)
	}
}

func (b *bench) endpoint() (e ledger.Endpoint) {
	b.t.Helper()
	err := b.l.View(b.t.Context(), func(tx *ledger.Tx) error {
		all, err := tx.Endpoints()
		e = all[0]
		return err
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return e
}
