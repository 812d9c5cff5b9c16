package torture

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	_ "github.com/ncruces/go-sqlite3/driver" // the "sqlite3" driver
)

// TestDiskFails has every write to the ledger fail, as on a full or broken disk,
// once and for some time, while the watcher runs and a notice changes. Nobody is
// told what isn't written, the log says why, and when the disk is well again the
// change is carried out, within 30 s and once.
func TestDiskFails(t *testing.T) {
	t.Parallel()
	for _, f := range []struct{ calls, err, says string }{
		{"pwrite64", "ENOSPC", "disk"},
		{"pwrite64", "EIO", "disk"},
		{"fsync,fdatasync", "EIO", "disk"},
		{"pread64", "EIO", "disk"},
	} {
		for _, when := range []string{"1", "1+"} {
			t.Run(strings.Join([]string{f.calls, f.err, when}, " "), func(t *testing.T) {
				t.Parallel()
				failing(t, f.calls, f.err, when, f.says)
			})
		}
	}
}

func failing(t *testing.T, calls, err, when, says string) {
	w := newWorld(t, 1, 20, "")
	p := w.start("watch")
	p.watches()
	c := change{w: w, began: time.Now(), entries: len(w.log())}
	sick := w.sicken(p, calls, err, when)
	t.Cleanup(func() { p.tell() })
	c.save()
	if when == "1+" {
		w.within(20*time.Second, "an error in the log", func() bool { return strings.Contains(p.out.String(), says) })
		time.Sleep(2 * time.Second) // it goes on trying
		if revision, state := w.fronts[0].seen(); state == "off" && calls != "pread64" {
			t.Errorf("the checkout was told of %d, which is written nowhere", revision)
		}
	}
	sick.heal()
	w.within(30*time.Second, "the change is carried out", func() bool { _, state := w.fronts[0].seen(); return state == "off" })
	w.within(30*time.Second, "the letters are sent", func() bool { s := w.status(); return s.Owed.Mail+s.Owed.Webhooks == 0 && w.mail.total() >= 20 })
	w.within(10*time.Second, "the pages are made", func() bool { return w.public() == "off" })
	c.check("after " + err)
	p.terminate()
	w.sound()
}

// sickness is what makes a process's calls fail.
type sickness struct {
	*exec.Cmd
	t *testing.T
}

// sicken makes the process's calls on the ledger's files fail: "1" the next one,
// "1+" all.
func (w *world) sicken(p *process, calls, err, when string) sickness {
	w.t.Helper()
	db := filepath.Join(w.dir, "data", "backsoon.db")
	s := sickness{exec.Command("strace", "-f", "-qq", "-o", filepath.Join(w.dir, "strace.out"), "-p", strconv.Itoa(p.Process.Pid),
		"-P", db, "-P", db+"-wal", "-e", "trace="+calls, "-e", fmt.Sprintf("inject=%s:error=%s:when=%s", calls, err, when)), w.t}
	if err := s.Start(); err != nil {
		w.t.Fatalf("this needs strace; as root, run: apt-get install strace: %v", err)
	}
	w.t.Cleanup(func() { s.Process.Kill(); s.Wait() })
	w.within(10*time.Second, "strace is at work", func() bool { return traced(p.Process.Pid) })
	return s
}

// heal lets go of the process.
func (s sickness) heal() {
	s.t.Helper()
	if err := s.Process.Signal(syscall.SIGINT); err != nil {
		s.t.Errorf("strace: %v", err)
	}
	s.Wait()
}

// TestDiskFull has the disk really full, in the middle of everything, and then
// some room on it again.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1, 20, "")
	w.onSmallDisk("4m")
	p := w.start("watch")
	t.Cleanup(func() { p.tell() })
	p.watches()
	c := change{w: w, began: time.Now(), entries: len(w.log())}
	c.save()
	w.within(10*time.Second, "the first change is carried out", func() bool { _, state := w.fronts[0].seen(); return state == "off" && w.public() == "off" })
	w.within(10*time.Second, "its letters are sent", func() bool { return w.mail.total() == 20 })
	c.check("before")

	c.prepare() // the owner writes elsewhere, and moves the file here when it is whole
	ballast := w.fill()
	c.move()
	w.within(20*time.Second, "an error in the log", func() bool { return strings.Contains(p.out.String(), "full") })
	time.Sleep(3 * time.Second)
	if public := w.public(); public != "off" {
		t.Errorf("public/status.json says %q of what is written nowhere", public)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	w.within(30*time.Second, "the change is carried out", func() bool { _, state := w.fronts[0].seen(); return state == "on" && w.public() == "on" })
	w.within(30*time.Second, "the letters are sent", func() bool { s := w.status(); return s.Owed.Mail+s.Owed.Webhooks == 0 && w.mail.total() >= 40 })
	c.check("after")
	p.terminate()
	w.sound()
}

// TestDiskReadOnly has a site on a disk that can't be written, as an auditor's copy may
// be: what only reads works, and what writes says so and changes nothing.
func TestDiskReadOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1, 2, "")
	w.onSmallDisk("16m")
	p := w.start("watch")
	p.watches()
	p.terminate()
	disk := filepath.Dir(w.dir)
	if err := syscall.Mount("", disk, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"status", "log", "log verify", "deliveries", "plan", "check", "subscribers list"} {
		if _, err := w.try(strings.Fields(command)...); err != nil {
			t.Errorf("%s: %v", command, err)
		}
	}
	for _, command := range []string{"deliveries retry", "subscribers remove reader@example.org", "watch --once"} {
		if _, err := w.try(strings.Fields(command)...); err == nil || !strings.Contains(strings.ReplaceAll(err.Error(), "-", ""), "readonly") {
			t.Errorf("%s: %v", command, err)
		}
	}
}

// onSmallDisk moves the site to a disk of its own.
func (w *world) onSmallDisk(size string) {
	w.t.Helper()
	disk := w.t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size="+size); err != nil {
		w.t.Fatalf("a small disk can't be mounted; run the tests as root: %v", err)
	}
	w.t.Cleanup(func() { syscall.Unmount(disk, syscall.MNT_DETACH) })
	key := filepath.Join(disk, "site", "data", "log.key") // which CopyFS lets everybody read
	if err := errors.Join(os.CopyFS(filepath.Join(disk, "site"), os.DirFS(w.dir)), os.Chmod(key, 0o600)); err != nil {
		w.t.Fatal(err)
	}
	w.dir = filepath.Join(disk, "site")
}

// fill takes all the room that is left on the site's disk.
func (w *world) fill() (ballast string) {
	w.t.Helper()
	ballast = filepath.Join(w.dir, "ballast")
	f, err := os.Create(ballast)
	if err != nil {
		w.t.Fatal(err)
	}
	defer f.Close()
	for size := 64 << 10; size > 0; size /= 2 {
		for err = nil; err == nil; _, err = f.Write(make([]byte, size)) {
		}
		if !errors.Is(err, syscall.ENOSPC) {
			w.t.Fatal(err)
		}
	}
	return ballast
}

// sound checks the ledger by SQLite's own means, and the log by its signatures.
func (w *world) sound() {
	w.t.Helper()
	if out, err := w.try("log", "verify"); err != nil {
		w.t.Errorf("the log does not hold: %v\n%s", err, out)
	}
	if err := integrity(filepath.Join(w.dir, "data", "backsoon.db")); err != nil {
		w.t.Error(err)
	}
}

func integrity(path string) error {
	db, err := sql.Open("sqlite3", "file:"+path)
	if err != nil {
		return err
	}
	defer db.Close()
	var says string
	if err := db.QueryRow("PRAGMA integrity_check").Scan(&says); err != nil || says != "ok" {
		return fmt.Errorf("the ledger is broken: %s %v", says, err)
	}
	return nil
}
