package verify

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"github.com/backsoon/backsoon/internal/ledger"
)

// changes are what the entries say was done.
type changes struct {
	revisions   map[string]ledger.Entry   // by storefront: the newest
	accepted    map[string][]ledger.Entry // by the file's name without .md, the first one first
	inForce     map[string]ledger.Entry   // the last of these, but for translations withdrawn since
	transitions int
	versions    int
	fault       *Fault // the first that contradicts one before
}

func newChanges() *changes {
	return &changes{revisions: map[string]ledger.Entry{}, accepted: map[string][]ledger.Entry{}, inForce: map[string]ledger.Entry{}}
}

// see takes the next entry.
func (c *changes) see(e ledger.Entry) {
	switch e.Event {
	case ledger.StorefrontClosed, ledger.StorefrontOpened:
		last, known := c.revisions[e.Storefront]
		if known && e.Revision <= last.Revision && c.fault == nil {
			c.fault = faultOf(e, fmt.Sprintf("revision %d of %s has an entry already, or is older than one: entry %d has %d", e.Revision, e.Storefront, last.Index, last.Revision))
		}
		c.revisions[e.Storefront] = e
		c.transitions++
	case ledger.NoticeAccepted:
		c.accept(e.Notice, e)
	case ledger.TranslationAccepted:
		c.accept(e.Notice+"."+e.Language, e)
	case ledger.TranslationWithdrawn:
		delete(c.inForce, e.Notice+"."+e.Language)
	}
}

func (c *changes) accept(name string, e ledger.Entry) {
	c.accepted[name] = append(c.accepted[name], e)
	c.inForce[name] = e
}

func faultOf(e ledger.Entry, why string) *Fault {
	return &Fault{Index: e.Index, Time: e.Time, Event: e.Event, Why: why}
}

// hold holds the entries against the rest of the ledger.
func (c *changes) hold(tx *ledger.Tx) error {
	if c.fault != nil {
		return c.fault
	}
	if err := c.holdStorefronts(tx); err != nil {
		return err
	}
	return c.holdVersions(tx)
}

// holdStorefronts: each is in the state of its newest entry.
func (c *changes) holdStorefronts(tx *ledger.Tx) error {
	fronts, err := tx.Storefronts()
	if err != nil {
		return err
	}
	for _, id := range sorted(fronts) {
		f := fronts[id]
		e, known := c.revisions[id]
		switch {
		case !known:
			return &Fault{Index: -1, Why: fmt.Sprintf("the ledger has storefront %s at revision %d, and no entry says so", id, f.Revision)}
		case f.Revision != e.Revision:
			return faultOf(e, fmt.Sprintf("it is the last about %s, with revision %d, but the ledger is at revision %d", id, e.Revision, f.Revision))
		case (f.Checkout == "on") != (e.Event == ledger.StorefrontOpened):
			return faultOf(e, fmt.Sprintf("it is the last about %s, whose checkout is %s in the ledger", id, f.Checkout))
		case !f.Until.Equal(until(e)):
			return faultOf(e, fmt.Sprintf("it is the last about %s, which the ledger has until another time", id))
		}
	}
	for _, id := range sorted(c.revisions) {
		if _, known := fronts[id]; !known {
			return faultOf(c.revisions[id], fmt.Sprintf("the ledger no longer knows storefront %s", id))
		}
	}
	return nil
}

func until(e ledger.Entry) (t time.Time) {
	if e.Until != nil {
		t = e.Until.UTC().Truncate(time.Millisecond)
	}
	return t
}

// holdVersions: each version that was accepted has its entry, in the same order,
// and each such entry its version; the last one of a file is in force.
func (c *changes) holdVersions(tx *ledger.Tx) error {
	versions, err := tx.Versions()
	if err != nil {
		return err
	}
	last := map[string]int64{}
	next := map[string]int{}
	for _, v := range versions {
		entries := c.accepted[v.Slug]
		if next[v.Slug] >= len(entries) {
			return &Fault{Index: -1, Why: fmt.Sprintf("version %d of the ledger (%s, accepted %s) has no entry", v.ID, v.Slug, v.Accepted.UTC().Format(time.RFC3339))}
		}
		if err := holdVersion(tx, v, entries[next[v.Slug]]); err != nil {
			return err
		}
		next[v.Slug]++
		last[v.Slug] = v.ID
		c.versions++
	}
	for _, slug := range sorted(c.accepted) {
		if entries := c.accepted[slug]; next[slug] < len(entries) {
			return faultOf(entries[next[slug]], "what it says was accepted is no longer in the ledger")
		}
	}
	return c.holdInForce(tx, last)
}

func holdVersion(tx *ledger.Tx, v ledger.Version, e ledger.Entry) error {
	switch {
	case !v.Accepted.Equal(e.Time):
		return faultOf(e, fmt.Sprintf("version %d of the ledger, which it is about, was accepted at another time", v.ID))
	case e.By == nil || *e.By != v.By:
		return faultOf(e, fmt.Sprintf("version %d of the ledger, which it is about, has another publisher", v.ID))
	case e.Commit != v.Commit:
		return faultOf(e, fmt.Sprintf("version %d of the ledger, which it is about, was accepted from another commit", v.ID))
	}
	content, err := tx.Content(v.ID)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(content)
	if is := hex.EncodeToString(sum[:]); is != v.SHA256 || e.SHA256 != "" && is != e.SHA256 { // older entries don't say
		return faultOf(e, fmt.Sprintf("version %d of the ledger has other words than were accepted", v.ID))
	}
	return nil
}

// holdInForce: what the entries leave in force is what the ledger has in force, no
// more and no less. A notice that is taken out of it opens the shop.
func (c *changes) holdInForce(tx *ledger.Tx, last map[string]int64) error {
	versions, err := inForce(tx)
	if err != nil {
		return err
	}
	for _, v := range versions {
		e, known := c.inForce[v.Slug]
		switch {
		case !known:
			return &Fault{Index: -1, Why: fmt.Sprintf("the ledger has version %d (%s) in force, and no entry says so", v.ID, v.Slug)}
		case v.ID != last[v.Slug]:
			return faultOf(e, "it is not what the ledger has in force")
		}
		delete(c.inForce, v.Slug)
	}
	if left := sorted(c.inForce); len(left) > 0 {
		return faultOf(c.inForce[left[0]], "the ledger no longer has it in force")
	}
	return nil
}

// inForce are the versions of notices and translations that the ledger says count.
func inForce(tx *ledger.Tx) (versions []ledger.Version, err error) {
	notices, err := tx.Notices()
	if err != nil {
		return nil, err
	}
	for _, n := range notices {
		versions = append(versions, n.Version)
	}
	translations, err := tx.Translations()
	for _, t := range translations {
		versions = append(versions, t.Version)
	}
	return versions, err
}

func sorted[T any](m map[string]T) (keys []string) {
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
