package verify

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/backsoon/backsoon/internal/checkpoint"
	"github.com/backsoon/backsoon/internal/ledger"
	"github.com/backsoon/backsoon/internal/postgrestest"
)

func TestMain(m *testing.M) { os.Exit(postgrestest.Main(m)) }

const origin = "status.example/log"

var (
	key = checkpoint.NewKey()
	t0  = time.Date(2026, 12, 24, 18, 0, 0, 123_000_000, time.UTC)
	ada = ledger.By{Name: "Ada", Verified: true, How: "ssh-signature", Key: "SHA256:x"}
)

// databases are where a test's ledger is kept, each in its turn.
var databases = map[string]func(t testing.TB) string{
	"SQLite":     func(t testing.TB) string { return filepath.Join(t.TempDir(), "backsoon.db") },
	"PostgreSQL": func(t testing.TB) string { return postgrestest.New(t) },
}

func open(t testing.TB, place string) *ledger.Ledger {
	t.Helper()
	l, err := ledger.Open(context.Background(), place, true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	if err := l.SignWith(context.Background(), origin, key); err != nil {
		t.Fatal(err)
	}
	return l
}

// shop is a ledger in the making.
type shop struct {
	testing.TB
	l      *ledger.Ledger
	now    time.Time
	checks []string // the checkpoint after each transaction
}

// transact writes in one transaction, a minute after the one before.
func (s *shop) transact(f func(tx *ledger.Tx) error) {
	s.Helper()
	s.now = s.now.Add(time.Minute)
	if err := s.l.Update(context.Background(), f); err != nil {
		s.Fatal(err)
	}
	s.checks = append(s.checks, s.checkpoint())
}

func (s *shop) checkpoint() (signed string) {
	s.Helper()
	err := s.l.View(context.Background(), func(tx *ledger.Tx) (err error) {
		signed, _, err = tx.Checkpoint()
		return err
	})
	if err != nil {
		s.Fatal(err)
	}
	return signed
}

// publish accepts words and moves the storefront, as a watcher does: two entries.
func (s *shop) publish(slug, words string, closed bool) {
	s.Helper()
	s.transact(func(tx *ledger.Tx) error {
		sum := sha256.Sum256([]byte(words))
		v := ledger.Version{Slug: slug, SHA256: hex.EncodeToString(sum[:]), Content: []byte(words), Accepted: s.now, By: ada}
		if _, err := tx.Accept(v); err != nil {
			return err
		}
		f := ledger.Storefront{ID: "web", State: "open", Checkout: "on", Revision: s.now.UnixMilli(), Since: s.now, By: ada}
		e := ledger.Entry{Time: s.now, Event: ledger.StorefrontOpened, Storefront: "web", Notice: slug, Revision: f.Revision, By: &ada}
		if closed {
			until := s.now.Add(time.Hour)
			f.State, f.Checkout, f.Until, e.Event, e.Until = "closed", "off", until, ledger.StorefrontClosed, &until
		}
		return errors.Join(audit(tx, ledger.Entry{Time: s.now, Event: ledger.NoticeAccepted, Notice: slug, By: &ada, SHA256: v.SHA256}),
			tx.SaveStorefront(f, s.now), audit(tx, e))
	})
}

func (s *shop) say(event string) {
	s.Helper()
	s.transact(func(tx *ledger.Tx) error {
		return audit(tx, ledger.Entry{Time: s.now, Event: event, Storefront: "web"})
	})
}

func audit(tx *ledger.Tx, e ledger.Entry) error {
	_, err := tx.Audit(e)
	return err
}

// aLife is a shop with ten entries under six checkpoints:
// 0 1 | 2 | 3 4 | 5 | 6 7 | 8 | 9.
func aLife(t testing.TB, place string) *shop {
	t.Helper()
	s := &shop{TB: t, l: open(t, place), now: t0}
	s.publish("flood", "Water", true)
	s.say(ledger.WebhookAcknowledged)
	s.publish("flood", "More water", true)
	s.say(ledger.WebhookAcknowledged)
	s.publish("flood", "Dry", false)
	s.say(ledger.WebhookAcknowledged)
	s.say(ledger.MailStarted)
	return s
}

func (s *shop) verify(earlier ...string) (r Report, err error) {
	s.Helper()
	var kept []Kept
	for i, signed := range earlier {
		kept = append(kept, Kept{fmt.Sprint("kept-", i), signed})
	}
	failed := s.l.View(context.Background(), func(tx *ledger.Tx) error {
		r, err = Ledger(tx, []string{key.Verifier(origin), key.Verifier(origin + "/2")}, kept)
		return nil
	})
	if failed != nil {
		s.Fatal(failed)
	}
	return r, err
}

// vandal has the database in hand.
type vandal struct {
	testing.TB
	db       *sql.DB
	postgres bool
}

func newVandal(t testing.TB, place string) *vandal {
	t.Helper()
	driver, source := "sqlite3", "file:"+place
	if ledger.IsAddress(place) {
		driver, source = "pgx", place
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	v := &vandal{t, db, ledger.IsAddress(place)}
	for table, verb := range map[string]string{"audit": "is", "hashes": "are", "checkpoints": "are", "logs": "are"} {
		if v.postgres {
			v.do("ALTER TABLE " + table + " DISABLE TRIGGER USER")
			continue
		}
		v.do(fmt.Sprintf("DROP TRIGGER %s_%s_not_changed", table, verb))
		v.do(fmt.Sprintf("DROP TRIGGER %s_%s_not_deleted", table, verb))
	}
	return v
}

func (v *vandal) do(statement string, args ...any) {
	v.Helper()
	if _, err := v.db.Exec(statement, args...); err != nil {
		v.Fatalf("%s: %v", statement, err)
	}
}

// entries are the log's words as they are now.
func (v *vandal) entries() (all []string) {
	v.Helper()
	rows, err := v.db.Query("SELECT entry FROM audit ORDER BY idx")
	if err != nil {
		v.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var e string
		if err := rows.Scan(&e); err != nil {
			v.Fatal(err)
		}
		all = append(all, e)
	}
	return all
}

// rehash makes the tree fit the entries.
func (v *vandal) rehash() memory {
	v.Helper()
	v.do("DELETE FROM hashes")
	var m memory
	for n, e := range v.entries() {
		hashes, err := tlog.StoredHashes(int64(n), []byte(e), m)
		if err != nil {
			v.Fatal(err)
		}
		for _, h := range hashes {
			v.do("INSERT INTO hashes (log, idx, hash) VALUES (1, $1, $2)", len(m), h[:])
			m = append(m, h)
		}
	}
	return m
}

// resign makes the checkpoints fit the tree: it takes the key.
func (v *vandal) resign(k checkpoint.Key) {
	v.Helper()
	m := v.rehash()
	rows, err := v.db.Query("SELECT number, size FROM checkpoints")
	if err != nil {
		v.Fatal(err)
	}
	sizes := map[int64]int64{}
	for rows.Next() {
		var number, size int64
		if err := rows.Scan(&number, &size); err != nil {
			v.Fatal(err)
		}
		sizes[number] = size
	}
	rows.Close()
	for number, size := range sizes {
		root, err := tlog.TreeHash(size, m)
		if err != nil {
			v.Fatal(err)
		}
		signed, err := k.Sign(origin, size, root)
		if err != nil {
			v.Fatal(err)
		}
		v.do("UPDATE checkpoints SET note = $1 WHERE number = $2", signed, number)
	}
}

// cutTail removes all from the entry on, and what tells of it in the tree.
func (v *vandal) cutTail(from, hashes, checkpoints int) {
	v.do("DELETE FROM audit WHERE idx >= $1", from)
	v.do("DELETE FROM hashes WHERE idx >= $1", hashes)
	v.do("DELETE FROM checkpoints WHERE number >= $1", checkpoints)
}

const (
	word      = "UPDATE audit SET entry = replace(entry, 'Ada', 'Eve') WHERE idx = "
	wrongWord = `UPDATE audit SET entry = replace(entry, '"web"', '"wob"') WHERE idx = 5`
)

// TestTampering: whatever somebody with the database in hand changes, the first
// entry that doesn't hold is named.
func TestTampering(t *testing.T) {
	for name, tt := range map[string]struct {
		tamper func(v *vandal)
		index  int64
		why    string
	}{
		"a word":                 {func(v *vandal) { v.do(word + "4") }, 4, "words are not those"},
		"a blank":                {func(v *vandal) { v.do("UPDATE audit SET entry = entry || ' ' WHERE idx = 7") }, 7, "words are not those"},
		"two words":              {func(v *vandal) { v.do(word + "6"); v.do(word + "1") }, 1, "words are not those"},
		"the time beside it":     {func(v *vandal) { v.do("UPDATE audit SET time = time + 1 WHERE idx = 5") }, 5, "index, time or event"},
		"the event beside it":    {func(v *vandal) { v.do("UPDATE audit SET event = 'mail.failed' WHERE idx = 9") }, 9, "index, time or event"},
		"the first removed":      {func(v *vandal) { v.do("DELETE FROM audit WHERE idx = 0") }, 0, "is missing"},
		"one removed":            {func(v *vandal) { v.do("DELETE FROM audit WHERE idx = 3") }, 3, "is missing"},
		"one removed and closed": {func(v *vandal) { removeAndClose(v, 3) }, 3, "words are not those"},
		"two swapped":            {swap, 2, "words are not those"},
		"one inserted":           {func(v *vandal) { insert(v, 4) }, 4, "words are not those"},
		"one added":              {func(v *vandal) { insert(v, 10) }, 10, "no place for it"},
		"the last cut off":       {func(v *vandal) { v.do("DELETE FROM audit WHERE idx = 9") }, 9, "is missing"},
		"the tail cut off":       {func(v *vandal) { v.do("DELETE FROM audit WHERE idx >= 6") }, 6, "is missing"},
		"the tail and its tree":  {func(v *vandal) { v.do("DELETE FROM audit WHERE idx >= 8"); v.do("DELETE FROM hashes WHERE idx >= 15") }, 8, "over 9 entries, and there are 8"},
		"the tail and its checkpoints": {func(v *vandal) {
			v.do("DELETE FROM audit WHERE idx >= 8")
			v.do("DELETE FROM checkpoints WHERE number >= 5")
		}, 8, "the tree has a place"},
		"the tail and all of it":     {func(v *vandal) { v.cutTail(6, 10, 4) }, 4, "the ledger is at revision"},
		"hashes made to fit":         {func(v *vandal) { v.do(wrongWord); v.rehash() }, 5, "its words are not what was signed"},
		"hashes made to fit, of two": {func(v *vandal) { v.do(word + "4"); v.rehash() }, 3, "one of the entries 3 to 4"},
		"a hash of the tree": {func(v *vandal) {
			v.do("UPDATE hashes SET hash = (SELECT hash FROM hashes WHERE idx = 0) WHERE idx = 6")
		}, 3, "hash over it and the 3 entries"},
		"a hash removed":               {func(v *vandal) { v.do("DELETE FROM hashes WHERE idx = 8") }, 5, "no place for it"},
		"the first checkpoint removed": {func(v *vandal) { v.do("DELETE FROM checkpoints WHERE number = 0") }, 0, "checkpoint is missing: number 0"},
		"a checkpoint removed":         {func(v *vandal) { v.do("DELETE FROM checkpoints WHERE number = 3") }, 5, "checkpoint is missing: number 3"},
		"the last checkpoint removed":  {func(v *vandal) { v.do("DELETE FROM checkpoints WHERE number = 6") }, 9, "no checkpoint covers it"},
		"all checkpoints removed":      {func(v *vandal) { v.do("DELETE FROM checkpoints") }, 0, "no checkpoint covers it"},
		"the tree removed":             {func(v *vandal) { v.do("DELETE FROM checkpoints"); v.do("DELETE FROM hashes"); v.do("DELETE FROM logs") }, -1, "no checkpoint covers any"},
		"a checkpoint changed": {func(v *vandal) {
			v.do("UPDATE checkpoints SET note = replace(note, 'status', 'statos') WHERE number = 2")
		}, 3, "not one that was signed"},
		"signed by another key":  {func(v *vandal) { v.do(wrongWord); v.resign(checkpoint.NewKey()) }, 0, "not one that was signed"},
		"another key throughout": {anotherKey, -1, "another key than the one to believe"},
		"a revision twice": {func(v *vandal) {
			insertFitting(v, `{"index":10,"time":"2026-12-24T18:05:00Z","event":"storefront.closed","storefront":"web","revision":%d}`, t0.Add(5*time.Minute).UnixMilli())
		}, 10, "has an entry already"},
		"a change without an entry": {func(v *vandal) { v.do("UPDATE storefronts SET revision = revision + 1") }, 7, "the ledger is at revision"},
		"a checkout":                {func(v *vandal) { v.do("UPDATE storefronts SET checkout = 'off'") }, 7, "checkout is off in the ledger"},
		"an end":                    {func(v *vandal) { v.do("UPDATE storefronts SET until = 1") }, 7, "until another time"},
		"a storefront added":        {func(v *vandal) { v.do("UPDATE storefronts SET id = 'wab'") }, -1, "storefront wab"},
		"accepted words":            {func(v *vandal) { v.do("UPDATE versions SET content = $1 WHERE id = 2", []byte("Less water")) }, 3, "other words than were accepted"},
		"accepted words and sum": {func(v *vandal) {
			v.do("UPDATE versions SET content = $1, sha256 = $2 WHERE id = 2", []byte(""), hex.EncodeToString(sha256.New().Sum(nil)))
		}, 3, "other words than were accepted"},
		"a publisher":                 {func(v *vandal) { v.do("UPDATE versions SET by = replace(by, 'Ada', 'Eve') WHERE id = 3") }, 6, "another publisher"},
		"a commit":                    {func(v *vandal) { v.do("UPDATE versions SET git_commit = 'c0ffee' WHERE id = 2") }, 3, "from another commit"},
		"an acceptance's time":        {func(v *vandal) { v.do("UPDATE versions SET accepted = accepted + 1 WHERE id = 1") }, 0, "accepted at another time"},
		"an older version":            {func(v *vandal) { v.do("UPDATE notices SET version = 1") }, 6, "not what the ledger has in force"},
		"a version removed":           {func(v *vandal) { v.do("UPDATE notices SET version = 2"); v.do("DELETE FROM versions WHERE id = 3") }, 6, "no longer in the ledger"},
		"a notice taken out of force": {func(v *vandal) { v.do("DELETE FROM notices") }, 6, "no longer has it in force"},
		"a version in force twice": {func(v *vandal) {
			v.do("INSERT INTO notices SELECT 'ghost', version, first, closed, ended, overdue, told FROM notices")
		}, -1, "in force, and no entry"},
		"one put before the first": {func(v *vandal) {
			v.do("INSERT INTO audit (idx, time, event, entry) VALUES (-1, 1, 'mail.paused', '{}')")
		}, -1, "put before the first"},
		"a version added": {func(v *vandal) {
			v.do("INSERT INTO versions (slug, sha256, content, accepted, by) VALUES ('party', 'x', $1, 1, '{}')", []byte("x"))
		}, -1, "version 4 of the ledger (party"},
	} {
		t.Run(name, func(t *testing.T) {
			for database, place := range databases {
				t.Run(database, func(t *testing.T) {
					where := place(t)
					s := aLife(t, where)
					if _, err := s.verify(s.checks...); err != nil {
						t.Fatalf("before anybody changed anything: %v", err)
					}
					tt.tamper(newVandal(t, where))
					_, err := s.verify()
					var f *Fault
					if !errors.As(err, &f) || f.Index != tt.index || !strings.Contains(f.Why, tt.why) {
						t.Errorf("got %v, want entry %d: %s", err, tt.index, tt.why)
					}
				})
			}
		})
	}
}

// TestTamperingWithTranslations: what is in force in other languages is held against
// the entries as well, and what was withdrawn is missed by nobody.
func TestTamperingWithTranslations(t *testing.T) {
	for database, place := range databases {
		t.Run(database, func(t *testing.T) {
			where := place(t)
			s := aLife(t, where)
			s.translate("pt", "Água")
			s.translate("pt", "Mais água")
			s.translate("de", "Wasser")
			s.withdraw("de")
			if _, err := s.verify(); err != nil {
				t.Fatalf("before anybody changed anything: %v", err)
			}
			v := newVandal(t, where)
			for _, tt := range []struct{ tamper, why string }{
				{"UPDATE translations SET version = 4", "entry 11 (2026-12-24T18:09:00Z, translation.accepted) does not hold: it is not what the ledger has in force"},
				{"INSERT INTO translations (slug, language, version) VALUES ('flood', 'de', 6)", "version 6 (flood.de) in force, and no entry says so"},
				{"DELETE FROM translations", "entry 11 (2026-12-24T18:09:00Z, translation.accepted) does not hold: the ledger no longer has it in force"},
			} {
				v.do(tt.tamper)
				if _, err := s.verify(); err == nil || !strings.Contains(err.Error(), tt.why) {
					t.Errorf("%s: %v, want %s", tt.tamper, err, tt.why)
				}
				v.do("DELETE FROM translations")
				v.do("INSERT INTO translations (slug, language, version) VALUES ('flood', 'pt', 5)")
			}
		})
	}
}

// translate accepts words in another language, as a watcher does: one entry.
func (s *shop) translate(language, words string) {
	s.Helper()
	s.transact(func(tx *ledger.Tx) error {
		sum := sha256.Sum256([]byte(words))
		v := ledger.Version{Slug: "flood." + language, SHA256: hex.EncodeToString(sum[:]), Content: []byte(words), Accepted: s.now, By: ada}
		_, err := tx.AcceptTranslation(ledger.Translation{Version: v, Notice: "flood", Language: language})
		return errors.Join(err, audit(tx, ledger.Entry{Time: s.now, Event: ledger.TranslationAccepted, Notice: "flood", Language: language, By: &ada, SHA256: v.SHA256}))
	})
}

func (s *shop) withdraw(language string) {
	s.Helper()
	s.transact(func(tx *ledger.Tx) error {
		return errors.Join(tx.WithdrawTranslation("flood", language),
			audit(tx, ledger.Entry{Time: s.now, Event: ledger.TranslationWithdrawn, Notice: "flood", Language: language}))
	})
}

func removeAndClose(v *vandal, index int) {
	v.do("DELETE FROM audit WHERE idx = $1", index)
	for i := index + 1; i < 10; i++ {
		v.do(fmt.Sprintf(`UPDATE audit SET idx = idx - 1, entry = replace(entry, '"index":%d,', '"index":%d,') WHERE idx = %d`, i, i-1, i))
	}
}

func swap(v *vandal) {
	v.do("UPDATE audit SET idx = 99 WHERE idx = 2")
	v.do("UPDATE audit SET idx = 2 WHERE idx = 5")
	v.do("UPDATE audit SET idx = 5 WHERE idx = 99")
}

func insert(v *vandal, index int) {
	for i := 9; i >= index; i-- {
		v.do(fmt.Sprintf(`UPDATE audit SET idx = idx + 1, entry = replace(entry, '"index":%d,', '"index":%d,') WHERE idx = %d`, i, i+1, i))
	}
	v.do("INSERT INTO audit (idx, time, event, entry) VALUES ($1, $2, 'mail.paused', $3)", index, t0.UnixMilli(),
		fmt.Sprintf(`{"index":%d,"time":"2026-12-24T18:00:00.123Z","event":"mail.paused"}`, index))
}

// insertFitting adds an entry as whoever has the key can.
func insertFitting(v *vandal, entry string, args ...any) {
	v.do("INSERT INTO audit (idx, time, event, entry) VALUES (10, $1, 'storefront.closed', $2)", t0.Add(5*time.Minute).Truncate(time.Second).UnixMilli(), fmt.Sprintf(entry, args...))
	v.do("INSERT INTO checkpoints (log, number, size, note) VALUES (1, 7, 11, '')")
	v.resign(key)
}

func anotherKey(v *vandal) {
	k := checkpoint.NewKey()
	v.do("UPDATE logs SET verifier = $1", k.Verifier(origin))
	v.resign(k)
}

// TestRewrittenByTheOperator: whoever has the key can make a log that fits itself. An
// earlier checkpoint that somebody else kept tells.
func TestRewrittenByTheOperator(t *testing.T) {
	for database, place := range databases {
		t.Run(database, func(t *testing.T) {
			where := place(t)
			s := aLife(t, where)
			v := newVandal(t, where)
			v.do(word + "4")
			v.do("UPDATE versions SET by = by") // what else says so is Ada's still
			v.resign(key)
			if _, err := s.verify(); err != nil {
				t.Fatalf("this should fit itself: %v", err)
			}
			for _, tt := range []struct {
				kept  []string
				index int64
				why   string
			}{
				{s.checks[:2], -9, ""}, // of before the entry: nothing to see
				{s.checks[2:3], 0, "one of the entries 0 to 4"},
				{s.checks[6:], 0, "one of the entries 0 to 9"},
				{[]string{s.checks[6], s.checks[1], s.checks[3]}, 3, "one of the entries 3 to 5"},
				{s.checks, 3, "one of the entries 3 to 4"},
			} {
				_, err := s.verify(tt.kept...)
				var f *Fault
				if tt.why == "" && err == nil {
					continue
				}
				if !errors.As(err, &f) || f.Index != tt.index || !strings.Contains(f.Why, tt.why) || !strings.Contains(f.Why, "takes the log's key") {
					t.Errorf("%d checkpoints: %v, want entry %d: %s", len(tt.kept), err, tt.index, tt.why)
				}
			}
		})
	}
}

// TestCutOffByTheOperator: a log that was cut off so that nothing else of the ledger
// tells is shorter than a checkpoint that somebody kept.
func TestCutOffByTheOperator(t *testing.T) {
	where := databases["SQLite"](t)
	s := aLife(t, where)
	newVandal(t, where).cutTail(8, 15, 5)
	if _, err := s.verify(s.checks[:5]...); err != nil {
		t.Fatalf("this should fit itself: %v", err)
	}
	_, err := s.verify(s.checks...)
	var f *Fault
	if !errors.As(err, &f) || f.Index != 8 || !strings.Contains(f.Why, "is missing: kept-5 says that the log had 9 entries, and there are 8") {
		t.Errorf("%v", err)
	}
}

// TestNotOfThisLog: what is no checkpoint of this log is not passed over.
func TestNotOfThisLog(t *testing.T) {
	s := aLife(t, databases["SQLite"](t))
	strange, err := key.Sign("elsewhere.example/log", 1, tlog.Hash{})
	if err != nil {
		t.Fatal(err)
	}
	forged, err := checkpoint.NewKey().Sign(origin, 1, tlog.Hash{})
	if err != nil {
		t.Fatal(err)
	}
	for signed, want := range map[string]string{
		"":      "kept-0 is not a checkpoint",
		strange: "kept-0 is of the log elsewhere.example/log, and this ledger has no log of that name",
		forged:  "kept-0 does not have the signature of " + key.Verifier(origin),
	} {
		if _, err := s.verify(signed); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// TestReport: what was verified is said.
func TestReport(t *testing.T) {
	s := aLife(t, databases["SQLite"](t))
	r, err := s.verify(s.checks[3], s.checks[0])
	if err != nil {
		t.Fatal(err)
	}
	log := r.Logs[0]
	if r.Revisions != 3 || r.Storefronts != 1 || r.Versions != 3 || log.Size != 10 || log.Checkpoints != 7 || !log.Trusted ||
		fmt.Sprint(log.Agreeing) != "[kept-1 kept-0]" || !log.From.Equal(t0.Add(time.Minute)) || !log.To.Equal(t0.Add(7*time.Minute)) {
		t.Errorf("%+v", r)
	}
}

// TestEmpty: a ledger in which nothing was written holds.
func TestEmpty(t *testing.T) {
	s := &shop{TB: t, l: open(t, databases["SQLite"](t)), now: t0}
	if r, err := s.verify(); err != nil || r.Logs[0].Size != 0 {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestPublished: a ledger that was put back from a backup, or replaced, doesn't go on
// from what was published; a new log that records the loss does.
func TestPublished(t *testing.T) {
	for database, place := range databases {
		t.Run(database, func(t *testing.T) {
			s := aLife(t, place(t))
			other := aLife(t, place(t))
			other.publish("party", "Party", true)
			holds := func(s *shop, signed string) (err error) {
				failed := s.l.View(context.Background(), func(tx *ledger.Tx) error {
					err = Published(tx, Kept{"status.json", signed})
					return nil
				})
				return errors.Join(failed, err)
			}
			for _, signed := range s.checks {
				if err := holds(s, signed); err != nil {
					t.Error(err)
				}
			}
			var loss *LossError
			newest := other.checkpoint()
			if err := holds(s, newest); !errors.As(err, &loss) || !strings.Contains(err.Error(), "had 12 entries, and in this ledger it has 10") || loss.Found != s.checkpoint() {
				t.Errorf("%v", err)
			}
			empty := &shop{TB: t, l: open(t, place(t)), now: t0}
			if err := holds(empty, newest); !errors.As(err, &loss) || loss.Found != "" {
				t.Errorf("%v", err)
			}
			s.say(ledger.MailFinished)
			s.say(ledger.MailFinished)
			s.say(ledger.MailFinished)
			if err := holds(s, newest); !errors.As(err, &loss) || !strings.Contains(err.Error(), "of the first 12 entries of the log") {
				t.Errorf("%v", err)
			}
			s.transact(func(tx *ledger.Tx) error {
				return errors.Join(tx.BeginLog(2, origin+"/2", key), audit(tx, ledger.Entry{Time: s.now, Event: ledger.LogBegun, Lost: newest, Found: loss.Found}))
			})
			for _, signed := range append(other.checks, s.checks...) {
				if err := holds(s, signed); err != nil {
					t.Error(err)
				}
			}
			s.publish("party", "Party", true)
			r, err := s.verify(append(s.checks, newest)...)
			if err != nil || len(r.Logs) != 2 || r.Logs[1].First != 13 || r.Logs[1].Size != 3 || len(r.Accepted) != 1 {
				t.Errorf("%+v, %v", r, err)
			}
			other.say(ledger.MailFinished)
			if err := holds(s, other.checkpoint()); !errors.As(err, &loss) {
				t.Errorf("more than was accepted: %v", err)
			}
		})
	}
}
