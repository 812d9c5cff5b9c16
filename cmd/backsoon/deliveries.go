package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/spf13/cobra"

	"github.com/backsoon/backsoon/internal/ledger"
	"github.com/backsoon/backsoon/notify"
)

// campaignsShown is how many of the newest mails are listed.
const campaignsShown = 50

// deliveries is what `deliveries --json` prints. Times are UTC.
type deliveries struct {
	Webhooks []webhookDelivery `json:"webhooks"`
	Mail     []mailDelivery    `json:"mail"`
	Owed     owed              `json:"owed"`
}

type webhookDelivery struct {
	Storefront   string     `json:"storefront"`
	URL          string     `json:"url"`
	State        string     `json:"state"` // owed, failing, disabled or done
	Wanted       int64      `json:"wanted"`
	Acknowledged int64      `json:"acknowledged"`
	Attempts     int        `json:"attempts"`
	NextTry      *time.Time `json:"next_try"`
	Error        string     `json:"error"`
}

type mailDelivery struct {
	Notice   string     `json:"notice"`
	Kind     string     `json:"kind"`
	State    string     `json:"state"` // settling, owed or done
	Due      *time.Time `json:"due"`
	Finished *time.Time `json:"finished"`
	Sent     int        `json:"sent"`
	Failed   int        `json:"failed"`
	Passed   int        `json:"passed"`
	Error    string     `json:"error"`
	Progress *progress  `json:"progress,omitempty"` // only while it is under way
}

// progress is how far a mail is, by what the ledger knows of it since it began.
type progress struct {
	Recipients  int     `json:"recipients"` // who followed when it began
	Done        int     `json:"done"`       // sent, failed or passed over
	PerSecond   float64 `json:"per_second"`
	SecondsLeft *int    `json:"seconds_left"` // null: that can't be known
}

// String is for a table: "8120 of 20000, 655 a second, 18 s left".
func (p *progress) String() string {
	if p == nil {
		return "-"
	}
	text := fmt.Sprintf("%d of %d", p.Done, p.Recipients)
	if p.SecondsLeft != nil {
		text += ", " + paced(p.PerSecond, time.Duration(*p.SecondsLeft)*time.Second)
	}
	return text
}

func deliveriesCommand(s *site) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "deliveries",
		Short: "List what is owed, what failed and what is done",
		Args:  takes(0, 0),
	}
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		var d deliveries
		err := s.view(cmd.Context(), func(tx *ledger.Tx) (err error) {
			d, err = s.deliveries(tx)
			return err
		})
		if err != nil {
			return err
		}
		if *asJSON {
			return printJSON(cmd.OutOrStdout(), d)
		}
		return s.printDeliveries(cmd.OutOrStdout(), d)
	}
	cmd.AddCommand(&cobra.Command{
		Use:   "retry",
		Short: "Make all that is owed due at once; takes up an endpoint that answered 410 again",
		Args:  takes(0, 0),
		RunE:  func(cmd *cobra.Command, _ []string) error { return s.retry(cmd.Context(), cmd.OutOrStdout()) },
	})
	return cmd
}

func (s *site) deliveries(tx *ledger.Tx) (d deliveries, err error) {
	d.Webhooks, d.Mail = []webhookDelivery{}, []mailDelivery{}
	fronts, err := tx.Storefronts()
	if err != nil {
		return d, err
	}
	ends, err := tx.Endpoints()
	if err != nil {
		return d, err
	}
	for _, e := range ends {
		d.Webhooks = append(d.Webhooks, webhookOf(e, fronts[e.Storefront]))
	}
	campaigns, err := tx.Campaigns(campaignsShown)
	for _, c := range campaigns {
		d.Mail = append(d.Mail, mailOf(c, time.Now()))
	}
	if err != nil {
		return d, err
	}
	still, err := tx.Owed()
	d.Owed = owed{still.Webhooks, still.Mail}
	return d, err
}

func webhookOf(e ledger.Endpoint, f ledger.Storefront) webhookDelivery {
	d := webhookDelivery{Storefront: e.Storefront, URL: notify.ShownURL(e.URL), State: "done", Wanted: f.Revision,
		Acknowledged: e.Acknowledged, Attempts: e.Attempts, NextTry: utc(e.Due(f)), Error: e.Error}
	switch {
	case !e.Disabled.IsZero():
		d.State = "disabled"
	case e.Owed(f) && e.Error != "":
		d.State = "failing"
	case e.Owed(f):
		d.State = "owed"
	}
	return d
}

func mailOf(c ledger.Campaign, now time.Time) mailDelivery {
	d := mailDelivery{Notice: c.Slug, Kind: c.Kind, State: "owed", Due: utc(c.NotBefore), Finished: utc(c.Finished),
		Sent: c.Sent, Failed: c.Failed, Passed: c.Passed, Error: c.Error}
	switch {
	case c.Fired.IsZero():
		d.State = "settling"
	case !c.Finished.IsZero():
		d.State = "done"
	default:
		d.Progress = progressOf(c, now)
	}
	return d
}

func progressOf(c ledger.Campaign, now time.Time) *progress {
	p := &progress{Recipients: max(c.Recipients, c.Done()), Done: c.Done()}
	perSecond, left := pace(p.Done, p.Recipients, now.Sub(c.Fired))
	if perSecond > 0 {
		seconds := int(left.Round(time.Second).Seconds())
		p.PerSecond, p.SecondsLeft = math.Round(perSecond*100)/100, &seconds
	}
	return p
}

func (s *site) printDeliveries(out io.Writer, d deliveries) error {
	t := newTable(out, "WEBHOOK", "STATE", "ATTEMPTS", "NEXT", "LAST ERROR")
	for _, w := range d.Webhooks {
		t.row(w.Storefront+" "+w.URL, w.State, fmt.Sprint(w.Attempts), s.next(w.NextTry), w.Error)
	}
	t.row()
	t.row("MAIL", "STATE", "SENT", "FAILED", "PROGRESS", "LAST ERROR")
	for _, m := range d.Mail {
		t.row(m.Notice+" “"+m.Kind+"”", m.State, fmt.Sprint(m.Sent), fmt.Sprint(m.Failed), m.Progress.String(), m.Error)
	}
	if err := t.flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "\nOwed: %s.\n", d.Owed)
	return err
}

// next is when an endpoint is tried again, if it is.
func (s *site) next(t *time.Time) string {
	if t == nil {
		return "-"
	}
	return s.short(*t, time.Now())
}

func (s *site) retry(ctx context.Context, out io.Writer) error {
	var still ledger.Owed
	err := s.update(ctx, false, func(tx *ledger.Tx) error {
		now := time.Now()
		if err := s.enable(tx, now); err != nil {
			return err
		}
		if err := tx.MakeDue(now); err != nil {
			return err
		}
		var err error
		if s.leader, err = tx.Leader(); err != nil {
			return err
		}
		still, err = tx.Owed()
		return err
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "due now: %s\n", owed{still.Webhooks, still.Mail})
	s.hintWatcher(out)
	return nil
}

// enable takes the disabled endpoints up again.
func (s *site) enable(tx *ledger.Tx, now time.Time) error {
	ends, err := tx.Endpoints()
	if err != nil {
		return err
	}
	for _, e := range ends {
		if e.Disabled.IsZero() {
			continue
		}
		e.Disabled, e.Error, e.Attempts, e.NextTry = time.Time{}, "", 0, now
		if err := tx.SaveEndpoint(e); err != nil {
			return err
		}
		entry := ledger.Entry{Time: now, Event: ledger.WebhookEnabled, Storefront: e.Storefront, URL: notify.ShownURL(e.URL)}
		if _, err := tx.Audit(entry); err != nil {
			return err
		}
	}
	return nil
}

// hintWatcher says what is missing where nobody would carry a change out.
func (s *site) hintWatcher(out io.Writer) {
	if _, held := ledger.Holder(s.cfg.Lock()); !held && (s.leader == "" || !ledger.IsAddress(s.cfg.Database)) {
		fmt.Fprintln(out, "No watcher runs on this site: `backsoon watch` carries this out, `backsoon watch --once` does so now.")
	}
}
