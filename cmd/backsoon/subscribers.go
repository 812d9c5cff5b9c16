package main

import (
	"cmp"
	"context"
	"encoding/csv"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/backsoon/backsoon/internal/ledger"
)

func subscribersCommand(s *site) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "subscribers",
		Short: "The customers who asked to be told: list, import, export, remove",
		Args:  takes(0, 0),
		RunE: func(*cobra.Command, []string) error {
			return usagef("write: backsoon subscribers list, import FILE.csv, export [ADDRESS], or remove ADDRESS")
		},
	}
	cmd.AddCommand(listSubscribers(s), &cobra.Command{
		Use:   "import FILE.csv",
		Short: "Add confirmed subscribers from a CSV file with a header line: email, and if you like storefronts, language, until_reopen",
		Args:  takes(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.importSubscribers(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr(), args[0])
		},
	}, exportCommand(s), &cobra.Command{
		Use:   "remove ADDRESS",
		Short: "Forget an address: nothing of it is left, but a keyed hash where mail to it is suppressed",
		Args:  takes(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.removeSubscriber(cmd.Context(), cmd.OutOrStdout(), args[0])
		},
	})
	return cmd
}

func listSubscribers(s *site) *cobra.Command {
	cmd := &cobra.Command{Use: "list", Short: "List all subscribers", Args: takes(0, 0)}
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		all := []subscriberLine{}
		err := s.eachSubscriber(cmd.Context(), func(sub ledger.Subscriber) error {
			all = append(all, subscriberLine{sub.Email, append([]string{}, sub.Storefronts...), sub.Language, utc(sub.Confirmed), sub.Suppressed})
			return nil
		})
		if err != nil {
			return err
		}
		if *asJSON {
			return printJSON(cmd.OutOrStdout(), map[string]any{"subscribers": all})
		}
		t := newTable(cmd.OutOrStdout(), "ADDRESS", "STOREFRONTS", "LANGUAGE", "SUPPRESSED")
		for _, l := range all {
			t.row(l.Email, cmp.Or(strings.Join(l.Storefronts, " "), "all"), cmp.Or(l.Language, "-"), l.Suppressed)
		}
		return t.flush()
	}
	return cmd
}

// subscriberLine is one subscriber as `subscribers list --json` prints it.
type subscriberLine struct {
	Email       string     `json:"email"`
	Storefronts []string   `json:"storefronts"` // empty: all
	Language    string     `json:"language"`
	Confirmed   *time.Time `json:"confirmed"`
	Suppressed  string     `json:"suppressed"` // why nothing goes there any more
}

func (s *site) eachSubscriber(ctx context.Context, f func(ledger.Subscriber) error) error {
	const page = 1000
	return s.view(ctx, func(tx *ledger.Tx) error {
		for after := int64(0); ; {
			subs, err := tx.Subscribers(after, page)
			if err != nil || len(subs) == 0 {
				return err
			}
			for _, sub := range subs {
				if err := f(sub); err != nil {
					return err
				}
				after = sub.ID
			}
		}
	})
}

func (s *site) exportSubscribers(ctx context.Context, out io.Writer) error {
	w := csv.NewWriter(out)
	if err := w.Write([]string{"email", "storefronts", "language", "until_reopen"}); err != nil {
		return err
	}
	err := s.eachSubscriber(ctx, func(sub ledger.Subscriber) error {
		return w.Write([]string{sub.Email, strings.Join(sub.Storefronts, " "), sub.Language, yes(sub.UntilReopen)})
	})
	if err != nil {
		return err
	}
	w.Flush()
	return w.Error()
}
