package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/backsoon/backsoon/internal/ledger"
	"github.com/backsoon/backsoon/internal/locale"
	"github.com/backsoon/backsoon/internal/notice"
	"github.com/backsoon/backsoon/internal/strictyaml"
)

func reopenCommand(s *site) *cobra.Command {
	return &cobra.Command{
		Use:   "reopen SLUG",
		Short: "End a closure now",
		Long: "End a closure that is in force, now: writes `reopened:` into its notice. Where the notice's file is\n" +
			"gone or has mistakes, it is written anew from the version that was accepted last.",
		Args: takes(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.end(cmd, args[0], time.Now(), s.reopened)
		},
	}
}

func cancelCommand(s *site) *cobra.Command {
	return &cobra.Command{
		Use:   "cancel SLUG",
		Short: "Call off a closure that is still ahead",
		Long: "Call off a closure that is still ahead: writes `cancelled:` into its notice. Where the notice's file\n" +
			"is gone or has mistakes, it is written anew from the version that was accepted last.",
		Args: takes(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.end(cmd, args[0], time.Now(), cancelled)
		},
	}
}

// ending is a key that ends a closure, as YAML, or why it can't be ended so.
// accepted is the version in force, nil if there is none.
type ending func(n, accepted *notice.Notice, now time.Time) (key, value string, err error)

func (s *site) reopened(n, accepted *notice.Notice, now time.Time) (key, value string, err error) {
	switch n.Phase(now) {
	case notice.Scheduled:
		return "", "", fmt.Errorf("%s is not closed yet; cancel it with `backsoon cancel %s`", n.Slug, n.Slug)
	case notice.Reopened:
		return "", "", fmt.Errorf("%s is over already: it reopened at %s", n.Slug, s.when(n.End(), now))
	case notice.Cancelled, notice.Draft:
		// On a closure in force they are a mistake, and will be reported as such.
		if accepted == nil || !accepted.InForce(now) {
			return "", "", fmt.Errorf("%s is not closed: it is %s", n.Slug, standing(n, now))
		}
	}
	return "reopened", written(endOf(n, now), s.cfg.Shop.Location), nil
}

// endOf is the present minute, or what comes nearest to it after the closing.
func endOf(n *notice.Notice, now time.Time) time.Time {
	for _, unit := range []time.Duration{time.Minute, time.Second} {
		if end := now.Truncate(unit); end.After(n.Closes.Time) {
			return end
		}
	}
	return n.Closes.Time
}

func cancelled(n, accepted *notice.Notice, now time.Time) (key, value string, err error) {
	phase := n.Phase(now)
	switch {
	case phase == notice.Reopened:
		return "", "", fmt.Errorf("%s is over already; there is nothing to cancel", n.Slug)
	case n.InForce(now), accepted != nil && accepted.InForce(now):
		return "", "", fmt.Errorf("%s is in force already; open the shop with `backsoon reopen %s`", n.Slug, n.Slug)
	case phase == notice.Cancelled, phase == notice.Draft:
		return "", "", fmt.Errorf("%s is %s; there is nothing to cancel", n.Slug, standing(n, now))
	}
	return "cancelled", "true", nil
}

// standing words the phase of a notice that closes nothing.
func standing(n *notice.Notice, now time.Time) string {
	if n.Phase(now) == notice.Draft {
		return "a draft, which nobody sees"
	}
	return "cancelled already"
}

// end writes one key into a notice and says what that does.
func (s *site) end(cmd *cobra.Command, name string, now time.Time, f ending) error {
	if err := s.load(); err != nil {
		return err
	}
	accepted, err := s.accepted(cmd.Context())
	if err != nil {
		return err
	}
	slug := strings.TrimSuffix(filepath.Base(name), ".md")
	from, err := s.source(cmd.Context(), slug, accepted)
	if err != nil {
		return err
	}
	n, src, line, err := s.ended(slug, from.src, accepted[slug], now, f)
	if err != nil {
		return err
	}
	save := func() (string, error) { return from.save(s.file(slug), src) }
	counts, err := s.enact(cmd, edit{slug, src, ": " + line, save}, now)
	if err != nil || !counts {
		return err
	}
	out := cmd.OutOrStdout()
	if steps := n.OpenSteps(); !n.Reopened.IsZero() && len(steps) > 0 {
		fmt.Fprintf(out, "Still open in the reopening plan: %s. The shop reopens all the same; the log will list them.\n", locale.English().List(steps))
	}
	return s.printOutlook(out, n, accepted, now)
}

// ended gives the notice with the key that ends it, and that key's line.
func (s *site) ended(slug string, src []byte, accepted *notice.Notice, now time.Time, f ending) (n *notice.Notice, changed []byte, line string, err error) {
	file := notice.Path(slug)
	n, problems := notice.Parse(file, slug, src, s.cfg.Shop.Location)
	if n == nil {
		return nil, nil, "", problems
	}
	key, value, err := f(n, accepted, now)
	if err != nil {
		return nil, nil, "", err
	}
	changed, err = notice.SetKey(src, key, value)
	if err != nil {
		return nil, nil, "", err
	}
	n, err = s.verify(slug, changed, accepted, now)
	return n, changed, key + ": " + value, err
}

// source is what an ending is written into: the notice's file or, where that is
// gone or broken, the version accepted last.
type source struct {
	src          []byte
	gone, broken bool
}

func (s *site) source(ctx context.Context, slug string, accepted map[string]*notice.Notice) (from source, err error) {
	if _, err := os.Lstat(s.file(slug)); errors.Is(err, fs.ErrNotExist) {
		if accepted[slug] == nil {
			return from, s.unknown(slug, accepted)
		}
		src, err := s.acceptedSource(ctx, slug)
		return source{src: src, gone: true}, err
	}
	f := notice.ReadFile(s.cfg.Dir, slug+".md")
	var problems strictyaml.Problems
	if f.Problem != nil {
		problems = strictyaml.Problems{*f.Problem}
	} else if _, problems = notice.Parse(f.Path, slug, f.Src, s.cfg.Shop.Location); problems.Err() == nil {
		return source{src: f.Src}, nil
	}
	if accepted[slug] == nil {
		return from, &problemsError{problems.Errors(), "mend this first; nothing was written"}
	}
	src, err := s.acceptedSource(ctx, slug)
	return source{src: src, broken: true}, err
}

// save writes the ended notice, and says what became of the file that was there.
// A broken one is the owner's work: it is put aside, not written over.
func (from source) save(path string, src []byte) (remark string, err error) {
	switch {
	case from.gone:
		return "The file was gone; it is written anew from the version accepted last.\n", createFile(path, src)
	case !from.broken:
		return "", replaceFile(path, src)
	}
	aside := path + ".broken"
	for n := 2; ; n++ {
		if _, err := os.Lstat(aside); errors.Is(err, fs.ErrNotExist) {
			break
		}
		aside = fmt.Sprintf("%s.broken-%d", path, n)
	}
	if err := os.Rename(path, aside); err != nil {
		return "", err
	}
	if err := createFile(path, src); err != nil {
		return "", errors.Join(err, os.Rename(aside, path))
	}
	return fmt.Sprintf("The file had mistakes; it is kept as %s, and written anew from the version accepted last.\n", filepath.Base(aside)), nil
}

func (s *site) acceptedSource(ctx context.Context, slug string) (src []byte, err error) {
	err = s.view(ctx, func(tx *ledger.Tx) error {
		rows, err := tx.Notices()
		if err != nil {
			return err
		}
		i := slices.IndexFunc(rows, func(row ledger.Notice) bool { return row.Slug == slug })
		if i < 0 {
			return fmt.Errorf("the ledger has no notice %s any more", slug)
		}
		src, err = tx.Content(rows[i].ID)
		return err
	})
	return src, err
}

// unknown says that there is no such notice, and which one may be meant.
func (s *site) unknown(slug string, accepted map[string]*notice.Notice) error {
	names, err := notice.Names(s.cfg.Dir)
	if err != nil {
		return err
	}
	slugs := slices.Collect(maps.Keys(accepted))
	for _, name := range names {
		if slug, language := notice.Split(strings.TrimSuffix(name, ".md")); language == "" {
			slugs = append(slugs, slug)
		}
	}
	slices.Sort(slugs)
	if near, ok := strictyaml.Nearest(slug, slugs); ok {
		return fmt.Errorf("there is no notice %q; did you mean %s?", slug, near)
	}
	return fmt.Errorf("there is no notice %q in %s", slug, notice.Folder)
}
