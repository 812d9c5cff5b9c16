package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/backsoon/backsoon/internal/ledger"
	"github.com/backsoon/backsoon/internal/locale"
	"github.com/backsoon/backsoon/internal/notice"
	"github.com/backsoon/backsoon/internal/schedule"
	"github.com/backsoon/backsoon/notify"
)

func closeCommand(s *site) *cobra.Command {
	var until string
	var storefronts []string
	cmd := &cobra.Command{
		Use:   "close TITLE",
		Short: "Close the shop now",
		Long: "Close the shop now: writes a notice that is in force at once, until further notice or until a time.\n" +
			"Open it again with `backsoon reopen`.",
		Args: takes(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			// As of "$UNSET" in a script, which must not close all storefronts, or for ever.
			switch given := cmd.Flags().Changed; {
			case given("until") && until == "":
				return usagef("--until has no value; write one, or leave it out: until further notice")
			case given("storefront") && len(storefronts) == 0:
				return usagef("--storefront has no value; write one, or leave it out: all of them")
			}
			if err := s.load(); err != nil {
				return err
			}
			return s.closeNow(cmd, args[0], until, storefronts, time.Now())
		},
	}
	cmd.Flags().StringVar(&until, "until", "", "the first `time` open again, on the shop's clocks: \"2027-01-02 09:00\"")
	cmd.Flags().StringSliceVar(&storefronts, "storefront", nil, "close this storefront alone, by its `id`; may be given again")
	return cmd
}

func (s *site) closeNow(cmd *cobra.Command, title, until string, storefronts []string, now time.Time) error {
	doubt, err := s.checkUntil(until, now)
	if err != nil {
		return err
	}
	for _, id := range storefronts {
		if _, err := s.storefront(id); err != nil {
			return err
		}
	}
	accepted, err := s.accepted(cmd.Context())
	if err != nil {
		return err
	}
	minute := written(now.Truncate(time.Minute), s.cfg.Shop.Location)
	b := beginning{Title: title, Published: minute, Closes: minute, Reopens: until, Storefronts: strings.Join(distinct(storefronts), ", ")}
	var counts bool
	n, err := s.beginNotice("close.md", b, accepted, now, func(n *notice.Notice, src []byte) (err error) {
		counts, err = s.enact(cmd, edit{n.Slug, src, "", func() (string, error) { return "", createFile(s.file(n.Slug), src) }}, now)
		return err
	})
	if err != nil {
		return err
	}
	if doubt != "" {
		fmt.Fprintf(cmd.ErrOrStderr(), "backsoon: close: --until: %s\n", doubt)
	}
	if !counts {
		return nil
	}
	return s.printOutlook(cmd.OutOrStdout(), n, accepted, now)
}

// checkUntil makes sure that the end is a time to come; doubt is empty, or says
// which of two was taken.
func (s *site) checkUntil(until string, now time.Time) (doubt string, err error) {
	if until == "" {
		return "", nil
	}
	m, doubt, err := notice.ParseMoment(until, s.cfg.Shop.Location)
	if err != nil {
		return "", usagef("--until: %v", err)
	}
	if !m.After(now) {
		return "", fmt.Errorf("--until: %s has passed; write a time to come, or leave it out: until further notice", until)
	}
	return doubt, nil
}

func distinct(ids []string) []string {
	ids = slices.Sorted(slices.Values(ids))
	return slices.Compact(ids)
}

// accepted gives every notice as the ledger has it in force, by slug; none
// where there is no ledger yet.
func (s *site) accepted(ctx context.Context) (accepted map[string]*notice.Notice, err error) {
	l, err := s.openLedger(ctx, false)
	if errors.Is(err, ledger.ErrMissing) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer l.Close()
	err = l.View(ctx, func(tx *ledger.Tx) error {
		if s.leader, err = tx.Leader(); err != nil {
			return err
		}
		accepted, err = notify.Accepted(tx, s.cfg)
		return err
	})
	return accepted, err
}

// printOutlook says how each storefront that the notice is about stands now,
// and who carries that out. A notice whose file is gone counts as accepted.
func (s *site) printOutlook(out io.Writer, n *notice.Notice, accepted map[string]*notice.Notice, now time.Time) error {
	written, _, err := s.notices(now)
	if err != nil {
		return err
	}
	all := map[string]*notice.Notice{}
	maps.Copy(all, accepted)
	for _, w := range written {
		all[w.Slug] = w
	}
	for _, state := range schedule.At(slices.Collect(maps.Values(all)), s.cfg.StorefrontIDs(), now) {
		if n.Covers(state.Storefront) {
			front, _ := s.cfg.Storefront(state.Storefront)
			fmt.Fprintf(out, "%s: %s\n", front.Name, s.outlook(state, now))
		}
	}
	s.hintWatcher(out)
	if ledger.IsAddress(s.cfg.Database) && s.leader != "" && s.leader != s.place() {
		fmt.Fprintf(out, "The folder that counts now is %s: bring this change there (git push).\n", s.leader)
	}
	return nil
}

func (s *site) outlook(state schedule.State, now time.Time) string {
	by := " (" + locale.English().List(state.Notices) + ")"
	switch {
	case state.State == schedule.Open:
		return "open"
	case state.State == schedule.Overdue:
		return "closed, and its reopening is overdue" + by
	case state.Until.IsZero():
		return "closed until further notice" + by
	}
	return "closed until " + s.when(state.Until, now) + by
}
