package email

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"regexp"
	"strings"
	"unicode"
)

// Verdict says what an outcome means for the recipient and for the list.
type Verdict string

// The verdicts.
const (
	// Sent: the server has taken the message.
	Sent Verdict = "sent"
	// Retry: a 4xx reply, or none that can be understood: the server could not
	// be reached, was too slow or hung up, perhaps after it took the message.
	// Send the same message again, with the same Message-ID.
	Retry Verdict = "retry"
	// BadAddress: there is no such mailbox (RCPT 5xx with 5.1.x). Never again.
	BadAddress Verdict = "bad-address"
	// Refused: the mailbox did not take this message (any other 5xx to RCPT).
	Refused Verdict = "refused"
	// Deferred: this recipient's server has something against the sender (RCPT
	// 5.7.x, and 5.1.7 and 5.1.8, which are about the sender's address).
	Deferred Verdict = "deferred"
	// SenderFault: no message would go through as things stand: 5xx at the
	// greeting, AUTH, MAIL FROM or DATA, a certificate that is not trusted, no
	// STARTTLS or no usable AUTH where the settings ask for them.
	SenderFault Verdict = "sender-fault"
)

// Outcome is what came of one attempt to send.
type Outcome struct {
	Verdict  Verdict
	Code     int    // the server's reply, RFC 5321; 0: there was none
	Enhanced string // its enhanced status code, RFC 3463: 5.1.1; empty: none
	Err      error  // nil when sent; never holds the password or the recipient's address
}

// step is the part of the conversation that a reply belongs to.
type step string

const (
	connecting step = "connect" // dialling, TLS and AUTH
	mailFrom   step = "MAIL FROM"
	rcptTo     step = "RCPT TO"
	data       step = "DATA"
	content    step = "message" // between DATA's 354 and the reply to the final dot
)

// judge makes an outcome of the error at a step; hide is what its text must not
// show.
func judge(at step, err error, hide redactor) Outcome {
	if err == nil {
		return Outcome{Verdict: Sent}
	}
	var reply *textproto.Error
	if !errors.As(err, &reply) {
		return Outcome{Verdict: unanswered(at, err), Err: hide.wrap(at, err.Error())}
	}
	out := Outcome{Code: reply.Code, Enhanced: enhanced(reply.Msg)}
	out.Verdict = answered(at, out.Code, out.Enhanced)
	out.Err = hide.wrap(at, fmt.Sprintf("%03d %s", reply.Code, reply.Msg))
	return out
}

// answered is the verdict on a reply.
func answered(at step, code int, enhanced string) Verdict {
	switch {
	case code < 500 || code > 599:
		return Retry
	case at != rcptTo:
		return SenderFault
	case strings.HasPrefix(enhanced, "5.7."), enhanced == "5.1.7", enhanced == "5.1.8":
		return Deferred
	case strings.HasPrefix(enhanced, "5.1."):
		return BadAddress
	}
	return Refused
}

// JudgeStatus is the verdict on a recipient of whom a mail system reports the
// enhanced status code when it has given up: what Send's would have been.
func JudgeStatus(enhanced string) Verdict {
	if !strings.HasPrefix(enhanced, "5.") {
		return Retry
	}
	return answered(rcptTo, 550, enhanced)
}

// unanswered is the verdict where no reply came. On a connection that stands,
// that can only be the network; while it is made, it can also be that server
// and settings do not fit, which no retry heals.
func unanswered(at step, err error) Verdict {
	var network net.Error
	var garbled textproto.ProtocolError
	passing := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, context.Canceled) || errors.As(err, &network) || errors.As(err, &garbled)
	if at == connecting && !passing {
		return SenderFault
	}
	return Retry
}

var enhancedCode = regexp.MustCompile(`^[245]\.\d{1,3}\.\d{1,3}\b`)

// enhanced is the enhanced status code at the start of a reply, if it has one.
func enhanced(reply string) string { return enhancedCode.FindString(reply) }

// redactor knows what must not get into a log: the recipient, whom servers like
// to quote back whole or in part, and the password.
type redactor struct{ to, user, password string }

// maxReply cuts what a talkative server says.
const maxReply = 300

// wrap makes an error of what happened, without wrapping its cause: that would
// still hold what is hidden.
func (r redactor) wrap(at step, text string) error {
	text = r.hide(text)
	text = strings.Join(strings.FieldsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
	if runes := []rune(text); len(runes) > maxReply {
		text = string(runes[:maxReply]) + "…"
	}
	return fmt.Errorf("%s: %s", at, text)
}

// anyAddress is whatever may be a mail address, a return path that holds the
// recipient's included.
var anyAddress = regexp.MustCompile(`\S*@\S*`)

// hide blots out addresses, the recipient's name alone, and the password in the
// forms in which it crosses the wire.
func (r redactor) hide(text string) string {
	const blot = "[…]"
	if r.password != "" {
		plain := "\x00" + r.user + "\x00" + r.password
		for _, secret := range []string{r.password, base64.StdEncoding.EncodeToString([]byte(r.password)), base64.StdEncoding.EncodeToString([]byte(plain))} {
			text = strings.ReplaceAll(text, secret, blot)
		}
	}
	text = anyAddress.ReplaceAllLiteralString(text, blot)
	if local, _, _ := strings.Cut(r.to, "@"); local != "" {
		text = regexp.MustCompile(`(?i)\b`+regexp.QuoteMeta(local)+`\b`).ReplaceAllLiteralString(text, blot)
	}
	return text
}
