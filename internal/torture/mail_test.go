package torture

import (
	"bytes"
	"io"
	"log/slog"
	"net"
	"net/mail"
	"sync"
	"testing"

	"github.com/emersion/go-smtp"
)

// mailServer takes the customers' mail, as slowly and unwillingly as it is told.
type mailServer struct {
	addr   string
	mu     sync.Mutex
	faults func() fault              // asked at each RCPT and each DATA; nil: none
	got    map[string]map[string]int // by recipient and Message-ID, how often it came
	count  int
}

func newMailServer(t *testing.T) *mailServer {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := &mailServer{addr: l.Addr().String(), got: map[string]map[string]int{}}
	server := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) { return &session{m: m, conn: c}, nil }))
	server.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
	go server.Serve(l)
	t.Cleanup(func() { server.Close() })
	return m
}

func (m *mailServer) suffer(f func() fault) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.faults = f
}

func (m *mailServer) next() fault {
	m.mu.Lock()
	faults := m.faults
	m.mu.Unlock()
	if faults == nil {
		return none
	}
	return faults()
}

// letters counts the different letters that an address has, and all that came
// there.
func (m *mailServer) letters(address string) (different, all int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, n := range m.got[address] {
		all += n
	}
	return len(m.got[address]), all
}

func (m *mailServer) total() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.count
}

type session struct {
	m    *mailServer
	conn *smtp.Conn
	to   string
}

func (s *session) Mail(string, *smtp.MailOptions) error { return nil }
func (s *session) Reset()                               {}
func (s *session) Logout() error                        { return nil }

var later = &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 2}, Message: "later"}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = to
	return s.suffer()
}

func (s *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if err := s.suffer(); err != nil {
		return err
	}
	msg, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return err
	}
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	if s.m.got[s.to] == nil {
		s.m.got[s.to] = map[string]int{}
	}
	s.m.got[s.to][msg.Header.Get("Message-ID")]++
	s.m.count++
	return nil
}

func (s *session) suffer() error {
	switch s.m.next() {
	case fail:
		return later
	case drop:
		s.conn.Conn().Close()
		return later
	}
	return nil
}
