package email

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"strconv"
	"time"

	"github.com/backsoon/backsoon/internal/config"
	gomail "github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"
)

// session is one connection to the mail server, ready for a transaction.
type session struct {
	conn   net.Conn // beneath TLS: closing it ends whatever waits on it
	client *smtp.Client
	expiry *time.Timer // hangs up when the session has been idle too long
}

// open dials, protects and authenticates a connection. The context covers all
// of it.
func (s *Sender) open(ctx context.Context) (*session, error) {
	made := &session{}
	release := func() bool { return true }
	client, err := s.client(func(_ context.Context, network, addr string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		made.conn = conn
		release = made.endWith(ctx)
		if s.cfg.TLS == config.Implicit {
			return tls.Client(conn, s.tlsConfig()), nil
		}
		return conn, nil
	})
	if err != nil {
		return nil, err
	}
	made.client, err = client.DialToSMTPClientWithContext(ctx)
	release()
	if err == nil {
		err = made.conn.SetDeadline(time.Time{}) // go-mail's own, which it never lifts
	}
	if err != nil {
		if made.conn != nil {
			_ = made.conn.Close()
		}
		return nil, explain(ctx, err)
	}
	return made, nil
}

// client is go-mail's client for one connection: it does not keep the
// connection that it dials, so each may have its own dial function.
func (s *Sender) client(dial gomail.DialContextFunc) (*gomail.Client, error) {
	host, port, err := net.SplitHostPort(s.cfg.Server)
	if err != nil {
		return nil, err
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return nil, fmt.Errorf("port %q is not a number", port)
	}
	// With Implicit, go-mail finds the connection encrypted and no STARTTLS on it.
	policy := gomail.TLSOpportunistic
	switch s.cfg.TLS {
	case config.StartTLS:
		policy = gomail.TLSMandatory
	case config.NoTLS:
		policy = gomail.NoTLS
	}
	options := []gomail.Option{
		gomail.WithPort(number), gomail.WithTimeout(s.Timeout), gomail.WithDialContextFunc(dial),
		gomail.WithTLSPolicy(policy), gomail.WithTLSConfig(s.tlsConfig()),
		// Every message is ASCII; asking for more makes relays bounce it.
		gomail.WithoutSMTPUTF8(),
	}
	if s.cfg.User != "" {
		// In order of preference. Unlike auto-discovery this lets PLAIN through on
		// loopback, where go-mail holds it to be safe without TLS.
		options = append(options, gomail.WithUsername(s.cfg.User), gomail.WithPassword(s.cfg.Password),
			gomail.WithOpportunisticSMTPAuth(gomail.SMTPAuthSCRAMSHA256PLUS, gomail.SMTPAuthSCRAMSHA256,
				gomail.SMTPAuthSCRAMSHA1PLUS, gomail.SMTPAuthSCRAMSHA1, gomail.SMTPAuthCramMD5,
				gomail.SMTPAuthPlain, gomail.SMTPAuthLogin))
	}
	return gomail.NewClient(host, options...)
}

func (s *Sender) tlsConfig() *tls.Config {
	host, _, _ := net.SplitHostPort(s.cfg.Server)
	return &tls.Config{ServerName: host, RootCAs: s.roots, MinVersion: tls.VersionTLS12}
}

// endWith hangs up when the context ends, which is the one way out of a read
// from a server that says nothing. The function it gives calls that off, and
// tells whether the connection still stands.
func (c *session) endWith(ctx context.Context) func() bool {
	return context.AfterFunc(ctx, func() { _ = c.conn.Close() })
}

// transact is one mail transaction, RFC 5321, section 3.3: the step it got to
// and the error there.
func (c *session) transact(from, to string, msg []byte) (step, error) {
	if ok, _ := c.client.Extension("PIPELINING"); ok {
		return c.pipeline(from, to, msg)
	}
	return c.converse(from, to, msg)
}

// pipeline is a transaction in two round trips, whose commands go out together
// (RFC 2920).
func (c *session) pipeline(from, to string, msg []byte) (step, error) {
	text := c.client.Text
	fmt.Fprintf(text.W, "MAIL FROM:<%s>\r\nRCPT TO:<%s>\r\nDATA\r\n", from, to)
	if err := text.W.Flush(); err != nil {
		return mailFrom, err
	}
	if at, err := c.replies(); err != nil {
		return at, err
	}
	w := text.DotWriter()
	if _, err := w.Write(msg); err != nil {
		return content, err
	}
	if err := w.Close(); err != nil {
		return content, err
	}
	_, _, err := text.ReadResponse(250)
	return content, err
}

// replies reads those to MAIL, RCPT and DATA, and gives the first error. Each
// command has its reply, also when one before it is refused.
func (c *session) replies() (at step, failed error) {
	for _, command := range []struct {
		step
		reply int
	}{{mailFrom, 250}, {rcptTo, 25}, {data, 354}} {
		_, _, err := c.client.Text.ReadResponse(command.reply)
		if failed == nil && err != nil {
			at, failed = command.step, err
		} else if failed != nil && err == nil && command.step == data {
			_ = c.conn.Close() // it waits for a message to nobody
		}
		var reply *textproto.Error
		if err != nil && !errors.As(err, &reply) {
			break // it hung up
		}
	}
	return at, failed
}

// converse is a transaction in which each command waits for the reply to the one
// before.
func (c *session) converse(from, to string, msg []byte) (step, error) {
	if err := c.client.Mail("<" + from + ">"); err != nil {
		return mailFrom, err
	}
	if err := c.client.Rcpt("<" + to + ">"); err != nil {
		return rcptTo, err
	}
	w, err := c.client.Data()
	if err != nil {
		return data, err
	}
	// After a failed write there is no final dot: half a message is none.
	if _, err := w.Write(msg); err != nil {
		return content, err
	}
	return content, w.Close()
}

// settle readies the session for the next transaction after this one ended at
// a step, and tells whether that is possible: after a message that was taken,
// and after a clean refusal of MAIL or RCPT.
func (c *session) settle(at step, err error) bool {
	if err == nil {
		return true
	}
	var reply *textproto.Error
	if !errors.As(err, &reply) || reply.Code == 421 {
		return false
	}
	switch at {
	case mailFrom:
		return true
	case rcptTo:
		return c.client.Reset() == nil
	}
	return false
}

// explain puts the context's end in the place of the closed connection that it
// led to. A reply that came before stands.
func explain(ctx context.Context, err error) error {
	var reply *textproto.Error
	switch {
	case err == nil || ctx.Err() == nil || errors.As(err, &reply):
		return err
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return fmt.Errorf("the mail server did not answer in time: %w", ctx.Err())
	}
	return ctx.Err()
}

// farewell is how long QUIT may take.
const farewell = 2 * time.Second

// quit takes leave as RFC 5321, section 4.1.1.10, asks for, and hangs up.
func (c *session) quit() {
	_ = c.conn.SetDeadline(time.Now().Add(farewell))
	_ = c.client.Quit()
	_ = c.conn.Close()
}
