package email

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/backsoon/backsoon/internal/config"
)

const (
	from = "bounce+7@harbourbooks.example"
	to   = "ada@customer.example"
)

var body = []byte("Subject: Closed\r\n\r\n.A line with a dot.\r\n")

var namesRecipient = regexp.MustCompile(`(?i)ada|customer`)

// want fails the test unless the outcome has this verdict and hides its secrets.
func want(t *testing.T, out Outcome, verdict Verdict) {
	t.Helper()
	if out.Verdict != verdict {
		t.Errorf("verdict %q (%d %s, %v), want %q", out.Verdict, out.Code, out.Enhanced, out.Err, verdict)
	}
	if (out.Err == nil) != (verdict == Sent) {
		t.Errorf("verdict %q with error %v", out.Verdict, out.Err)
	}
	if out.Err != nil && namesRecipient.MatchString(out.Err.Error()) {
		t.Errorf("the error names the recipient: %v", out.Err)
	}
}

func TestSendDelivers(t *testing.T) {
	m := new(mailServer).start(t, nil)
	want(t, m.sender(t).Send(t.Context(), from, to, body), Sent)
	got := m.got()
	if len(got) != 1 || got[0] != (envelope{from, to, string(body)}) {
		t.Errorf("the server got %q", got)
	}
}

// After each refusal the same sender must deliver the next message.
func TestSendJudgesReplies(t *testing.T) {
	quotes := "mailbox of ADA <Ada@Customer.example> via bounce+ada=customer.example@harbourbooks.example"
	tests := []struct {
		at       step
		code     int
		enhanced smtp.EnhancedCode
		want     Verdict
	}{
		{mailFrom, 550, smtp.EnhancedCode{5, 7, 1}, SenderFault},
		{mailFrom, 451, smtp.EnhancedCode{4, 3, 0}, Retry},
		{mailFrom, 421, smtp.EnhancedCode{4, 3, 2}, Retry},
		{rcptTo, 550, smtp.EnhancedCode{5, 1, 1}, BadAddress},
		{rcptTo, 550, smtp.EnhancedCode{5, 1, 8}, Deferred},
		{rcptTo, 550, smtp.EnhancedCode{5, 7, 1}, Deferred},
		{rcptTo, 550, smtp.NoEnhancedCode, Refused},
		{rcptTo, 552, smtp.EnhancedCode{5, 2, 2}, Refused},
		{rcptTo, 450, smtp.EnhancedCode{4, 2, 1}, Retry},
		{rcptTo, 421, smtp.EnhancedCode{4, 7, 0}, Retry},
		{content, 554, smtp.EnhancedCode{5, 6, 0}, SenderFault},
		{content, 452, smtp.EnhancedCode{4, 3, 1}, Retry},
		{content, 421, smtp.EnhancedCode{4, 3, 2}, Retry},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%s %d %v", tt.at, tt.code, tt.enhanced), func(t *testing.T) {
			var over atomic.Bool
			answer := func(at step) error {
				if !over.Load() && at == tt.at {
					return reply(tt.code, tt.enhanced, quotes)
				}
				return nil
			}
			m := &mailServer{
				onMail: func(string) error { return answer(mailFrom) },
				onRcpt: func(string) error { return answer(rcptTo) },
				onData: func(*smtp.Conn) error { return answer(content) },
			}
			s := m.start(t, nil).sender(t)
			out := s.Send(t.Context(), from, to, body)
			want(t, out, tt.want)
			if out.Code != tt.code {
				t.Errorf("code %d", out.Code)
			}
			over.Store(true)
			want(t, s.Send(t.Context(), from, to, body), Sent)
			if n := len(m.got()); n != 1 {
				t.Errorf("%d messages arrived", n)
			}
			conns := int64(1)
			if tt.code == 421 || tt.at == content {
				conns = 2
			}
			if n := m.conns.Load(); n != conns {
				t.Errorf("%d connections, want %d", n, conns)
			}
		})
	}
}

func TestRefusedRecipientKeepsTheConnection(t *testing.T) {
	m := &mailServer{onRcpt: func(addr string) error {
		if addr == to {
			return reply(550, smtp.EnhancedCode{5, 1, 1}, "who?")
		}
		return nil
	}}
	s := m.start(t, nil).sender(t)
	for range 5 {
		want(t, s.Send(t.Context(), from, to, body), BadAddress)
		want(t, s.Send(t.Context(), from, "grace@customer.example", body), Sent)
	}
	if n := m.conns.Load(); n != 1 {
		t.Errorf("%d connections for ten messages", n)
	}
}

func TestConnectionLostAfterTheFinalDotIsRetried(t *testing.T) {
	m := &mailServer{onData: func(c *smtp.Conn) error { _ = c.Conn().Close(); return errHungUp }}
	out := m.start(t, nil).sender(t).Send(t.Context(), from, to, body)
	want(t, out, Retry)
	if out.Code != 0 {
		t.Errorf("code %d without a reply", out.Code)
	}
}

func TestStalledServerEndsWithTheDeadline(t *testing.T) {
	over := make(chan struct{})
	m := &mailServer{onData: func(*smtp.Conn) error { <-over; return nil }}
	s := m.start(t, nil).sender(t)
	t.Cleanup(func() { close(over) })
	s.Timeout = 50 * time.Millisecond
	out := s.Send(t.Context(), from, to, body)
	want(t, out, Retry)
	if !strings.Contains(out.Err.Error(), "in time") {
		t.Errorf("the error does not say that time ran out: %v", out.Err)
	}
}

func TestCancelledContextEndsASendUnderWay(t *testing.T) {
	over := make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	m := &mailServer{onData: func(*smtp.Conn) error { cancel(); <-over; return nil }}
	s := m.start(t, nil).sender(t)
	t.Cleanup(func() { close(over) })
	want(t, s.Send(ctx, from, to, body), Retry)
	want(t, s.Send(ctx, from, to, body), Retry)
}

func TestCancelledContextEndsADial(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	over := make(chan struct{})
	s := scripted(t, func(w net.Conn, lines *bufio.Scanner) {
		converse("220 hi")(w, lines)
		cancel()
		<-over
	})
	t.Cleanup(func() { close(over) })
	start := time.Now()
	want(t, s.Send(ctx, from, to, body), Retry)
	if time.Since(start) > s.Timeout/2 {
		t.Error("a server that stalls at EHLO outlasted the context")
	}
}

// scripted answers one connection line by line and then hangs up.
func scripted(t *testing.T, answer func(w net.Conn, lines *bufio.Scanner)) *Sender {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			answer(c, bufio.NewScanner(c))
			_ = c.Close()
		}
	}()
	return NewSender(config.Email{Server: l.Addr().String(), TLS: config.NoTLS, Connections: 1})
}

// converse answers each line in turn.
func converse(answers ...string) func(net.Conn, *bufio.Scanner) {
	return func(w net.Conn, lines *bufio.Scanner) {
		for _, a := range answers {
			fmt.Fprintf(w, "%s\r\n", a)
			if !lines.Scan() {
				return
			}
		}
	}
}

func TestConnectionLostOrOdd(t *testing.T) {
	tests := map[string]struct {
		server func(net.Conn, *bufio.Scanner)
		want   Verdict
	}{
		"at once":             {func(net.Conn, *bufio.Scanner) {}, Retry},
		"refused at greeting": {converse("554 5.7.1 not you"), SenderFault},
		"busy at greeting":    {converse("421 4.3.2 too busy"), Retry},
		"not SMTP":            {converse("HTTP/1.1 400 Bad Request"), Retry},
		"lost at MAIL":        {converse("220 hi", "250 hi"), Retry},
		"DATA refused":        {converse("220 hi", "250 hi", "250 ok", "250 ok", "554 5.5.1 no"), SenderFault},
		"DATA later":          {converse("220 hi", "250 hi", "250 ok", "250 ok", "451 4.3.0 later"), Retry},
		"in the middle":       {converse("220 hi", "250 hi", "250 ok", "250 ok", "354 go"), Retry},
		"nonsense after dot":  {converse("220 hi", "250 hi", "250 ok", "250 ok", "354 go\r\nwhat?"), Retry},
		"lost at DATA":        {converse("220 hi", "250 hi", "250 ok", "250 ok"), Retry},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := scripted(t, tt.server)
			want(t, s.Send(t.Context(), from, to, body), tt.want)
		})
	}
}

func TestNothingListens(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	s := NewSender(config.Email{Server: l.Addr().String(), TLS: config.NoTLS})
	want(t, s.Send(t.Context(), from, to, body), Retry)
}

func TestServerWithoutStartTLS(t *testing.T) {
	m := new(mailServer).start(t, nil)
	s := NewSender(m.settings(config.StartTLS))
	want(t, s.Send(t.Context(), from, to, body), SenderFault)
	if len(m.got()) != 0 {
		t.Error("a message went out unprotected")
	}
}

func TestCertificates(t *testing.T) {
	cert, roots := certificate(t)
	startTLS := new(mailServer).start(t, cert)
	l, err := tls.Listen("tcp", "127.0.0.1:0", cert)
	if err != nil {
		t.Fatal(err)
	}
	implicit := new(mailServer)
	implicit.serve(t, l, nil)
	for mode, m := range map[config.TLSMode]*mailServer{config.StartTLS: startTLS, config.Implicit: implicit} {
		t.Run(string(mode), func(t *testing.T) {
			s := NewSender(m.settings(mode))
			want(t, s.Send(t.Context(), from, to, body), SenderFault)
			s.roots = roots
			want(t, s.Send(t.Context(), from, to, body), Sent)
			if n := len(m.got()); n != 1 {
				t.Errorf("%d messages arrived", n)
			}
			_ = s.Close()
		})
	}
}

func TestAuth(t *testing.T) {
	cert, roots := certificate(t)
	for _, mode := range []config.TLSMode{config.NoTLS, config.StartTLS} {
		m := (&mailServer{password: "correct horse"}).start(t, cert)
		for password, verdict := range map[string]Verdict{"correct horse": Sent, "battery staple": SenderFault} {
			cfg := m.settings(mode)
			cfg.User, cfg.Password = "shop", password
			s := NewSender(cfg)
			s.roots = roots
			out := s.Send(t.Context(), from, to, body)
			want(t, out, verdict)
			if out.Err != nil && strings.Contains(out.Err.Error(), password) {
				t.Errorf("%s: the error holds the password: %v", mode, out.Err)
			}
			_ = s.Close()
		}
	}
}

func TestAuthWhereNoneIsOffered(t *testing.T) {
	cfg := new(mailServer).start(t, nil).settings(config.NoTLS)
	cfg.User, cfg.Password = "shop", "correct horse"
	want(t, NewSender(cfg).Send(t.Context(), from, to, body), SenderFault)
}

func TestConnectionsAreReused(t *testing.T) {
	m := new(mailServer).start(t, nil)
	cfg := m.settings(config.NoTLS)
	cfg.Connections = 4
	s := NewSender(cfg)
	defer func() { _ = s.Close() }()
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range 10 {
				if out := s.Send(t.Context(), from, to, body); out.Verdict != Sent {
					t.Error(out.Err)
				}
			}
		})
	}
	wg.Wait()
	if n := len(m.got()); n != 160 {
		t.Errorf("%d messages arrived", n)
	}
	if n := m.conns.Load(); n > 4 {
		t.Errorf("%d connections where 4 are allowed", n)
	}
}

// A server may close a connection that has been idle: the next message must
// not suffer for it.
func TestServerHungUpWhileIdle(t *testing.T) {
	conns := make(chan *smtp.Conn, 2)
	m := &mailServer{onData: func(c *smtp.Conn) error { conns <- c; return nil }}
	s := m.start(t, nil).sender(t)
	want(t, s.Send(t.Context(), from, to, body), Sent)
	_ = (<-conns).Conn().Close()
	want(t, s.Send(t.Context(), from, to, body), Sent)
	if n := m.conns.Load(); n != 2 {
		t.Errorf("%d connections", n)
	}
}

func TestIdleConnectionsAreClosed(t *testing.T) {
	gone := make(chan struct{})
	s := scripted(t, func(w net.Conn, lines *bufio.Scanner) {
		converse("220 hi", "250 hi", "250 ok", "250 ok", "354 go")(w, lines)
		for lines.Scan() && lines.Text() != "." {
		}
		fmt.Fprint(w, "250 taken\r\n")
		if lines.Scan() && lines.Text() == "QUIT" {
			fmt.Fprint(w, "221 bye\r\n")
			close(gone)
		}
	})
	s.Idle = time.Millisecond
	want(t, s.Send(t.Context(), from, to, body), Sent)
	select {
	case <-gone:
	case <-time.After(10 * time.Second):
		t.Error("the idle connection is still open")
	}
}

func TestAddressesCannotInjectCommands(t *testing.T) {
	m := new(mailServer).start(t, nil)
	s := m.sender(t)
	for _, bad := range []string{"", "ada", "ada@x.example>\r\nRCPT TO:<eve@x.example", "a b@x.example", "ada@x.example> SIZE=1"} {
		want(t, s.Send(t.Context(), from, bad, body), BadAddress)
		want(t, s.Send(t.Context(), bad, "bob@x.example", body), SenderFault)
	}
	if n := m.conns.Load(); n != 0 {
		t.Errorf("%d connections for addresses that are none", n)
	}
}

func BenchmarkSend(b *testing.B) {
	s := new(mailServer).start(b, nil).sender(b)
	b.ReportAllocs()
	for b.Loop() {
		if out := s.Send(b.Context(), from, to, body); out.Verdict != Sent {
			b.Fatal(out.Err)
		}
	}
}
