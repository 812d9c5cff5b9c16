package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/mail"
	"os"
	"slices"
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
			return usagef("write: backsoon subscribers list, import FILE.csv, export, or remove ADDRESS")
		},
	}
	cmd.AddCommand(listSubscribers(s), &cobra.Command{
		Use:   "import FILE.csv",
		Short: "Add confirmed subscribers from a CSV file with a header line: email, storefronts, language",
		Args:  takes(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.importSubscribers(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr(), args[0])
		},
	}, &cobra.Command{
		Use:   "export",
		Short: "Print all subscribers as CSV",
		Args:  takes(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.exportSubscribers(cmd.Context(), cmd.OutOrStdout())
		},
	}, &cobra.Command{
		Use:   "remove ADDRESS",
		Short: "Forget an address",
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
	if err := w.Write([]string{"email", "storefronts", "language"}); err != nil {
		return err
	}
	err := s.eachSubscriber(ctx, func(sub ledger.Subscriber) error {
		return w.Write([]string{sub.Email, strings.Join(sub.Storefronts, " "), sub.Language})
	})
	if err != nil {
		return err
	}
	w.Flush()
	return w.Error()
}

func (s *site) removeSubscriber(ctx context.Context, out io.Writer, address string) error {
	err := s.update(ctx, false, func(tx *ledger.Tx) error { return leave(tx, address) })
	if err == nil {
		fmt.Fprintln(out, address+" is not, or no longer, subscribed")
	}
	return err
}

// importSubscribers adds all good lines of the file in one transaction, and
// lists the others with their line.
func (s *site) importSubscribers(ctx context.Context, out, progress io.Writer, path string) error {
	if err := s.load(); err != nil {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	in, err := newImport(f, s.cfg.StorefrontIDs())
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if isTerminal(progress) {
		in.progress = progress
	}
	err = s.update(ctx, true, func(tx *ledger.Tx) error {
		if err := in.run(tx); err != nil {
			return fmt.Errorf("%s: %w; nothing was imported", path, err)
		}
		_, err := tx.Audit(ledger.Entry{Time: time.Now(), Event: ledger.SubscribersImported, Counts: in.counts})
		return err
	})
	if err != nil {
		return err
	}
	for _, r := range in.refused {
		fmt.Fprintf(out, "%s:%s\n", path, r)
	}
	_, err = fmt.Fprintf(out, "%d added, %d known, %d refused\n", in.counts["added"], in.counts["known"], in.counts["refused"])
	return err
}

// csvImport reads subscribers from CSV (RFC 4180) with a header line.
type csvImport struct {
	rows        *csv.Reader
	columns     map[string]int
	storefronts []string
	progress    io.Writer // nil: nobody waits
	counts      ledger.Counts
	refused     []string // line: why
}

// progressEvery is after how many lines the count is shown anew.
const progressEvery = 10_000

func newImport(r io.Reader, storefronts []string) (*csvImport, error) {
	buffered := bufio.NewReader(r)
	if bom, _ := buffered.Peek(3); string(bom) == "\ufeff" {
		_, _ = buffered.Discard(3)
	}
	in := &csvImport{rows: csv.NewReader(buffered), columns: map[string]int{}, storefronts: storefronts,
		counts: ledger.Counts{"added": 0, "known": 0, "refused": 0}}
	in.rows.FieldsPerRecord = -1
	in.rows.TrimLeadingSpace = true
	header, err := in.rows.Read()
	var broken *csv.ParseError
	switch {
	case errors.Is(err, io.EOF):
		return nil, errors.New("the file is empty; its first line has to be: email,storefronts,language")
	case errors.As(err, &broken):
		return nil, errors.New(`the first line has a " too many or too few; write: email,storefronts,language`)
	case err != nil:
		return nil, err
	}
	for i, name := range header {
		in.columns[strings.ToLower(strings.TrimSpace(name))] = i
	}
	if _, ok := in.columns["email"]; !ok {
		return nil, errors.New("the first line names no column email; write: email,storefronts,language")
	}
	return in, nil
}

func (in *csvImport) run(tx *ledger.Tx) error {
	now := time.Now()
	for n := 1; ; n++ {
		row, err := in.rows.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		var broken *csv.ParseError
		if errors.As(err, &broken) {
			in.refuse(broken.StartLine, `a " is in the wrong place; put the whole field in quotes, and write "" for a quote within`)
			continue
		}
		if err != nil {
			return err
		}
		line, _ := in.rows.FieldPos(0)
		if err := in.add(tx, row, line, now); err != nil {
			return err
		}
		if in.progress != nil && n%progressEvery == 0 {
			fmt.Fprintf(in.progress, "\r%d lines", n)
		}
	}
}

func (in *csvImport) add(tx *ledger.Tx, row []string, line int, now time.Time) error {
	sub := ledger.Subscriber{Email: in.cell(row, "email"), Storefronts: strings.Fields(in.cell(row, "storefronts")),
		Language: in.cell(row, "language"), Confirmed: now}
	if why := in.wrong(sub); why != "" {
		in.refuse(line, why)
		return nil
	}
	added, err := tx.AddSubscriber(sub)
	if added {
		in.counts["added"]++
	} else {
		in.counts["known"]++
	}
	return err
}

func (in *csvImport) cell(row []string, column string) string {
	i, ok := in.columns[column]
	if !ok || i >= len(row) {
		return ""
	}
	return strings.TrimSpace(row[i])
}

// wrong says why a line can't be taken; "": it can.
func (in *csvImport) wrong(sub ledger.Subscriber) string {
	a, err := mail.ParseAddress(sub.Email)
	_, domain, _ := strings.Cut(sub.Email, "@")
	if err != nil || a.Name != "" || a.Address != sub.Email || !strings.Contains(domain, ".") || strings.Contains(domain, "[") {
		return fmt.Sprintf("%q is not an e-mail address; write name@example.org", sub.Email)
	}
	for _, id := range sub.Storefronts {
		if !slices.Contains(in.storefronts, id) {
			return fmt.Sprintf("there is no storefront %q; write one of: %s", id, strings.Join(in.storefronts, " "))
		}
	}
	return ""
}

func (in *csvImport) refuse(line int, why string) {
	in.counts["refused"]++
	in.refused = append(in.refused, fmt.Sprintf("%d: %s", line, why))
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
