package subscribe

import (
	"context"
	"log/slog"
	"time"
)

// Inbox holds what customers ask for until it is written down. Putting something
// in takes the same time for every address, since nothing is looked up, and
// there is room for so much at most.
type Inbox struct{ choices chan Choice }

// The inbox of a site.
const (
	inboxRoom  = 1000
	inboxBatch = 200                    // written down at once: a checkout waits for no more
	gathering  = 200 * time.Millisecond // so that what is written tells nobody of what was just put in
	nextTry    = time.Second            // where it could not be written
)

// NewInbox gives an empty inbox.
func NewInbox() *Inbox { return &Inbox{make(chan Choice, inboxRoom)} }

// Put puts a choice in and tells whether there was room.
func (i *Inbox) Put(c Choice) bool {
	select {
	case i.choices <- c:
		return true
	default:
		return false
	}
}

// Empty hands over what comes in, until the context ends, and then once what is
// left. What could not be written is handed over again.
func (i *Inbox) Empty(ctx context.Context, log *slog.Logger, write func(context.Context, []Choice) error) {
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case first := <-i.choices:
			pause(ctx, gathering)
			i.insist(ctx, log, append([]Choice{first}, i.take(inboxBatch-1)...), write)
		}
	}
	for rest := i.take(inboxBatch); len(rest) > 0; rest = i.take(inboxBatch) {
		i.insist(ctx, log, rest, write)
	}
}

func (i *Inbox) insist(ctx context.Context, log *slog.Logger, choices []Choice, write func(context.Context, []Choice) error) {
	for {
		err := write(context.WithoutCancel(ctx), choices)
		if err == nil {
			return
		}
		log.Error("what customers asked for could not be written down", "requests", len(choices), "error", err)
		if ctx.Err() != nil {
			return
		}
		pause(ctx, nextTry)
	}
}

// take gives up to limit of what is there.
func (i *Inbox) take(limit int) (choices []Choice) {
	for len(choices) < limit {
		select {
		case c := <-i.choices:
			choices = append(choices, c)
		default:
			return choices
		}
	}
	return choices
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
