package bounce

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/backsoon/backsoon/notify/email"
)

const (
	verp = "closures+ada=customer.example-aaaabbbb@harbourbooks.example"
	ada  = "ada@customer.example"
)

func open(t *testing.T, name string) Report {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", name+".eml"))
	if err != nil {
		t.Fatal(err)
	}
	report := Read(bytes.NewReader(raw))
	crlf := Read(bytes.NewReader(bytes.ReplaceAll(raw, []byte("\n"), []byte("\r\n"))))
	if len(report.Fates) != len(crlf.Fates) || report.Complaint != crlf.Complaint || report.Letter.Get("Message-ID") != crlf.Letter.Get("Message-ID") {
		t.Errorf("%s: lines that end in CR LF make another report of it", name)
	}
	return report
}

// TestReports reads reports as several mail systems write them.
func TestReports(t *testing.T) {
	for _, test := range []struct {
		name    string
		verdict email.Verdict // on ada; empty: the report doesn't say
		status  string
		why     string // its beginning
		letter  bool   // its Message-ID came back
	}{
		{"postfix-unknown", email.BadAddress, "5.1.1", "550 5.1.1 <ada@customer.example>: Recipient address rejected: User unknown", true},
		{"exchange-full", email.Refused, "5.2.2", "554 5.2.2 mailbox full; STOREDRV", true},
		{"exim-vague", email.Deferred, "5.7.1", "550 5.7.1 Service unavailable", true},
		{"postfix-delayed", email.Retry, "4.4.1", "connect to mx.customer.example", false},
		{"broken-off", email.BadAddress, "5.1.1", "", false},
		{"aliases", "", "", "", false},
		{"complaint", "", "", "", true},
		{"not-spam", "", "", "", true},
		{"out-of-office", "", "", "", false},
	} {
		r := open(t, test.name)
		fate, about := r.About(ada)
		if about != (test.verdict != "") || about && fate.Verdict() != test.verdict || fate.Status != test.status || !strings.HasPrefix(fate.Why, test.why) {
			t.Errorf("%s: %+v", test.name, r)
		}
		if got := r.Letter.Get("Message-ID"); (got == "<abcdefghij@harbourbooks.example>") != test.letter {
			t.Errorf("%s: the letter's id %q", test.name, got)
		}
		if complained := r.Complaint == "abuse"; complained != (test.name == "complaint") {
			t.Errorf("%s: complaint %q", test.name, r.Complaint)
		}
		if none := test.name == "not-spam" || test.name == "out-of-office"; r.Empty() != none {
			t.Errorf("%s: empty %v", test.name, r.Empty())
		}
		if len(r.Came) == 0 || r.Came[0] != verp && !strings.Contains(test.name, "plaint") && test.name != "not-spam" {
			t.Errorf("%s came to %q", test.name, r.Came)
		}
	}
}

// TestForwarded: mail that was forwarded fails under another name, which is the
// only one; of several, one has to be the subscriber's.
func TestForwarded(t *testing.T) {
	one := Report{Fates: []Fate{{Recipients: []string{"lovelace@other.example"}, Action: "failed", Status: "5.1.1"}}}
	if f, ok := one.About(ada); !ok || f.Verdict() != email.BadAddress {
		t.Errorf("%+v, %v", f, ok)
	}
	two := open(t, "aliases")
	if f, ok := two.About("GONE@other.example"); !ok || f.Verdict() != email.BadAddress {
		t.Errorf("%+v, %v", f, ok)
	}
	if f, ok := two.About("family@customer.example"); !ok || f.Verdict() != email.Sent {
		t.Errorf("%+v, %v", f, ok)
	}
}

func TestStatus(t *testing.T) {
	for _, test := range []struct{ field, why, want string }{
		{"5.1.1", "", "5.1.1"},
		{"5.1.1 (no such user)", "550 5.2.2 full", "5.1.1"},
		{"5.0.0", "550 5.1.1 no", "5.1.1"},
		{"5.0.0", "451 4.2.2 later", "5.0.0"},
		{"", "550-5.1.1 no", "5.1.1"},
		{"", "550 no", "5.0.0"},
		{"5.0.0", "550 no", "5.0.0"},
		{"", "mx.example:587 is closed", ""},
		{"none", "connect to 5.6.7.8", ""},
	} {
		if got := exact(test.field, test.why); got != test.want {
			t.Errorf("%q with %q: %q, want %q", test.field, test.why, got, test.want)
		}
	}
}

// FuzzRead: whatever comes, reading it ends, and nothing in it can harm a
// terminal or pass for a line of its own.
func FuzzRead(f *testing.F) {
	files, err := filepath.Glob("testdata/*.eml")
	if err != nil || len(files) == 0 {
		f.Fatal(files, err)
	}
	for _, name := range files {
		raw, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		r := Read(bytes.NewReader(raw))
		texts := []string{r.Complaint}
		for _, fate := range r.Fates {
			texts = append(append(texts, fate.Action, fate.Status, fate.Why), fate.Recipients...)
		}
		for _, s := range texts {
			if strings.ContainsFunc(s, func(c rune) bool { return !unicode.IsPrint(c) }) || len([]rune(s)) > maxText+1 {
				t.Errorf("%q", s)
			}
		}
		if again := Read(bytes.NewReader(raw)); len(again.Fates) != len(r.Fates) || again.Complaint != r.Complaint || again.ID != r.ID {
			t.Errorf("%+v, and then %+v", r, again)
		}
	})
}
