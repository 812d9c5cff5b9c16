package demo

import (
	"io"
	"log"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/emersion/go-smtp"
)

// maxMails is how many mails the mailbox keeps; the oldest make room.
const maxMails = 1000

// Mailbox takes every mail that is sent to it, for whomever, and keeps it in
// memory. It is safe for concurrent use.
type Mailbox struct {
	server *smtp.Server

	mu    sync.Mutex
	taken int    // ever
	mails []Mail // the oldest first
}

// NewMailbox gives an empty mailbox.
func NewMailbox() *Mailbox {
	m := &Mailbox{}
	m.server = smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) {
		return &session{mailbox: m}, nil
	}))
	m.server.Domain = "mailbox.example"
	m.server.MaxMessageBytes = 1 << 20
	m.server.MaxRecipients = 100
	m.server.ReadTimeout = time.Minute
	m.server.WriteTimeout = time.Minute
	m.server.EnableSMTPUTF8 = true
	m.server.ErrorLog = log.New(io.Discard, "", 0) // a client that leaves is no news
	return m
}

// ServeSMTP takes mail on the listener until Close, without TLS or a password.
func (m *Mailbox) ServeSMTP(l net.Listener) error { return m.server.Serve(l) }

// Close ends ServeSMTP and breaks off its connections. The mails stay.
func (m *Mailbox) Close() { m.server.Close() }

// Mails gives the mails kept, the oldest first.
func (m *Mailbox) Mails() []Mail {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.mails)
}

// count tells how many mails have come in all.
func (m *Mailbox) count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.taken
}

func (m *Mailbox) take(to []string, source []byte) {
	mail := parseMail(to, source)
	mail.Received = time.Now()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.taken++
	mail.Number = m.taken
	m.mails = append(m.mails, mail)
	if extra := len(m.mails) - maxMails; extra > 0 {
		m.mails = slices.Delete(m.mails, 0, extra)
	}
}

func (m *Mailbox) mail(number int) (Mail, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	i := number - 1 - (m.taken - len(m.mails))
	if i < 0 || i >= len(m.mails) {
		return Mail{}, false
	}
	return m.mails[i], true
}

// session is one SMTP conversation.
type session struct {
	mailbox *Mailbox
	to      []string
}

func (s *session) Mail(string, *smtp.MailOptions) error { return nil }

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = append(s.to, to)
	return nil
}

func (s *session) Data(r io.Reader) error {
	source, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.mailbox.take(s.to, source)
	return nil
}

func (s *session) Reset() { s.to = nil }

func (s *session) Logout() error { return nil }
