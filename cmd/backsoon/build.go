package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/backsoon/backsoon/internal/ledger"
	"github.com/backsoon/backsoon/internal/notice"
	pages "github.com/backsoon/backsoon/internal/site"
	"github.com/backsoon/backsoon/internal/strictyaml"
)

func buildCommand(s *site) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "build",
		Short: "Make public/ from the notices",
		Long: "Make public/ from the notices. The same notices and the same --now give the same bytes. With a mistake\n" +
			"in any file, public/ stays as it was. While a watcher runs on the site, the watcher builds.",
		Args: takes(0, 0),
	}
	now := nowFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := s.load(); err != nil {
			return err
		}
		if pid, held := ledger.Holder(s.cfg.Lock()); held {
			return fmt.Errorf("a watcher runs on this site (process %d) and builds it; save the notice, and it will follow", pid)
		}
		if err := s.canWrite(); err != nil {
			return err
		}
		if err := s.mustBeSigned(cmd.Context(), now.Time); err != nil {
			return err
		}
		e, err := s.edition(now.Time)
		if err != nil {
			return err
		}
		if err := pages.Write(s.public(), e); err != nil {
			return err
		}
		fmt.Fprintf(cmd.OutOrStdout(), "public/: %d files\n", e.Len())
		return nil
	}
	return cmd
}

// edition makes the pages from the folder alone, as of now.
func (s *site) edition(now time.Time) (*pages.Edition, error) {
	notices, problems, err := s.notices(now)
	if err != nil {
		return nil, err
	}
	if errs := problems.Errors(); len(errs) > 0 {
		return nil, &problemsError{errs, "nothing was built; public/ is as it was"}
	}
	return s.pages().Edition(pages.Input{Notices: notices, Now: now})
}

// notices reads the folder and finds every mistake in it.
func (s *site) notices(now time.Time) ([]*notice.Notice, strictyaml.Problems, error) {
	c := notice.NewCollection(s.cfg.Dir, s.cfg.Surroundings())
	if err := c.Read(); err != nil {
		return nil, nil, err
	}
	notices, problems := c.Notices(now)
	return notices, problems, nil
}

// canWrite tells, before anything else is done, whether public/ can be written.
func (s *site) canWrite() error {
	info, err := os.Lstat(s.public())
	switch {
	case err == nil && !info.IsDir() && info.Mode()&fs.ModeSymlink == 0:
		return errors.New("public/ can't be written: there is a file of that name; move it away")
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("public/ can't be written: %w", err)
	}
	dir := s.public()
	if err != nil {
		dir = s.cfg.Dir // it is made there
	}
	f, err := os.CreateTemp(dir, ".backsoon-*")
	if err != nil {
		return fmt.Errorf("public/ can't be written: %w", err)
	}
	f.Close()
	os.Remove(f.Name())
	return nil
}
