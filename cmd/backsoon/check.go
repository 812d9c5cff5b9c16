package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/backsoon/backsoon/internal/ledger"
	"github.com/backsoon/backsoon/internal/notice"
	"github.com/backsoon/backsoon/internal/strictyaml"
	"github.com/backsoon/backsoon/notify"
)

func checkCommand(s *site) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Find every mistake in the notices and the settings",
		Args:  takes(0, 0),
	}
	now := nowFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := s.load(); err != nil {
			return err
		}
		notices, problems, err := s.notices(now.Time)
		if err != nil {
			return err
		}
		changes, err := s.checkChanges(cmd.Context(), notices, now.Time)
		if err != nil {
			return err
		}
		problems = append(problems, changes...)
		for _, unset := range s.cfg.Unset {
			problems = append(problems, strictyaml.Problem{File: "backsoon.yaml", Text: unset, Warning: true})
		}
		problems.Sort()
		if errs := problems.Errors(); len(errs) > 0 {
			return &problemsError{problems, fmt.Sprintf("%d to put right", len(errs))}
		}
		for _, p := range problems {
			fmt.Fprintln(cmd.ErrOrStderr(), p)
		}
		fmt.Fprintf(cmd.OutOrStdout(), "%s and the settings: no mistakes\n", plural(len(notices), "notice"))
		return nil
	}
	return cmd
}

// checkChanges finds what is wrong with a notice only because of what was
// accepted before. Where there is no ledger yet, nothing is.
func (s *site) checkChanges(ctx context.Context, notices []*notice.Notice, now time.Time) (problems strictyaml.Problems, err error) {
	l, err := s.openLedger(ctx, false)
	if errors.Is(err, ledger.ErrMissing) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer l.Close()
	err = l.View(ctx, func(tx *ledger.Tx) error {
		accepted, err := notify.Accepted(tx, s.cfg)
		for _, n := range notices {
			path := notice.Folder + "/" + n.Slug + ".md"
			problems = append(problems, n.CheckChange(path, now, accepted[n.Slug])...)
		}
		return err
	})
	return problems, err
}
