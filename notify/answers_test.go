package notify

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/emersion/go-smtp"

	"github.com/backsoon/backsoon/internal/config"
	"github.com/backsoon/backsoon/internal/ledger"
	"github.com/backsoon/backsoon/notify/email"
)

// TestEachAnswer has a mail server give each answer to a letter to ann, beside one
// to bob, until it thinks better of it after a quarter of an hour: who has the
// letter then and later, who is suppressed, and whether the owner hears of it.
func TestEachAnswer(t *testing.T) {
	const ann, bob, both = "ann", "bob", "ann bob"
	for _, test := range []struct {
		name         string
		at           string // the step of the conversation
		answer       error
		first, later string // whom the letter came to before the server was put right, and after
		suppressed   string
		alert        bool
	}{
		{"no such mailbox", "RCPT", reply(550, 5, 1, 1), bob, "", ann, false},
		{"no such domain", "RCPT", reply(550, 5, 1, 2), bob, "", ann, false},
		{"something against the sender", "RCPT", reply(550, 5, 7, 1), bob, ann, "", false},
		{"against the sender's address", "RCPT", reply(550, 5, 1, 8), bob, ann, "", false},
		{"no password", "AUTH", reply(535, 5, 7, 8), "", both, "", true},
		{"no such sender", "MAIL", reply(550, 5, 7, 1), "", both, "", true},
		{"a bare refusal of the sender", "MAIL", bare(550), "", both, "", true},
		{"no such mail", "DATA", reply(554, 5, 6, 0), "", both, "", true},
		{"a bare refusal", "RCPT", bare(550), bob, "", "", false},
		{"mailbox full", "RCPT", reply(552, 5, 2, 2), bob, "", "", false},
		{"later", "RCPT", reply(450, 4, 2, 1), bob, ann, "", false},
		{"a bare later", "RCPT", bare(451), bob, ann, "", false},
		{"no room", "DATA", reply(452, 4, 3, 1), "", both, "", false},
		{"shutting down", "MAIL", reply(421, 4, 3, 2), "", both, "", true},
	} {
		t.Run(test.at+" "+test.name, func(t *testing.T) {
			b := newBench(t, "2026-11-20 10:00", "")
			b.login()
			var well atomic.Bool
			b.mailbox.answer(test.at, func(to string) error {
				if well.Load() || strings.HasPrefix(to, bob) || strings.HasPrefix(to, "owner") {
					return nil
				}
				return test.answer
			})
			b.subscribe("ann@one.example", "bob@two.example")
			b.write("winter-break.md", winter)
			b.minutely("2026-11-20 10:15")
			first := b.mailbox.names()
			alerted := slices.Contains(b.events(), ledger.MailPaused)
			well.Store(true)
			b.minutely("2026-11-20 12:00")
			if later := b.mailbox.names(); first != test.first || later != test.later || alerted != test.alert {
				t.Errorf("came to %q, later to %q; alert: %v", first, later, alerted)
			}
			for address, why := range b.suppressed() {
				if (why != "") != (test.suppressed != "" && strings.HasPrefix(address, test.suppressed)) {
					t.Errorf("%s: suppressed %q", address, why)
				}
			}
		})
	}
}

// TestHungUpAfterTheFinalDot: nobody knows whether the letter was taken, so it goes
// out again, and is the same one to the mailbox.
func TestHungUpAfterTheFinalDot(t *testing.T) {
	b := newBench(t, "2026-11-20 10:00", "")
	var times atomic.Int32
	b.mailbox.taken = func(c *smtp.Conn, to string) {
		if to == "ann@one.example" && times.Add(1) == 1 {
			_ = c.Conn().Close()
		}
	}
	b.subscribe("ann@one.example", "bob@two.example")
	b.write("winter-break.md", winter)
	b.minutely("2026-11-20 11:00")
	ids := map[string][]string{}
	for _, r := range b.mailbox.take() {
		ids[r.to] = append(ids[r.to], r.header.Get("Message-ID"))
	}
	if a := ids["ann@one.example"]; len(a) != 2 || a[0] != a[1] || len(ids["bob@two.example"]) != 1 {
		t.Errorf("letters by their ids: %q", ids)
	}
	if n := times.Load(); n != 2 {
		t.Errorf("taken %d times", n)
	}
}

// TestReturnPath: each letter has its own, unless the mail server wants none such.
func TestReturnPath(t *testing.T) {
	for setting, want := range map[string]string{"": "ann@one.example", ", return_path: off": ""} {
		b := newBench(t, "2026-11-20 10:00", "")
		b.setEmail(setting)
		path := b.w.returnPath("ann@one.example")
		if to, ours := email.Returned([][]byte{b.w.SiteKey}, path); to != want || ours != (want != "") {
			t.Errorf("with %q the return path is %s, of %s", setting, path, to)
		}
	}
}

// setEmail adds to the settings of mail, and starts anew.
func (b *bench) setEmail(more string) {
	b.t.Helper()
	b.w.Close()
	name := filepath.Join(b.dir, config.File)
	src, err := os.ReadFile(name)
	if err != nil {
		b.t.Fatal(err)
	}
	changed := strings.Replace(string(src), `server: "smtp://`+b.mailbox.addr+`"`, `server: "smtp://`+b.mailbox.addr+`"`+more, 1)
	if err := os.WriteFile(name, []byte(changed), 0o600); err != nil {
		b.t.Fatal(err)
	}
	b.start()
}

// login has the watcher say a password, which the mail server believes.
func (b *bench) login() {
	b.mailbox.auth = func() error { return nil }
	b.setEmail(", user: shop, password: geheim")
}

// answer sets what the mail server says at a step. Before RCPT it doesn't know to
// whom.
func (m *mailbox) answer(at string, f func(to string) error) {
	unknown := func() error { return f("") }
	switch at {
	case "AUTH":
		m.auth = unknown
	case "MAIL":
		m.mail = unknown
	case "RCPT":
		m.rcpt = f
	case "DATA":
		m.data = unknown
	}
}

// names gives whom letters came to since the last call, alerts left out.
func (m *mailbox) names() string {
	var names []string
	for _, r := range m.take() {
		if name, _, _ := strings.Cut(r.to, "@"); name != "owner" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

// bare is a refusal without an enhanced code.
func bare(code int) error {
	return &smtp.SMTPError{Code: code, EnhancedCode: smtp.NoEnhancedCode, Message: "no"}
}
