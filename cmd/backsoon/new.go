package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/backsoon/backsoon/internal/notice"
	"github.com/backsoon/backsoon/internal/strictyaml"
)

func newCommand(s *site) *cobra.Command {
	return &cobra.Command{
		Use:   "new TITLE",
		Short: "Begin a notice, as a draft",
		Args:  takes(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := s.load(); err != nil {
				return err
			}
			n, err := s.announce(cmd.Context(), args[0], time.Now())
			if err != nil {
				return err
			}
			fmt.Fprintln(cmd.OutOrStdout(), s.path(n.Slug))
			return nil
		},
	}
}

// announce writes a draft that closes the shop next week for a week.
func (s *site) announce(ctx context.Context, title string, now time.Time) (*notice.Notice, error) {
	zone := s.cfg.Shop.Location
	now = now.In(zone).Truncate(time.Minute)
	b := beginning{Title: title, Published: written(now, zone), Closes: written(nextWeek(now), zone), Reopens: written(weekAfter(now), zone)}
	accepted, err := s.accepted(ctx)
	if err != nil {
		return nil, err
	}
	return s.beginNotice("new.md", b, accepted, now, func(n *notice.Notice, src []byte) error { return createFile(s.file(n.Slug), src) })
}

// nextWeek is a week from now, when the shop's day ends.
func nextWeek(now time.Time) time.Time {
	return time.Date(now.Year(), now.Month(), now.Day()+7, 18, 0, 0, 0, now.Location())
}

// weekAfter is two weeks from now, when the shop's day begins.
func weekAfter(now time.Time) time.Time {
	return time.Date(now.Year(), now.Month(), now.Day()+14, 9, 0, 0, 0, now.Location())
}

// written is a moment as an owner writes it: to the minute where there are no
// seconds, on the shop's clocks, and with an offset where these show the same
// twice.
func written(t time.Time, zone *time.Location) string {
	t = t.In(zone)
	text := t.Format("2006-01-02 15:04")
	if t.Second() != 0 {
		text = t.Format(time.DateTime)
	}
	if m, doubt, err := notice.ParseMoment(text, zone); err != nil || doubt != "" || !m.Equal(t.Truncate(time.Second)) {
		return t.Format(time.RFC3339)
	}
	return text
}

// beginning is what the skeletons of notices are filled in with; all but Title
// is YAML.
type beginning struct {
	Page, Title, Published, Closes, Reopens, Storefronts string
}

// beginNotice writes a new notice from a skeleton, by save, under the first slug for
// its title that nothing has, or had.
func (s *site) beginNotice(from string, b beginning, accepted map[string]*notice.Notice, now time.Time, save func(*notice.Notice, []byte) error) (*notice.Notice, error) {
	if err := checkTitle(b.Title); err != nil {
		return nil, err
	}
	base := notice.Slug(b.Title)
	b.Title = strictyaml.Scalar(strings.TrimSpace(b.Title))
	for i := 1; ; i++ {
		slug := numbered(base, i)
		if accepted[slug] != nil || s.taken(slug) {
			continue
		}
		b.Page = s.cfg.Shop.ClosureURL(slug).String()
		src, err := fill(from, b)
		if err != nil {
			return nil, err
		}
		n, err := s.verify(slug, src, nil, now)
		if err != nil {
			return nil, err
		}
		if err := save(n, src); !errors.Is(err, fs.ErrExist) {
			return n, err
		}
	}
}

// taken tells whether a notice of that slug is there, or waits to be.
func (s *site) taken(slug string) bool { return exists(s.file(slug)) || exists(s.waiting(slug)) }

// checkTitle finds what could not stand in one line of a notice.
func checkTitle(title string) error {
	switch {
	case strings.TrimSpace(title) == "":
		return errors.New(`the title is empty; write one such as "Closed for the winter break"`)
	case !utf8.ValidString(title):
		return errors.New("the title is not UTF-8; write it in a terminal that is set to UTF-8")
	case strings.ContainsFunc(title, unicode.IsControl):
		return errors.New("a title is one line, without tabs; write the rest into the notice's text")
	}
	return nil
}

// numbered is the i-th slug to try: flood, flood-2, flood-3, …
func numbered(base string, i int) string {
	if i == 1 {
		return base
	}
	suffix := "-" + strconv.Itoa(i)
	for !notice.ValidSlug(base + suffix) {
		base = base[:len(base)-1]
	}
	return strings.TrimRight(base, "-") + suffix
}

// verify makes sure that a watcher will accept what is about to be written.
// before is the version accepted so far, nil if there is none.
func (s *site) verify(slug string, src []byte, before *notice.Notice, now time.Time) (*notice.Notice, error) {
	file := notice.Path(slug)
	n, problems := notice.Parse(file, slug, src, s.cfg.Shop.Location)
	if n != nil {
		problems = append(problems, n.Check(file, now, s.cfg.StorefrontIDs())...)
		problems = append(problems, n.CheckChange(file, now, before)...)
	}
	if errs := problems.Errors(); len(errs) > 0 {
		return nil, &problemsError{errs, "nothing was written"}
	}
	return n, nil
}

// file is where the notice is, or would be.
func (s *site) file(slug string) string {
	return filepath.Join(s.cfg.Dir, notice.Path(slug))
}

// path is file as the one who called the command would write it.
func (s *site) path(slug string) string {
	return filepath.Join(s.dir, notice.Path(slug))
}
