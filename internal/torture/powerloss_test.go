package torture

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/backsoon/backsoon/internal/ledger"
)

// TestPowerLoss records what the program does to the ledger's files and what it
// tells a checkout. From that it makes the disks that a power loss at one moment
// or another may leave: what was synced is there; of the rest some writes are,
// some are not, some in part. Each has to be a sound ledger that knows of
// everything that a checkout was told before.
func TestPowerLoss(t *testing.T) {
	t.Parallel()
	losses := 60
	if *long {
		losses = 3000
	}
	w := newWorld(t, 1, 20, "")
	db := filepath.Join(w.dir, "data", "backsoon.db")
	disk := disk{db: readFile(t, db), db + "-wal": readFile(t, db+"-wal")}
	events := w.record(db, 12)
	if _, told := disk.after(events, rand.New(rand.NewPCG(0, 0))); told == 0 {
		t.Fatal("no checkout was told anything")
	}
	r := seeded(t)
	for range losses {
		cut := r.IntN(len(events) + 1)
		left, told := disk.after(events[:cut], r)
		if err := left.holds(t, db, told); err != nil {
			t.Errorf("power lost after %d of %d events: %v", cut, len(events), err)
		}
	}
	t.Logf("%d losses, at %d different moments", losses, len(events))
}

// record has so many changes carried out, and gives what happened meanwhile.
func (w *world) record(db string, changes int) []event {
	w.t.Helper()
	trace := filepath.Join(w.t.TempDir(), "trace")
	p := w.startWith([]string{"strace", "-f", "-qq", "-y", "-xx", "-s", "10000000", "-o", trace,
		"-e", "trace=pwrite64,ftruncate,fsync,fdatasync,write"}, "watch")
	p.watches()
	c := change{w: w, began: time.Now()}
	for range changes {
		before, _ := w.fronts[0].seen()
		c.save()
		w.within(20*time.Second, "the checkout is told", func() bool { revision, _ := w.fronts[0].seen(); return revision > before })
	}
	w.within(20*time.Second, "the letters are sent", func() bool { return w.mail.total() >= changes*20 })
	p.kill()
	return readTrace(w.t, trace, db)
}

// event is a write to a file, a sync of it, or what a checkout was told.
type event struct {
	file     string
	at       int64 // where it is written
	bytes    []byte
	cut      bool  // the file is cut off at `at`
	synced   bool  // all of the file that was written before is safe
	revision int64 // that was told
}

var (
	call     = regexp.MustCompile(`^\d+ +(\w+)\(\d+<((?:\\x[0-9a-f]{2})*)>(?:, "((?:\\x[0-9a-f]{2})*)")?(.*)$`)
	resumed  = regexp.MustCompile(`^(\d+) +<\.\.\. (\w+) resumed>`)
	numbers  = regexp.MustCompile(`\d+`)
	revision = regexp.MustCompile(`"revision":(\d+)`)
)

// readTrace reads what strace wrote. A sync counts when it is over, a write when
// it begins: until it is synced that makes no difference.
func readTrace(t *testing.T, trace, db string) (events []event) {
	f, err := os.Open(trace)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	under := map[string]string{} // by thread, the file whose sync is under way
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		line := lines.Text()
		thread, _, _ := strings.Cut(line, " ")
		if m := resumed.FindStringSubmatch(line); m != nil {
			if file := under[thread]; file != "" && strings.Contains(m[2], "sync") {
				events = append(events, event{file: file, synced: true})
				delete(under, thread)
			}
			continue
		}
		m := call.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		name, file, data, rest := m[1], string(unhex(t, m[2])), unhex(t, m[3]), m[4]
		ours := file == db || file == db+"-wal"
		args := numbers.FindAllString(rest, -1)
		switch {
		case ours && name == "pwrite64":
			events = append(events, event{file: file, at: number(t, args[1]), bytes: data})
		case ours && name == "ftruncate":
			events = append(events, event{file: file, at: number(t, args[0]), cut: true})
		case ours && strings.HasSuffix(rest, "<unfinished ...>"):
			under[thread] = file
		case ours:
			events = append(events, event{file: file, synced: true})
		case name == "write":
			if m := revision.FindSubmatch(data); m != nil && !strings.HasPrefix(file, "/") {
				events = append(events, event{revision: number(t, string(m[1]))})
			}
		}
	}
	if lines.Err() != nil || len(events) < 100 {
		t.Fatalf("%d events in the trace: %v", len(events), lines.Err())
	}
	return events
}

func unhex(t *testing.T, s string) []byte {
	data, err := hex.DecodeString(strings.ReplaceAll(s, `\x`, ""))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func number(t *testing.T, s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// disk is the content of files, by path.
type disk map[string][]byte

// after is what may be left of the disk when the power goes after these events,
// and the highest revision that was told by then.
func (d disk) after(events []event, r *rand.Rand) (left disk, told int64) {
	left = disk{}
	for file, content := range d {
		left[file] = append([]byte(nil), content...)
	}
	safe := map[string]int{} // by file, how many events are surely on the disk
	for i, e := range events {
		if e.synced {
			safe[e.file] = i
		}
		told = max(told, e.revision)
	}
	for i, e := range events {
		if e.file != "" && !e.synced && (i < safe[e.file] || r.IntN(2) == 0) {
			left.apply(e, i >= safe[e.file] && r.IntN(3) == 0, r)
		}
	}
	return left, told
}

// apply does what the event did; a torn write loses some of its sectors.
func (d disk) apply(e event, torn bool, r *rand.Rand) {
	content := d[e.file]
	if e.cut {
		d[e.file] = content[:min(int64(len(content)), e.at)]
		return
	}
	if missing := e.at + int64(len(e.bytes)) - int64(len(content)); missing > 0 {
		content = append(content, make([]byte, missing)...)
	}
	const sector = 512
	for at := 0; at < len(e.bytes); at += sector {
		if !torn || r.IntN(2) == 0 {
			copy(content[e.at+int64(at):], e.bytes[at:min(at+sector, len(e.bytes))])
		}
	}
	d[e.file] = content
}

// holds opens what is left as the program does after a restart.
func (d disk) holds(t *testing.T, db string, told int64) error {
	t.Helper()
	dir := t.TempDir()
	for file, content := range d {
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(file)), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, filepath.Base(db))
	l, err := ledger.Open(t.Context(), path, false)
	if err != nil {
		return err
	}
	defer l.Close()
	err = l.View(t.Context(), func(tx *ledger.Tx) error {
		fronts, err := tx.Storefronts()
		if err != nil {
			return err
		}
		if knows := fronts[front(0)].Revision; knows < told {
			return fmt.Errorf("the ledger is at revision %d, a checkout was told of %d", knows, told)
		}
		entries, err := tx.Entries(0, 100_000)
		for i, e := range entries {
			if e.Index != int64(i) {
				return fmt.Errorf("entry %d of the log has index %d", i, e.Index)
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	return integrity(path)
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return content
}
