package email

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"github.com/backsoon/backsoon/internal/config"
)

// mailServer is a real SMTP server on loopback whose answers a test may change.
type mailServer struct {
	onMail, onRcpt func(addr string) error
	onData         func(c *smtp.Conn) error // after the final dot
	password       string                   // not empty: AUTH PLAIN is offered and required

	addr  string
	conns atomic.Int64 // opened so far

	mu   sync.Mutex
	mail []envelope
}

type envelope struct{ from, to, data string }

// start serves until the test ends; with a TLS setting STARTTLS is offered.
func (m *mailServer) start(t testing.TB, cfg *tls.Config) *mailServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m.serve(t, l, cfg)
	return m
}

func (m *mailServer) serve(t testing.TB, l net.Listener, cfg *tls.Config) {
	m.addr = l.Addr().String()
	srv := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		s := &mailSession{server: m, conn: c}
		if m.password != "" {
			return &authSession{s}, nil
		}
		return s, nil
	}))
	srv.Domain, srv.TLSConfig, srv.AllowInsecureAuth, srv.EnableSMTPUTF8 = "mail.test", cfg, true, true
	srv.ErrorLog = log.New(io.Discard, "", 0)
	go func() { _ = srv.Serve(countingListener{l, &m.conns}) }()
	t.Cleanup(func() { _ = srv.Close() })
}

// settings are a shop's settings for this server.
func (m *mailServer) settings(mode config.TLSMode) config.Email {
	return config.Email{Server: m.addr, TLS: mode, Connections: 2}
}

// sender sends to this server without TLS.
func (m *mailServer) sender(t testing.TB) *Sender {
	t.Helper()
	s := NewSender(m.settings(config.NoTLS))
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func (m *mailServer) got() []envelope {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]envelope(nil), m.mail...)
}

// countingListener counts connections as they are accepted.
type countingListener struct {
	net.Listener
	n *atomic.Int64
}

func (l countingListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err == nil {
		l.n.Add(1)
	}
	return c, err
}

type mailSession struct {
	server *mailServer
	conn   *smtp.Conn
	now    envelope
}

func (s *mailSession) Reset()        { s.now = envelope{} }
func (s *mailSession) Logout() error { return nil }

// Mail is strict where real servers are: no MAIL within a transaction.
func (s *mailSession) Mail(from string, opts *smtp.MailOptions) error {
	if s.now.from != "" {
		return reply(503, smtp.EnhancedCode{5, 5, 1}, "nested MAIL")
	}
	if opts.UTF8 {
		return reply(555, smtp.EnhancedCode{5, 5, 4}, "SMTPUTF8 for an ASCII message")
	}
	if err := ask(s.server.onMail, from); err != nil {
		return err
	}
	s.now = envelope{from: from}
	return nil
}

func (s *mailSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.now.to = to
	return ask(s.server.onRcpt, to)
}

func (s *mailSession) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.now.data = string(text)
	if f := s.server.onData; f != nil {
		if err := f(s.conn); err != nil {
			return err
		}
	}
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	s.server.mail = append(s.server.mail, s.now)
	return nil
}

func ask(f func(string) error, addr string) error {
	if f == nil {
		return nil
	}
	return f(addr)
}

// authSession is a session that wants a password first.
type authSession struct{ *mailSession }

func (s *authSession) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *authSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != "shop" || password != s.server.password {
			// A server that repeats what it was told is the worst case for our log.
			return &smtp.SMTPError{Code: 535, EnhancedCode: smtp.EnhancedCode{5, 7, 8}, Message: "bad password " + password}
		}
		return nil
	}), nil
}

// reply is a server's refusal.
func reply(code int, enhanced smtp.EnhancedCode, text string) error {
	return &smtp.SMTPError{Code: code, EnhancedCode: enhanced, Message: text}
}

var errHungUp = errors.New("hung up")

// certificate is one for 127.0.0.1 that no system trusts, and the pool that does.
func certificate(t *testing.T) (*tls.Config, *x509.CertPool) {
	t.Helper()
	web := httptest.NewTLSServer(nil)
	defer web.Close()
	roots := x509.NewCertPool()
	roots.AddCert(web.Certificate())
	return &tls.Config{Certificates: web.TLS.Certificates}, roots
}
