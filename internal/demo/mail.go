package demo

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"net/textproto"
	"strings"
	"time"
)

// Mail is one message that the mailbox took.
type Mail struct {
	Number    int       // counts from 1 and never changes
	Received  time.Time // when the last byte had come
	To        string    // the envelope's recipients, which may differ from the header's
	From      string    // the From header
	Subject   string
	MessageID string // with its angle brackets
	Text      string // the plain text part, decoded; empty if there is none
	HTML      string // likewise
	Source    string // as it came, header and body
}

// parseMail reads as much as it understands: a message that is no good MIME
// still has a source to show.
func parseMail(to []string, source []byte) Mail {
	m := Mail{To: strings.Join(to, ", "), Source: string(source)}
	msg, err := mail.ReadMessage(bytes.NewReader(source))
	if err != nil {
		return m
	}
	m.From = decoded(msg.Header.Get("From"))
	m.Subject = decoded(msg.Header.Get("Subject"))
	m.MessageID = msg.Header.Get("Message-ID")
	m.takePart(textproto.MIMEHeader(msg.Header), msg.Body)
	return m
}

// decoded undoes the encoded words of RFC 2047.
func decoded(header string) string {
	text, err := new(mime.WordDecoder).DecodeHeader(header)
	if err != nil {
		return header
	}
	return text
}

// takePart keeps the first part of each kind, whatever multiparts it is in.
func (m *Mail) takePart(header textproto.MIMEHeader, body io.Reader) {
	kind, params, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil {
		kind = "text/plain" // the default of RFC 2045, section 5.2
	}
	if strings.HasPrefix(kind, "multipart/") {
		m.takeParts(multipart.NewReader(body, params["boundary"]))
		return
	}
	into := map[string]*string{"text/plain": &m.Text, "text/html": &m.HTML}[kind]
	if into == nil || *into != "" {
		return
	}
	text, err := io.ReadAll(transferDecoded(header.Get("Content-Transfer-Encoding"), body))
	if err == nil || errors.Is(err, io.ErrUnexpectedEOF) {
		*into = strings.ToValidUTF8(string(text), "\uFFFD")
	}
}

func (m *Mail) takeParts(parts *multipart.Reader) {
	for {
		part, err := parts.NextRawPart()
		if err != nil {
			return
		}
		m.takePart(part.Header, part)
	}
}

func transferDecoded(encoding string, body io.Reader) io.Reader {
	switch strings.ToLower(encoding) {
	case "quoted-printable":
		return quotedprintable.NewReader(body)
	case "base64":
		return base64.NewDecoder(base64.StdEncoding, body)
	}
	return body
}

// FirstLine is the text's first line that has something in it.
func (m Mail) FirstLine() string {
	for line := range strings.Lines(m.Text) {
		if line = strings.TrimSpace(line); line != "" {
			return line
		}
	}
	return ""
}
