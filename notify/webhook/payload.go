package webhook

import (
	"encoding/json"
	"time"
)

// The types of a payload. TypeOpened and TypeClosed name the state that the
// storefront is in now. TypeTest shows that the way is free; no receiver obeys it.
const (
	TypeOpened = "storefront.opened"
	TypeClosed = "storefront.closed"
	TypeTest   = "test"
)

// Payload is the body of a webhook: the whole state of one storefront, so that
// a receiver which missed any number of earlier ones needs only the newest. Its
// three outer members are those that Standard Webhooks 1.0.0 recommends.
type Payload struct {
	Type      string    `json:"type"`
	Timestamp time.Time `json:"timestamp"` // when the revision was made
	Data      Data      `json:"data"`
}

// Data is the state of one storefront.
type Data struct {
	Storefront  string     `json:"storefront"`
	Checkout    string     `json:"checkout"` // "off" or "on"
	Revision    int64      `json:"revision"` // grows with every change; obey only a greater one
	Since       *time.Time `json:"since"`    // start of the state; null: it was never closed
	Until       *time.Time `json:"until"`    // planned end; null: open, or until further notice
	Message     string     `json:"message"`
	URL         string     `json:"url"`
	Notices     []string   `json:"notices"` // slugs of the notices in force
	PublishedBy string     `json:"published_by"`
}

// MarshalJSON writes every time in UTC as RFC 3339, absent ones as null, and
// no notices as an empty list.
func (p Payload) MarshalJSON() ([]byte, error) {
	type plain Payload // has no MarshalJSON, so this ends
	p.Timestamp = p.Timestamp.UTC()
	p.Data.Since = inUTC(p.Data.Since)
	p.Data.Until = inUTC(p.Data.Until)
	if p.Data.Notices == nil {
		p.Data.Notices = []string{}
	}
	return json.Marshal(plain(p))
}

func inUTC(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	utc := t.UTC()
	return &utc
}
