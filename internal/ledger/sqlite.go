package ledger

import (
	"context"
	"database/sql"
	"embed"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/ncruces/go-sqlite3"
	_ "github.com/ncruces/go-sqlite3/driver" // the "sqlite3" driver
	"golang.org/x/sys/unix"
)

//go:embed sqlite/*.sql
var sqliteMigrations embed.FS

// applicationID marks the file as ours in SQLite's header (PRAGMA
// application_id): "bkSn".
const applicationID = 0x626b536e

// busyTimeout is how long a statement waits for another process, in
// milliseconds.
const busyTimeout = 10_000

type sqlite struct {
	path string
	conn *sql.DB
}

func openSQLite(ctx context.Context, path string, create bool) (store, error) {
	fresh, err := inspect(path)
	if err != nil {
		return nil, err
	}
	if fresh && !create {
		return nil, ErrMissing
	}
	if fresh {
		if err := begin(path); err != nil {
			return nil, fmt.Errorf("ledger: %w", err)
		}
	}
	// FULL makes every commit reach the disk; IMMEDIATE makes writers queue up
	// at the start instead of failing in the middle. SECURE_DELETE overwrites what
	// is deleted with zeros: an address that is forgotten is not in the file. MODEOF
	// keeps the write-ahead log as closed to others as the file itself.
	dsn := "file:" + (&url.URL{Path: path}).EscapedPath() + "?_txlock=immediate&modeof=" + strings.ReplaceAll(url.QueryEscape(path), "+", "%20") +
		fmt.Sprintf("&_pragma=busy_timeout(%d)&_pragma=synchronous(full)&_pragma=foreign_keys(1)&_pragma=secure_delete(1)", busyTimeout)
	unchanging := onReadOnlyDisk(path)
	if unchanging {
		if _, err := os.Lstat(path + "-wal"); err == nil {
			return nil, fmt.Errorf("ledger %s: the disk is read-only, and %s-wal on it has what is not in the ledger's file yet; copy both to another disk", path, filepath.Base(path))
		}
		dsn += "&mode=ro&immutable=1"
	}
	conn, err := sql.Open("sqlite3", dsn)
	if err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	s := &sqlite{path, conn}
	if unchanging {
		return s, nil
	}
	if err := s.prepare(ctx, fresh); err != nil {
		conn.Close()
		return nil, fmt.Errorf("ledger %s: %w", path, err)
	}
	return s, nil
}

// onReadOnlyDisk tells whether nobody can write the file, whoever it is: SQLite needs to
// be told, since reading takes files beside it as well (https://sqlite.org/wal.html, 7).
func onReadOnlyDisk(path string) bool {
	return errors.Is(unix.Access(path, unix.W_OK), unix.EROFS)
}

// begin makes an empty file that nobody else may read, before anything is in it.
func begin(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(f.Chmod(0o600), f.Close()) // it may have been there, and empty
}

// prepare marks a fresh file as ours before anything else is in it, and then
// turns on the write-ahead log, so that readers never wait for the watcher.
func (s *sqlite) prepare(ctx context.Context, fresh bool) error {
	if fresh {
		if _, err := s.conn.ExecContext(ctx, fmt.Sprintf("PRAGMA application_id = %d", applicationID)); err != nil {
			return err
		}
	}
	_, err := s.conn.ExecContext(ctx, "PRAGMA journal_mode = wal")
	return err
}

// inspect looks at the file's header (https://sqlite.org/fileformat.html, 1.3)
// before SQLite touches it: fresh where there is nothing, an error where it is
// not ours.
func inspect(path string) (fresh bool, err error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("ledger: %w", err)
	}
	defer f.Close()
	header := make([]byte, 100)
	n, err := io.ReadFull(f, header)
	if n == 0 && errors.Is(err, io.EOF) {
		return true, nil
	}
	if err != nil || string(header[:16]) != "SQLite format 3\x00" || binary.BigEndian.Uint32(header[68:]) != applicationID {
		return false, fmt.Errorf("%s is another program's file; name one of backsoon's own as `database:`", path)
	}
	return false, nil
}

func (s *sqlite) db() *sql.DB       { return s.conn }
func (s *sqlite) migrations() fs.FS { return sqliteMigrations }
func (s *sqlite) close() error      { return s.conn.Close() }

func (s *sqlite) reading() *sql.TxOptions             { return &sql.TxOptions{ReadOnly: true} }
func (s *sqlite) turn(context.Context, *sql.Tx) error { return nil } // its BEGIN IMMEDIATE waits
func (s *sqlite) shared() *sharing                    { return nil }

// explain looks at the disk, since SQLite tells of a full one and a broken one alike.
func (s *sqlite) explain(err error) error {
	if !errors.Is(err, sqlite3.IOERR) && !errors.Is(err, sqlite3.FULL) {
		return err
	}
	dir, disk := filepath.Dir(s.path), unix.Statfs_t{}
	if failed := unix.Statfs(dir, &disk); failed == nil && disk.Bavail*uint64(disk.Bsize) < leastRoom {
		return fmt.Errorf("the disk with %s is full; make room on it: %w", dir, err)
	}
	return fmt.Errorf("the disk with %s fails; the system's own log says why: %w", dir, err)
}

// leastRoom is what a disk that isn't full has left.
const leastRoom = 1 << 20

func (s *sqlite) version(ctx context.Context, tx *sql.Tx) (v int, err error) {
	err = tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&v)
	return v, err
}

func (s *sqlite) setVersion(ctx context.Context, tx *sql.Tx, v int) error {
	_, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", v))
	return err
}

// scrub empties the write-ahead log, which holds pages as they were
// (https://sqlite.org/pragma.html#pragma_wal_checkpoint). It waits for readers,
// and writers for it: not for long, since a checkout may be one of them.
func (s *sqlite) scrub(ctx context.Context) error {
	conn, err := s.conn.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, "PRAGMA busy_timeout = 100"); err != nil {
		return err
	}
	_, err = conn.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
	if errors.Is(err, sqlite3.BUSY) {
		err = nil
	}
	_, again := conn.ExecContext(context.WithoutCancel(ctx), fmt.Sprintf("PRAGMA busy_timeout = %d", busyTimeout))
	return errors.Join(err, again)
}

func (s *sqlite) lock(name lockName) (release func() error, err error) {
	return lockFile(lockPath(s.path, name))
}

// Lock makes the caller the one watcher of what is at the path, a SQLite ledger or
// a site's own folder, until release is called or the process ends. A *HeldError
// names who has it.
func Lock(path string) (release func() error, err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	return lockFile(lockPath(path, watching))
}

// lockFile takes an open-file-description lock (fcntl(2), F_OFD_SETLK): it goes with
// the process however that dies, and Holder can ask for it without taking it.
func lockFile(path string) (release func() error, err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	err = unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, &unix.Flock_t{Type: unix.F_WRLCK})
	if err == unix.EAGAIN || err == unix.EACCES {
		defer f.Close()
		return nil, &HeldError{PID: readPID(f)}
	}
	if err == nil {
		err = f.Truncate(0)
	}
	if err == nil {
		_, err = fmt.Fprintf(f, "%d\n", os.Getpid())
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("ledger: %s: %w", path, err)
	}
	return f.Close, nil
}

// Holder gives the process id of the watcher that has what is at the path, and
// whether there is one. It changes nothing and needs no ledger.
func Holder(path string) (pid int, held bool) {
	f, err := os.Open(lockPath(path, watching))
	if err != nil {
		return 0, false
	}
	defer f.Close()
	query := unix.Flock_t{Type: unix.F_WRLCK}
	if err := unix.FcntlFlock(f.Fd(), unix.F_OFD_GETLK, &query); err != nil || query.Type == unix.F_UNLCK {
		return 0, false
	}
	return readPID(f), true
}

func readPID(f *os.File) int {
	b, _ := io.ReadAll(io.NewSectionReader(f, 0, 32))
	pid, _ := strconv.Atoi(strings.TrimSpace(string(b)))
	return pid
}

func lockPath(path string, name lockName) string { return path + "." + string(name) }
