package ledger

import (
	"fmt"
	"time"
)

// Publishers is who may publish, as the settings had it at some time. It holds no
// secret, and is written in one order, whatever that of the settings.
type Publishers struct {
	People []Publisher    `json:"publishers"` // by email
	Needs  map[string]int `json:"needs"`      // how many people have to sign, by right, where it is more than one
}

// Publisher is one of them.
type Publisher struct {
	Name        string    `json:"name"`
	Email       string    `json:"email"`
	Keys        []string  `json:"keys"`        // fingerprints, SHA256:…, sorted
	May         []string  `json:"may"`         // write, close, extend, cancel, reopen, in this order
	Storefronts []string  `json:"storefronts"` // ids, sorted: all that were there, where the settings name none
	Touch       string    `json:"touch,omitempty"`
	Expires     time.Time `json:"expires,omitzero"` // UTC
}

// Same tells whether both say the same.
func (p Publishers) Same(as Publishers) bool { return encode(p) == encode(as) }

// Publishers gives all that were ever recorded, the newest first.
func (t *Tx) Publishers() ([]Publishers, error) {
	return rows(t, func(s scanner) (Publishers, error) {
		e, err := scanEntry(s)
		if err == nil && e.After == nil {
			err = fmt.Errorf("entry %d of the log names no publishers", e.Index)
		}
		if err != nil {
			return Publishers{}, err
		}
		return *e.After, nil
	}, "SELECT entry FROM audit WHERE event = '"+PublishersChanged+"' ORDER BY idx DESC")
}
