package site

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"time"

	"github.com/backsoon/backsoon/internal/schedule"
)

// status is status.json, the pull side of the storefronts' webhook.
type status struct {
	Shop        string                      `json:"shop"`
	Generated   string                      `json:"generated"`
	NextChange  *string                     `json:"next_change"`
	Storefronts map[string]storefrontStatus `json:"storefronts"`
	Log         *Log                        `json:"log,omitempty"` // the ledger's: absent from a plain build
}

type storefrontStatus struct {
	Name     string   `json:"name"`
	State    string   `json:"state"`
	Checkout string   `json:"checkout"`
	Revision int64    `json:"revision,omitempty"` // the ledger's: absent from a plain build
	Since    *string  `json:"since"`
	Until    *string  `json:"until"`
	Message  string   `json:"message"`
	Notices  []string `json:"notices"`
}

// statusSchema describes status.json to programs: JSON Schema, draft 2020-12,
// https://json-schema.org/draft/2020-12/json-schema-core
//
//go:embed status.schema.json
var statusSchema []byte

// schema is the schema with its address on the site as its $id.
func (r reader) schema(out *bytes.Buffer) error {
	var id bytes.Buffer
	err := encode(&id, r.address("status.schema.json"))
	out.Write(bytes.Replace(statusSchema, []byte(`"status.schema.json"`), bytes.TrimSpace(id.Bytes()), 1))
	return err
}

func (b *builder) status(out *bytes.Buffer) error {
	s := status{
		Shop: b.site.cfg.Shop.Name, Generated: b.now.UTC().Format(time.RFC3339),
		NextChange: stamp(b.next), Storefronts: map[string]storefrontStatus{},
	}
	for _, state := range b.states {
		s.Storefronts[state.Storefront] = b.storefrontStatus(state)
	}
	if b.Known != nil && b.Known.Log.Checkpoint != "" {
		s.Log = &b.Known.Log
	}
	return encode(out, s)
}

// encode writes v as JSON in one line.
func encode(out *bytes.Buffer, v any) error {
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

func (b *builder) storefrontStatus(s schedule.State) storefrontStatus {
	front, _ := b.site.cfg.Storefront(s.Storefront)
	status := storefrontStatus{
		Name: front.Name, State: s.State, Checkout: s.Checkout(),
		Since: stamp(s.Since), Until: stamp(s.Until), Notices: append([]string{}, s.Notices...),
	}
	if lead := b.all.lead(s.Lead); lead != nil && s.State != schedule.Open {
		status.Message = lead.n.Title
	}
	if b.Known == nil {
		return status
	}
	known, ok := b.Known.Storefronts[s.Storefront]
	if !ok {
		return status
	}
	status.Revision, status.Message = known.Revision, known.Message
	if !known.Since.IsZero() {
		status.Since = stamp(known.Since)
	}
	return status
}

// stamp is a time in RFC 3339 and UTC, nil for the zero time.
func stamp(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	s := t.UTC().Format(time.RFC3339)
	return &s
}
