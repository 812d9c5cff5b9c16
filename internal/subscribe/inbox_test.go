package subscribe

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"
)

// TestInboxIsBounded: so many and no more, whatever becomes of them.
func TestInboxIsBounded(t *testing.T) {
	i := NewInbox()
	taken := 0
	for range 10_000 {
		if i.Put(Choice{}) {
			taken++
		}
	}
	if taken != inboxRoom {
		t.Errorf("%d were taken", taken)
	}
}

// TestInboxLosesNothing that it has taken: through a ledger that can't be written
// for a while, and to the end of the watch.
func TestInboxLosesNothing(t *testing.T) {
	i := NewInbox()
	ctx, end := context.WithCancel(t.Context())
	var written []string
	failures := 2
	var emptied sync.WaitGroup
	first := make(chan struct{})
	emptied.Go(func() {
		i.Empty(ctx, slog.New(slog.DiscardHandler), func(_ context.Context, choices []Choice) error {
			if len(choices) > inboxBatch {
				t.Errorf("%d at once", len(choices))
			}
			if failures--; failures >= 0 {
				return errors.New("the disk is full")
			}
			if written == nil {
				close(first)
			}
			for _, c := range choices {
				written = append(written, c.Address)
			}
			return nil
		})
	})
	for n := range 700 {
		i.Put(Choice{Address: fmt.Sprint(n)})
	}
	select {
	case <-first:
	case <-time.After(20 * time.Second):
		t.Fatal("nothing was ever written")
	}
	end()
	emptied.Wait()
	for n, address := range written {
		if address != fmt.Sprint(n) {
			t.Fatalf("number %d is %s", n, address)
		}
	}
	if len(written) != 700 {
		t.Errorf("%d were written", len(written))
	}
}
