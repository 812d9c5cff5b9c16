package notify

import (
	"io"
	"mime"
	"mime/multipart"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/backsoon/backsoon/internal/checkpoint"
	"github.com/backsoon/backsoon/internal/ledger"
	"github.com/backsoon/backsoon/internal/verify"
	"github.com/backsoon/backsoon/notify/email"
	"github.com/backsoon/backsoon/notify/letter"
)

// playEveryKind gives the letters to ann of two closures that meet with
// everything, in the order in which they went out.
func playEveryKind(t *testing.T) (*bench, []received) {
	t.Helper()
	b := newBench(t, "2026-11-20 10:00", "")
	b.setEmail(", unsubscribe: leave@harbourbooks.example")
	b.subscribe("ann@example.org")
	moving := strings.NewReplacer("winter break", "move", "12-24 18:00", "12-20 18:00", "2027-01-02", "2026-12-22").Replace(winter)
	b.write("winter-break.md", winter)
	b.write("moving.md", moving)
	b.until("2026-11-20 10:05")
	b.write("moving.md", strings.Replace(moving, "title:", "cancelled: true\ntitle:", 1))
	b.until("2026-12-26 10:31")
	update := "\n## 2026-12-26 10:30 Water is gone\nIt dries.\n"
	b.write("winter-break.md", winter+update)
	b.until("2026-12-27 10:00")
	late := strings.Replace(winter, "01-02 09:00", "01-03 09:00", 1) + update
	b.write("winter-break.md", late)
	b.until("2027-01-03 09:05")
	b.write("winter-break.md", strings.Replace(late, "counted: no", "counted: yes", 1))
	b.until("2027-01-03 09:30")
	return b, slices.DeleteFunc(b.mailbox.take(), func(r received) bool { return r.to != "ann@example.org" })
}

// headers are those of every letter, with what they say; the rest of the test
// looks at the others.
var headers = map[string]string{
	"From":                     `^"Harbour Books" <closures@harbourbooks\.example>$`,
	"To":                       `^<ann@example\.org>$`,
	"Date":                     `^\w{3}, \d\d \w{3} 202\d \d\d:\d\d:\d\d \+0000$`,
	"Message-Id":               `^<[a-z2-7]{32}@harbourbooks\.example>$`,
	"Mime-Version":             `^1\.0$`,
	"Content-Type":             `^multipart/alternative; *boundary=\w+$`,
	"List-Id":                  `^"Harbour Books" <closures\.status\.example>$`,
	"List-Unsubscribe":         `^<https://closures\.example/unsubscribe/ann@example\.org>, <mailto:leave@harbourbooks\.example\?subject=unsubscribe%20token-of-ann@example\.org>$`,
	"List-Unsubscribe-Post":    `^List-Unsubscribe=One-Click$`,
	"Auto-Submitted":           `^auto-generated$`,
	"Precedence":               `^bulk$`,
	"X-Auto-Response-Suppress": `^All$`,
	"Feedback-Id":              `^\w+:[a-z-]+:closures:backsoon$`,
	"Backsoon-Checkpoint":      `^[A-Za-z0-9+/= ]+$`,
	"Subject":                  `^Harbour Books: |^Open again: |^Welcome back: |`,
	"In-Reply-To":              `^<[a-z2-7]{32}@harbourbooks\.example>$`,
	"References":               `^<[a-z2-7]{32}@harbourbooks\.example>$`,
}

// TestEveryMail looks at a letter of each kind as a mailbox does: all its headers,
// and none besides; its size; a text that stands alone, and HTML that loads
// nothing.
func TestEveryMail(t *testing.T) {
	b, letters := playEveryKind(t)
	kinds := map[letter.Kind]bool{}
	first := map[string]string{} // message id, by closure
	for _, r := range letters {
		feedback := strings.Split(r.header.Get("Feedback-Id"), ":")
		kind, slug := letter.Kind(feedback[0]), feedback[1]
		kinds[kind] = true
		for name, values := range r.header {
			if want := headers[name]; want == "" || len(values) != 1 || !regexp.MustCompile(want).MatchString(values[0]) {
				t.Errorf("%s: %s: %q", kind, name, values)
			}
		}
		if absent := len(headers) - len(r.header); first[slug] == "" && absent != 2 || first[slug] != "" && absent != 0 {
			t.Errorf("%s: %d headers of %d: %v", kind, len(r.header), len(headers), r.header)
		}
		if r.header.Get("References") != first[slug] || r.header.Get("In-Reply-To") != first[slug] {
			t.Errorf("%s: refers to %q, the first is %q", kind, r.header.Get("References"), first[slug])
		}
		if first[slug] == "" {
			first[slug] = r.header.Get("Message-Id")
		}
		if to, ours := email.Returned([][]byte{b.w.SiteKey}, r.from); !ours || to != r.to {
			t.Errorf("%s: return path %s", kind, r.from)
		}
		if r.size > 30<<10 {
			t.Errorf("%s: %d bytes", kind, r.size)
		}
		checkParts(t, kind, r)
	}
	for _, k := range []letter.Kind{letter.Announced, letter.Changed, letter.Reminder, letter.ClosedNow, letter.Update, letter.Delayed, letter.Reopened, letter.Cancelled} {
		if !kinds[k] {
			t.Errorf("no letter of the kind %s among %d", k, len(letters))
		}
	}
}

// TestEveryMailShowsTheLog: a letter, the question to who asks for them, and an alert
// to the owner each have the log's newest checkpoint as it was when they were made,
// which is in the ledger.
func TestEveryMailShowsTheLog(t *testing.T) {
	b := newBench(t, "2026-11-20 10:00", "")
	b.subscribe("ann@example.org")
	b.write("winter-break.md", winter)
	b.write("party.md", "---\ntitle: Party\n---\n")
	b.until("2026-11-20 10:05")
	b.ask("bob@example.org")
	b.until("2026-12-24 18:05")
	sizes := map[string][]int64{}
	for _, m := range b.mailbox.take() {
		signed, err := checkpoint.Find([]byte(checkpoint.Header + ": " + m.header.Get(checkpoint.Header) + "\n\n"))
		if err != nil {
			t.Fatalf("%s: %v", m.subject, err)
		}
		c, err := checkpoint.Open(signed, logKey.Verifier("status.example/log"))
		if err != nil {
			t.Fatal(err)
		}
		err = b.l.View(t.Context(), func(tx *ledger.Tx) error {
			return verify.Published(tx, verify.Kept{Name: m.subject, Signed: signed})
		})
		if err != nil {
			t.Error(err)
		}
		sizes[m.to] = append(sizes[m.to], c.Size)
	}
	if letters := sizes["ann@example.org"]; len(letters) < 2 || letters[0] >= letters[len(letters)-1] {
		t.Errorf("letters of a log that grows to %v", letters)
	}
	for _, to := range []string{"bob@example.org", "owner@harbourbooks.example"} {
		if len(sizes[to]) == 0 {
			t.Errorf("no mail to %s", to)
		}
	}
}

// loads is whatever makes a mailbox ask a server for something, or run something.
var loads = regexp.MustCompile(`(?i)<(img|script|link|iframe|video|audio|object|embed|form|base)\b|\b(src|background|srcset)=|url\(|@import|@font-face`)

// checkParts finds the text first and then the HTML, both with what a reader needs.
func checkParts(t *testing.T, kind letter.Kind, r received) {
	t.Helper()
	_, params, err := mime.ParseMediaType(r.header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	parts := multipart.NewReader(strings.NewReader(r.body), params["boundary"])
	for _, want := range []string{"text/plain; charset=UTF-8", "text/html; charset=UTF-8"} {
		p, err := parts.NextPart()
		if err != nil {
			t.Fatalf("%s: %s: %v", kind, want, err)
		}
		body, err := io.ReadAll(p)
		if got := p.Header.Get("Content-Type"); err != nil || got != want {
			t.Errorf("%s: a part of %s, want %s, %v", kind, got, want, err)
		}
		for _, needed := range []string{"Harbour Books", "(Lisbon)", "https://status.example/closures/", "https://closures.example/unsubscribe/ann@example.org"} {
			if !strings.Contains(string(body), needed) {
				t.Errorf("%s: %s without %s:\n%s", kind, want, needed, body)
			}
		}
		if found := loads.FindString(string(body)); found != "" {
			t.Errorf("%s: %s loads something: %s", kind, want, found)
		}
	}
	if _, err := parts.NextPart(); err != io.EOF {
		t.Errorf("%s: a third part", kind)
	}
}
