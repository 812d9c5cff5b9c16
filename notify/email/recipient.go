package email

import (
	"bytes"
	"errors"
	"fmt"
	"html"
	"mime/quotedprintable"
	"net/url"
	"strings"

	"github.com/backsoon/backsoon/internal/address"
)

// Recipient is what differs from one recipient of a message to the next.
type Recipient struct {
	Address     string // To, and the envelope's recipient
	MessageID   string // without angle brackets, see MessageID
	References  string // ids of earlier letters of the thread, separated by spaces; may be empty
	Unsubscribe string // the page to leave by, http or https; empty: by mail alone
	LeaveToken  string // what a mail that leaves has in its subject, to prove whose it is; may be empty
	ReturnPath  string // the envelope's sender, which Send is given: where bounces go
}

// For fills in one recipient's lines: To, Message-ID, In-Reply-To, References
// (RFC 5322), List-Unsubscribe (RFC 2369), List-Unsubscribe-Post (RFC 8058), and
// the leave link in both parts. It fails, without naming the address, on
// anything that would not stay within its own line.
func (r *Rendered) For(rec Recipient) ([]byte, error) {
	lines, err := r.headers(rec)
	if err != nil {
		return nil, fmt.Errorf("mail for one recipient: %w", err)
	}
	link := rec.Unsubscribe
	if link == "" && r.list != nil {
		link = r.list.mailto(rec.LeaveToken)
	}
	fill := [...][]byte{noSlot: nil, textSlot: softLine(link), htmlSlot: softLine(html.EscapeString(link))}
	var b bytes.Buffer
	b.WriteString(lines)
	for _, p := range r.pieces {
		b.Write(p.fixed)
		b.Write(fill[p.slot])
	}
	return b.Bytes(), nil
}

// headers writes the recipient's own headers.
func (r *Rendered) headers(rec Recipient) (string, error) {
	if err := address.Check(rec.Address); err != nil {
		return "", headerError("To", err)
	}
	if err := checkToken(rec.MessageID); err != nil {
		return "", headerError("Message-ID", err)
	}
	var b strings.Builder
	writeHeader(&b, "To", "<"+rec.Address+">")
	writeHeader(&b, "Message-ID", "<"+rec.MessageID+">")
	if err := writeReferences(&b, strings.Fields(rec.References)); err != nil {
		return "", err
	}
	if r.list != nil {
		if err := r.writeLeave(&b, rec.Unsubscribe, rec.LeaveToken); err != nil {
			return "", err
		}
	}
	return b.String(), nil
}

// writeReferences ties the letter to the earlier ones of its thread.
func writeReferences(b *strings.Builder, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	quoted := make([]string, len(ids))
	for i, id := range ids {
		if err := checkToken(id); err != nil {
			return headerError("References", err)
		}
		quoted[i] = "<" + id + ">"
	}
	writeHeader(b, "In-Reply-To", quoted[len(quoted)-1])
	writeHeader(b, "References", quoted...)
	return nil
}

// writeLeave writes the ways to leave, the page first. Only a page can take the
// one-click POST.
func (r *Rendered) writeLeave(b *strings.Builder, page, token string) error {
	var ways []string
	if page != "" {
		if err := checkPage(page); err != nil {
			return headerError("List-Unsubscribe", err)
		}
		ways = append(ways, "<"+page+">")
	}
	if r.list.Mailto != "" {
		way := r.list.mailto(token)
		if err := checkToken(way); err != nil {
			return headerError("List-Unsubscribe", err)
		}
		ways = append(ways, "<"+way+">")
	}
	if len(ways) == 0 {
		return headerError("List-Unsubscribe", errors.New("there is no way to leave"))
	}
	writeHeader(b, "List-Unsubscribe", strings.Split(strings.Join(ways, ", "), " ")...)
	if page != "" {
		writeHeader(b, "List-Unsubscribe-Post", "List-Unsubscribe=One-Click")
	}
	return nil
}

// mailto is the URI (RFC 6068) of a mail that leaves the list; empty without
// an address.
func (l *List) mailto(token string) string {
	if l.Mailto == "" {
		return ""
	}
	return "mailto:" + url.PathEscape(l.Mailto) + "?subject=" + url.PathEscape(strings.TrimSpace("unsubscribe "+token))
}

// writeHeader writes a header, folded between its tokens where a line would
// outgrow the 78 characters of RFC 5322, section 2.1.1.
func writeHeader(b *strings.Builder, name string, tokens ...string) {
	b.WriteString(name + ":")
	column := len(name) + 1
	for i, t := range tokens {
		if i > 0 && column+1+len(t) > 78 {
			b.WriteString("\r\n")
			column = 0
		}
		b.WriteString(" " + t)
		column += 1 + len(t)
	}
	b.WriteString("\r\n")
}

// softLine encodes a text as quoted-printable (RFC 2045, section 6.7) between
// soft line breaks, so that it fits whatever stands around it.
func softLine(text string) []byte {
	var b bytes.Buffer
	b.WriteString("=\r\n")
	w := quotedprintable.NewWriter(&b)
	_, _ = w.Write([]byte(text)) // a bytes.Buffer takes everything
	_ = w.Close()
	b.WriteString("=\r\n")
	return b.Bytes()
}

// checkPage accepts an absolute http or https URL that fits between angle
// brackets.
func checkPage(s string) error {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return errors.New("not a web address; write it as https://example.com/leave")
	}
	return checkToken(s)
}

// checkToken accepts what can stand between angle brackets in a header.
func checkToken(s string) error {
	if s == "" || len(s) > maxHeader || !printable(s) || strings.ContainsAny(s, "<>") {
		return fmt.Errorf("must be 1 to %d ASCII characters without spaces or angle brackets", maxHeader)
	}
	return nil
}

// printable tells whether a text is visible ASCII alone.
func printable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}
