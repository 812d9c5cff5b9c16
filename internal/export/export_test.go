package export

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/backsoon/backsoon/internal/checkpoint"
	"github.com/backsoon/backsoon/internal/ledger"
)

const origin = "status.example/log"

var (
	key = checkpoint.NewKey()
	t0  = time.Date(2026, 12, 24, 18, 0, 0, 123_000_000, time.UTC)
)

func newLedger(t testing.TB, entries int) *ledger.Ledger {
	t.Helper()
	l, err := ledger.Open(context.Background(), filepath.Join(t.TempDir(), "backsoon.db"), true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	if err := l.SignWith(context.Background(), origin, key); err != nil {
		t.Fatal(err)
	}
	log(t, l, entries)
	return l
}

// log writes so many entries in one transaction.
func log(t testing.TB, l *ledger.Ledger, n int) {
	t.Helper()
	update(t, l, func(tx *ledger.Tx) error {
		for i := range n {
			e := ledger.Entry{Time: t0, Event: ledger.NoticeAccepted, Notice: fmt.Sprint("closure-", i), By: &ledger.By{Name: "Ada é", How: "system-user"}}
			if _, err := tx.Audit(e); err != nil {
				return err
			}
		}
		return nil
	})
}

func update(t testing.TB, l *ledger.Ledger, f func(*ledger.Tx) error) {
	t.Helper()
	if err := l.Update(context.Background(), f); err != nil {
		t.Fatal(err)
	}
}

func export(l *ledger.Ledger, dir string) (w []Written, err error) {
	err = l.View(context.Background(), func(tx *ledger.Tx) error {
		w, err = Write(tx, dir)
		return err
	})
	return w, err
}

func mustExport(t testing.TB, l *ledger.Ledger, dir string) []Written {
	t.Helper()
	w, err := export(l, dir)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// others builds the program in testdata/others, which has other people's packages
// verify: they would be too many for this module.
func others(t *testing.T) func(what, path, verifier string) error {
	t.Helper()
	program := filepath.Join(t.TempDir(), "others")
	build := exec.Command("go", "build", "-o", program, ".")
	build.Dir = filepath.Join("testdata", "others")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return func(what, path, verifier string) error {
		out, err := exec.Command(program, what, path, verifier).CombinedOutput()
		if err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	}
}

// TestOthersVerify: Tessera's fsck accepts what is exported, in one go or a little at
// a time, of whatever size, and finds a changed word; transparency-dev's packages
// accept a proof of each entry, and of no other.
func TestOthersVerify(t *testing.T) {
	verify := others(t)
	verifier := key.Verifier(origin)
	l, dir := newLedger(t, 1), filepath.Join(t.TempDir(), "deep", "export")
	size := 1
	for _, more := range []int{0, 1, 253, 1, 1, 300, 3000} {
		if log(t, l, more); more > 0 {
			size += more
		}
		w := mustExport(t, l, dir)
		if len(w) != 1 || w[0].Size != int64(size) {
			t.Errorf("%d entries: %+v", size, w)
		}
		if err := verify("fsck", dir, verifier); err != nil {
			t.Errorf("%d entries, added to: %v", size, err)
		}
		if size < 1000 {
			fresh := filepath.Join(t.TempDir(), "fresh")
			mustExport(t, l, fresh)
			if err := verify("fsck", fresh, verifier); err != nil {
				t.Errorf("%d entries at once: %v", size, err)
			}
		}
	}
	if err := verify("fsck", dir, checkpoint.NewKey().Verifier(origin)); err == nil {
		t.Error("it accepts another key")
	}
	for _, path := range []string{"tile/entries/000", "tile/entries/013.p/229", "tile/0/007", "tile/0/013.p/229", "tile/1/000.p/13", "checkpoint"} {
		restore := spoil(t, filepath.Join(dir, path))
		if err := verify("fsck", dir, verifier); err == nil {
			t.Errorf("a word of %s is another, and fsck accepts it", path)
		}
		restore()
	}
	for _, index := range []int64{0, 255, 256, 556, 3000, int64(size) - 1} {
		p := prove(t, l, index)
		file := filepath.Join(t.TempDir(), "entry.tlog-proof")
		for _, tt := range []struct {
			spoil func(*checkpoint.Proof)
			holds bool
		}{
			{func(*checkpoint.Proof) {}, true},
			{func(p *checkpoint.Proof) { p.Entry = bytes.Replace(p.Entry, []byte("Ada"), []byte("Eve"), 1) }, false},
			{func(p *checkpoint.Proof) { p.Index ^= 1 }, false},
		} {
			spoilt := p
			tt.spoil(&spoilt)
			if err := os.WriteFile(file, spoilt.Format(), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := verify("proof", file, verifier); (err == nil) != tt.holds {
				t.Errorf("entry %d: %v, want it to hold: %t", index, err, tt.holds)
			}
		}
	}
}

// spoil changes one byte in the middle of a file.
func spoil(t *testing.T, path string) (restore func()) {
	t.Helper()
	was, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	is := bytes.Clone(was)
	is[len(is)/2] ^= 1
	if err := os.WriteFile(path, is, 0o600); err != nil {
		t.Fatal(err)
	}
	return func() { _ = os.WriteFile(path, was, 0o600) }
}

func prove(t *testing.T, l *ledger.Ledger, index int64) (p checkpoint.Proof) {
	t.Helper()
	err := l.View(context.Background(), func(tx *ledger.Tx) error {
		logs, err := tx.Logs()
		if err != nil {
			return err
		}
		records, err := tx.Records(index, 1)
		if err != nil {
			return err
		}
		p = checkpoint.Proof{Entry: []byte(records[0].Entry), Index: index, Checkpoint: logs[0].Checkpoint}
		p.Hashes, err = tlog.ProveRecord(logs[0].Size, index, tx.Tree(1))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestCSV: what a spreadsheet takes for a formula is text, and everything else is what
// the log has.
func TestCSV(t *testing.T) {
	l := newLedger(t, 0)
	reasons := []string{"=HYPERLINK(1)", "+1", "-1", "@SUM(1)", "\tx", "\rx", "\nx", `say "no"`, "a,b", "a\r\nb", "a=b", " =1", "é"}
	until := t0.Add(time.Hour)
	update(t, l, func(tx *ledger.Tx) error {
		for _, r := range reasons {
			_, err := tx.Audit(ledger.Entry{Time: t0, Event: ledger.NoticeRefused, Reason: r, Until: &until, Revision: 1798135200123,
				OpenSteps: []string{"stock counted", "-x"}, Counts: ledger.Counts{"added": 1}, By: &ledger.By{Name: "=Ada", Verified: true}})
			if err != nil {
				return err
			}
		}
		return nil
	})
	dir := filepath.Join(t.TempDir(), "export")
	mustExport(t, l, dir)
	text, err := os.ReadFile(filepath.Join(dir, "log.csv"))
	if err != nil {
		t.Fatal(err)
	}
	if plain := bytes.ReplaceAll(text, []byte("\r\n"), nil); bytes.Contains(plain, []byte("\n")) {
		t.Error("a line doesn't end as RFC 4180 asks")
	}
	rows, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil || len(rows) != 1+len(reasons) {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	at := map[string]int{}
	for i, head := range rows[0] {
		at[head] = i
	}
	for i, row := range rows[1:] {
		for head, want := range map[string]string{"index": fmt.Sprint(i), "time": "2026-12-24T18:00:00.123Z", "event": "notice.refused",
			"revision": "1798135200123", "until": "2026-12-24T19:00:00.123Z", "by.name": "'=Ada", "by.verified": "true", "by.key": "",
			"counts": `{"added":1}`, "open_steps": `["stock counted","-x"]`, "storefront": ""} {
			if got := row[at[head]]; got != want {
				t.Errorf("%s is %q, want %q", head, got, want)
			}
		}
		want := reasons[i]
		if strings.ContainsRune("=+-@\t\r\n", rune(want[0])) {
			want = "'" + want
		}
		want = strings.ReplaceAll(want, "\r", "") // CSV has CR as a part of a line's end alone
		if got := row[at["reason"]]; got != want {
			t.Errorf("reason %q, want %q", got, want)
		}
		for _, c := range row {
			if c != "" && strings.ContainsRune("=+-@\t\r\n", rune(c[0])) {
				t.Errorf("a spreadsheet would calculate %q", c)
			}
		}
	}
}

// TestJSONLines: the lines are the leaves, to the byte.
func TestJSONLines(t *testing.T) {
	l, dir := newLedger(t, 1500), filepath.Join(t.TempDir(), "export")
	mustExport(t, l, dir)
	text, err := os.ReadFile(filepath.Join(dir, "log.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	var hashes []tlog.Hash
	reader := tlog.HashReaderFunc(func(places []int64) (found []tlog.Hash, err error) {
		for _, p := range places {
			found = append(found, hashes[p])
		}
		return found, nil
	})
	n := int64(0)
	for line := range strings.Lines(string(text)) {
		grown, err := tlog.StoredHashes(n, []byte(strings.TrimSuffix(line, "\n")), reader)
		if err != nil {
			t.Fatal(err)
		}
		hashes = append(hashes, grown...)
		n++
	}
	root, err := tlog.TreeHash(n, reader)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	if err != nil {
		t.Fatal(err)
	}
	if c, err := checkpoint.Open(string(signed), key.Verifier(origin)); err != nil || c.Root != root || c.Size != 1500 || n != 1500 {
		t.Errorf("%d lines, %+v, %v", n, c, err)
	}
}

// everything is every file in the folder with its bytes.
func everything(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		fmt.Fprintf(&b, "%s\x00%s\x00", path, text)
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return b.String()
}

// TestRefused: an export never goes over anything else, nor over an export that the
// log doesn't go on from.
func TestRefused(t *testing.T) {
	l, other := newLedger(t, 5), newLedger(t, 3)
	log(t, other, 4)
	behind := newLedger(t, 4)
	for name, tt := range map[string]struct {
		prepare func(dir string) error
		ledger  *ledger.Ledger
		want    string
	}{
		"photos":          {func(dir string) error { return os.WriteFile(filepath.Join(dir, "photo.jpg"), []byte("x"), 0o600) }, l, "is not empty"},
		"a strange file":  {func(dir string) error { return os.WriteFile(filepath.Join(dir, "checkpoint"), []byte("x"), 0o600) }, l, "is not empty"},
		"a file":          {func(dir string) error { return errors.Join(os.Remove(dir), os.WriteFile(dir, []byte("x"), 0o600)) }, l, "not a directory"},
		"another key's":   {strange, l, "has another log, or was changed"},
		"another history": {func(dir string) error { _, err := export(newSame(t), dir); return err }, other, "was changed since it was exported"},
		"a newer export":  {func(dir string) error { _, err := export(l, dir); return err }, behind, "has 5 entries of this log, and the ledger has 4"},
		"nothing to say":  {func(string) error { return nil }, newLedger(t, 0), "nothing in the log yet"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := tt.prepare(dir); err != nil {
				t.Fatal(err)
			}
			before := everything(t, dir)
			if _, err := export(tt.ledger, dir); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %s", err, tt.want)
			}
			if everything(t, dir) != before {
				t.Error("something was written")
			}
		})
	}
}

// newSame is a ledger with other words under the same key.
func newSame(t *testing.T) *ledger.Ledger {
	l := newLedger(t, 0)
	update(t, l, func(tx *ledger.Tx) error {
		_, err := tx.Audit(ledger.Entry{Time: t0, Event: ledger.NoticeMissed})
		return err
	})
	return l
}

func strange(dir string) error {
	signed, err := checkpoint.NewKey().Sign(origin, 2, tlog.Hash{})
	return errors.Join(err, os.WriteFile(filepath.Join(dir, "checkpoint"), []byte(signed), 0o600))
}

// TestLaterLog: a log that began anew has a folder of its own; what was exported of the
// one before stays, even what the ledger has lost since.
func TestLaterLog(t *testing.T) {
	verify := others(t)
	full, dir := newLedger(t, 9), filepath.Join(t.TempDir(), "export")
	mustExport(t, full, dir)
	was, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	if err != nil {
		t.Fatal(err)
	}
	restored := newLedger(t, 6)
	update(t, restored, func(tx *ledger.Tx) error {
		if err := tx.BeginLog(2, origin+"/2", key); err != nil {
			return err
		}
		_, err := tx.Audit(ledger.Entry{Time: t0, Event: ledger.LogBegun, Lost: string(was)})
		return err
	})
	log(t, restored, 2)
	w := mustExport(t, restored, dir)
	if len(w) != 2 || w[0].Size != 9 || w[0].New != 0 || w[1].Size != 3 || w[1].New != 3 || w[1].Origin != origin+"/2" {
		t.Errorf("%+v", w)
	}
	log(t, restored, 300)
	mustExport(t, restored, dir)
	fresh := filepath.Join(t.TempDir(), "fresh")
	mustExport(t, restored, fresh)
	for folder, of := range map[string]string{dir: origin, filepath.Join(dir, "log-2"): origin + "/2", fresh: origin, filepath.Join(fresh, "log-2"): origin + "/2"} {
		if err := verify("fsck", folder, key.Verifier(of)); err != nil {
			t.Errorf("%s: %v", folder, err)
		}
	}
}

// TestLaterLogAlone: where the ledger has the later log alone, there is nothing of the
// first, and the next export adds to it.
func TestLaterLogAlone(t *testing.T) {
	l, dir := newLedger(t, 0), filepath.Join(t.TempDir(), "export")
	update(t, l, func(tx *ledger.Tx) error {
		if err := tx.BeginLog(2, origin+"/2", key); err != nil {
			return err
		}
		_, err := tx.Audit(ledger.Entry{Time: t0, Event: ledger.LogBegun})
		return err
	})
	mustExport(t, l, dir)
	log(t, l, 1)
	if w := mustExport(t, l, dir); len(w) != 1 || w[0].Size != 2 || w[0].New != 1 {
		t.Errorf("%+v", w)
	}
}

// TestMended: lists that somebody has saved from another program are as they were after
// the next export, new entries or none.
func TestMended(t *testing.T) {
	l, dir := newLedger(t, 3), filepath.Join(t.TempDir(), "export")
	mustExport(t, l, dir)
	for _, name := range []string{"log.jsonl", "log.csv"} {
		path := filepath.Join(dir, name)
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, want[:len(want)/2], 0o644); err != nil {
			t.Fatal(err)
		}
		if w := mustExport(t, l, dir); w[0].New != 0 {
			t.Errorf("%+v", w)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != string(want) {
			t.Errorf("%s: %v\n%s", name, err, got)
		}
	}
}

// TestBrokenOff: what is left of an export that failed is no export, and the next one
// is whole.
func TestBrokenOff(t *testing.T) {
	l, dir := newLedger(t, 300), filepath.Join(t.TempDir(), "export")
	gone := errors.New("gone")
	err := l.View(context.Background(), func(tx *ledger.Tx) error {
		logs, err := tx.Logs()
		if err != nil {
			return err
		}
		logs[0].First = 7 // the entries are not those of the tree
		f := folder{tx: tx, log: logs[0], dir: dir, fresh: true}
		if _, err = f.write(); err == nil {
			return nil
		}
		return errors.Join(gone, err)
	})
	if !errors.Is(err, gone) {
		t.Fatal("it was exported all the same")
	}
	if left, err := os.ReadDir(filepath.Dir(dir)); err != nil || len(left) > 0 {
		t.Errorf("it left %v behind (%v)", left, err)
	}
	mustExport(t, l, dir)
}
