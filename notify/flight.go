package notify

import (
	"context"
	"sync/atomic"

	"github.com/backsoon/backsoon/internal/address"
	"github.com/backsoon/backsoon/internal/ledger"
	"github.com/backsoon/backsoon/notify/email"
)

// flight sends letters over all connections at once, in the order in which they
// were given. Where one shows that no recipient is to blame, those not yet begun
// are left for later.
type flight struct {
	w      *Watcher
	ctx    context.Context
	queue  chan *sending
	landed chan *sending
	aloft  int         // given, and not yet received back
	halted atomic.Bool // a letter showed that no recipient is to blame
}

// sending is one letter in flight.
type sending struct {
	letter  ledger.Letter
	words   *renderedWording
	outcome email.Outcome // without a verdict: it was never tried
}

// takeOff readies the connections for at most sendBatch letters at once. The flight
// is to be closed once all of them are back.
func (w *Watcher) takeOff(ctx context.Context) *flight {
	f := &flight{w: w, ctx: ctx, queue: make(chan *sending, sendBatch), landed: make(chan *sending, sendBatch)}
	for range max(1, w.Config.Email.Connections) {
		go f.carry()
	}
	return f
}

func (f *flight) close() { close(f.queue) }

// send has the letters sent, whose campaigns are rendered.
func (f *flight) send(letters []ledger.Letter) {
	for _, l := range letters {
		f.queue <- &sending{letter: l, words: f.w.mail.rendered[l.Campaign].suiting(l.Subscriber)}
	}
	f.aloft += len(letters)
}

// receive waits for so many letters to be back. Once one of them shows that no
// recipient is to blame it waits for all.
func (f *flight) receive(n int) (back []*sending) {
	for ; f.aloft > 0 && (len(back) < n || f.halted.Load()); f.aloft-- {
		back = append(back, <-f.landed)
	}
	return back
}

// carry sends one letter after the other, over a connection of its own.
func (f *flight) carry() {
	for s := range f.queue {
		if f.ctx.Err() == nil && !f.halted.Load() && f.w.member.Alive() { // else it slept on its claim: they may be another's
			s.outcome = f.w.sendLetter(context.WithoutCancel(f.ctx), s)
			if !recipients(s.outcome) {
				f.halted.Store(true)
			}
		}
		f.landed <- s
	}
}

func (w *Watcher) sendLetter(ctx context.Context, s *sending) email.Outcome {
	r := s.words
	if r.err != nil {
		return email.Outcome{Verdict: email.SenderFault, Err: r.err}
	}
	to := w.recipient(r, s.letter.Subscriber)
	msg, err := r.message.For(to)
	if err != nil && address.Check(to.Address) == nil {
		return email.Outcome{Verdict: email.SenderFault, Err: err} // it is something else of ours
	}
	if err != nil {
		return email.Outcome{Verdict: email.Refused, Err: err}
	}
	return w.sender.Send(ctx, to.ReturnPath, to.Address, msg)
}
