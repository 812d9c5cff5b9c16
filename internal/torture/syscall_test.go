package torture

import (
	"fmt"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/backsoon/backsoon/internal/ledger"
)

// written are the system calls by which anything gets out of the program: to the
// ledger, to public/, to a checkout and to the mail server. They are counted
// apart, since strace counts for each thread.
var written = []string{"pwrite64", "fsync,fdatasync", "rename,renameat,renameat2", "write", "mkdirat,unlinkat,ftruncate"}

// TestKilledAtEachCall kills the program at its first call of a kind, then at its
// second, and so on, each time while one storefront changes; what a second run
// makes of it has to be the same as if nothing had happened.
func TestKilledAtEachCall(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("strace"); err != nil {
		t.Fatal("this needs strace; as root, run: apt-get install strace")
	}
	w := newWorld(t, 1, 20, "")
	c := change{w: w, began: time.Now(), entries: len(w.log())}
	for _, calls := range written {
		killed := 0
		for n, survived := 1, 0; survived < 2; n++ { // threads differ: one run may make more calls than another
			c.save()
			if w.killedAt(calls, n) {
				killed, survived = killed+1, 0
			} else {
				survived++
			}
			w.settle()
			c.check(fmt.Sprintf("%s %d", calls, n))
			if !*long {
				n += n / 2
			}
		}
		t.Logf("killed at %d calls of %s", killed, calls)
		if killed == 0 {
			t.Errorf("no call of %s was met", calls)
		}
	}
}

// killedAt runs the program once and kills it at the nth of the calls in any of
// its threads; false: it made fewer.
func (w *world) killedAt(calls string, n int) bool {
	w.t.Helper()
	inject := fmt.Sprintf("inject=%s:signal=KILL:when=%d", calls, n)
	p := w.startWith([]string{"strace", "-f", "-qq", "-o", "/dev/null", "-E", "GOMAXPROCS=1", "-e", "trace=" + calls, "-e", inject}, "watch", "--once")
	select {
	case <-p.done:
	case <-time.After(time.Minute):
		w.t.Fatalf("it hangs at %s %d:\n%s", calls, n, p.out)
	}
	status := p.ProcessState.Sys().(syscall.WaitStatus)
	if status.Signaled() && status.Signal() == syscall.SIGKILL {
		return true
	}
	if code := status.ExitStatus(); code != 0 {
		w.t.Fatalf("%s %d: exit %d\n%s", calls, n, code, p.out)
	}
	return false
}

// change closes the one storefront and reopens it, by turns.
type change struct {
	w       *world
	began   time.Time
	n       int
	closed  bool
	letters int // different ones that everybody has
	entries int // of the log so far
}

func (c *change) save() {
	c.prepare()
	c.move()
}

// prepare writes the next change beside the notice.
func (c *change) prepare() {
	lines := []string{"closes: " + c.began.Add(-time.Hour).Format(time.RFC3339)}
	if c.closed = !c.closed; c.closed {
		c.n++
	} else {
		lines = append(lines, "reopened: "+time.Now().Format(time.RFC3339))
	}
	c.w.aside(c.path(), noticeText(c.slug(), front(0), lines...))
}

// move puts what is prepared in its place.
func (c *change) move() { c.w.rename(c.path()) }

func (c *change) slug() string { return fmt.Sprintf("%s-%d", front(0), c.n) }
func (c *change) path() string { return "content/closures/" + c.slug() + ".md" }

// check holds that the change was carried out once: at the checkout, in the log,
// in everybody's mailbox.
func (c *change) check(call string) {
	c.w.t.Helper()
	c.w.sound()
	want, entries := "on", 0
	if c.closed {
		want = "off"
	}
	if _, state := c.w.fronts[0].seen(); state != want {
		c.w.t.Errorf("%s: the checkout is %q, not %q", call, state, want)
	}
	log := c.w.log()
	for _, e := range log[c.entries:] {
		if e.Event == ledger.StorefrontClosed || e.Event == ledger.StorefrontOpened {
			entries++
		}
	}
	c.entries = len(log)
	if entries != 1 {
		c.w.t.Errorf("%s: the log tells of %d changes", call, entries)
	}
	for j := range 20 {
		different, _ := c.w.mail.letters(subscriber(0, j))
		if different != c.letters+1 {
			c.w.t.Fatalf("%s: reader %d has %d different letters after %d changes", call, j, different, c.letters+1)
		}
	}
	c.letters++
	if public := c.w.public(); public != want {
		c.w.t.Errorf("%s: public/status.json says %q, not %q", call, public, want)
	}
}
