package main

import (
	"bytes"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/backsoon/backsoon/internal/ledger"
	"github.com/backsoon/backsoon/internal/strictyaml"
)

// FuzzWrap: no line is wider than asked for, and no letter is lost.
func FuzzWrap(f *testing.F) {
	f.Add("flood refused: is by a key that is no publisher's (SHA256:JkMyewGFJ/6k2j2RUdAzb63XeC+Ikh0bFWu9gIHneZo)", 30)
	f.Add("閉店 until 2日 “ночь”", 3)
	f.Add("  ", 2)
	f.Fuzz(func(t *testing.T, text string, columns int) {
		columns = 2 + max(columns, -columns)%200
		text = strictyaml.Printable(text)
		lines := wrap(text, max(columns, 2))
		for _, line := range lines {
			if columnsOf(line) > max(columns, 2) || line == "" || strings.TrimSpace(line) != line {
				t.Errorf("%q takes %d of %d columns", line, columnsOf(line), columns)
			}
		}
		if got, want := strings.Join(strings.Fields(strings.Join(lines, "")), ""), strings.Join(strings.Fields(text), ""); got != want {
			t.Errorf("%q became %q", want, got)
		}
	})
}

// logbook is a site whose ledger holds the entries.
func logbook(t testing.TB, entries ...ledger.Entry) *site {
	t.Helper()
	dir := t.TempDir()
	s := &site{dir: dir}
	writeTo(t, filepath.Join(dir, "backsoon.yaml"), `shop: {name: Harbour Books, url: "https://status.example/", timezone: Europe/Lisbon}
storefronts: {web: {name: Online shop}, market: {name: Market}}
`)
	if err := s.load(); err != nil {
		t.Fatal(err)
	}
	l, err := s.openToWrite(t.Context(), true)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	err = l.Update(t.Context(), func(tx *ledger.Tx) error {
		for _, e := range entries {
			if _, err := tx.Audit(e); err != nil {
				return err
			}
		}
		return tx.SaveEndpoint(ledger.Endpoint{Storefront: "market", URL: "https://b.example/hook", Acknowledged: 1, Attempts: 2, Error: "no answer"})
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// year is what happened in a shop: a closure, carried out by two webhooks, with a mail,
// and somebody who tried to end it.
func year() []ledger.Entry {
	at := func(hour, minute, second, ms int) time.Time {
		return time.Date(2026, 12, 24, hour, minute, second, ms*1e6, time.UTC)
	}
	until := time.Date(2027, 1, 2, 9, 0, 0, 0, time.UTC)
	ada := &ledger.By{Name: "Ada Lovelace", Email: "ada@a.example", Verified: true, How: "ssh-signature", Key: "SHA256:peNSWjc1k3T8U2fTqhCIxVG4nT9Jl9rbX6fEoMxjDYE"}
	eve := &ledger.By{Name: "Eve \x1b[2J\u202eevil", How: "git-author"}
	return []ledger.Entry{
		{Time: at(17, 58, 0, 0), Event: ledger.NoticeAccepted, Notice: "winter-break", By: ada},
		{Time: at(18, 0, 0, 0), Event: ledger.StorefrontClosed, Storefront: "web", Notice: "winter-break", Revision: 5, Until: &until, By: ada},
		{Time: at(18, 0, 0, 0), Event: ledger.StorefrontClosed, Storefront: "market", Notice: "winter-break", Revision: 6, Until: &until, By: ada},
		{Time: at(18, 0, 0, 400), Event: ledger.WebhookAcknowledged, Storefront: "web", Revision: 5, URL: "https://a.example/hook"},
		{Time: at(18, 0, 32, 0), Event: ledger.WebhookAcknowledged, Storefront: "web", Revision: 5, URL: "https://b.example/hook"},
		{Time: at(18, 1, 0, 0), Event: ledger.MailStarted, Notice: "winter-break", Kind: "closed", Counts: ledger.Counts{"recipients": 1200}},
		{Time: at(18, 6, 10, 0), Event: ledger.MailFinished, Notice: "winter-break", Kind: "closed", Counts: ledger.Counts{"recipients": 1200, "sent": 1190, "failed": 4, "passed": 6}},
		{Time: at(24, 0, 0, 0), Event: ledger.NoticeRefused, Notice: "winter-break", Reason: "winter-break.md: is not signed", By: eve},
		{Time: at(24+9, 0, 0, 0), Event: ledger.StepDone, Notice: "winter-break", Step: "stock counted", By: ada, Also: []ledger.By{{Name: "Bob", Verified: true, How: "ssh-signature"}}},
		{Time: at(24+10, 0, 0, 0), Event: ledger.MailStarted, Notice: "winter-break", Kind: "update", Counts: ledger.Counts{"recipients": 1}},
	}
}

// shown runs log as on a terminal of so many columns; 0: into a file.
func shown(t testing.TB, s *site, columns, n int, f filter) string {
	t.Helper()
	var out, errs bytes.Buffer
	err := s.view(t.Context(), func(tx *ledger.Tx) error {
		if err := f.read(s, tx); err != nil {
			return err
		}
		return s.printLog(tx, f, n, view{out: &out, errs: &errs, terminal: columns > 0, columns: columns})
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.String() + errs.String()
}

// TestLogTable: at a glance, on a terminal of 80 columns.
func TestLogTable(t *testing.T) {
	s := logbook(t, year()...)
	want := `Thu 24 December 2026 (Lisbon)
  17:58:00  winter-break accepted                         Ada Lovelace ✓
  18:00:00  checkout off at web until Sat 2 January,      Ada Lovelace ✓
            09:00 (Lisbon): winter-break
            → https://a.example/hook: carried out after
            0.4 s; https://b.example/hook: carried out
            after 32 s
  18:00:00  checkout off at market until Sat 2 January,   Ada Lovelace ✓
            09:00 (Lisbon): winter-break
            → not acknowledged yet:
            https://b.example/hook, 2 attempts: no
            answer
  18:01:00  mail “closed” of winter-break to 1200 subscribers
            → sent to 1190 after 5 min 10 s, 4 failed, 6 passed over
Fri 25 December 2026
  00:00:00  winter-break refused: winter-break.md: is     Eve �[2J�evil ?
            not signed
  09:00:00  winter-break: “stock counted” is done         Ada Lovelace ✓, Bob ✓
  10:00:00  mail “update” of winter-break to 1 subscriber
            → not finished yet
✓ proven by a signature; ? as the system or git says, or by a signature that
doesn't count.
`
	if got := shown(t, s, 80, 0, filter{}); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for columns := 24; columns < 200; columns++ {
		for _, line := range strings.Split(shown(t, s, columns, 0, filter{}), "\n") {
			if columnsOf(line) > max(columns, 24) && !strings.HasPrefix(line, "Thu") {
				t.Fatalf("of %d columns %d are used: %q", columns, columnsOf(line), line)
			}
		}
	}
}

// TestLogFilter: each narrows, and together they narrow more; the entries are named by
// their place in the year.
func TestLogFilter(t *testing.T) {
	s := logbook(t, year()...)
	for _, c := range []struct {
		f    filter
		n    int
		want string // the indexes
	}{
		{filter{}, 0, "0 1 2 3 4 5 6 7 8 9"},
		{filter{}, 3, "7 8 9"},
		{filter{}, 10, "0 1 2 3 4 5 6 7 8 9"},
		{filter{}, 11, "0 1 2 3 4 5 6 7 8 9"},
		{filter{notice: "winter-break"}, 0, "0 1 2 5 6 7 8 9"},
		{filter{notice: "winter-break.md"}, 2, "8 9"},
		{filter{storefront: "web"}, 0, "1 3 4"},
		{filter{by: "ADA@"}, 0, "0 1 2 8"},
		{filter{by: "pensw"}, 0, "0 1 2 8"},
		{filter{by: "bob"}, 0, "8"},
		{filter{refused: true}, 0, "7"},
		{filter{since: "2026-12-25"}, 0, "7 8 9"},
		{filter{until: "2026-12-24"}, 0, "0 1 2 3 4 5 6"},
		{filter{since: "2026-12-24 18:00", until: "2026-12-24 18:00"}, 0, "1 2"},
		{filter{since: "2026-12-24T18:00:32Z", until: "2026-12-25T00:00:00+00:00"}, 0, "4 5 6 7"},
		{filter{by: "ada", storefront: "web", notice: "winter-break", since: "2026-12-24"}, 1, "1"},
		{filter{by: "eve", refused: true, since: "2026-12-26"}, 0, ""},
	} {
		var out bytes.Buffer
		err := s.view(t.Context(), func(tx *ledger.Tx) error {
			if err := c.f.read(s, tx); err != nil {
				return err
			}
			return s.printLog(tx, c.f, c.n, view{out: &out, errs: io.Discard, json: true})
		})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, line := range strings.Split(strings.TrimSpace(out.String()), "\n") {
			var index int
			if _, err := fmt.Sscanf(line, `{"index":%d,`, &index); err == nil {
				got = append(got, fmt.Sprint(index))
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%+v, %d: %s; want %s", c.f, c.n, strings.Join(got, " "), c.want)
		}
	}
	for n, want := range map[int]string{1: "update", 2: "stock counted", 4: "closed"} { // rows, of which an end of a mail is none
		if got := shown(t, s, 0, n, filter{}); strings.Count(got, "\n") != n || !strings.Contains(strings.SplitN(got, "\n", 2)[0], want) {
			t.Errorf("the newest %d:\n%s", n, got)
		}
	}
}

func TestTook(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "less than 0.1 s", 40 * time.Millisecond: "less than 0.1 s", 449 * time.Millisecond: "0.4 s", 9990 * time.Millisecond: "10.0 s", 10 * time.Second: "10 s",
		61 * time.Second: "1 min 1 s", 3*time.Hour + 10*time.Minute: "3 h 10 min", 50 * time.Hour: "50 h 0 min",
	} {
		if got := took(d); got != want {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
	}
}

// BenchmarkLog reads a log of 100,000 entries.
func BenchmarkLog(b *testing.B) {
	var entries []ledger.Entry
	for i := range 10_000 {
		for _, e := range year() {
			e.Time, e.Revision = e.Time.Add(time.Duration(i)*time.Hour), e.Revision+int64(10*i)
			entries = append(entries, e)
		}
	}
	s := logbook(b, entries...)
	for name, args := range map[string][]string{"all": {}, "json": {"--json"}, "by": {"--by", "bob"}, "screen": {"-n", "50"}} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if code := run(b.Context(), append([]string{"--site", s.dir, "log"}, args...), io.Discard, io.Discard); code != exitDone {
					b.Fatal(code)
				}
			}
		})
	}
}
