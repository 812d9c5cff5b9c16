package notify

import (
	"slices"
	"strings"
	"testing"
	"time"
)

const winter = `---
title: Closed for the winter break
published: 2026-11-20 10:00
closes: 2026-12-24 18:00
reopens: 2027-01-02 09:00
storefronts: [web]
reopening:
  stock counted: no
---
We are closing for two weeks.
`

// TestWholeLife follows one closure from its announcement to its end.
func TestWholeLife(t *testing.T) {
	b := newBench(t, "2026-11-20 10:00", "")
	b.subscribe("ann@example.org", "bob@example.org web", "cid@example.org market")
	b.write("winter-break.md", winter)
	b.settle()
	equal(t, "webhooks", b.web.types(), []string{"storefront.opened"})
	equal(t, "mail before the notice was quiet", b.mailbox.letters(), nil)
	b.until("2026-11-20 10:02")
	equal(t, "mail", b.mailbox.letters(), []string{"ann@example.org announced", "bob@example.org announced"})

	b.until("2026-12-21 18:01")
	equal(t, "mail", b.mailbox.letters(), []string{"ann@example.org reminder", "bob@example.org reminder"})
	equal(t, "webhooks", b.web.types(), nil)

	b.until("2026-12-24 18:01")
	equal(t, "mail", b.mailbox.letters(), []string{"ann@example.org closed", "bob@example.org closed"})
	equal(t, "webhooks", b.web.types(), []string{"storefront.closed 2027-01-02T09:00:00Z"})
	if f := b.front("web"); f.Checkout != "off" || !f.Since.Equal(at("2026-12-24 18:00")) || f.By.Name != "Ada" {
		t.Errorf("storefront: %+v", f)
	}

	b.until("2026-12-26 10:31")
	b.write("winter-break.md", winter+"\n## 2026-12-26 10:30 Water is gone\nIt dries.\n")
	b.until("2026-12-26 10:40")
	equal(t, "mail", b.mailbox.letters(), []string{"ann@example.org update", "bob@example.org update"})

	b.write("winter-break.md", strings.Replace(winter, "01-02 09:00", "01-03 09:00", 1)+"\n## 2026-12-26 10:30 The water is gone\nAll words new.\n")
	b.until("2026-12-27 10:40")
	equal(t, "mail", b.mailbox.letters(), []string{"ann@example.org changed", "bob@example.org changed"})
	equal(t, "webhooks", b.web.types(), []string{"storefront.closed 2027-01-03T09:00:00Z"})

	b.until("2027-01-03 09:01")
	equal(t, "mail", b.mailbox.letters(), []string{"ann@example.org delayed", "bob@example.org delayed",
		"owner@harbourbooks.example: Harbour Books: Reopening delayed: Closed for the winter break"})
	equal(t, "webhooks", b.web.types(), []string{"storefront.closed"})
	if f := b.front("web"); f.State != "overdue" || f.Checkout != "off" {
		t.Errorf("storefront: %+v", f)
	}

	late := strings.Replace(winter, "01-02 09:00", "01-03 09:00", 1)
	b.write("winter-break.md", strings.Replace(late, "counted: no", "counted: yes", 1)+"\n## 2026-12-26 10:30 The water is gone\n")
	b.settle()
	equal(t, "webhooks", b.web.types(), []string{"storefront.opened"})
	b.until("2027-01-03 09:10")
	equal(t, "mail", b.mailbox.letters(), []string{"ann@example.org reopened", "bob@example.org reopened"})
	if f := b.front("web"); f.Since.Before(at("2027-01-03 09:01")) {
		t.Errorf("open since %v, before it really was", f.Since)
	}
	b.until("2027-02-03 09:10")
	equal(t, "mail", b.mailbox.letters(), nil)
	equal(t, "log", b.events("webhook.", "mail.finished"), []string{
		"notice.accepted winter-break", "storefront.opened web", "storefront.opened market",
		"mail.started winter-break announced", "mail.started winter-break reminder",
		"storefront.closed web winter-break", "mail.started winter-break closed",
		"notice.accepted winter-break", "mail.started winter-break update",
		"notice.accepted winter-break", "storefront.closed web winter-break", "mail.started winter-break changed",
		"storefront.closed web winter-break", "notice.overdue winter-break", "mail.started winter-break delayed",
		"notice.accepted winter-break", "step.done winter-break", "storefront.opened web winter-break", "mail.started winter-break reopened",
	})
}

// TestAbsenceNeverReopens removes, empties and breaks a notice in force and one
// still ahead: neither page nor checkout changes, and the owner is told once.
func TestAbsenceNeverReopens(t *testing.T) {
	flood := "---\ntitle: Flood\npublished: 2026-11-20 09:00\ncloses: 2026-11-20 09:00\n---\nWater.\n"
	for name, harm := range map[string]func(b *bench, file string){
		"removed":   func(b *bench, f string) { b.remove(f) },
		"emptied":   func(b *bench, f string) { b.write(f, "") },
		"malformed": func(b *bench, f string) { b.write(f, "---\ntitle: [\n") },
		"cut short": func(b *bench, f string) { b.write(f, "---\ntitle: Flood\n") },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, "2026-11-20 10:00", "")
			b.write("flood.md", flood)
			b.write("winter-break.md", winter)
			b.until("2026-11-20 10:05")
			b.web.types()
			before := b.front("web")
			harm(b, "flood.md")
			harm(b, "winter-break.md")
			b.until("2026-11-20 10:15")
			alerts := b.mailbox.letters()
			if len(alerts) != 1 {
				t.Errorf("alerts: %q", alerts)
			}
			if after := b.front("web"); after.Revision != before.Revision || after.Checkout != "off" {
				t.Errorf("the storefront changed: %+v", after)
			}
			b.w.Close()
			b.start() // a restart forgets nothing, and alerts nobody again
			b.until("2026-11-20 10:25")
			equal(t, "alerts after a restart", b.mailbox.letters(), nil)
			equal(t, "webhooks", b.web.types(), nil)
		})
	}
}

// TestClosedAndReopenedWhileSettling mails nobody, and the checkout follows all
// the same.
func TestClosedAndReopenedWhileSettling(t *testing.T) {
	b := newBench(t, "2026-11-20 10:00", "")
	b.subscribe("ann@example.org")
	b.settle()
	b.web.types()
	flood := "---\ntitle: Flood\npublished: 2026-11-20 10:00\ncloses: 2026-11-20 10:00\n---\nWater.\n"
	b.write("flood.md", flood)
	b.until("2026-11-20 10:00:30")
	b.write("flood.md", strings.Replace(flood, "\n---\nW", "\nreopened: 2026-11-20 10:00:30\n---\nW", 1))
	b.until("2026-11-20 12:00")
	equal(t, "webhooks", b.web.types(), []string{"storefront.closed", "storefront.opened"})
	equal(t, "mail", b.mailbox.letters(), nil)
}

// TestSettlingEnds edits a notice every half minute: the mail goes out after ten
// minutes all the same.
func TestSettlingEnds(t *testing.T) {
	b := newBench(t, "2026-11-20 10:00", "")
	b.subscribe("ann@example.org")
	for i := 0; i < 19; i++ {
		b.write("winter-break.md", winter+strings.Repeat("More. ", i)+"\n")
		b.until(at("2026-11-20 10:00").Add(time.Duration(i+1) * 30 * time.Second).Format("2006-01-02 15:04:05"))
		if got := b.mailbox.letters(); len(got) > 0 {
			t.Fatalf("after %d half minutes: %q", i+1, got)
		}
	}
	b.write("winter-break.md", winter+"The last word.\n")
	b.until("2026-11-20 10:10:05")
	equal(t, "mail", b.mailbox.letters(), []string{"ann@example.org announced"})
}

// TestOldWordsAreAnEdit: an undo counts, as does what is put back while nobody
// watches; only another machine's older copy is stale, see isStale.
func TestOldWordsAreAnEdit(t *testing.T) {
	b := newBench(t, "2026-11-20 10:00", "")
	longer := strings.Replace(storefrontsNow("", ""), "2026-11-25", "2026-11-26", 1)
	for i, text := range []string{storefrontsNow("", ""), longer, storefrontsNow("", "")} {
		b.write("flood.md", text)
		b.settle()
		if got, want := b.front("web").Until, at("2026-11-25 09:00").AddDate(0, 0, i%2); !got.Equal(want) {
			t.Errorf("save %d: until %v, want %v", i+1, got, want)
		}
	}
	b.w.Close()
	b.write("flood.md", longer)
	b.set(b.clock().Add(time.Hour))
	b.start()
	b.settle()
	if got := b.front("web").Until; !got.Equal(at("2026-11-26 09:00")) {
		t.Errorf("put back while nobody watched: until %v", got)
	}
}

// TestMissed lets a whole closure go by while nobody watches.
func TestMissed(t *testing.T) {
	b := newBench(t, "2026-11-20 10:00", "")
	b.subscribe("ann@example.org")
	b.write("winter-break.md", strings.Replace(winter, "counted: no", "counted: yes", 1))
	b.until("2026-11-20 10:05")
	b.mailbox.letters()
	b.web.types()
	b.set(at("2027-03-01 10:00"))
	b.settle()
	equal(t, "mail", b.mailbox.letters(), nil)
	equal(t, "webhooks", b.web.types(), nil)
	if got := b.events(); got[len(got)-1] != "notice.missed winter-break" {
		t.Errorf("log: %q", got)
	}
}

// TestFreshLedger adopts what is over in silence, and carries out what is in
// force with one mail.
func TestFreshLedger(t *testing.T) {
	b := newBench(t, "2026-12-26 10:00", "")
	b.subscribe("ann@example.org")
	b.write("winter-break.md", winter+"\n## 2026-12-25 10:30 Water\n")
	b.write("summer.md", "---\ntitle: Summer\npublished: 2026-07-01\ncloses: 2026-07-06\nreopens: 2026-07-08\n---\nStock.\n")
	b.until("2026-12-26 10:05")
	equal(t, "mail", b.mailbox.letters(), []string{"ann@example.org closed"})
	equal(t, "webhooks", b.web.types(), []string{"storefront.closed 2027-01-02T09:00:00Z"})
	if f := b.front("web"); !f.Since.Equal(at("2026-12-24 18:00")) {
		t.Errorf("since %v", f.Since)
	}
}

// TestCancelled tells those who were told, and nobody else.
func TestCancelled(t *testing.T) {
	b := newBench(t, "2026-11-20 10:00", "")
	b.subscribe("ann@example.org")
	b.write("winter-break.md", winter)
	b.until("2026-11-20 10:05")
	b.mailbox.letters()
	b.write("winter-break.md", strings.Replace(winter, "title:", "cancelled: true\ntitle:", 1))
	b.until("2026-11-20 10:10")
	equal(t, "mail", b.mailbox.letters(), []string{"ann@example.org cancelled"})
	b.until("2027-01-20 10:10")
	equal(t, "mail", b.mailbox.letters(), nil)
	if f := b.front("web"); f.Checkout != "on" {
		t.Errorf("storefront: %+v", f)
	}
}

// TestReopenedGoesByStorefront sends "open" to nobody before a locked door.
func TestReopenedGoesByStorefront(t *testing.T) {
	b := newBench(t, "2026-11-20 10:00", "")
	b.subscribe("all@example.org", "web@example.org web", "market@example.org market")
	b.write("both.md", "---\ntitle: Both\npublished: 2026-11-20\ncloses: 2026-11-20 09:00\nreopens: 2026-11-21 09:00\n---\nB\n")
	b.write("longer.md", "---\ntitle: Longer\npublished: 2026-11-20\ncloses: 2026-11-21 08:00\nreopens: 2026-11-22 09:00\nstorefronts: [web]\n---\nL\n")
	b.until("2026-11-21 08:30")
	b.mailbox.letters()
	b.until("2026-11-21 09:05")
	equal(t, "mail at the market's reopening", b.mailbox.letters(), []string{"all@example.org reopened", "market@example.org reopened"})
	b.until("2026-11-22 09:05")
	equal(t, "mail at the shop's reopening", b.mailbox.letters(), []string{"all@example.org reopened", "web@example.org reopened"})
}

// TestCheckoutOn shows and mails a notice that touches no checkout.
func TestCheckoutOn(t *testing.T) {
	b := newBench(t, "2026-11-20 10:00", "")
	b.subscribe("ann@example.org")
	b.settle()
	b.web.types()
	before := b.front("web")
	b.write("post.md", "---\ntitle: Post is slow\npublished: 2026-11-20\ncloses: 2026-11-21 09:00\nreopens: 2026-11-22 09:00\ncheckout: on\n---\nP\n")
	b.until("2026-11-23 10:00")
	equal(t, "mail", b.mailbox.letters(), []string{"ann@example.org announced", "ann@example.org closed", "ann@example.org reopened"})
	equal(t, "webhooks", b.web.types(), nil)
	if after := b.front("web"); after.Revision != before.Revision {
		t.Errorf("revision %d became %d", before.Revision, after.Revision)
	}
}

// TestRename refuses the bytes of one notice under another name.
func TestRename(t *testing.T) {
	b := newBench(t, "2026-11-20 10:00", "")
	b.write("winter-break.md", winter)
	b.until("2026-11-20 10:05")
	b.remove("winter-break.md")
	b.write("christmas.md", winter)
	b.until("2026-11-20 10:10")
	var refused string
	for _, e := range b.log() {
		if e.Event == "notice.refused" {
			refused += e.Notice + ": " + e.Reason
		}
	}
	if !strings.Contains(refused, "christmas") || !strings.Contains(refused, "winter-break") {
		t.Errorf("refused: %q", refused)
	}
}

// TestCancelledAndBack un-cancels a closure when it should already have begun:
// its followers were told that the shop stays open, and hear that it is closed.
func TestCancelledAndBack(t *testing.T) {
	b := newBench(t, "2026-12-20 10:00", "")
	b.subscribe("ann@example.org")
	b.write("winter-break.md", winter)
	b.until("2026-12-20 10:05")
	b.write("winter-break.md", strings.Replace(winter, "title:", "cancelled: true\ntitle:", 1))
	b.until("2026-12-24 19:00")
	b.mailbox.letters()
	b.write("winter-break.md", winter+"\nAfter all.\n")
	b.until("2026-12-24 19:05")
	equal(t, "mail", b.mailbox.letters(), []string{"ann@example.org closed"})
}

// TestMovedAheadAndCancelled calls off a closure that was mailed as closed and
// then moved ahead, before anything of the move went out: open is all there is
// to say.
func TestMovedAheadAndCancelled(t *testing.T) {
	b := newBench(t, "2026-12-24 18:00", "")
	b.subscribe("ann@example.org")
	b.write("winter-break.md", winter)
	b.until("2026-12-24 18:05")
	equal(t, "mail", b.mailbox.letters(), []string{"ann@example.org closed"})
	ahead := strings.Replace(winter, "2026-12-24 18:00", "2026-12-28 18:00", 1)
	b.write("winter-break.md", ahead)
	b.settle()
	b.write("winter-break.md", strings.Replace(ahead, "title:", "cancelled: true\ntitle:", 1))
	b.until("2026-12-24 18:15")
	equal(t, "mail", b.mailbox.letters(), []string{"ann@example.org reopened"})
}

// storefrontsNow gives a closure in force that names its storefronts.
func storefrontsNow(storefronts, more string) string {
	return "---\ntitle: Flood\npublished: 2026-11-20 09:00\ncloses: 2026-11-20 09:00\nreopens: 2026-11-25 09:00\n" + storefronts + more + "---\nWater.\n"
}

// first gives each letter since the last call by its recipient and first line.
func (m *mailbox) first() []string {
	var lines []string
	for _, r := range m.take() {
		_, text, _ := strings.Cut(r.body, "\r\n\r\n")
		line, _, _ := strings.Cut(text, "\r\n\r\n")
		lines = append(lines, r.to+": "+strings.Join(strings.Fields(strings.NewReplacer("=\r\n", "", "=E2=80=99", "’").Replace(line)), " "))
	}
	slices.Sort(lines)
	return lines
}

// TestLetGo takes a storefront out of a closure in force: its followers hear
// that it is open again, and the others hear nothing.
func TestLetGo(t *testing.T) {
	b := newBench(t, "2026-11-20 10:00", "")
	b.subscribe("all@example.org", "web@example.org web", "market@example.org market")
	b.write("flood.md", storefrontsNow("", ""))
	b.until("2026-11-20 10:05")
	b.mailbox.letters()
	b.write("flood.md", storefrontsNow("storefronts: [market]\n", ""))
	b.until("2026-11-20 10:10")
	equal(t, "mail", b.mailbox.letters(), []string{"all@example.org reopened", "web@example.org reopened"})
	b.until("2026-11-25 09:05")
	equal(t, "mail in the end", b.mailbox.letters(), []string{"all@example.org reopened", "market@example.org reopened"})
}

// TestLetGoAhead tells everybody who was told, and what it is still about.
func TestLetGoAhead(t *testing.T) {
	b := newBench(t, "2026-11-20 10:00", "")
	b.subscribe("all@example.org", "web@example.org web", "market@example.org market")
	b.write("winter-break.md", winter)
	b.until("2026-11-20 10:05")
	b.mailbox.letters()
	b.write("winter-break.md", strings.Replace(winter, "[web]", "[market]", 1))
	b.until("2026-11-20 10:10")
	for _, l := range b.mailbox.first() {
		if !strings.Contains(l, "Changed: Harbour Books (Market) will be closed") || !strings.Contains(l, "no longer about Online shop.") {
			t.Error(l)
		}
	}
}

// TestCheckoutOnAfterAll lets a closure in force go on as a mere notice, and
// back: the followers hear that the shop is open, and then that it is closed.
func TestCheckoutOnAfterAll(t *testing.T) {
	b := newBench(t, "2026-11-20 10:00", "")
	b.subscribe("ann@example.org")
	b.write("flood.md", storefrontsNow("", ""))
	b.until("2026-11-20 10:05")
	b.mailbox.letters()
	b.write("flood.md", storefrontsNow("", "checkout: on\n"))
	b.until("2026-11-20 10:10")
	equal(t, "mail", b.mailbox.letters(), []string{"ann@example.org reopened"})
	b.write("flood.md", storefrontsNow("", "draft: no\n"))
	b.until("2026-11-20 10:15")
	equal(t, "mail", b.mailbox.letters(), []string{"ann@example.org closed"})
	b.until("2026-11-25 09:15")
	equal(t, "mail", b.mailbox.letters(), []string{"ann@example.org reopened"})
}

// TestMovedAhead moves a closure in force into the future: open again, and
// announced anew.
func TestMovedAhead(t *testing.T) {
	b := newBench(t, "2026-11-20 10:00", "")
	b.subscribe("ann@example.org")
	b.write("flood.md", storefrontsNow("", ""))
	b.until("2026-11-20 10:05")
	b.mailbox.letters()
	b.write("flood.md", strings.Replace(storefrontsNow("", ""), "closes: 2026-11-20", "closes: 2026-11-24", 1))
	b.until("2026-11-20 10:10")
	equal(t, "mail", b.mailbox.letters(), []string{"ann@example.org announced", "ann@example.org reopened"})
	b.until("2026-11-24 09:05")
	equal(t, "later", b.mailbox.letters(), []string{"ann@example.org closed", "ann@example.org reminder"})
}

// TestBackToBack closes by one notice and prolongs by another: the log names who
// closed, the letter promises no reopening before a locked door, and all letters
// keep the subject of the first.
func TestBackToBack(t *testing.T) {
	b := newBench(t, "2026-11-20 10:00", "")
	b.subscribe("ann@example.org")
	b.write("flood.md", storefrontsNow("", ""))
	b.write("winter.md", "---\ntitle: Winter\npublished: 2026-11-20\ncloses: 2026-11-25 09:00\nreopens: 2026-12-02 09:00\n---\nCold.\n")
	b.until("2026-11-20 10:05")
	for _, e := range b.log() {
		if e.Event == "storefront.closed" && e.Notice != "flood" {
			t.Errorf("closed by %s", e.Notice)
		}
	}
	if f := b.front("web"); f.Message != "Winter" || !f.Until.Equal(at("2026-12-02 09:00")) {
		t.Errorf("storefront: %+v", f)
	}
	for _, l := range b.mailbox.first() {
		if strings.Contains(l, "is closed") && !strings.Contains(l, "Reopens Wed 2 December, 09:00") {
			t.Error(l)
		}
	}
	b.write("flood.md", strings.Replace(storefrontsNow("", ""), "title: Flood", "title: High water", 1)+"\n## 2026-11-20 10:05 More\nMore.\n")
	b.until("2026-11-20 10:10")
	for _, r := range b.mailbox.take() {
		if r.subject != "Harbour Books: Flood" {
			t.Errorf("subject %q", r.subject)
		}
	}
}
