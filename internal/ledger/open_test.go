package ledger

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func TestOpenTwice(t *testing.T) {
	path := filepath.Join(t.TempDir(), "my data & 100%", "back soon+.db") // the folder isn't there yet
	l := openAt(t, path)
	update(t, l, func(tx *Tx) error { return must(tx.Audit(Entry{Time: t0, Event: NoticeAccepted})) })
	again := openAt(t, path)
	if n := count(t, again, "SELECT COUNT(*) FROM audit"); n != 1 {
		t.Errorf("%d entries after the second opening", n)
	}
	files, _ := fs.Glob(sqliteMigrations, "sqlite/*.sql")
	if v := count(t, again, "PRAGMA user_version"); v != len(files) {
		t.Errorf("version %d with %d migrations", v, len(files))
	}
	if id := count(t, again, "PRAGMA application_id"); id != applicationID {
		t.Errorf("application_id %#x", id)
	}
	if sync := count(t, again, "PRAGMA synchronous"); sync != 2 {
		t.Errorf("synchronous is %d, not FULL (2)", sync)
	}
	for _, name := range []string{path, path + "-wal"} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: anybody may read it: %v, %v", filepath.Base(name), info, err)
		}
	}
}

func TestOpenAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "backsoon.db")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			l, err := Open(context.Background(), path, true)
			if err != nil {
				t.Error(err)
				return
			}
			l.Close()
		})
	}
	wg.Wait()
}

func TestMissing(t *testing.T) {
	dir := t.TempDir()
	if _, err := Open(context.Background(), filepath.Join(dir, "data", "backsoon.db"), false); !errors.Is(err, ErrMissing) {
		t.Errorf("%v", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("it left %v behind (%v)", left, err)
	}
}

func TestEmptyFileIsFresh(t *testing.T) {
	path := filepath.Join(t.TempDir(), "backsoon.db")
	write(t, path, nil)
	if _, err := Open(context.Background(), path, false); !errors.Is(err, ErrMissing) {
		t.Errorf("%v", err)
	}
	openAt(t, path)
}

func TestNewerLedgerIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "backsoon.db")
	l := openAt(t, path)
	v := count(t, l, "PRAGMA user_version") + 1
	update(t, l, func(tx *Tx) error { return l.store.setVersion(tx.ctx, tx.tx, v) })
	_, err := Open(context.Background(), path, true)
	if err == nil || !strings.Contains(err.Error(), "newer backsoon") || !strings.Contains(err.Error(), path) {
		t.Errorf("%v", err)
	}
	if now := count(t, l, "PRAGMA user_version"); now != v {
		t.Errorf("version %d became %d", v, now)
	}
}

func TestOtherProgramsFile(t *testing.T) {
	for name, make := range map[string]func(path string) error{
		"text":      func(path string) error { return os.WriteFile(path, []byte("orders: 12\n"), 0o644) },
		"long text": func(path string) error { return os.WriteFile(path, bytes.Repeat([]byte("orders\n"), 999), 0o644) },
		"SQLite":    func(path string) error { return foreign(path, "CREATE TABLE orders (id INTEGER)") },
		"marked": func(path string) error {
			return foreign(path, "PRAGMA application_id = 42; CREATE TABLE orders (id INTEGER)")
		},
		"write-ahead": func(path string) error {
			return foreign(path, "PRAGMA journal_mode = wal; CREATE TABLE orders (id INTEGER)")
		},
		"header alone": func(path string) error { return os.WriteFile(path, []byte("SQLite format 3\x00"), 0o644) },
		"folder":       func(path string) error { return os.Mkdir(path, 0o755) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "orders.db")
			if err := make(path); err != nil {
				t.Fatal(err)
			}
			before := snapshot(t, dir)
			for _, create := range []bool{false, true} {
				l, err := Open(context.Background(), path, create)
				if err == nil {
					l.Close()
					t.Fatal("it was opened")
				}
				if !strings.Contains(err.Error(), path+" is another program's file") {
					t.Errorf("%v", err)
				}
			}
			if after := snapshot(t, dir); after != before {
				t.Error("it is not as it was")
			}
		})
	}
}

// foreign makes an SQLite database that isn't ours.
func foreign(path, statements string) error {
	db, err := sql.Open("sqlite3", "file:"+path)
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.Exec(statements)
	return err
}

// snapshot is every file in the folder with its bytes.
func snapshot(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		b.WriteString(d.Type().String() + path + "\x00")
		if d.IsDir() {
			return nil
		}
		bytes, err := os.ReadFile(path)
		b.Write(bytes)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func write(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestPrivateFromTheStart: nobody else could read the file even if the process
// were killed before anything is in it.
func TestPrivateFromTheStart(t *testing.T) {
	dir := t.TempDir()
	missing, empty := filepath.Join(dir, "data", "missing.db"), filepath.Join(dir, "empty.db")
	if err := os.WriteFile(empty, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{missing, empty} {
		if err := begin(path); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 || info.Size() != 0 {
			t.Errorf("%v, %v", info, err)
		}
		if fresh, err := inspect(path); !fresh || err != nil {
			t.Errorf("%v, %v", fresh, err)
		}
	}
}
