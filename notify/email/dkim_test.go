package email

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/emersion/go-msgauth/dkim"

	"github.com/backsoon/backsoon/internal/config"
)

// bothKeys are one key of each kind, as a shop has them that wants to be verified
// everywhere.
func bothKeys(t testing.TB) []config.Signature {
	t.Helper()
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return []config.Signature{
		{Domain: "harbourbooks.example", Selector: "rsa2026", Key: rsaKey},
		{Domain: "harbourbooks.example", Selector: "ed2026", Key: edKey},
	}
}

// verifiers are two that know nothing of each other. Each tells of every message
// which of its signatures are good: "good bad".
var verifiers = map[string]func(t *testing.T, messages []string, keys []config.Signature) []string{
	"go-msgauth": verifyInGo,
	"dkimpy":     verifyInPython,
}

func verifyInGo(t *testing.T, messages []string, keys []config.Signature) (verdicts []string) {
	t.Helper()
	lookup := func(asked string) ([]string, error) {
		for _, k := range keys {
			if name, text, err := Record(k); name == asked {
				return []string{text}, err
			}
		}
		return nil, errors.New("no such name")
	}
	for _, msg := range messages {
		signatures, err := dkim.VerifyWithOptions(strings.NewReader(msg), &dkim.VerifyOptions{LookupTXT: lookup})
		if err != nil {
			t.Fatal(err)
		}
		var words []string
		for _, s := range signatures {
			words = append(words, map[bool]string{true: "good", false: "bad"}[s.Err == nil])
		}
		verdicts = append(verdicts, strings.Join(words, " "))
	}
	return verdicts
}

// verifyInPython runs Debian's own Python, the one that its packages are for.
func verifyInPython(t *testing.T, messages []string, keys []config.Signature) []string {
	t.Helper()
	dir := t.TempDir()
	for i, msg := range messages {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%03d", i)), []byte(msg), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("/usr/bin/python3", "testdata/verify.py", dir)
	for _, k := range keys {
		name, text, err := Record(k)
		if err != nil {
			t.Fatal(err)
		}
		cmd.Args = append(cmd.Args, name+"="+text)
	}
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s\nThis needs python3-dkim and python3-nacl. As root, run: make dkimpy", err, &errs)
	}
	return strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
}

// signingSender sends to the server with both keys.
func signingSender(t *testing.T, m *mailServer, keys []config.Signature) *Sender {
	cfg := m.settings(config.NoTLS)
	cfg.DKIM = keys
	s := NewSender(cfg)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// TestSignedMail sends a letter through a mail server and has both verifiers judge
// what arrived, and what somebody made of it on its way.
func TestSignedMail(t *testing.T) {
	keys := bothKeys(t)
	m := new(mailServer).start(t, nil)
	want(t, signingSender(t, m, keys).Send(t.Context(), from, to, compose(t, campaign(), recipient())), Sent)
	arrived := m.got()[0].data

	const leave = "\r\nList-Unsubscribe: <"
	tests := []struct {
		name, old, new, want string
	}{
		{"as it was sent", "", "", "good good"},
		{"with a relay's stamp", "DKIM-Signature", "Received: from mail.test by mx.example; Thu, 24 Dec 2026 18:00:01 +0000\r\nDKIM-Signature", "good good"},
		{"folded otherwise", "\r\nTo: <", "\r\nTo:\r\n  <", "good good"},
		{"one of the signatures", " s=rsa2026;", " s=rsa2027;", "bad good"},
		{"another page to leave", leave + "https://closures", leave + "https://evil", "bad bad"},
		{"a second way to leave", leave, leave + "https://evil.example/>" + leave, "bad bad"},
		{"without a way to leave", leave, "\r\nX-Unsubscribe: <", "bad bad"},
		{"no one-click", "List-Unsubscribe=One-Click", "List-Unsubscribe=Two-Clicks", "bad bad"},
		{"another sender", "closures@harbourbooks", "closures@harbourcooks", "bad bad"},
		{"another recipient", "\r\nTo: <ada@", "\r\nTo: <eve@", "bad bad"},
		{"another subject", "Fechado", "Aberto", "bad bad"},
		{"a second subject", "\r\nSubject:", "\r\nSubject: Open\r\nSubject:", "bad bad"},
		{"another day", "24 Dec 2026", "25 Dec 2026", "bad bad"},
		{"another id", "<id2@", "<id3@", "bad bad"},
		{"another thread", "\r\nReferences: <id1@", "\r\nReferences: <id0@", "bad bad"},
		{"another kind of part", "multipart/alternative", "multipart/mixed", "bad bad"},
		{"answers elsewhere", "\r\nDate:", "\r\nReply-To: eve@evil.example\r\nDate:", "bad bad"},
		{"another list", "<closures.harbourbooks", "<openings.harbourbooks", "bad bad"},
		{"another checkpoint", "\r\nBacksoon-Checkpoint: ", "\r\nBacksoon-Checkpoint: AAAA", "bad bad"},
		{"no checkpoint", "\r\nBacksoon-Checkpoint:", "\r\nBacksoon-Chequepoint:", "bad bad"},
		{"a second checkpoint", "\r\nBacksoon-Checkpoint:", "\r\nBacksoon-Checkpoint: AAAA\r\nBacksoon-Checkpoint:", "bad bad"},
		{"a checkpoint folded otherwise", "\r\nBacksoon-Checkpoint: ", "\r\nBacksoon-Checkpoint:\r\n   ", "good good"},
		{"not automatic", "auto-generated", "no", "bad bad"},
		{"other words", "Closed =E2=80=93", "Open =E2=80=93", "bad bad"},
	}
	var messages []string
	for _, tt := range tests {
		if !strings.Contains(arrived, tt.old) {
			t.Fatalf("%s: the mail has no %q:\n%s", tt.name, tt.old, arrived)
		}
		messages = append(messages, strings.Replace(arrived, tt.old, tt.new, 1))
	}
	for verifier, verify := range verifiers {
		for i, got := range verify(t, messages, keys) {
			if got != tests[i].want {
				t.Errorf("%s, judged by %s: %s, want %s", tests[i].name, verifier, got, tests[i].want)
			}
		}
	}
}

// TestEveryHeaderIsSigned: whatever headers a message comes to have, a signature
// covers each.
func TestEveryHeaderIsSigned(t *testing.T) {
	header, _ := parse(t, compose(t, campaign(), recipient()))
	for name := range header {
		if !slices.ContainsFunc(signedHeaders, func(s string) bool { return strings.EqualFold(s, name) }) {
			t.Errorf("%s is not signed", name)
		}
	}
}

// TestSignedBodies has both verifiers read what is odd in a body: dots, blanks and
// empty lines at its end, no end of a line.
func TestSignedBodies(t *testing.T) {
	keys := bothKeys(t)
	m := new(mailServer).start(t, nil)
	s := signingSender(t, m, keys)
	var messages []string
	for _, text := range []string{"", "\n", ".\n.\n..", "a  b \t\n\n\n", "From me\n", strings.Repeat("é", 500)} {
		alert := Message{From: campaign().From, Subject: "Test", Text: text, Date: campaign().Date}
		raw, err := Render(alert)
		if err != nil {
			t.Fatal(err)
		}
		msg, err := raw.For(Recipient{Address: to, MessageID: "id@harbourbooks.example"})
		if err != nil {
			t.Fatal(err)
		}
		want(t, s.Send(t.Context(), from, to, msg), Sent)
	}
	for _, mail := range m.got() {
		messages = append(messages, mail.data)
	}
	for verifier, verify := range verifiers {
		for i, got := range verify(t, messages, keys) {
			if got != "good good" {
				t.Errorf("%s: %s in\n%s", verifier, got, messages[i])
			}
		}
	}
}

// BenchmarkSign is what a signature costs for a letter of about 10 KB, beside what
// the RSA key alone takes for it, which is most of it.
func BenchmarkSign(b *testing.B) {
	m := campaign()
	m.HTML = strings.Repeat("<p>A paragraph of an ordinary letter, long enough to fold.</p>\n", 150) + m.HTML
	msg := compose(b, m, recipient())
	keys := bothKeys(b)
	b.Run("rsa key alone", func(b *testing.B) {
		hash := sha256.Sum256(msg)
		for b.Loop() {
			if _, err := keys[0].Key.Sign(rand.Reader, hash[:], crypto.SHA256); err != nil {
				b.Fatal(err)
			}
		}
	})
	for name, with := range map[string][]config.Signature{"none": nil, "rsa": keys[:1], "ed25519": keys[1:], "both": keys} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(msg)))
			for b.Loop() {
				if _, err := sign(msg, with); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
