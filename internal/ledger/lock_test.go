package ledger

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// hold locks the ledger, says so, and keeps it until its input ends.
func hold(path string) error {
	_, err := Lock(path)
	if err != nil {
		return err
	}
	fmt.Println(os.Getpid())
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// try prints what came of an attempt to lock the ledger.
func try(path string) error {
	release, err := Lock(path)
	if held := (*HeldError)(nil); errors.As(err, &held) {
		fmt.Println("held by", held.PID)
		return nil
	}
	if err != nil {
		return err
	}
	fmt.Println("free")
	return release()
}

func TestLockInTheSameProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "backsoon.db")
	release, err := Lock(path)
	if err != nil {
		t.Fatal(err)
	}
	checkHeld(t, path, os.Getpid())
	if err := release(); err != nil {
		t.Fatal(err)
	}
	checkFree(t, path)
}

func TestLockOfAnotherProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "backsoon.db")
	other := start(t, "hold", path)
	if line := other.line(t); line != fmt.Sprint(other.Process.Pid) {
		t.Fatal(line)
	}
	checkHeld(t, path, other.Process.Pid)
	other.kill()
	checkFree(t, path)
}

func TestOtherProcessMeetsOurLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "backsoon.db")
	release, err := Lock(path)
	if err != nil {
		t.Fatal(err)
	}
	ours := fmt.Sprint("held by ", os.Getpid())
	if line := start(t, "try", path).line(t); line != ours {
		t.Error(line)
	}
	// Whoever only asks doesn't take the lock away, not even within the
	// process that has it.
	if pid, held := Holder(path); pid != os.Getpid() || !held {
		t.Errorf("holder %d, %v", pid, held)
	}
	checkHeld(t, path, os.Getpid())
	if line := start(t, "try", path).line(t); line != ours {
		t.Error("after Holder:", line)
	}
	if err := release(); err != nil {
		t.Fatal(err)
	}
	if line := start(t, "try", path).line(t); line != "free" {
		t.Error(line)
	}
}

func TestHolderOfNothing(t *testing.T) {
	dir := t.TempDir()
	if pid, held := Holder(filepath.Join(dir, "backsoon.db")); pid != 0 || held {
		t.Errorf("holder %d, %v", pid, held)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("it left %v behind (%v)", left, err)
	}
}

func TestLockFileThatCannotBe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "backsoon.db")
	if err := os.Mkdir(lockPath(path, watching), 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := Lock(path)
	if held := (*HeldError)(nil); err == nil || errors.As(err, &held) {
		t.Errorf("%v", err)
	}
}

func checkHeld(t *testing.T, path string, pid int) {
	t.Helper()
	release, err := Lock(path)
	if err == nil {
		release()
	}
	held := (*HeldError)(nil)
	if !errors.As(err, &held) || held.PID != pid || !strings.Contains(err.Error(), fmt.Sprint("process ", pid)) {
		t.Errorf("%v, want held by %d", err, pid)
	}
	if asked, ok := Holder(path); asked != pid || !ok {
		t.Errorf("holder %d, %v, want %d", asked, ok, pid)
	}
}

func checkFree(t *testing.T, path string) {
	t.Helper()
	if pid, held := Holder(path); held {
		t.Errorf("held by %d", pid)
	}
	release, err := Lock(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := release(); err != nil {
		t.Error(err)
	}
}
