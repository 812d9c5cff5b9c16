// Package notice is a closure notice: one Markdown file with YAML front matter,
// as a shop owner writes it. It parses and prints the format, says what is wrong
// with it, tells the phase a notice is in at a moment, and edits single keys
// while it keeps the owner's formatting.
package notice

import (
	"slices"
	"strings"
	"time"
)

// Moment is a time as the owner wrote it, in the shop's zone unless the owner
// gave an offset. The zero Moment means that the key was left out.
type Moment struct {
	time.Time
	DateOnly bool // a bare date, which stands for 00:00
}

// Notice is one parsed notice file.
type Notice struct {
	Slug        string // the file's name without .md: id, URL and feed id for ever
	Title       string
	Published   Moment   // when it was announced; zero: not said
	Closes      Moment   // the first moment closed
	Reopens     Moment   // the first moment open again, as planned; zero: until further notice
	Reopened    Moment   // the actual end, early or late; zero: not said
	Storefronts []string // the storefronts' ids; empty: all of them
	CheckoutOn  bool     // `checkout: on`: shown and mailed, but the checkout is left alone
	Facts       []Fact   // in the owner's order
	Contact     *Link
	Reopening   []Step // the reopening plan, never published
	Draft       bool
	Cancelled   bool
	Body        string   // Markdown before the first update, without surrounding blank lines
	Updates     []Update // in the file's order

	Translations []*Translation // each in another language
	Language     string         // of the words, where In gave a translation's; empty: the shop's own

	where map[string]position // of what Check speaks of; nil: there is nothing of it
}

// Fact is one line of the list that the page shows.
type Fact struct{ Label, Text string }

// Link is a way to reach the shop: http, https, mailto, tel or sms.
type Link struct{ Label, URL string }

// Written is the address as people write it: a mail address or a number without
// its scheme, a page's address whole.
func (l Link) Written() string {
	scheme, rest, _ := strings.Cut(l.URL, ":")
	if scheme = strings.ToLower(scheme); scheme == "http" || scheme == "https" {
		return l.URL
	}
	rest, _, _ = strings.Cut(rest, "?")
	return rest
}

// Step is one step of the reopening plan.
type Step struct {
	Name string
	Done bool
}

// Update is a section whose `##` heading begins with a date and time. Its slug
// and At are its identity: words may change, the update stays the same one.
type Update struct {
	At    time.Time
	Title string // the heading's rest; may be empty
	Body  string // Markdown, without surrounding blank lines

	Language     string // of the words, where In found them translated; empty: the shop's own
	line, column int    // of the heading in the file
}

// position is a place in the file, line and column from 1.
type position struct{ line, column int }

// Phase is where a notice stands at a moment.
type Phase string

// The phases of a notice.
const (
	Draft     Phase = "draft"
	Scheduled Phase = "scheduled"
	Closed    Phase = "closed"
	Overdue   Phase = "overdue" // Reopens has passed, a step of the plan is open: still closed
	Reopened  Phase = "reopened"
	Cancelled Phase = "cancelled"
)

// Phase tells where the notice stands at now.
func (n *Notice) Phase(now time.Time) Phase {
	switch {
	case n.Draft:
		return Draft
	case n.Cancelled:
		return Cancelled
	case now.Before(n.Closes.Time):
		return Scheduled
	}
	if end := n.End(); !end.IsZero() && !now.Before(end) {
		return Reopened
	}
	if n.Reopened.IsZero() && !n.Reopens.IsZero() && !now.Before(n.Reopens.Time) {
		return Overdue
	}
	return Closed
}

// InForce tells whether the notice keeps its storefronts closed at now, be it
// as planned or overdue.
func (n *Notice) InForce(now time.Time) bool {
	p := n.Phase(now)
	return p == Closed || p == Overdue
}

// Over tells whether the notice has had its time: reopened or cancelled.
func (n *Notice) Over(now time.Time) bool {
	p := n.Phase(now)
	return p == Reopened || p == Cancelled
}

// End is the moment at which the notice stops being in force by itself: the
// actual end where it is written, else the planned one. It is zero while there
// is none, or while a step of the reopening plan is open.
func (n *Notice) End() time.Time {
	if !n.Reopened.IsZero() {
		return n.Reopened.Time
	}
	if len(n.OpenSteps()) > 0 {
		return time.Time{}
	}
	return n.Reopens.Time
}

// Until is the announced end: the actual one where it is written, else the
// planned one, whatever became of the reopening plan. Zero: until further notice.
func (n *Notice) Until() Moment {
	if !n.Reopened.IsZero() {
		return n.Reopened
	}
	return n.Reopens
}

// OpenSteps names the steps of the reopening plan that are not done.
func (n *Notice) OpenSteps() []string {
	var open []string
	for _, s := range n.Reopening {
		if !s.Done {
			open = append(open, s.Name)
		}
	}
	return open
}

// Covers tells whether the notice is about the storefront.
func (n *Notice) Covers(storefront string) bool {
	return len(n.Storefronts) == 0 || slices.Contains(n.Storefronts, storefront)
}
