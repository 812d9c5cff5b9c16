package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/backsoon/backsoon/internal/address"
	"github.com/backsoon/backsoon/internal/ledger"
)

// exportCommand prints all, or what is known of one address: the answer to who
// asks for it (GDPR, article 15).
func exportCommand(s *site) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "export [ADDRESS]",
		Short: "Print all subscribers as CSV, or all that is known of one address",
		Args:  takes(0, 1),
	}
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return s.exportSubscribers(cmd.Context(), cmd.OutOrStdout())
		}
		known, err := s.knownOf(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		if *asJSON {
			return printJSON(cmd.OutOrStdout(), known)
		}
		return known.print(cmd.OutOrStdout())
	}
	return cmd
}

// known is all that the ledger knows of one address. Times are UTC.
type known struct {
	Email        string      `json:"email"`
	Subscription *subscribed `json:"subscription"` // null: there is none
	Asked        *asked      `json:"asked"`        // null: nothing that is still to be confirmed
	KeyedHash    bool        `json:"keyed_hash"`   // nothing else is left of an address that mail can't reach
}

type subscribed struct {
	Storefronts []string  `json:"storefronts"` // empty: all
	Language    string    `json:"language"`
	UntilReopen bool      `json:"until_reopen"`
	Confirmed   time.Time `json:"confirmed"`
	Failures    int       `json:"failures"`   // mails in a row that were refused there
	Bounces     int       `json:"bounces"`    // mails that came back later
	Suppressed  string    `json:"suppressed"` // why nothing goes there any more
	Waiting     int       `json:"waiting"`    // mails on their way
}

type asked struct {
	Storefronts []string  `json:"storefronts"` // empty: all
	Language    string    `json:"language"`
	UntilReopen bool      `json:"until_reopen"`
	Expires     time.Time `json:"expires"`
}

// knownOf takes an address as its owner writes it, or as it is stored.
func (s *site) knownOf(ctx context.Context, written string) (k known, err error) {
	stored, _ := address.Read(written)
	k.Email = written
	err = s.view(ctx, func(tx *ledger.Tx) error {
		keys, err := s.keys()
		if err != nil {
			return err
		}
		if k.KeyedHash, err = tx.Suppressed(keys.Seals(stored)); err != nil {
			return err
		}
		p, err := tx.PendingFor(stored, time.Time{})
		if err != nil {
			return err
		}
		if p.Email != "" {
			k.Asked = &asked{list(p.Storefronts), p.Language, p.UntilReopen, p.Expires}
		}
		sub, err := tx.Subscriber(stored)
		if err != nil || sub.ID == 0 {
			return err
		}
		waiting, err := tx.Waiting(sub.ID)
		if err != nil {
			return err
		}
		bounces, err := tx.Bounces(sub.ID)
		k.Email = sub.Email
		k.Subscription = &subscribed{list(sub.Storefronts), sub.Language, sub.UntilReopen, sub.Confirmed, sub.Failures, bounces, sub.Suppressed, waiting}
		return err
	})
	return k, err
}

func (k known) print(out io.Writer) error {
	t := newTable(out)
	t.row("address:", k.Email)
	if sub := k.Subscription; sub != nil {
		t.row("subscribed:", "since "+sub.Confirmed.Format(time.RFC3339)+", when it was confirmed")
		k.printChoice(t, sub.Storefronts, sub.Language, sub.UntilReopen)
		t.row("mails on their way:", fmt.Sprint(sub.Waiting))
		t.row("refused in a row:", fmt.Sprint(sub.Failures))
		t.row("came back later:", fmt.Sprint(sub.Bounces))
		t.row("suppressed:", cmp.Or(sub.Suppressed, "no"))
	} else {
		t.row("subscribed:", "no")
	}
	if a := k.Asked; a != nil {
		t.row("asked for:", "not confirmed; forgotten after "+a.Expires.Format(time.RFC3339))
		k.printChoice(t, a.Storefronts, a.Language, a.UntilReopen)
	}
	if k.KeyedHash {
		t.row("keyed hash:", "yes, so that nothing is sent there: mail to it came back, or its reader complained")
	}
	return t.flush()
}

func (k known) printChoice(t *table, storefronts []string, language string, untilReopen bool) {
	t.row("storefronts:", cmp.Or(strings.Join(storefronts, " "), "all"))
	t.row("language:", cmp.Or(language, "-"))
	t.row("only until it reopens:", cmp.Or(yes(untilReopen), "no"))
}

// yes says so, or nothing.
func yes(is bool) string {
	if is {
		return "yes"
	}
	return ""
}

// list is the slice as JSON wants it: never null.
func list(s []string) []string { return append([]string{}, s...) }

// removeSubscriber takes an address as its owner writes it, or as it is stored.
func (s *site) removeSubscriber(ctx context.Context, out io.Writer, written string) error {
	if err := s.load(); err != nil {
		return err
	}
	l, err := s.openToWrite(ctx, false)
	if err != nil {
		return err
	}
	defer l.Close()
	keys, err := s.keys()
	if err != nil {
		return err
	}
	stored, _ := address.Read(written)
	known := false
	err = l.Update(ctx, func(tx *ledger.Tx) error {
		subscribed, asked, err := tx.Forget(stored, keys.Seals(stored)[0])
		if known = subscribed || asked; subscribed && err == nil {
			_, err = tx.Audit(removedEntry())
		}
		return err
	})
	if err == nil {
		err = l.Scrub(ctx)
	}
	switch {
	case err != nil:
		return err
	case known:
		fmt.Fprintln(out, written+" is removed")
	default:
		fmt.Fprintln(out, written+" was not subscribed")
	}
	return nil
}
