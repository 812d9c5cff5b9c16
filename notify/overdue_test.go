package notify

import (
	"errors"
	"slices"
	"testing"
	"time"
)

// TestLatePages: the owner hears once of pages that can't be made, after ten minutes,
// and once more when it happens again.
func TestLatePages(t *testing.T) {
	b := newBench(t, "2026-11-20 10:00", "")
	var late latePages
	full := errors.New("public/index.html: no space left on device; make room on the disk")
	for _, step := range []struct {
		after   time.Duration
		failure error
		alerts  int // there and then
	}{{0, full, 0}, {9 * time.Minute, full, 0}, {10 * time.Minute, full, 1}, {time.Hour, full, 0}, {61 * time.Minute, nil, 0},
		{62 * time.Minute, full, 0}, {72 * time.Minute, full, 1}} {
		b.set(at("2026-11-20 10:00").Add(step.after))
		if err := late.note(t.Context(), b.w, step.failure, b.clock()); err != nil {
			t.Fatal(err)
		}
		b.do()
		const subject = "owner@harbourbooks.example: Harbour Books: The status page is out of date"
		got := b.mailbox.letters()
		if slices.Contains(got, subject) != (step.alerts == 1) || len(got) != step.alerts {
			t.Errorf("after %v: %q", step.after, got)
		}
	}
}
