package email

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/backsoon/backsoon/internal/checkpoint"
)

const (
	placeholder = "LEAVE-LINK"
	leavePage   = "https://closures.harbourbooks.example/leave?token=a=b&list=all&x=%3D" + "0123456789012345678901234567890123456789012345678901234567890123456789"
)

// logKey signs the log that the mails below show the checkpoint of.
var (
	logKey      = checkpoint.NewKey()
	loggedSoFar = func() string {
		signed, err := logKey.Sign("status.harbourbooks.example/open/log", 123_456, tlog.RecordHash([]byte("…")))
		if err != nil {
			panic(err)
		}
		return signed
	}()
)

func campaign() Message {
	return Message{
		From:        mail.Address{Name: "Harbour Books, Lisboa é", Address: "closures@harbourbooks.example"},
		Subject:     "Harbour Books: Fechado para o Natal, até já",
		Text:        "Closed – até já.\n\nTo leave: " + placeholder + "\n" + placeholder,
		HTML:        "<p>Closed &amp; fechado – até já.</p><p><a href=\"" + placeholder + "\">Leave</a> or " + placeholder + "</p>",
		Date:        time.Date(2026, 12, 24, 18, 0, 0, 0, time.UTC),
		Placeholder: placeholder,
		Checkpoint:  loggedSoFar,
		List:        &List{ID: "closures.harbourbooks.example", Name: "Harbour Books, até já", FeedbackID: "winter-break:closed:backsoon", Mailto: "leave@harbourbooks.example"},
	}
}

func recipient() Recipient {
	return Recipient{Address: "ada@customer.example", MessageID: "id2@harbourbooks.example", References: "id1@harbourbooks.example", Unsubscribe: leavePage}
}

// compose renders m for rec and checks what holds for every message's lines.
func compose(t testing.TB, m Message, rec Recipient) []byte {
	t.Helper()
	r, err := Render(m)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := r.For(rec)
	if err != nil {
		t.Fatal(err)
	}
	head, content, _ := bytes.Cut(raw, []byte("\r\n\r\n"))
	for line := range strings.Lines(string(content)) {
		if line = strings.TrimSuffix(line, "\r\n"); len(line) > 76 || strings.ContainsAny(line, "\r\n") {
			t.Errorf("line of %d bytes: %q", len(line), line)
		}
	}
	for line := range strings.Lines(string(head)) {
		if line = strings.TrimSuffix(line, "\r\n"); len(line) > maxHeader || strings.ContainsAny(line, "\r\n") {
			t.Errorf("header line of %d bytes: %q", len(line), line)
		}
	}
	for _, b := range raw {
		if b > '~' {
			t.Fatalf("the message is not ASCII: %q", raw)
		}
	}
	return raw
}

// parse reads a message back with the standard library alone: its headers and
// its parts' contents in order.
func parse(t testing.TB, raw []byte) (mail.Header, []string) {
	t.Helper()
	msg, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	kind, params, err := mime.ParseMediaType(msg.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatalf("Content-Type %q: %v", kind, err)
	}
	var parts []string
	for r := multipart.NewReader(msg.Body, params["boundary"]); ; {
		p, err := r.NextPart()
		if err == io.EOF {
			return msg.Header, parts
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(p) // undoes the quoted-printable
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, p.Header.Get("Content-Type")+"\n"+string(text))
	}
}

func TestMessageReadsBackWhole(t *testing.T) {
	head, parts := parse(t, compose(t, campaign(), recipient()))
	wantText := "text/plain; charset=UTF-8\nClosed – até já.\r\n\r\nTo leave: " + leavePage + "\r\n" + leavePage
	link := strings.ReplaceAll(leavePage, "&", "&amp;")
	wantHTML := "text/html; charset=UTF-8\n<p>Closed &amp; fechado – até já.</p><p><a href=\"" + link + "\">Leave</a> or " + link + "</p>"
	if len(parts) != 2 || parts[0] != wantText || parts[1] != wantHTML {
		t.Errorf("parts %q", parts)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(head.Get("Subject"))
	if err != nil || subject != campaign().Subject {
		t.Errorf("Subject %q, %v", subject, err)
	}
	sender, err := mail.ParseAddress(head.Get("From"))
	if err != nil || *sender != campaign().From {
		t.Errorf("From %v, %v", sender, err)
	}
	if date, err := head.Date(); err != nil || !date.Equal(campaign().Date) {
		t.Errorf("Date %v, %v", date, err)
	}
}

func TestHeaders(t *testing.T) {
	head, _ := parse(t, compose(t, campaign(), recipient()))
	want := map[string]string{
		"To":                       "<ada@customer.example>",
		"Message-Id":               "<id2@harbourbooks.example>",
		"In-Reply-To":              "<id1@harbourbooks.example>",
		"References":               "<id1@harbourbooks.example>",
		"List-Id":                  "=?UTF-8?b?SGFyYm91ciBCb29rcywgYXTDqSBqw6E=?= <closures.harbourbooks.example>",
		"List-Unsubscribe":         "<" + leavePage + ">, <mailto:leave@harbourbooks.example?subject=unsubscribe>",
		"List-Unsubscribe-Post":    "List-Unsubscribe=One-Click",
		"Auto-Submitted":           "auto-generated",
		"Precedence":               "bulk",
		"X-Auto-Response-Suppress": "All",
		"Feedback-Id":              "winter-break:closed:backsoon",
		checkpoint.Header:          strings.Join(checkpoint.HeaderTokens(loggedSoFar), " "),
	}
	for name, value := range want {
		if got := head[name]; len(got) != 1 || got[0] != value {
			t.Errorf("%s: %q, want %q", name, got, value)
		}
	}
	for _, name := range []string{"User-Agent", "X-Mailer", "Cc", "Bcc", "Return-Path"} {
		if head.Get(name) != "" {
			t.Errorf("there is a %s header", name)
		}
	}
}

// TestCheckpoint: a mail that somebody saved has the log's checkpoint in it, on lines
// that no mail system has to fold; an alert and a mail of text alone, too.
func TestCheckpoint(t *testing.T) {
	list, alert, plain := campaign(), campaign(), campaign()
	alert.List, plain.HTML = nil, ""
	for _, m := range []Message{list, alert, plain} {
		r, err := Render(m)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := r.For(recipient())
		if err != nil {
			t.Fatal(err)
		}
		signed, err := checkpoint.Find(raw)
		if err != nil || signed != loggedSoFar {
			t.Fatalf("%q, %v in\n%s", signed, err, raw)
		}
		c, err := checkpoint.Open(signed, logKey.Verifier("status.harbourbooks.example/open/log"))
		if err != nil || c.Size != 123_456 {
			t.Errorf("%+v, %v", c, err)
		}
		_, field, _ := strings.Cut(string(raw), checkpoint.Header+":")
		lines := 0
		for line := range strings.Lines(checkpoint.Header + ":" + field) {
			if lines > 0 && !strings.HasPrefix(line, " ") {
				break
			}
			if lines++; len(line) > 78+len("\r\n") {
				t.Errorf("a line of %d bytes: %q", len(line), line)
			}
		}
		if lines < 3 {
			t.Errorf("folded into %d lines", lines)
		}
	}
	without := campaign()
	without.Checkpoint = ""
	if strings.Contains(string(compose(t, without, recipient())), checkpoint.Header) {
		t.Error("an empty checkpoint is shown")
	}
	// The checkpoint of the moment makes no other letter of it.
	a, b := compose(t, without, recipient()), compose(t, campaign(), recipient())
	if _, rest, _ := strings.Cut(string(b), "\r\nDate:"); !strings.HasSuffix(string(a), rest) {
		t.Error("more than the header is another")
	}
}

func TestListNamesInASCIIAreQuoted(t *testing.T) {
	m := campaign()
	m.List.Name = `The "Harbour" \ Books, Lisbon`
	head, _ := parse(t, compose(t, m, recipient()))
	if got := head.Get("List-Id"); got != `"The \"Harbour\" \\ Books, Lisbon" <closures.harbourbooks.example>` {
		t.Errorf("List-Id: %s", got)
	}
}

func TestAlertHasNoListHeaders(t *testing.T) {
	m := campaign()
	m.List = nil
	head, _ := parse(t, compose(t, m, recipient()))
	for name := range head {
		if strings.HasPrefix(name, "List-") || name == "Precedence" || name == "Feedback-Id" {
			t.Errorf("an alert has the header %s", name)
		}
	}
	if head.Get("Auto-Submitted") != "auto-generated" {
		t.Error("an alert is automatic too")
	}
}

func TestLeavingByMailAlone(t *testing.T) {
	rec := recipient()
	rec.Unsubscribe = ""
	head, parts := parse(t, compose(t, campaign(), rec))
	const way = "mailto:leave@harbourbooks.example?subject=unsubscribe"
	if got := head.Get("List-Unsubscribe"); got != "<"+way+">" {
		t.Errorf("List-Unsubscribe: %s", got)
	}
	if head.Get("List-Unsubscribe-Post") != "" {
		t.Error("nobody can post to a mail address")
	}
	for _, p := range parts {
		if strings.Count(p, way) != 2 || strings.Contains(p, placeholder) {
			t.Errorf("part %q", p)
		}
	}
}

// The placeholder is found wherever the encoder's line breaks would fall.
func TestPlaceholderAnywhereOnALine(t *testing.T) {
	for n := range 160 {
		m := campaign()
		before := strings.Repeat("é ", n/7) + strings.Repeat("x", n)
		m.Text = before + placeholder + " " + before
		m.HTML = placeholder + before + placeholder
		_, parts := parse(t, compose(t, m, recipient()))
		if want := before + leavePage + " " + before; !strings.HasSuffix(parts[0], "\n"+want) {
			t.Fatalf("after %d: %q", n, parts[0])
		}
		if strings.Contains(parts[1], placeholder) || strings.Count(parts[1], "token=a=b") != 2 {
			t.Fatalf("after %d: %q", n, parts[1])
		}
	}
}

func TestTextAlone(t *testing.T) {
	m := campaign()
	m.HTML = ""
	msg, err := mail.ReadMessage(bytes.NewReader(compose(t, m, recipient())))
	if err != nil {
		t.Fatal(err)
	}
	if got := msg.Header.Get("Content-Type"); got != "text/plain; charset=UTF-8" {
		t.Errorf("Content-Type: %s", got)
	}
}

func TestTitlesAreNotDecodedTwice(t *testing.T) {
	m := campaign()
	m.Subject = "=?UTF-8?q?open=0D=0ABcc:_eve@x.example?="
	head, _ := parse(t, compose(t, m, recipient()))
	got, err := new(mime.WordDecoder).DecodeHeader(head.Get("Subject"))
	if err != nil || strings.ContainsAny(got, "\r\n") {
		t.Errorf("Subject %q, %v", got, err)
	}
}

func TestLongSubjectsAreFolded(t *testing.T) {
	for _, subject := range []string{strings.Repeat("閉店", 150) + " " + strings.Repeat("🚢", 200), strings.Repeat("closed for ever and a day ", 60) + "."} {
		m := campaign()
		m.Subject = subject
		head, _ := parse(t, compose(t, m, recipient()))
		got, err := new(mime.WordDecoder).DecodeHeader(head.Get("Subject"))
		if err != nil || got != subject {
			t.Errorf("Subject %q, %v", got, err)
		}
	}
}

func TestRenderRefuses(t *testing.T) {
	for name, spoil := range map[string]func(*Message){
		"newline in subject":    func(m *Message) { m.Subject = "Closed\r\nBcc: eve@x.example" },
		"newline in name":       func(m *Message) { m.From.Name = "Shop\nBcc: eve@x.example" },
		"endless subject":       func(m *Message) { m.Subject = strings.Repeat("x", 1000) },
		"sender without domain": func(m *Message) { m.From.Address = "closures" },
		"no date":               func(m *Message) { m.Date = time.Time{} },
		"space in list id":      func(m *Message) { m.List.ID = "closures harbour" },
		"newline in list name":  func(m *Message) { m.List.Name = "a\r\nb" },
		"bracket in mailto":     func(m *Message) { m.List.Mailto = "leave@x.example>" },
	} {
		m := campaign()
		spoil(&m)
		if _, err := Render(m); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestForRefuses(t *testing.T) {
	r, err := Render(campaign())
	if err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*Recipient){
		"newline in address":   func(r *Recipient) { r.Address = "ada@x.example\r\nBcc: eve@x.example" },
		"two addresses":        func(r *Recipient) { r.Address = "ada@x.example, eve@x.example" },
		"name and address":     func(r *Recipient) { r.Address = "Ada <ada@x.example>" },
		"not ASCII":            func(r *Recipient) { r.Address = "ada@exämple.example" },
		"endless address":      func(r *Recipient) { r.Address = strings.Repeat("a", 250) + "@x.example" },
		"no id":                func(r *Recipient) { r.MessageID = "" },
		"bracket in id":        func(r *Recipient) { r.MessageID = "a>b@x.example" },
		"bracket in reference": func(r *Recipient) { r.References = "<a@x.example>" },
		"page is a script":     func(r *Recipient) { r.Unsubscribe = "javascript:alert(1)" },
		"page with newline":    func(r *Recipient) { r.Unsubscribe = "https://x.example/\r\nBcc:e" },
		"page with bracket":    func(r *Recipient) { r.Unsubscribe = "https://x.example/>,<https://evil.example/" },
	} {
		rec := recipient()
		spoil(&rec)
		_, err := r.For(rec)
		if err == nil {
			t.Errorf("%s: no error", name)
		} else if strings.Contains(err.Error(), "ada") {
			t.Errorf("%s: the error names the recipient: %v", name, err)
		}
	}
}

func TestSameMessageSameBytes(t *testing.T) {
	if a, b := compose(t, campaign(), recipient()), compose(t, campaign(), recipient()); !bytes.Equal(a, b) {
		t.Errorf("%s\n---\n%s", a, b)
	}
}

func TestManyReferencesAreFolded(t *testing.T) {
	rec := recipient()
	for i := range 20 {
		rec.References += fmt.Sprintf(" letter%d@harbourbooks.example", i)
	}
	raw := compose(t, campaign(), rec)
	head, _ := parse(t, raw)
	if n := len(strings.Fields(head.Get("References"))); n != 21 {
		t.Errorf("%d references", n)
	}
	if got := head.Get("In-Reply-To"); got != "<letter19@harbourbooks.example>" {
		t.Errorf("In-Reply-To: %s", got)
	}
	if !strings.Contains(string(raw), "\r\n <letter") {
		t.Error("References is one long line")
	}
}

func TestMessageID(t *testing.T) {
	key := []byte("site key")
	id := MessageID(key, "harbourbooks.example", "winter-break", "closed", "text", "ada@x.example")
	if id != MessageID(key, "harbourbooks.example", "winter-break", "closed", "text", "ada@x.example") {
		t.Error("the same letter has two ids")
	}
	if err := checkToken(id); err != nil || !strings.HasSuffix(id, "@harbourbooks.example") {
		t.Errorf("%s: %v", id, err)
	}
	seen := map[string]bool{id: true}
	for _, other := range []string{
		MessageID([]byte("other"), "harbourbooks.example", "winter-break", "closed", "text", "ada@x.example"),
		MessageID(key, "harbourbooks.example", "winter-break", "closed", "text", "eve@x.example"),
		MessageID(key, "harbourbooks.example", "winter-breakclosed", "", "text", "ada@x.example"),
		MessageID(key, "harbourbooks.example", "winter-break", "closedtext", "ada@x.example"),
	} {
		if seen[other] {
			t.Errorf("two letters share the id %s", other)
		}
		seen[other] = true
	}
}

func BenchmarkFor(b *testing.B) {
	m := campaign()
	m.HTML = strings.Repeat("<p>A paragraph of an ordinary letter, long enough to fold.</p>\n", 150) + m.HTML
	r, err := Render(m)
	if err != nil {
		b.Fatal(err)
	}
	rec := recipient()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.For(rec); err != nil {
			b.Fatal(err)
		}
	}
}
