package notify

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/backsoon/backsoon/internal/ledger"
)

const (
	kills     = 8
	followers = 120 // more than two batches
)

// TestKilled kills the program itself at random moments while notices are saved,
// starts it again, and holds the whole against what was saved.
func TestKilled(t *testing.T) {
	t.Parallel()
	p := newProgram(t)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	n := 0
	save := func() {
		n++
		p.write("flood.md", closure("flood", n))
	}
	for range kills {
		w := p.start("watch")
		for range 1 + random.IntN(3) {
			save()
			lasts(time.Duration(random.IntN(200)) * time.Millisecond)
		}
		lasts(time.Duration(random.IntN(400)) * time.Millisecond)
		w.kill()
	}
	save()
	w := p.start("watch")
	p.done(endOf(n))
	p.onlyOne(w)
	w.terminate()
	p.bench.start() // to read what the program left behind
	p.logIsWhole()
	p.webhooksInOrder(endOf(n))
	p.everyLetterCame()
}

// program is the real program on a shop of the test's.
type program struct {
	*live
	path string
}

func newProgram(t *testing.T) *program {
	t.Helper()
	p := &program{newStill(t), filepath.Join(t.TempDir(), "backsoon")}
	if out, err := exec.Command("go", "build", "-o", p.path, "../cmd/backsoon").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	data := filepath.Join(p.dir, "data")
	if err := errors.Join(os.MkdirAll(data, 0o700), os.WriteFile(filepath.Join(data, "log.key"), logKey.PEM(), 0o600)); err != nil {
		t.Fatal(err)
	}
	for i := range followers {
		p.subscribe(fmt.Sprintf("follower%d@example.org", i))
	}
	settings, err := os.ReadFile(filepath.Join(p.dir, "backsoon.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	p.write("../../backsoon.yaml", strings.Replace(string(settings), "email: {", "email: {settle: 0s, ", 1))
	p.w.Close()
	p.l.Close()
	return p
}

// running is the program at work.
type running struct {
	*exec.Cmd
	t   *testing.T
	out *bytes.Buffer
}

func (p *program) start(args ...string) *running {
	p.t.Helper()
	r := &running{exec.Command(p.path, append([]string{"--site", p.dir}, args...)...), p.t.(*testing.T), &bytes.Buffer{}}
	r.Stdout, r.Stderr = r.out, r.out
	if err := r.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { r.Process.Kill() })
	return r
}

func (r *running) kill() {
	r.t.Helper()
	if err := r.Process.Kill(); err != nil {
		r.t.Errorf("it ended by itself: %v", err)
	}
	r.Wait()
	if status := r.ProcessState.Sys().(syscall.WaitStatus); status.Signal() != syscall.SIGKILL {
		r.t.Errorf("it ended by itself: %v\n%s", r.ProcessState, r.out)
	}
}

// terminate stops the program as a service manager does.
func (r *running) terminate() {
	r.t.Helper()
	began := time.Now()
	if err := r.Process.Signal(syscall.SIGTERM); err != nil {
		r.t.Error(err)
	}
	timer := time.AfterFunc(atTheEnd, func() { r.Process.Kill() })
	defer timer.Stop()
	if err := r.Wait(); err != nil {
		r.t.Errorf("after SIGTERM and %v: %v\n%s", time.Since(began), err, r.out)
	}
}

// done waits until the storefront is told the end and nothing is owed.
func (p *program) done(end time.Time) {
	p.t.Helper()
	p.eventually("the last state at the storefront", func() bool { return p.toldUntil(end) })
	l, err := ledger.Open(p.t.Context(), p.w.Config.Database, false)
	if err != nil {
		p.t.Fatal(err)
	}
	defer l.Close()
	p.eventually("nothing owed", func() bool {
		var owed ledger.Owed
		err := l.View(p.t.Context(), func(tx *ledger.Tx) (err error) {
			owed, err = tx.Owed()
			return err
		})
		return err == nil && owed == ledger.Owed{}
	})
}

// onlyOne checks that no second watcher works beside the first.
func (p *program) onlyOne(first *running) {
	p.t.Helper()
	for _, args := range [][]string{{"watch"}, {"watch", "--once"}} {
		second := p.start(args...)
		second.Wait()
		code, pid := second.ProcessState.ExitCode(), strconv.Itoa(first.Process.Pid)
		if code != 1 || !strings.Contains(second.out.String(), pid) {
			p.t.Errorf("a second %q: exit %d, the first is process %s\n%s", args, code, pid, second.out)
		}
	}
}

// logIsWhole checks that the log has no gap, that each revision is told of
// once, and that no content was accepted twice.
func (p *program) logIsWhole() {
	p.t.Helper()
	last := map[string]int64{}
	for i, e := range p.log() {
		if e.Index != int64(i) {
			p.t.Fatalf("the %d. entry has index %d", i, e.Index)
		}
		stream := ""
		switch e.Event {
		case ledger.StorefrontClosed, ledger.StorefrontOpened:
			stream = "revisions of " + e.Storefront
		case ledger.WebhookAcknowledged:
			stream = "acknowledgements of " + e.Storefront
		case ledger.NoticeRefused, ledger.NoticeMissing, ledger.MailPaused:
			p.t.Errorf("alarm: %+v", e)
		}
		if stream == "" {
			continue
		}
		if e.Revision <= last[stream] {
			p.t.Errorf("%s: %d after %d", stream, e.Revision, last[stream])
		}
		last[stream] = e.Revision
	}
	if last["revisions of web"] != last["acknowledgements of web"] || last["revisions of web"] == 0 {
		p.t.Errorf("last revisions: %v", last)
	}
}

// webhooksInOrder checks that the storefront never heard of something older,
// and heard of the last state.
func (p *program) webhooksInOrder(end time.Time) {
	p.t.Helper()
	got, _ := p.web.payloads()
	var last int64
	for _, hook := range got {
		if hook.Data.Revision < last {
			p.t.Errorf("revision %d after %d", hook.Data.Revision, last)
		}
		last = hook.Data.Revision
	}
	if f := p.front("web"); f.Revision != last || f.Checkout != "off" || !f.Until.Equal(end) {
		p.t.Errorf("the storefront heard of %d, the ledger has %+v", last, f)
	}
}

// everyLetterCame checks that each follower has each campaign's letter. A kill
// may repeat one batch, with the same Message-ID.
func (p *program) everyLetterCame() {
	p.t.Helper()
	campaigns := 0
	for _, e := range p.log() {
		if e.Event == ledger.MailStarted {
			campaigns++
		}
	}
	letters := map[string]map[string]bool{} // by address, the Message-IDs
	total, distinct := 0, 0
	for _, m := range p.mailbox.take() {
		if letters[m.to] == nil {
			letters[m.to] = map[string]bool{}
		}
		letters[m.to][m.header.Get("Message-ID")] = true
		total++
	}
	for i := range followers {
		address := fmt.Sprintf("follower%d@example.org", i)
		distinct += len(letters[address])
		if len(letters[address]) != campaigns {
			p.t.Errorf("%s has %d different letters of %d campaigns", address, len(letters[address]), campaigns)
		}
	}
	if repeated := total - distinct; repeated > kills*sendBatch {
		p.t.Errorf("%d letters repeated in %d kills", repeated, kills)
	}
	p.t.Logf("%d campaigns, %d letters, %d of them repeated", campaigns, total, total-distinct)
}
