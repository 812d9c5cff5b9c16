package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/backsoon/backsoon/internal/export"
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
		Short: "Add confirmed subscribers from a CSV file with a header line: email, and if you like storefronts, language, until_reopen, suppressed",
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
		out := bufio.NewWriter(cmd.OutOrStdout())
		print := s.printSubscribers
		if *asJSON {
			print = s.printSubscribersJSON
		}
		if err := print(cmd.Context(), out); err != nil {
			return err
		}
		return out.Flush()
	}
	return cmd
}

// printSubscribers goes through them twice, first for the columns' widths: there may
// be more than should be in memory.
func (s *site) printSubscribers(ctx context.Context, out io.Writer) error {
	cells := func(sub ledger.Subscriber) [4]string {
		return [4]string{sub.Email, cmp.Or(strings.Join(sub.Storefronts, " "), "all"), cmp.Or(sub.Language, "-"), sub.Suppressed}
	}
	heads := [4]string{"ADDRESS", "STOREFRONTS", "LANGUAGE", "SUPPRESSED"}
	var widths [3]int
	widen := func(row [4]string) {
		for i := range widths {
			widths[i] = max(widths[i], utf8.RuneCountInString(row[i]))
		}
	}
	line := func(row [4]string) error {
		text := fmt.Sprintf("%-*s  %-*s  %-*s  %s", widths[0], row[0], widths[1], row[1], widths[2], row[2], row[3])
		_, err := fmt.Fprintln(out, strings.TrimRight(text, " "))
		return err
	}
	widen(heads)
	err := s.eachSubscriber(ctx, func(sub ledger.Subscriber) error { widen(cells(sub)); return nil })
	if err != nil {
		return err
	}
	if err := line(heads); err != nil {
		return err
	}
	return s.eachSubscriber(ctx, func(sub ledger.Subscriber) error { return line(cells(sub)) })
}

func (s *site) printSubscribersJSON(ctx context.Context, out io.Writer) error {
	between := `{"subscribers":[`
	err := s.eachSubscriber(ctx, func(sub ledger.Subscriber) error {
		fmt.Fprint(out, between)
		between = ","
		line, err := json.Marshal(subscriberLine{sub.Email, list(sub.Storefronts), sub.Language, utc(sub.Confirmed), sub.Suppressed})
		if err == nil {
			_, err = out.Write(line)
		}
		return err
	})
	if err != nil {
		return err
	}
	if between != "," {
		fmt.Fprint(out, between)
	}
	_, err = fmt.Fprintln(out, "]}")
	return err
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

// exportSubscribers writes what import reads. Anybody may have an address that a
// spreadsheet would take for a formula.
func (s *site) exportSubscribers(ctx context.Context, out io.Writer) error {
	w := csv.NewWriter(out)
	if err := w.Write([]string{"email", "storefronts", "language", "until_reopen", "suppressed"}); err != nil {
		return err
	}
	err := s.eachSubscriber(ctx, func(sub ledger.Subscriber) error {
		row := []string{sub.Email, strings.Join(sub.Storefronts, " "), sub.Language, yes(sub.UntilReopen), strings.Join(strings.Fields(sub.Suppressed), " ")}
		for i := range row {
			row[i] = export.Inert(row[i])
		}
		return w.Write(row)
	})
	if err != nil {
		return err
	}
	w.Flush()
	return w.Error()
}
