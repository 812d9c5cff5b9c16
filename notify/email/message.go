// Package email sends a message to one recipient at a time over SMTP and says
// what came of it. A message is rendered to bytes once for all its recipients;
// only the few lines that differ are filled in for each. It knows nothing of
// notices, letters or the ledger.
package email

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"mime"
	"net/mail"
	"slices"
	"strings"
	"time"
	"unicode"

	gomail "github.com/wneessen/go-mail"

	"github.com/backsoon/backsoon/internal/address"
	"github.com/backsoon/backsoon/internal/checkpoint"
)

// Message is what all recipients of a mail have in common.
type Message struct {
	From        mail.Address
	Subject     string
	Text        string    // the text/plain part, which comes first
	HTML        string    // the text/html part; empty: text alone
	Date        time.Time // the Date header, in its own zone
	Placeholder string    // in Text and HTML; each recipient's leave link takes its place
	Checkpoint  string    // of the audit log, as a signed note; empty: none
	List        *List     // nil for alerts and tests: no List-* headers
}

// List is the mailing list that a message goes out to.
type List struct {
	ID         string // List-Id, RFC 2919: closures.harbourbooks.example
	Name       string // the words before it
	FeedbackID string // Feedback-ID for the large mailboxes' complaint reports; may be empty
	Mailto     string // the address that a mail leaves the list by; may be empty
}

// maxHeader is how long a part of a header may be that cannot be folded: it has
// to stay within the 998 bytes that RFC 5322, section 2.1.1, allows a line.
const maxHeader = 900

// Rendered is a message as bytes, open at the places that differ from one
// recipient to the next. It may be used by several goroutines at once.
type Rendered struct {
	pieces []piece // headers and body
	list   *List
}

// piece is a run of bytes that is the same for everybody, and the slot after it.
type piece struct {
	fixed []byte
	slot  slot
}

// slot says which form of the leave link follows a piece.
type slot int

const (
	noSlot slot = iota
	textSlot
	htmlSlot
)

// Render lays a message out once for all its recipients: multipart/alternative
// with the text first, quoted-printable, and with the headers of automatic mail
// (RFC 3834). The same message gives the same bytes. It fails on a header that
// holds a line break or cannot be folded, and on a missing date.
func Render(m Message) (*Rendered, error) {
	if err := m.check(); err != nil {
		return nil, fmt.Errorf("render mail: %w", err)
	}
	id := m.digest()
	var raw bytes.Buffer
	raw.WriteString(m.proof())
	if _, err := m.build(id).WriteTo(&raw); err != nil {
		return nil, fmt.Errorf("render mail: %w", err)
	}
	return &Rendered{pieces: cut(raw.Bytes(), id), list: m.List}, nil
}

// proof is the header by which every mail shows what the audit log had come to.
func (m Message) proof() string {
	if m.Checkpoint == "" {
		return ""
	}
	var b strings.Builder
	writeHeader(&b, checkpoint.Header, checkpoint.HeaderTokens(m.Checkpoint)...)
	return b.String()
}

// build gives the message to go-mail. A Message-ID without a value keeps go-mail
// from making one up, and is not written. Each leave link becomes a mark alone
// on its line, which the encoder cannot break, see cut.
func (m Message) build(id string) *gomail.Msg {
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent(), gomail.WithBoundary(id))
	msg.FromMailAddress(&m.From)
	// A title that looks like an encoded word (RFC 2047) is not one.
	msg.Subject(strings.ReplaceAll(m.Subject, "=?", "= ?"))
	msg.SetDateWithValue(m.Date)
	msg.SetGenHeader(gomail.HeaderMessageID)
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetGenHeader(gomail.HeaderXAutoResponseSuppress, "All")
	if m.List != nil {
		msg.SetGenHeader(gomail.HeaderPrecedence, "bulk")
		msg.SetGenHeader("List-Id", strings.TrimSpace(phrase(m.List.Name)+" <"+m.List.ID+">"))
		if m.List.FeedbackID != "" {
			msg.SetGenHeader("Feedback-ID", m.List.FeedbackID)
		}
	}
	msg.SetBodyString(gomail.TypeTextPlain, m.marked(m.Text, textMark(id)))
	if m.HTML != "" {
		msg.AddAlternativeString(gomail.TypeTextHTML, m.marked(m.HTML, htmlMark(id)))
	}
	return msg
}

// marked puts a mark on a line of its own wherever the placeholder stands.
func (m Message) marked(body, mark string) string {
	body = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(body)
	if m.Placeholder == "" {
		return body
	}
	return strings.ReplaceAll(body, m.Placeholder, "\n"+mark+"\n")
}

func textMark(id string) string { return id + "-text" }
func htmlMark(id string) string { return id + "-html" }

// cut opens the rendered bytes at the marks. The line breaks around a mark are
// no part of the text: they go with it, and the link brings soft ones instead.
func cut(raw []byte, id string) []piece {
	var pieces []piece
	open := func(rest []byte, mark string, s slot) []byte {
		for {
			fixed, after, found := bytes.Cut(rest, []byte("\r\n"+mark+"\r\n"))
			if !found {
				return rest
			}
			pieces = append(pieces, piece{fixed, s})
			rest = after
		}
	}
	rest := open(raw, textMark(id), textSlot)
	rest = open(rest, htmlMark(id), htmlSlot)
	return append(pieces, piece{rest, noSlot})
}

// digest names the content, so that neither boundary nor marks occur in it and
// the same message gives the same bytes.
func (m Message) digest() string {
	sum := sha256.Sum256([]byte(m.Subject + "\x00" + m.Text + "\x00" + m.HTML))
	return hex.EncodeToString(sum[:16])
}

// check refuses what would not make a valid header.
func (m Message) check() error {
	if err := address.Check(m.From.Address); err != nil {
		return headerError("From", err)
	}
	if m.Date.IsZero() {
		return headerError("Date", errors.New("is missing"))
	}
	headers := [][2]string{{"From", m.From.Name}, {"Subject", m.Subject}}
	if l := m.List; l != nil {
		headers = append(headers, [2]string{"List-Id", l.Name}, [2]string{"Feedback-ID", l.FeedbackID})
		if err := checkToken(l.ID); err != nil {
			return headerError("List-Id", err)
		}
		if l.Mailto != "" {
			if err := address.Check(l.Mailto); err != nil {
				return headerError("List-Unsubscribe", err)
			}
		}
	}
	for _, h := range headers {
		if err := checkWords(h[1]); err != nil {
			return headerError(h[0], err)
		}
	}
	return nil
}

// checkWords accepts one line of text that can be folded between its words.
func checkWords(s string) error {
	tooLong := func(word string) bool { return len(word) > maxHeader }
	if strings.ContainsFunc(s, unicode.IsControl) || slices.ContainsFunc(strings.Fields(s), tooLong) {
		return fmt.Errorf("must be one line without a word of more than %d bytes", maxHeader)
	}
	return nil
}

func headerError(name string, err error) error { return fmt.Errorf("header %s: %w", name, err) }

// phrase writes words as RFC 5322, section 3.2.5, wants them before an angle
// bracket: quoted, or as encoded words where they are not ASCII. Those are in
// base64, since commas, quotes and brackets may stand in no others there (RFC 2047,
// section 5).
func phrase(words string) string {
	if words == "" {
		return ""
	}
	if encoded := mime.BEncoding.Encode("UTF-8", words); encoded != words {
		return encoded
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(words) + `"`
}
