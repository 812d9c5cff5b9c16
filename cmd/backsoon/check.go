package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/backsoon/backsoon/internal/notice"
	"github.com/backsoon/backsoon/internal/strictyaml"
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
		accepted, err := s.accepted(cmd.Context())
		if err != nil {
			return err
		}
		for _, n := range notices {
			problems = append(problems, n.CheckChange(notice.Path(n.Slug), now.Time, accepted[n.Slug])...)
		}
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
