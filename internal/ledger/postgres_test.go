package ledger

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/backsoon/backsoon/internal/postgrestest"
)

func TestPostgresOpen(t *testing.T) {
	address := postgrestest.New(t)
	if _, err := Open(context.Background(), address, false); !errors.Is(err, ErrMissing) {
		t.Errorf("nothing is there: %v", err)
	}
	var wg sync.WaitGroup
	for range 8 { // migrations of processes that start at once
		wg.Go(func() {
			l, err := Open(context.Background(), address, true)
			if err != nil {
				t.Error(err)
				return
			}
			l.Close()
		})
	}
	wg.Wait()
	l := openAt(t, address)
	files, _ := fs.Glob(postgresMigrations, "postgres/*.sql")
	if v := count(t, l, "SELECT version FROM backsoon_ledger"); v != len(files) {
		t.Errorf("version %d with %d migrations", v, len(files))
	}
	lite, _ := fs.Glob(sqliteMigrations, "sqlite/*.sql")
	if len(lite) != len(files) {
		t.Errorf("%d migrations on SQLite, %d on PostgreSQL: each table is on both", len(lite), len(files))
	}
	update(t, l, func(tx *Tx) error { return l.store.setVersion(tx.ctx, tx.tx, len(files)+1) })
	if _, err := Open(context.Background(), address, true); err == nil || !strings.Contains(err.Error(), "newer backsoon") {
		t.Errorf("one from the future: %v", err)
	}
}

func TestPostgresOtherProgramsDatabase(t *testing.T) {
	address := postgrestest.New(t)
	postgrestest.Exec(t, address, "CREATE TABLE subscribers (id INT)")
	for _, create := range []bool{false, true} {
		if _, err := Open(context.Background(), address, create); err == nil || !strings.Contains(err.Error(), "another program's tables") {
			t.Errorf("%v", err)
		}
	}
}

// TestPasswordIsNeverShown, whatever is wrong with the address.
func TestPasswordIsNeverShown(t *testing.T) {
	for _, address := range []string{
		"postgres://shop:s3cret@127.0.0.1:1/ledger", "postgres://shop:s3cret@127.0.0.1:99999/ledger",
		"postgres://shop:s3cret@[/ledger", "postgres://shop:s3cret@127.0.0.1:1/ledger?sslmode=perhaps",
		"postgres://127.0.0.1:1/ledger?user=shop&password=s3cret", "postgres://shop:s3cret%@127.0.0.1:1/ledger",
		"postgresql://shop:s3cret@no-such-host.invalid/ledger",
	} {
		_, err := Open(context.Background(), address, true)
		if err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v", address, err)
		}
	}
}

// TestSeveralWatchers: one has the lease until it dies, on the database's clock.
func TestSeveralWatchers(t *testing.T) {
	address := postgrestest.New(t)
	one, two := join(t, openAt(t, address), "one"), join(t, openAt(t, address), "two")
	if led, _ := lead(t, one); !led {
		t.Fatal("nobody had it")
	}
	if led, _ := lead(t, two); led || !fenced(t, two) || fenced(t, one) {
		t.Error("two lead")
	}
	update(t, one.ledger, func(tx *Tx) error {
		return must(tx.exec("UPDATE leases SET until = " + tx.clock() + " + 300 WHERE name = 'reconcile'"))
	})
	if led, _ := lead(t, two); led {
		t.Error("taken before its time")
	}
	time.Sleep(310 * time.Millisecond)
	if led, elsewhere := lead(t, two); !led || !elsewhere || !fenced(t, one) {
		t.Error("not taken over, or not from elsewhere")
	}
	lost, err := one.Renew(context.Background())
	if err != nil || !lost {
		t.Errorf("it doesn't hear of it: %v", err)
	}
	if lost, err := two.Renew(context.Background()); err != nil || lost || !two.Alive() {
		t.Errorf("the new one: lost %v, %v", lost, err)
	}
	again := join(t, openAt(t, address), "two")
	die(t, one.ledger)
	if led, elsewhere := lead(t, again); !led || elsewhere {
		t.Error("the same folder after a restart is not elsewhere")
	}
}

// TestRenewalWaitsForNobody: a long transaction of the watcher that reconciles
// neither costs it its lease, nor lets another take over in the middle.
func TestRenewalWaitsForNobody(t *testing.T) {
	address := postgrestest.New(t)
	one, two := join(t, openAt(t, address), "one"), join(t, openAt(t, address), "two")
	lead(t, one)
	taken := make(chan bool, 1)
	err := one.Update(context.Background(), func(tx *Tx) error {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		if lost, err := one.Renew(ctx); err != nil || lost {
			t.Errorf("lost %v, %v", lost, err)
		}
		postgrestest.Exec(t, address, "UPDATE leases SET until = 0")
		go func() { led, _, err := two.Lead(context.Background()); taken <- led && err == nil }()
		select {
		case <-taken:
			t.Error("taken over in the middle")
		case <-time.After(200 * time.Millisecond):
		}
		return must(changeState(tx))
	})
	if err != nil || !<-taken || !fenced(t, one) {
		t.Errorf("%v", err)
	}
}

// TestStoppedInTheMiddle: the server ends a transaction whose process stands
// still, so that the others go on.
func TestStoppedInTheMiddle(t *testing.T) {
	address := postgrestest.New(t)
	one, two := join(t, openAt(t, address), "one"), join(t, openAt(t, address), "two")
	lead(t, one)
	err := one.Update(context.Background(), func(tx *Tx) error {
		if _, err := changeState(tx); err != nil {
			return err
		}
		began := time.Now()
		die(t, two.ledger) // waits for its turn
		if led, _ := lead(t, two); !led || fenced(t, two) {
			t.Error("the others wait for one that stands still")
		}
		if waited := time.Since(began); waited > stopped+3*time.Second {
			t.Errorf("they waited for %v", waited)
		}
		return nil
	})
	if err == nil || !fenced(t, one) {
		t.Error("what was ended is written")
	}
}

// TestClaimsPassEachOther: two watchers never have the same letter, and wait for
// neither each other nor a writer.
func TestClaimsPassEachOther(t *testing.T) {
	address := postgrestest.New(t)
	l, other := openAt(t, address), openAt(t, address)
	mailing(t, l, 100)
	one, two := join(t, l, "one"), join(t, other, "two")
	seen := map[int64]bool{}
	check := func(all []Letter) {
		for _, letter := range all {
			if seen[letter.Subscriber.ID] {
				t.Fatalf("letter %d is both's", letter.Subscriber.ID)
			}
			seen[letter.Subscriber.ID] = true
		}
	}
	err := one.Claim(context.Background(), func(tx *Tx) error {
		first, err := tx.Claim(t0, 30)
		check(first)
		check(two.letters(t, t0, 50))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	update(t, l, func(*Tx) error { check(two.letters(t, t0, 50)); return nil })
	if len(seen) != 100 {
		t.Errorf("%d letters", len(seen))
	}
}

// TestEndpointsAreClaimed: one watcher at a time sends to an endpoint. What one
// that is gone was sending goes out again, and what it says later doesn't count.
func TestEndpointsAreClaimed(t *testing.T) {
	address := postgrestest.New(t)
	l := openAt(t, address)
	one, two := join(t, l, "one"), join(t, openAt(t, address), "two")
	update(t, l, func(tx *Tx) error {
		if err := tx.SaveEndpoint(Endpoint{Storefront: "web", URL: "u", NextTry: t0}); err != nil {
			return err
		}
		return tx.SaveStorefront(Storefront{ID: "web", Revision: 6}, t0)
	})
	again := t0.Add(30 * time.Second)
	take := func(m *Member, now time.Time) *Endpoint {
		t.Helper()
		e, f, err := m.ClaimEndpoint(context.Background(), "web", "u", now, again)
		if err != nil || e != nil && f.Revision != 6 {
			t.Fatalf("%+v, %v", f, err)
		}
		return e
	}
	release := func(m *Member) (mine bool) {
		update(t, l, func(tx *Tx) (err error) {
			mine, err = tx.ReleaseEndpoint(m, "web", "u")
			return err
		})
		return mine
	}
	if take(one, t0.Add(-time.Second)) != nil || take(one, t0) == nil || take(one, t0) != nil || take(two, t0) != nil {
		t.Error("taken before it is due, or twice")
	}
	if e := read(t, l, (*Tx).Endpoints)[0]; !e.Busy || e.Abandoned || !e.Reassert.IsZero() {
		t.Errorf("%+v", e)
	}
	if !release(one) || take(two, t0) == nil {
		t.Error("not given back")
	}
	die(t, l)
	if e := read(t, l, (*Tx).Endpoints)[0]; e.Busy || !e.Abandoned {
		t.Errorf("%+v", e)
	}
	if _, err := one.Renew(context.Background()); err != nil {
		t.Fatal(err)
	}
	if e := take(one, t0); e == nil || !e.Reassert.Equal(again) {
		t.Errorf("after the other one's end: %+v", e)
	}
	if release(two) || !release(one) {
		t.Error("the dead one has a say")
	}
}

func TestPlacesOfWatchers(t *testing.T) {
	address := postgrestest.New(t)
	l := openAt(t, address)
	m := join(t, l, "shop-1:/srv/shop")
	if place := read(t, l, (*Tx).Leader); place != "" {
		t.Error(place)
	}
	lead(t, m)
	if place := read(t, l, (*Tx).Leader); place != "shop-1:/srv/shop" {
		t.Error(place)
	}
	_, err := l.Join(context.Background(), "shop-2:/srv/shop", []byte("another"))
	if err == nil || !strings.Contains(err.Error(), "data/site.key is another than in shop-1:/srv/shop") {
		t.Errorf("with another key: %v", err)
	}
	die(t, l)
	if _, err := l.Join(context.Background(), "shop-2:/srv/shop", []byte("another")); err != nil {
		t.Errorf("nobody else is there: %v", err)
	}
}
