package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"time"

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
		notices, accepted, problems, err := s.inspect(cmd.Context(), now.Time)
		if err != nil {
			return err
		}
		problems = append(problems, s.astray(accepted, now.Time)...)
		unsigned, err := s.unsigned(cmd.Context(), now.Time)
		if err != nil {
			return err
		}
		waiting, err := s.awaited(cmd.Context(), now.Time)
		if err != nil {
			return err
		}
		problems = append(append(problems, unsigned...), waiting...)
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

// inspect reads the folder and what the ledger has in force, and finds every
// mistake in the notices' files, those among them that only the change makes.
func (s *site) inspect(ctx context.Context, now time.Time) (notices []*notice.Notice, accepted map[string]*notice.Notice, problems strictyaml.Problems, err error) {
	notices, problems, err = s.notices(now)
	if err != nil {
		return nil, nil, nil, err
	}
	if s.cfg.Database != "" { // else check says what is missing
		accepted, err = s.accepted(ctx)
	}
	if err != nil {
		return nil, nil, nil, err
	}
	for _, n := range notices {
		problems = append(problems, n.CheckChange(notice.Path(n.Slug), now, accepted[n.Slug])...)
	}
	return notices, accepted, problems, nil
}

// missesItsName is flood, flood.txt, flood.MD or flood.md.txt, but not what
// editors leave.
var missesItsName = regexp.MustCompile(`(?i)^[a-z0-9-]*[a-z][a-z0-9-]*(\.md)?(\.txt|\.md|\.markdown|\.broken.*)?$`)

// astray warns of what is easily overlooked: a notice in force or ahead whose
// file is gone, and a file whose name keeps it from being a notice.
func (s *site) astray(accepted map[string]*notice.Notice, now time.Time) (problems strictyaml.Problems) {
	warn := func(file, text string) {
		problems = append(problems, strictyaml.Problem{File: file, Text: text, Warning: true})
	}
	for slug, n := range accepted {
		if _, err := os.Lstat(s.file(slug)); errors.Is(err, fs.ErrNotExist) && !n.Over(now) {
			warn(notice.Path(slug), "the file is gone, but what was accepted last stays in force")
		}
	}
	entries, _ := os.ReadDir(filepath.Join(s.cfg.Dir, notice.Folder)) // that it can be read was seen before
	for _, e := range entries {
		name := e.Name()
		if e.Type().IsRegular() && missesItsName.MatchString(name) && !notice.IsName(name) {
			warn(notice.Folder+"/"+name, "is no notice by its name; a notice's ends in .md")
		}
	}
	return problems
}
