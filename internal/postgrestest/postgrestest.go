// Package postgrestest runs a real PostgreSQL server for tests: one for each test
// binary, on a socket in a temporary folder, begun by the first test that asks and
// ended by Main. No test is skipped for want of it: `make test` installs it.
package postgrestest

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the "pgx" driver
)

// server is this binary's server.
type server struct {
	dir  string // of the data and the socket
	cmd  *exec.Cmd
	gone chan struct{}
	log  string
}

var (
	once    sync.Once
	running *server
	failed  error
	schemas atomic.Int64
)

// Main runs the tests and ends the server, if one was begun. TestMain exits with
// what it gives.
func Main(m *testing.M) int {
	code := m.Run()
	if running != nil {
		running.stop()
	}
	return code
}

// New gives the address of a fresh, empty place for a ledger: a schema of its own.
func New(t testing.TB) string {
	t.Helper()
	once.Do(func() { running, failed = start() })
	if failed != nil {
		t.Fatal(failed)
	}
	name := fmt.Sprintf("test%d", schemas.Add(1))
	Exec(t, running.address("public"), "CREATE SCHEMA "+name)
	return running.address(name)
}

// Exec runs a statement at the address, beside whatever else goes on there.
func Exec(t testing.TB, address, statement string) {
	t.Helper()
	db, err := sql.Open("pgx", address)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

func (s *server) address(schema string) string {
	return "postgres://backsoon:secret@localhost/postgres?" + url.Values{"host": {s.dir}, "search_path": {schema}}.Encode()
}

// start begins a server. Its locale orders and lowers letters otherwise than
// SQLite does, which the ledger must not notice.
func start() (*server, error) {
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	attr, err := account()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "pg")
	if err != nil {
		return nil, err
	}
	if c := attr.Credential; c != nil {
		if err := os.Chown(dir, int(c.Uid), int(c.Gid)); err != nil {
			return nil, err
		}
	}
	s := &server{dir: dir, gone: make(chan struct{}), log: filepath.Join(dir, "log")}
	data := filepath.Join(dir, "data")
	init := exec.Command(filepath.Join(bin, "initdb"), "-D", data, "-U", "backsoon", "-A", "trust", "-N", "-E", "UTF8", "--locale=C.UTF-8")
	init.SysProcAttr, init.Dir = attr, dir
	if out, err := init.CombinedOutput(); err != nil {
		os.RemoveAll(dir)
		return nil, fmt.Errorf("initdb: %v\n%s", err, out)
	}
	args := []string{"-D", data, "-k", dir, "-h", "", "-N", "200", "-c", "shared_buffers=64MB"}
	if !measuring() { // what is measured has to reach the disk
		args = append(args, "-F", "-c", "full_page_writes=off", "-c", "autovacuum_naptime=1h")
	}
	s.cmd = exec.Command(filepath.Join(bin, "postgres"), args...)
	s.cmd.SysProcAttr, s.cmd.Dir = attr, dir
	if err := s.run(); err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
}

// measuring tells whether benchmarks run.
func measuring() bool {
	f := flag.Lookup("test.bench")
	return f != nil && f.Value.String() != ""
}

// binaries is the folder with the server's programs.
func binaries() (string, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if len(found) > 0 {
		return filepath.Dir(slices.Max(found)), nil
	}
	if path, err := exec.LookPath("postgres"); err == nil {
		return filepath.Dir(path), nil
	}
	return "", errors.New("these tests need a PostgreSQL server, and none is installed; run `make postgresql`, or as root: apt-get install postgresql")
}

// account is whom the server runs as: it refuses to be root's. It dies with the
// test, however that dies.
func account() (*syscall.SysProcAttr, error) {
	attr := &syscall.SysProcAttr{Pdeathsig: syscall.SIGQUIT}
	if os.Getuid() != 0 {
		return attr, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		u, err = user.Lookup("nobody")
	}
	if err != nil {
		return nil, err
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	gid, gidErr := strconv.ParseUint(u.Gid, 10, 32)
	attr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return attr, errors.Join(err, gidErr)
}

// run begins the server and waits until it answers. Its thread stays: the server
// dies with that (prctl(2), PR_SET_PDEATHSIG).
func (s *server) run() error {
	log, err := os.Create(s.log)
	if err != nil {
		return err
	}
	defer log.Close()
	s.cmd.Stdout, s.cmd.Stderr = log, log
	began := make(chan error)
	go func() {
		runtime.LockOSThread()
		err := s.cmd.Start()
		began <- err
		if err == nil {
			_ = s.cmd.Wait()
		}
		close(s.gone)
	}()
	if err := <-began; err != nil {
		return err
	}
	return s.answers()
}

func (s *server) answers() error {
	db, err := sql.Open("pgx", s.address("public"))
	if err != nil {
		return err
	}
	defer db.Close()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		err := db.PingContext(ctx)
		cancel()
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			said, _ := os.ReadFile(s.log)
			return fmt.Errorf("PostgreSQL does not answer: %v\n%s", err, said)
		}
	}
}

// stop ends the server at once: nothing of it is kept.
func (s *server) stop() {
	if s.cmd != nil && s.cmd.Process != nil {
		_ = s.cmd.Process.Signal(syscall.SIGQUIT)
		<-s.gone
	}
	_ = os.RemoveAll(s.dir)
}
