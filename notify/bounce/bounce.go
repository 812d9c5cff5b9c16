// Package bounce reads what mail systems report of a letter after they took it:
// that it could not be delivered (RFC 3464), or that its reader called it spam
// (RFC 5965). It believes nobody: whose letter it was is for the caller to prove.
package bounce

import (
	"bufio"
	"encoding/base64"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"net/textproto"
	"regexp"
	"strings"
	"unicode"

	"github.com/backsoon/backsoon/notify/email"
)

// maxSize is how much of a message is looked at, in bytes. The letter that comes
// back stands last, and only its headers count.
const maxSize = 1 << 20

// Report is what a message reports of a letter. The zero Report is none: an answer
// out of the office, or anything else that people send to a sender.
type Report struct {
	Fates     []Fate               // what became of the letter, by recipient
	Complaint string               // abuse, fraud or opt-out; empty: nobody complained
	Letter    textproto.MIMEHeader // of the letter itself, as far as it came back
	Came      []string             // the addresses that the report came to, return paths among them
	ID        string               // the report's own Message-ID; may be empty
	Subject   string               // of the message; a mail that leaves the list has its proof there
	From      string               // who wrote the message, as he says
}

// Fate is what became of a letter to one recipient.
type Fate struct {
	Recipients []string // the original and the final one, as far as they are named
	Action     string   // failed, delayed, delivered, relayed or expanded
	Status     string   // RFC 3463: 5.1.1
	Why        string   // one line that the mail system wrote, without control characters
}

// Read reads one message. What it can't make sense of is left out.
func Read(r io.Reader) Report {
	msg, err := mail.ReadMessage(bufio.NewReader(io.LimitReader(r, maxSize)))
	if err != nil {
		return Report{}
	}
	report := Report{ID: msg.Header.Get("Message-ID"), Came: addressees(msg.Header), Subject: subject(msg.Header)}
	if from, err := mail.ParseAddress(msg.Header.Get("From")); err == nil {
		report.From = text(from.Address)
	}
	kind, params, err := mime.ParseMediaType(msg.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/report" {
		return report
	}
	parts := multipart.NewReader(msg.Body, params["boundary"])
	for {
		part, err := parts.NextPart()
		if err != nil { // the end, or damaged from here on
			return report
		}
		report.read(part)
	}
}

// Empty tells whether the message reports nothing.
func (r Report) Empty() bool { return len(r.Fates) == 0 && r.Complaint == "" }

// read takes in one part of a report.
func (r *Report) read(part *multipart.Part) {
	kind, _, _ := mime.ParseMediaType(part.Header.Get("Content-Type"))
	var body io.Reader = part
	if strings.EqualFold(part.Header.Get("Content-Transfer-Encoding"), "base64") {
		body = base64.NewDecoder(base64.StdEncoding, part)
	}
	fields := textproto.NewReader(bufio.NewReader(body))
	switch kind {
	case "message/delivery-status":
		r.Fates = append(r.Fates, fates(fields)...)
	case "message/feedback-report":
		h, _ := fields.ReadMIMEHeader() // what there is of it
		r.Complaint = complaint(h.Get("Feedback-Type"))
	case "message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers":
		if r.Letter == nil {
			r.Letter, _ = fields.ReadMIMEHeader()
		}
	}
}

// fates reads the groups of fields of RFC 3464, section 2.1: one for the message,
// and then one for each recipient.
func fates(fields *textproto.Reader) (all []Fate) {
	for {
		h, err := fields.ReadMIMEHeader()
		if action := strings.ToLower(text(h.Get("Action"))); action != "" {
			all = append(all, fate(action, h))
		}
		if err != nil {
			return all
		}
	}
}

func fate(action string, h textproto.MIMEHeader) Fate {
	f := Fate{Action: action, Why: text(after(h.Get("Diagnostic-Code")))}
	f.Status = exact(h.Get("Status"), f.Why)
	for _, name := range []string{"Original-Recipient", "Final-Recipient"} {
		if a := strings.Trim(text(after(h.Get(name))), "<>"); a != "" {
			f.Recipients = append(f.Recipients, a)
		}
	}
	return f
}

var (
	status = regexp.MustCompile(`^[245]\.\d{1,3}\.\d{1,3}\b`)
	reply  = regexp.MustCompile(`^([245])\d\d(?:[ -]([245]\.\d{1,3}\.\d{1,3})\b)?`)
)

// exact is the status, or what the mail system wrote into its words where the
// status says nothing: 5.0.0 is what many report for everything.
func exact(field, why string) string {
	code := status.FindString(field)
	if code != "" && !strings.HasSuffix(code, ".0.0") {
		return code
	}
	switch said := reply.FindStringSubmatch(why); {
	case said == nil || code != "" && (said[2] == "" || said[2][0] != code[0]):
		return code
	case said[2] != "":
		return said[2]
	default:
		return said[1] + ".0.0"
	}
}

// Verdict says what the fate means for the recipient, as if the server had told at
// once.
func (f Fate) Verdict() email.Verdict {
	switch f.Action {
	case "failed":
		return email.JudgeStatus(f.Status)
	case "delayed":
		return email.Retry
	}
	return email.Sent
}

// About gives the fate of the letter to the address: the one that names it, or the
// only one, since mail is forwarded to addresses of other names.
func (r Report) About(address string) (Fate, bool) {
	for _, f := range r.Fates {
		for _, a := range f.Recipients {
			if strings.EqualFold(a, address) {
				return f, true
			}
		}
	}
	if len(r.Fates) == 1 {
		return r.Fates[0], true
	}
	return Fate{}, false
}

// complaint is the kind of feedback if a reader gave it (RFC 5965, section 7.3);
// others are about viruses and mail systems, or say that it was no spam.
func complaint(kind string) string {
	switch kind = strings.ToLower(text(kind)); kind {
	case "abuse", "fraud", "opt-out":
		return kind
	}
	return ""
}

// subject is a message's subject in plain text, whatever way it was encoded.
func subject(h mail.Header) string {
	words := h.Get("Subject")
	if decoded, err := new(mime.WordDecoder).DecodeHeader(words); err == nil {
		words = decoded
	}
	return strings.Join(strings.Fields(words), " ")
}

// addressees are the addresses that a message came to, as the mail systems on its
// way wrote them down.
func addressees(h mail.Header) (all []string) {
	for _, name := range []string{"To", "Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To"} {
		for _, line := range h[textproto.CanonicalMIMEHeaderKey(name)] {
			list, err := mail.ParseAddressList(line)
			if err != nil {
				list = []*mail.Address{{Address: strings.Trim(line, "<> \t")}}
			}
			for _, a := range list {
				all = append(all, a.Address)
			}
		}
	}
	return all
}

// after is what follows the type in a field such as rfc822; ada@customer.example.
func after(field string) string {
	_, value, found := strings.Cut(field, ";")
	if !found {
		value = field
	}
	return strings.TrimSpace(value)
}

// maxText cuts what a talkative mail system writes.
const maxText = 200

// text is a field as one line that no terminal minds.
func text(s string) string {
	s = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, ""), func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }), " ")
	if runes := []rune(s); len(runes) > maxText {
		s = string(runes[:maxText]) + "…"
	}
	return s
}
