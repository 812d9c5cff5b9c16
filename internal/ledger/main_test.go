package ledger

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/backsoon/backsoon/internal/checkpoint"
	"github.com/backsoon/backsoon/internal/postgrestest"
)

// t0 is when everything begins in these tests; milliseconds are kept.
var t0 = time.Date(2026, 12, 24, 18, 0, 0, 123_000_000, time.UTC)

// roles are what a second process of this test binary can be, by the value of
// roleEnv; each works on the ledger at path until it is killed.
var roles = map[string]func(path string) error{"hold": hold, "try": try, "write": writeOn, "import": breakOff}

const roleEnv, pathEnv = "LEDGER_TEST_ROLE", "LEDGER_TEST_PATH"

func TestMain(m *testing.M) {
	role, ok := roles[os.Getenv(roleEnv)]
	if !ok {
		os.Exit(postgrestest.Main(m))
	}
	if err := role(os.Getenv(pathEnv)); err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
}

// process is a second process with a role, and what it prints.
type process struct {
	*exec.Cmd
	lines *bufio.Scanner
	stdin io.WriteCloser
}

func start(t *testing.T, role, path string) *process {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), roleEnv+"="+role, pathEnv+"="+path)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &process{cmd, bufio.NewScanner(stdout), stdin}
	t.Cleanup(func() { p.kill() })
	return p
}

func (p *process) line(t *testing.T) string {
	t.Helper()
	if !p.lines.Scan() {
		t.Fatalf("the other process printed nothing more: %v", p.lines.Err())
	}
	return p.lines.Text()
}

// kill is kill -9. It returns when the process is gone, with the last line that
// was still unread.
func (p *process) kill() (last string) {
	_ = p.Process.Kill()
	for p.lines.Scan() {
		last = p.lines.Text()
	}
	_ = p.Wait()
	return last
}

// newLedger begins a ledger in a place of its own.
func newLedger(t testing.TB) *Ledger {
	t.Helper()
	return openAt(t, newPlace(t))
}

// newPlace is where nothing is yet: a path, or in a test that runs on PostgreSQL
// an address. See suite_test.go.
func newPlace(t testing.TB) string {
	t.Helper()
	if onPostgres(t) {
		return postgrestest.New(t)
	}
	return filepath.Join(t.TempDir(), "backsoon.db")
}

func onPostgres(t testing.TB) bool { return strings.Contains(t.Name(), "PostgreSQL") }

func openAt(t testing.TB, place string) *Ledger {
	t.Helper()
	l := openUnsigned(t, place)
	if err := l.SignWith(context.Background(), origin, key); err != nil {
		t.Fatal(err)
	}
	return l
}

// origin and key are those of every log in these tests, in second processes, too.
const origin = "status.example/log"

var key, _ = checkpoint.ParseKey([]byte("-----BEGIN PRIVATE KEY-----\n" +
	"MC4CAQAwBQYDK2VwBCIEIHRoaXJ0eS10d28gYnl0ZXMgZm9yIHRlc3RzIG9ubHkh\n-----END PRIVATE KEY-----\n"))

// openUnsigned is openAt without anybody to sign the log.
func openUnsigned(t testing.TB, place string) *Ledger {
	t.Helper()
	l, err := Open(context.Background(), place, true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// update runs f in one transaction; whatever fails ends the test.
func update(t testing.TB, l *Ledger, f func(*Tx) error) {
	t.Helper()
	if err := l.Update(context.Background(), f); err != nil {
		t.Fatal(err)
	}
}

// read gives what f reads in one transaction.
func read[T any](t testing.TB, l *Ledger, f func(*Tx) (T, error)) T {
	t.Helper()
	var v T
	err := l.View(context.Background(), func(tx *Tx) (err error) {
		v, err = f(tx)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// count gives the number that a query finds.
func count(t testing.TB, l *Ledger, query string, args ...any) int {
	t.Helper()
	return read(t, l, func(tx *Tx) (n int, err error) { return n, tx.row(query, args, &n) })
}

// must drops a result that a test has no use for.
func must[T any](_ T, err error) error { return err }
