package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/backsoon/backsoon/internal/notice"
)

// silent is a command whose output the test looks at.
func silent(t *testing.T) (*cobra.Command, *bytes.Buffer) {
	t.Helper()
	var out bytes.Buffer
	cmd := &cobra.Command{}
	cmd.SetContext(t.Context())
	cmd.SetOut(&out)
	return cmd, &out
}

// readNotice parses the site's notice as its file is now.
func readNotice(t *testing.T, s *site, slug string) *notice.Notice {
	t.Helper()
	src, err := os.ReadFile(s.file(slug))
	if err != nil {
		t.Fatal(err)
	}
	n, problems := notice.Parse(slug+".md", slug, src, s.cfg.Shop.Location)
	if len(problems) > 0 {
		t.Fatalf("%s:\n%s", problems, src)
	}
	return n
}

// Whenever the shop is closed and however soon it opens again, the end is never
// before the beginning, never ahead, and less than a minute ago.
func TestCloseAndReopenAtAnyMoment(t *testing.T) {
	for _, moment := range []string{
		"2026-11-20T10:00:00Z", "2026-11-20T10:00:00.4Z", "2026-11-20T10:00:59.9Z",
		"2026-10-25T00:30:30Z", "2026-10-25T00:59:59Z", "2026-10-25T01:30:30Z", // the clocks go back
		"2026-03-29T00:59:59Z", "2026-03-29T01:00:00Z", // and forward
	} {
		start, err := time.Parse(time.RFC3339Nano, moment)
		if err != nil {
			t.Fatal(err)
		}
		for _, later := range []time.Duration{0, time.Millisecond, time.Second, 59 * time.Second, time.Minute, time.Hour, 90 * time.Minute} {
			closeAndReopen(t, start, start.Add(later))
		}
	}
}

func closeAndReopen(t *testing.T, start, end time.Time) {
	t.Helper()
	s := loaded(t)
	cmd, _ := silent(t)
	if err := s.closeNow(cmd, "Flood", "", nil, start); err != nil {
		t.Fatalf("close at %s: %v", start, err)
	}
	n := readNotice(t, s, "flood")
	if ago := start.Sub(n.Closes.Time); !n.InForce(start) || ago < 0 || ago >= time.Minute {
		t.Errorf("closed at %s, it says %s", start, n.Closes)
	}
	if err := s.end(cmd, "flood", end, s.reopened); err != nil {
		t.Fatalf("close at %s, reopen at %s: %v", start, end, err)
	}
	n = readNotice(t, s, "flood")
	if ago := end.Sub(n.Reopened.Time); n.Phase(end) != notice.Reopened || ago < 0 || ago >= time.Minute {
		t.Errorf("closed at %s, reopened at %s, it says %s", start, end, n.Reopened)
	}
}

func TestCloseUntilInDoubt(t *testing.T) {
	s := loaded(t)
	cmd, _ := silent(t)
	now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct{ until, err string }{
		{"2026-03-01 00:00", "has passed"},
		{"2026-02-28", "has passed"},
		{"2026-02-30", "not in the calendar"},
		{"18:00", "is not a time; write 2026-12-24 18:00"},
		{"2026-03-01 00:01", ""},
		{"2026-03-02", ""},
		{"2026-03-02T10:00:00+05:30", ""},
	} {
		err := s.closeNow(cmd, "Until "+c.until, c.until, nil, now)
		if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("--until %s: %v, want %q", c.until, err, c.err)
		}
	}
}
