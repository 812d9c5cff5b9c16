package torture

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/backsoon/backsoon/notify/webhook"
)

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// fault is what a server does instead of what it is asked.
type fault int

const (
	none  fault = iota
	fail        // says that it can't
	drop        // hangs up without an answer
	stall       // answers when nobody waits any more
)

// checkout is a storefront's receiver. It follows the contract of
// docs/receiver.md, and beside that notes what a naive one would do, which obeys
// whatever it was told last.
type checkout struct {
	*httptest.Server
	mu       sync.Mutex
	faults   func() fault // nil: none
	revision int64        // applied
	state    string       // applied: on or off
	naive    string       // told last
	applied  []int64      // every revision that was applied
	stale    int          // requests with an older revision than what was applied
	last     time.Time    // of the last request
}

func newCheckout(t *testing.T) *checkout {
	verify, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	c := &checkout{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the line broke in the middle of the request
		}
		var p webhook.Payload
		if err := verify.Verify(body, r.Header); err != nil {
			t.Errorf("signature: %v", err)
		} else if err := json.Unmarshal(body, &p); err != nil {
			t.Errorf("body: %v", err)
		}
		switch c.next() {
		case fail:
			w.WriteHeader(http.StatusInternalServerError)
			return
		case drop: // after it was obeyed: the sender can't know
			c.obey(p.Data)
			panic(http.ErrAbortHandler)
		case stall: // the sender gives up after 15 s
			time.Sleep(20 * time.Second)
			c.obey(p.Data) // late: what was sent meanwhile came before
			return
		}
		c.obey(p.Data)
		w.WriteHeader(http.StatusNoContent)
	}))
	c.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
	t.Cleanup(func() { c.CloseClientConnections(); c.Close() })
	return c
}

func (c *checkout) next() fault {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.faults == nil {
		return none
	}
	return c.faults()
}

// suffer has the checkout ask f before each answer; nil: it is well again.
func (c *checkout) suffer(f func() fault) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.faults = f
}

func (c *checkout) obey(d webhook.Data) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.naive, c.last = d.Checkout, time.Now()
	switch {
	case d.Revision > c.revision:
		c.revision, c.state = d.Revision, d.Checkout
		c.applied = append(c.applied, d.Revision)
	case d.Revision < c.revision:
		c.stale++
	}
}

// seen is what the checkout applied last.
func (c *checkout) seen() (revision int64, state string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.revision, c.state
}
