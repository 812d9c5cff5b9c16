package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/backsoon/backsoon/internal/ledger"
	"github.com/backsoon/backsoon/internal/postgrestest"
)

// withPostgres ends the server of the tests when they are done.
type withPostgres struct{ *testing.M }

func (m withPostgres) Run() int { return postgrestest.Main(m.M) }

// TestMoveLedger takes a shop from SQLite to PostgreSQL: the log, the subscribers
// and the state are the same there, and the watcher has nothing to do.
func TestMoveLedger(t *testing.T) {
	dir, address := t.TempDir(), postgrestest.New(t)
	t.Setenv("DB_PASSWORD", "s3cret-word")
	written := strings.Replace(address, ":secret@", ":${DB_PASSWORD}@", 1)
	var said strings.Builder
	backsoon := func(want int, args ...string) string {
		t.Helper()
		var out bytes.Buffer
		if code := run(t.Context(), append([]string{"--site", dir}, args...), &out, &out); code != want {
			t.Errorf("%q: exit %d\n%s", args, code, &out)
		}
		said.WriteString(out.String())
		return out.String()
	}
	save := func(name, text string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		past := time.Now().Add(-time.Minute)
		if err := os.Chtimes(path, past, past); err != nil {
			t.Fatal(err)
		}
	}
	settings := "shop: {name: Books, url: \"https://status.example/\", timezone: Europe/Lisbon}\nstorefronts:\n  web: {name: Shop}\n"
	save("backsoon.yaml", settings)
	save("content/closures/flood.md", "---\ntitle: Flood\npublished: 2026-01-01 09:00\ncloses: 2026-01-01 09:00\nreopens: 2100-01-01 09:00\n---\nWater.\n")
	save("list.csv", "email\nann@example.org\nbob@example.org\n")
	backsoon(0, "watch", "--once")
	backsoon(0, "subscribers", "import", filepath.Join(dir, "list.csv"))
	facts := func() string {
		return backsoon(0, "log", "--json") + backsoon(0, "status", "--json") + backsoon(0, "subscribers", "export")
	}
	before := facts()
	audit := filepath.Join(dir, "audit")
	backsoon(0, "log", "export", audit)

	backsoon(2, "move-ledger", "data/other.db")
	release, err := ledger.Lock(filepath.Join(dir, "data", "backsoon.db"))
	if err != nil {
		t.Fatal(err)
	}
	if out := backsoon(1, "move-ledger", written); !strings.Contains(out, "another watcher runs on this site") {
		t.Error(out)
	}
	release()
	if out := backsoon(0, "move-ledger", written); !strings.Contains(out, "subscribers   2\n") || !strings.Contains(out, "`database:`") {
		t.Error(out)
	}
	if out := backsoon(1, "move-ledger", written); !strings.Contains(out, "is not empty") {
		t.Error(out)
	}
	save("backsoon.yaml", settings+"database: "+written+"\n")
	if after := facts(); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
	if out := backsoon(0, "log", "verify", "--checkpoint", filepath.Join(audit, "checkpoint")); !strings.Contains(out, "The log holds.") {
		t.Error(out)
	}
	if out := backsoon(0, "log", "export", audit); !strings.Contains(out, ", 0 of them new") {
		t.Errorf("the log doesn't go on from what was exported before: %s", out)
	}
	backsoon(0, "watch", "--once")
	if after := facts(); after != before {
		t.Errorf("the watcher changed something:\n%s\nafter:\n%s", before, after)
	}
	key := filepath.Join(dir, "data", "log.key") // another machine comes without it
	if err := os.Rename(key, key+".elsewhere"); err != nil {
		t.Fatal(err)
	}
	if out := backsoon(1, "watch", "--once"); !strings.Contains(out, "data/log.key is not here, or not the right one: the log status.example/log is signed with another key") {
		t.Error(out)
	}
	if err := os.Rename(key+".elsewhere", key); err != nil {
		t.Fatal(err)
	}
	if out := backsoon(1, "move-ledger", written); !strings.Contains(out, "in PostgreSQL already") {
		t.Error(out)
	}
	os.Unsetenv("DB_PASSWORD")
	if out := backsoon(1, "log"); !strings.Contains(out, "DB_PASSWORD is not set; the ledger needs it") {
		t.Error(out)
	}
	backsoon(0, "check")
	if strings.Contains(said.String(), "s3cret-word") {
		t.Error("the password was shown")
	}
}
