package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/backsoon/backsoon/internal/ledger"
	"github.com/backsoon/backsoon/internal/schedule"
	"github.com/backsoon/backsoon/notify"
)

// status is what `status --json` prints. Times are UTC.
type status struct {
	Storefronts map[string]storefrontStatus `json:"storefronts"`
	Owed        owed                        `json:"owed"`
	NextChange  *time.Time                  `json:"next_change"`
}

// owed counts the endpoints and the letters that are still to be served.
type owed struct {
	Webhooks int `json:"webhooks"`
	Mail     int `json:"mail"`
}

func (o owed) String() string { return plural(o.Webhooks, "webhook") + ", " + plural(o.Mail, "mail") }

type storefrontStatus struct {
	State    string           `json:"state"`
	Checkout string           `json:"checkout"`
	Revision int64            `json:"revision"`
	Since    *time.Time       `json:"since"`
	Until    *time.Time       `json:"until"`
	Webhooks []endpointStatus `json:"webhooks"`
}

type endpointStatus struct {
	URL          string `json:"url"`
	Acknowledged int64  `json:"acknowledged"`
	Attempts     int    `json:"attempts"`
	Error        string `json:"error"`
	Disabled     bool   `json:"disabled,omitempty"`
}

func statusCommand(s *site) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show each storefront: what is wanted, what is acknowledged, what is owed",
		Args:  takes(0, 0),
	}
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		var st status
		err := s.view(cmd.Context(), func(tx *ledger.Tx) (err error) {
			st, err = s.status(tx)
			return err
		})
		if err != nil {
			return err
		}
		if *asJSON {
			return printJSON(cmd.OutOrStdout(), st)
		}
		return s.printStatus(cmd.OutOrStdout(), st)
	}
	return cmd
}

func (s *site) status(tx *ledger.Tx) (st status, err error) {
	st.Storefronts = map[string]storefrontStatus{}
	fronts, err := tx.Storefronts()
	if err != nil {
		return st, err
	}
	ends, err := tx.Endpoints()
	if err != nil {
		return st, err
	}
	for _, id := range s.cfg.StorefrontIDs() {
		if f, known := fronts[id]; known {
			st.Storefronts[id] = statusOf(f, ends)
		}
	}
	still, err := tx.Owed()
	if err != nil {
		return st, err
	}
	st.Owed = owed{still.Webhooks, still.Mail}
	if s.leader, err = tx.Leader(); err != nil {
		return st, err
	}
	accepted, err := notify.Accepted(tx, s.cfg)
	if next, ok := schedule.Next(slices.Collect(maps.Values(accepted)), s.cfg.StorefrontIDs(), time.Now()); ok {
		st.NextChange = utc(next)
	}
	return st, err
}

func statusOf(f ledger.Storefront, ends []ledger.Endpoint) storefrontStatus {
	fs := storefrontStatus{State: f.State, Checkout: f.Checkout, Revision: f.Revision,
		Since: utc(f.Since), Until: utc(f.Until), Webhooks: []endpointStatus{}}
	for _, e := range ends {
		if e.Storefront == f.ID {
			fs.Webhooks = append(fs.Webhooks, endpointStatus{notify.ShownURL(e.URL), e.Acknowledged, e.Attempts, e.Error, !e.Disabled.IsZero()})
		}
	}
	return fs
}

// utc is a time as JSON wants it: null where there is none.
func utc(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

func (s *site) printStatus(out io.Writer, st status) error {
	t := newTable(out, "STOREFRONT", "STATE", "CHECKOUT", "UNTIL", "WEBHOOK")
	for _, id := range s.cfg.StorefrontIDs() {
		f, known := st.Storefronts[id]
		if !known {
			t.row(id, "not seen yet")
			continue
		}
		until := "-"
		if f.Until != nil {
			until = s.short(*f.Until, time.Now())
		}
		t.row(id, f.State, f.Checkout, until, endpointWords(f, 0))
		for i := 1; i < len(f.Webhooks); i++ {
			t.row("", "", "", "", endpointWords(f, i))
		}
	}
	if err := t.flush(); err != nil {
		return err
	}
	next := "nothing changes by itself"
	if st.NextChange != nil {
		next = "next change " + s.when(*st.NextChange, time.Now())
	}
	_, err := fmt.Fprintf(out, "\nOwed: %s; %s.\n", st.Owed, next)
	if err == nil && s.leader != "" && ledger.IsAddress(s.cfg.Database) {
		_, err = fmt.Fprintf(out, "The notices in %s count: the watcher there reconciles.\n", s.leader)
	}
	return err
}

// endpointWords says in words whether the checkout follows.
func endpointWords(f storefrontStatus, i int) string {
	if i >= len(f.Webhooks) {
		return "none"
	}
	switch e := f.Webhooks[i]; {
	case e.Disabled:
		return e.URL + ": disabled (" + e.Error + ")"
	case e.Acknowledged >= f.Revision:
		return e.URL + ": acknowledged"
	case e.Error != "":
		return fmt.Sprintf("%s: not yet, %s: %s", e.URL, plural(e.Attempts, "attempt"), e.Error)
	default:
		return e.URL + ": not yet"
	}
}
