package ledger

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"golang.org/x/sys/unix"
)

//go:embed postgres/*.sql
var postgresMigrations embed.FS

// The advisory locks (pg_advisory_lock) that the ledgers of one server have, each
// schema its own.
const (
	turnLock   = 0x626b5301
	importLock = 0x626b5302
)

// connections is how many a process has at most.
const connections = 10

// stopped is how long a transaction may stand still before the server ends it. A
// watcher that is stopped in the middle of one must not keep the others out.
const stopped = 4 * time.Second

// silence is how long a server that doesn't answer is waited for: a network that
// swallows everything must not hold up a watcher for a quarter of an hour.
const silence = 5 * time.Second

var dialer = &net.Dialer{
	Timeout:         silence,
	KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: silence, Interval: time.Second, Count: 3},
	Control: func(network, _ string, c syscall.RawConn) (err error) {
		if !strings.HasPrefix(network, "tcp") {
			return nil
		}
		failed := c.Control(func(fd uintptr) {
			err = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(2*silence.Milliseconds()))
		})
		return errors.Join(failed, err)
	},
}

type postgres struct{ conn *sql.DB }

func openPostgres(ctx context.Context, address string, create bool) (store, error) {
	config, err := pgx.ParseConfig(address)
	if err != nil {
		return nil, fmt.Errorf("ledger: %s is no address of a database that can be used: %w", shownAddress(address), withoutAddress(err))
	}
	config.ConnectTimeout = silence
	config.DialFunc = dialer.DialContext
	config.RuntimeParams["application_name"] = applicationName()
	conn := stdlib.OpenDB(*config)
	conn.SetMaxOpenConns(connections)
	conn.SetMaxIdleConns(connections)
	s := &postgres{conn}
	if err := s.inspect(ctx, create); err != nil {
		conn.Close()
		if errors.Is(err, ErrMissing) {
			return nil, err
		}
		return nil, fmt.Errorf("ledger %s: %w", shownAddress(address), err)
	}
	return s, nil
}

// begun tells, as SQL, whether there is a ledger. It reads a table: what to_regclass
// says may be from before a wait.
const begun = "EXISTS (SELECT 1 FROM pg_tables WHERE schemaname = current_schema() AND tablename = 'backsoon_ledger')"

// inspect tells what is in the database before anything is changed: ErrMissing
// where that is nothing and create isn't set.
func (s *postgres) inspect(ctx context.Context, create bool) error {
	var ours, others bool
	err := s.conn.QueryRowContext(ctx, "SELECT "+begun+", EXISTS (SELECT 1 FROM pg_tables WHERE schemaname = current_schema())").Scan(&ours, &others)
	switch {
	case err != nil:
		return err
	case ours:
		return nil
	case others:
		return errors.New("it has another program's tables; name a database of backsoon's own as `database:`")
	case !create:
		return ErrMissing
	}
	return nil
}

// shownAddress is the address without its password.
func shownAddress(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "postgres://…"
	}
	u.RawQuery = "" // it may have a password, too
	return u.Redacted()
}

// withoutAddress keeps what was wrong with an address and drops the address.
func withoutAddress(err error) error {
	var parse *pgconn.ParseConfigError
	if errors.As(err, &parse) && errors.Unwrap(parse) != nil {
		return errors.Unwrap(parse)
	}
	return errors.New("write postgres://user:password@host/database")
}

// applicationName is what the server shows of this process; see holder.
func applicationName() string {
	host, _ := os.Hostname()
	return fmt.Sprintf("backsoon %d %.40s", os.Getpid(), host)
}

func (s *postgres) db() *sql.DB       { return s.conn }
func (s *postgres) migrations() fs.FS { return postgresMigrations }
func (s *postgres) close() error      { return s.conn.Close() }

func (s *postgres) version(ctx context.Context, tx *sql.Tx) (v int, err error) {
	var ours bool
	err = tx.QueryRowContext(ctx, "SELECT "+begun).Scan(&ours)
	if err != nil || !ours {
		return 0, err
	}
	err = tx.QueryRowContext(ctx, "SELECT version FROM backsoon_ledger").Scan(&v)
	return v, err
}

func (s *postgres) setVersion(ctx context.Context, tx *sql.Tx, v int) error {
	if _, err := tx.ExecContext(ctx, "DELETE FROM backsoon_ledger"); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, "INSERT INTO backsoon_ledger (version) VALUES ($1)", v)
	return err
}

func (s *postgres) reading() *sql.TxOptions {
	return &sql.TxOptions{ReadOnly: true, Isolation: sql.LevelRepeatableRead}
}

// turn waits until no other process writes, and has the server end this
// transaction where its process stands still. It needs no table, so that two
// processes that begin a ledger at once do so one after the other.
func (s *postgres) turn(ctx context.Context, tx *sql.Tx) error {
	_, err := tx.ExecContext(ctx, "SELECT set_config('idle_in_transaction_session_timeout', $1, true), pg_advisory_xact_lock($2, hashtext(current_schema()))",
		fmt.Sprint(stopped.Milliseconds()), turnLock)
	return err
}

func (s *postgres) shared() *sharing {
	return &sharing{
		clock: "(EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint",
		claim: func(ctx context.Context, tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, "SELECT set_config('idle_in_transaction_session_timeout', $1, true)", fmt.Sprint(stopped.Milliseconds()))
			return err
		},
	}
}

// lock takes an advisory lock on a connection of its own: it goes with that.
func (s *postgres) lock(name lockName) (release func() error, err error) {
	ctx := context.Background()
	conn, err := s.conn.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	taken := false
	err = conn.QueryRowContext(ctx, "SELECT pg_try_advisory_lock($1, hashtext(current_schema()))", importLock).Scan(&taken)
	if err == nil && !taken {
		err = s.holder(ctx, conn)
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return func() error {
		_, err := conn.ExecContext(ctx, "SELECT pg_advisory_unlock($1, hashtext(current_schema()))", importLock)
		return errors.Join(err, conn.Close())
	}, nil
}

// holder names the process that has the lock; other shops may have theirs in the
// same database, each in a schema of its own.
func (s *postgres) holder(ctx context.Context, conn *sql.Conn) error {
	var name string
	err := conn.QueryRowContext(ctx, `SELECT application_name FROM pg_locks JOIN pg_stat_activity USING (pid)
		WHERE locktype = 'advisory' AND classid = $1 AND objid::bigint = hashtext(current_schema())::bigint & 4294967295 AND granted
			AND datname = current_database() LIMIT 1`, importLock).Scan(&name)
	if err != nil && !isNone(err) {
		return fmt.Errorf("ledger: %w", err)
	}
	held := &HeldError{}
	_, _ = fmt.Sscanf(name, "backsoon %d %s", &held.PID, &held.Host) // what can't be read is left out
	return held
}

// explain leaves all as it is: the server's own log tells of its disks.
func (s *postgres) explain(err error) error { return err }

// scrub leaves it to the server, which overwrites by itself what was deleted
// (VACUUM), when it comes to that.
func (s *postgres) scrub(context.Context) error { return nil }
