package notify

import (
	"database/sql"
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/backsoon/backsoon/internal/ledger"
)

// restart begins the watcher anew with other settings after those of every bench.
func (b *bench) restart(settings string) {
	b.t.Helper()
	b.w.Close()
	b.l.Close()
	b.settings(settings)
	b.start()
}

// settings changes backsoon.yaml: what comes after the settings of every bench.
func (b *bench) settings(extra string) {
	b.t.Helper()
	src, err := os.ReadFile(filepath.Join(b.dir, "backsoon.yaml"))
	if err != nil {
		b.t.Fatal(err)
	}
	var kept []string
	for _, line := range strings.Split(string(src), "\n") {
		kept = append(kept, line)
		if strings.HasPrefix(line, "public_url:") {
			break
		}
	}
	if _, line, ok := strings.Cut(string(src), "\ndatabase: "); ok {
		line, _, _ = strings.Cut(line, "\n")
		kept = append(kept, "database: "+line)
	}
	b.write("../../backsoon.yaml", strings.Join(kept, "\n")+"\n"+extra)
}

// changes gives the log's publishers.changed, in words.
func (b *bench) changes() (all []ledger.Entry, words []string) {
	b.t.Helper()
	for _, e := range b.log() {
		if e.Event == ledger.PublishersChanged {
			all = append(all, e)
			words = append(words, strings.Join(PublishersChanged(*e.Before, *e.After, lisbon), "; "))
		}
	}
	return all, words
}

// TestPublishersChanged: who may publish is logged with before and after, and told to
// the owner and to whom it concerns, at their addresses of before and after.
func TestPublishersChanged(t *testing.T) {
	ada, bob, eve := newSigner(t), newSigner(t), newSigner(t)
	b := newBench(t, "2026-11-20 10:00", "publishers:\n"+ada.as("Ada", everything, "")+bob.as("Bob", "reopen", ", storefronts: [web]"))
	b.settle()
	a, bf, e := ada.fingerprint(), bob.fingerprint(), eve.fingerprint()
	first := "Ada is a publisher now, and may write, close, extend, cancel and reopen on market and web, signs with " + a +
		"; Bob is a publisher now, and may reopen on web, signs with " + bf
	for _, step := range []struct{ settings, words, letters string }{
		{"", first, "ada@a.example What you; bob@a.example What you; owner Who"},
		// Another order, another way to write the same.
		{"publishers:\n" + bob.as("Bob", "reopen", ", storefronts: [web]") + "# both of them\n" + ada.as("Ada", "reopen, cancel, extend, close, write", ", storefronts: [market, web]") + "needs: {close: 1}\n", "", ""},
		{"publishers:\n" + ada.as("Ada", everything, "") + bob.as("Bob", "reopen, close", ", expires: 2027-06-30"),
			"Bob may now close, speaks for market, too, has keys that end on 2027-06-30, before: never end", "bob@a.example What you; owner Who"},
		{"publishers:\n" + ada.as("Ada", everything, "") + bob.as("Bob", "reopen, close", ", expires: 2027-06-30") + "needs: {reopen: 2}\n",
			"To reopen takes 2 publishers now, not 1", "ada@a.example What you; bob@a.example What you; owner Who"},
		// Somebody slips another key under Ada's name, and has her mail go elsewhere.
		{"publishers:\n" + strings.Replace(eve.as("Ada", everything, ""), "ada@a.example", "owner@harbourbooks.example", 1) + bob.as("Bob", "reopen, close", ", expires: 2027-06-30") + "needs: {reopen: 2}\n",
			"Ada is reached at owner@harbourbooks.example, no longer at ada@a.example, also signs with " + e + ", " + a + " no longer counts",
			"ada@a.example What you; owner Who"},
		{"publishers:\n" + eve.as("Eve", everything, ""),
			"Eve is a publisher now, and may write, close, extend, cancel and reopen on market and web, signs with " + e +
				"; Bob is no publisher any more, " + bf + " no longer counts; Ada is no publisher any more, " + e + " no longer counts; To reopen takes 1 publisher now, not 2",
			"bob@a.example What you; eve@a.example What you; owner Who"},
		{"", "Eve is no publisher any more, " + e + " no longer counts", "eve@a.example What you; owner Who"},
	} {
		if step.words != first {
			b.restart(step.settings)
			b.settle()
		}
		for range 2 { // a start with the same settings is none
			b.w.Close()
			b.l.Close()
			b.start()
			b.settle()
		}
		_, words := b.changes()
		if step.words == "" {
			continue
		}
		if last := words[len(words)-1]; last != step.words {
			t.Errorf("words:\n got  %s\n want %s", last, step.words)
		}
		equal(t, "letters about "+step.words, b.mailbox.letters(), lettersOf(step.letters))
	}
	entries, words := b.changes()
	if len(words) != 6 {
		t.Errorf("%d changes:\n%s", len(words), strings.Join(words, "\n"))
	}
	for i, e := range entries {
		if *e.By != (ledger.By{Name: "Ada", How: "system-user"}) || i > 0 && !entries[i-1].After.Same(*e.Before) {
			t.Errorf("%d is by %+v, or doesn't go on from the one before", i, *e.By)
		}
	}
	shape, _ := json.Marshal(entries[2].After)
	want := `{"publishers":[{"name":"Ada","email":"ada@a.example","keys":["` + a + `"],"may":["write","close","extend","cancel","reopen"],"storefronts":["market","web"]},` +
		`{"name":"Bob","email":"bob@a.example","keys":["` + bf + `"],"may":["close","reopen"],"storefronts":["market","web"],"expires":"2027-06-29T23:00:00Z"}],"needs":{"reopen":2}}`
	if string(shape) != want {
		t.Errorf("as JSON:\n got  %s\n want %s", shape, want)
	}
	if shape, _ = json.Marshal(entries[0].Before); string(shape) != `{"publishers":[],"needs":{}}` {
		t.Errorf("nobody as JSON: %s", shape)
	}
}

// lettersOf writes what a mailbox should hold, as its letters are given.
func lettersOf(short string) (letters []string) {
	for _, s := range strings.Split(short, "; ") {
		to, kind, _ := strings.Cut(s, " ")
		if kind == "Who" {
			letters = append(letters, owner+"Who may publish was changed")
		} else {
			letters = append(letters, to+": Harbour Books: "+kind+" may publish was changed")
		}
	}
	slices.Sort(letters)
	return letters
}

// TestPublishersAndAlertsAreOne: where the alerts can't be written the log isn't
// either, and the next round does both.
func TestPublishersAndAlertsAreOne(t *testing.T) {
	b := newBench(t, "2026-11-20 10:00", "publishers:\n"+newSigner(t).as("Ada", everything, ""))
	db, err := sql.Open("sqlite3", "file:"+b.w.Config.Database)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("CREATE TRIGGER full BEFORE INSERT ON alerts BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"); err != nil {
		t.Fatal(err)
	}
	if _, err := b.w.Reconcile(t.Context(), b.clock()); err == nil {
		t.Error("no error")
	}
	if _, words := b.changes(); len(words) != 0 {
		t.Errorf("%d changes without their alerts", len(words))
	}
	if _, err := db.Exec("DROP TRIGGER full"); err != nil {
		t.Fatal(err)
	}
	b.settle()
	if _, words := b.changes(); len(words) != 1 {
		t.Errorf("%d changes", len(words))
	}
	equal(t, "letters", b.mailbox.letters(), lettersOf("ada@a.example What you; owner Who"))
}

// TestPostgreSQLOlderPublishers: a watcher elsewhere that takes over with publishers
// that were replaced brings nobody back: it accepts nothing, and the log stays as it
// is, until somebody restarts it there.
func TestPostgreSQLOlderPublishers(t *testing.T) {
	ada, bob := newSigner(t), newSigner(t)
	with, without := "publishers:\n"+ada.as("Ada", everything, "")+bob.as("Bob", everything, ""), "publishers:\n"+ada.as("Ada", everything, "")
	b := newBench(t, "2026-11-20 10:00", with)
	b.publish("winter-break.md", winter, ada)
	b.publish("winter-break.pt.md", winterInPortuguese, ada)
	b.settle()
	b.place = "the first machine"
	b.restart(without)
	b.settle()
	b.mailbox.letters()

	counted := func() int { _, words := b.changes(); return len(words) }
	before := counted()
	for i, step := range []struct{ place, settings, outcome, letters string }{
		{"another machine", with, "refused", "older"},
		{"a third machine", "", "refused", "older"}, // from before there were publishers
		{"a third machine", "# not older, it seems\n", "accepted", "changed"},
		{"one more machine", without, "refused", "older"},
		{"the first machine", "publishers:\n" + bob.as("Bob", everything, ""), "accepted", "changed"}, // nobody had these before
	} {
		b.place = step.place
		b.restart(step.settings)
		b.settle()
		if step.letters == "changed" {
			before++
		}
		if n := counted(); n != before {
			t.Errorf("%d, %s: %d changes are logged, not %d", i, step.place, n, before)
		}
		older := slices.Contains(b.mailbox.letters(), owner+"A watcher has older settings")
		if older != (step.letters == "older") {
			t.Errorf("%d, %s: older: %v", i, step.place, older)
		}
		b.publish("works.md", works(19, 18, 23, 9)+strings.Repeat(" ", i), bob)
		b.settle()
		events := b.events("storefront.", "webhook.", "mail.", "publishers.")
		if last := events[len(events)-1]; last != "notice."+step.outcome+" works" {
			t.Errorf("%d, %s: %s", i, step.place, last)
		}
		if step.settings == "" { // no signature is asked for there, but nothing counts
			b.remove("winter-break.pt.md")
			b.settle()
			equal(t, "a translation whose file is gone", []string{b.title("winter-break", "pt")}, []string{"Fechado para as férias de inverno"})
		}
	}
}

// TestSettingsEdited: a running watcher says that backsoon.yaml waits for a restart,
// once for each content.
func TestSettingsEdited(t *testing.T) {
	b := newBench(t, "2026-11-20 10:00", "")
	b.settle()
	look := func(times int) {
		for range times {
			if err := b.w.lookAtSettings(t.Context(), b.clock()); err != nil {
				t.Fatal(err)
			}
			b.settle()
		}
	}
	look(3)
	equal(t, "unchanged", b.mailbox.letters(), nil)
	b.settings("publishers: [half of")
	look(1)
	b.settings("publishers:\n" + newSigner(t).as("Eve", everything, ""))
	look(1)
	equal(t, "on its way", b.mailbox.letters(), nil)
	look(4)
	equal(t, "changed", b.mailbox.letters(), []string{owner + "backsoon.yaml was changed, and doesn't count yet"})
	b.settings("")
	look(3)
	equal(t, "put back", b.mailbox.letters(), nil)
	b.settings("admin: 127.0.0.1:8081\n")
	look(3)
	equal(t, "changed again", b.mailbox.letters(), []string{owner + "backsoon.yaml was changed, and doesn't count yet"})
}

// TestEachDifferenceIsTold: whatever differs between two states of the settings has
// words, and the same has none.
func TestEachDifferenceIsTold(t *testing.T) {
	random := rand.New(rand.NewPCG(6, 4))
	some := func(of ...string) []string {
		chosen := []string{}
		for _, s := range of {
			if random.IntN(2) == 0 {
				chosen = append(chosen, s)
			}
		}
		return chosen
	}
	one := func(of ...string) string { return of[random.IntN(len(of))] }
	state := func() (p ledger.Publishers) {
		p = ledger.Publishers{People: []ledger.Publisher{}, Needs: map[string]int{}}
		for _, email := range some("a@a.example", "A@a.example", "b@a.example", "c@a.example") {
			p.People = append(p.People, ledger.Publisher{Name: one("Ada", "Bob", "Cleo"), Email: email, Keys: some("k1", "k2"), May: some("write", "close"),
				Storefronts: some("pos", "web"), Touch: one("", "", "required", "verified"), Expires: []time.Time{{}, at("2027-06-30 00:00").UTC()}[random.IntN(2)]})
		}
		for _, right := range some("close", "reopen") {
			p.Needs[right] = 2
		}
		return p
	}
	same := 0
	for range 20_000 {
		before, after := state(), state()
		switch random.IntN(5) {
		case 0:
			after = before
		case 1: // one thing differs, if anything
			after = ledger.Publishers{People: slices.Clone(before.People), Needs: before.Needs}
			for i := range after.People[:min(1, len(after.People))] {
				p, other := &after.People[i], state()
				if len(other.People) > 0 {
					o := other.People[0]
					[]func(){func() { p.Name = o.Name }, func() { p.Email = o.Email }, func() { p.Keys = o.Keys }, func() { p.May = o.May },
						func() { p.Storefronts = o.Storefronts }, func() { p.Touch = o.Touch }, func() { p.Expires = o.Expires }}[random.IntN(7)]()
				}
			}
		}
		if twice(before) || twice(after) { // the settings can't name one address twice
			continue
		}
		differences := compare(before, after, lisbon)
		if before.Same(after) {
			same++
		}
		if before.Same(after) != (len(differences) == 0) {
			t.Fatalf("%+v\n%+v\n%+v", before, after, differences)
		}
		for _, d := range differences {
			if len(d.lines) == 0 || !strings.HasPrefix(d.who, "To ") && len(d.to) == 0 {
				t.Fatalf("nothing is said of %+v", d)
			}
		}
	}
	if same < 1000 {
		t.Errorf("only %d were the same", same)
	}
}

func twice(p ledger.Publishers) bool {
	for i, one := range p.People {
		for _, other := range p.People[:i] {
			if strings.EqualFold(one.Email, other.Email) || strings.EqualFold(one.Name, other.Name) {
				return true
			}
		}
	}
	return false
}
