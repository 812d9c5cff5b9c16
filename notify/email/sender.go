package email

import (
	"cmp"
	"context"
	"crypto/x509"
	"slices"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/backsoon/backsoon/internal/address"
	"github.com/backsoon/backsoon/internal/config"
)

// Sender sends messages over a few connections that it keeps open from one to
// the next. It is safe for use by several goroutines at once. The exported
// fields may be changed before the first message.
type Sender struct {
	Timeout time.Duration // for one message in all, dialling included; 60 s
	Idle    time.Duration // after which an unused connection is closed; 30 s

	cfg   config.Email
	roots *x509.CertPool // whom to trust; nil: whom the system trusts
	slots chan struct{}  // one for each connection that may be in use
	pace  *rate.Limiter  // of messages

	mu     sync.Mutex
	idle   []*session // the one used last at the end
	closed bool
}

// NewSender makes a sender of the settings; it dials with the first message.
func NewSender(cfg config.Email) *Sender {
	pace := rate.NewLimiter(rate.Inf, 0)
	if cfg.Rate > 0 {
		pace = rate.NewLimiter(rate.Limit(cfg.Rate), 1)
	}
	return &Sender{
		Timeout: 60 * time.Second,
		Idle:    30 * time.Second,
		cfg:     cfg,
		slots:   make(chan struct{}, max(1, cfg.Connections)),
		pace:    pace,
	}
}

// Send signs one message as the settings say, and hands it to the mail server,
// from the envelope's sender to the recipient, both without angle brackets. It
// waits for a free connection, and gives up when the context ends or, from then
// on, after Timeout.
func (s *Sender) Send(ctx context.Context, from, to string, msg []byte) Outcome {
	hide := redactor{to, s.cfg.User, s.cfg.Password}
	if err := address.Check(from); err != nil {
		return Outcome{Verdict: SenderFault, Err: hide.wrap(mailFrom, err.Error())}
	}
	if err := address.Check(to); err != nil {
		return Outcome{Verdict: BadAddress, Err: hide.wrap(rcptTo, err.Error())}
	}
	msg, err := sign(msg, s.cfg.DKIM)
	if err != nil {
		return Outcome{Verdict: SenderFault, Err: hide.wrap(content, err.Error())}
	}
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	case <-ctx.Done():
		return judge(connecting, ctx.Err(), hide)
	}
	if s.pace.Wait(ctx) != nil {
		return judge(connecting, cmp.Or(ctx.Err(), context.DeadlineExceeded), hide)
	}
	ctx, cancel := context.WithTimeout(ctx, s.Timeout)
	defer cancel()
	at, err := s.send(ctx, from, to, msg)
	return judge(at, err, hide)
}

// send uses a connection that stands, or else a new one. A server may have hung
// up on an idle connection: that says nothing of the message, which then gets
// its new connection at once.
func (s *Sender) send(ctx context.Context, from, to string, msg []byte) (step, error) {
	if c := s.take(); c != nil {
		at, err := s.attempt(ctx, c, from, to, msg)
		if !hungUp(at, err) || ctx.Err() != nil {
			return at, err
		}
	}
	c, err := s.open(ctx)
	if err != nil {
		return connecting, err
	}
	return s.attempt(ctx, c, from, to, msg)
}

// hungUp tells whether a connection was gone before the message began.
func hungUp(at step, err error) bool {
	if at != mailFrom || err == nil {
		return false
	}
	out := judge(at, err, redactor{})
	return out.Code == 0 || out.Code == 421
}

// attempt runs one transaction and keeps the connection if it can.
func (s *Sender) attempt(ctx context.Context, c *session, from, to string, msg []byte) (step, error) {
	release := c.endWith(ctx)
	at, err := c.transact(from, to, msg)
	err = explain(ctx, err)
	usable := c.settle(at, err)
	if release() && usable {
		s.keep(c)
	} else {
		_ = c.conn.Close()
	}
	return at, err
}

// take gives the connection that was used last, or nil, so that in quiet times
// the others grow old and are closed.
func (s *Sender) take() *session {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.idle) == 0 {
		return nil
	}
	c := s.idle[len(s.idle)-1]
	s.idle = s.idle[:len(s.idle)-1]
	c.expiry.Stop()
	return c
}

// keep holds a connection for the next message.
func (s *Sender) keep(c *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		go c.quit()
		return
	}
	c.expiry = time.AfterFunc(s.Idle, func() { s.expire(c) })
	s.idle = append(s.idle, c)
}

// expire closes a connection unless it has just been taken.
func (s *Sender) expire(c *session) {
	s.mu.Lock()
	i := slices.Index(s.idle, c)
	if i >= 0 {
		s.idle = slices.Delete(s.idle, i, i+1)
	}
	s.mu.Unlock()
	if i >= 0 {
		c.quit()
	}
}

// Close closes the connections that are idle, and the others when their
// message is through. It takes a few seconds at most, and never fails.
func (s *Sender) Close() error {
	s.mu.Lock()
	s.closed = true
	idle := s.idle
	s.idle = nil
	s.mu.Unlock()
	var wg sync.WaitGroup
	for _, c := range idle {
		c.expiry.Stop()
		wg.Go(c.quit)
	}
	wg.Wait()
	return nil
}
