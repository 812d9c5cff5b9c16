// Package statuspage is the shape of the Statuspage API, version 2, which tools
// that read status pages know. Every Statuspage describes it under /api.
package statuspage

import (
	"crypto/sha256"
	"encoding/binary"
	"strconv"
	"strings"
	"time"
)

// Document is any of the API's answers. What is nil is left out of it; an empty
// list is not.
type Document struct {
	Page         Page          `json:"page"`
	Components   []Component   `json:"components,omitzero"`
	Incidents    []struct{}    `json:"incidents,omitzero"` // always empty: a closure is a maintenance
	Maintenances []Maintenance `json:"scheduled_maintenances,omitzero"`
	Status       *Status       `json:"status,omitempty"`
}

// Page is the status page itself.
type Page struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	URL       string `json:"url"`       // without a trailing slash
	TimeZone  string `json:"time_zone"` // Europe/Lisbon
	UpdatedAt Time   `json:"updated_at"`
}

// Status sums all components up.
type Status struct {
	Indicator   string `json:"indicator"` // None or Planned
	Description string `json:"description"`
}

// Indicators of a Status, and impacts of a Maintenance.
const (
	None    = "none"
	Planned = "maintenance"
)

// Component is one of the things that the page is about.
type Component struct {
	ID                 string  `json:"id"`
	Name               string  `json:"name"`
	Status             string  `json:"status"` // Operational or UnderMaintenance
	CreatedAt          Time    `json:"created_at"`
	UpdatedAt          Time    `json:"updated_at"`
	Position           int     `json:"position"` // from 1
	Description        *string `json:"description"`
	Showcase           bool    `json:"showcase"`
	StartDate          *string `json:"start_date"`
	GroupID            *string `json:"group_id"`
	PageID             string  `json:"page_id"`
	Group              bool    `json:"group"`
	OnlyShowIfDegraded bool    `json:"only_show_if_degraded"`
}

// Statuses of a Component.
const (
	Operational      = "operational"
	UnderMaintenance = "under_maintenance"
)

// Maintenance is one scheduled maintenance.
type Maintenance struct {
	ID             string      `json:"id"`
	Name           string      `json:"name"`
	Status         string      `json:"status"` // Scheduled, InProgress, Verifying or Completed
	CreatedAt      Time        `json:"created_at"`
	UpdatedAt      Time        `json:"updated_at"`
	MonitoringAt   *Time       `json:"monitoring_at"` // since when it is being verified
	ResolvedAt     *Time       `json:"resolved_at"`
	Impact         string      `json:"impact"`
	Shortlink      string      `json:"shortlink"`
	StartedAt      *Time       `json:"started_at"`
	PageID         string      `json:"page_id"`
	Updates        []Update    `json:"incident_updates"` // the newest first
	Components     []Component `json:"components"`
	ScheduledFor   Time        `json:"scheduled_for"`
	ScheduledUntil *Time       `json:"scheduled_until"` // nil: not foreseen
}

// Statuses of a Maintenance.
const (
	Scheduled  = "scheduled"
	InProgress = "in_progress"
	Verifying  = "verifying"
	Completed  = "completed"
)

// Update is something that was said about a maintenance.
type Update struct {
	ID                 string              `json:"id"`
	Status             string              `json:"status"` // of the maintenance from then on
	Body               string              `json:"body"`   // plain text
	IncidentID         string              `json:"incident_id"`
	CreatedAt          Time                `json:"created_at"`
	UpdatedAt          Time                `json:"updated_at"`
	DisplayAt          Time                `json:"display_at"`
	AffectedComponents []AffectedComponent `json:"affected_components"`
}

// AffectedComponent is what a maintenance, by itself, does to a component.
type AffectedComponent struct {
	Code      string `json:"code"` // the component's id
	Name      string `json:"name"`
	OldStatus string `json:"old_status"`
	NewStatus string `json:"new_status"`
}

// Length is how many maintenances a list holds.
const Length = 50

// Time is written in RFC 3339 to the millisecond, in UTC. The zero time becomes
// the beginning of 1970: tools expect a time even where nothing has happened yet.
type Time struct{ time.Time }

// MarshalJSON implements json.Marshaler.
func (t Time) MarshalJSON() ([]byte, error) {
	if t.IsZero() {
		t.Time = time.Unix(0, 0)
	}
	return []byte(t.UTC().Format(`"2006-01-02T15:04:05.000Z07:00"`)), nil
}

// Known is nil for the zero time.
func Known(t time.Time) *Time {
	if t.IsZero() {
		return nil
	}
	return &Time{t}
}

// ID gives an id in the shape that the API's have, 12 of 0-9 and a-z. The same
// names give the same id, for ever.
func ID(names ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(names, "\x00")))
	const least = 131621703842267136 // 36 to the power of 11, which has 12 digits
	return strconv.FormatUint(least+binary.BigEndian.Uint64(sum[:])%(35*least), 36)
}
