package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/backsoon/backsoon/internal/config"
	"github.com/backsoon/backsoon/internal/locale"
	"github.com/backsoon/backsoon/internal/notice"
	pages "github.com/backsoon/backsoon/internal/site"
	"github.com/backsoon/backsoon/internal/strictyaml"
	"github.com/backsoon/backsoon/internal/subscribe"
	"github.com/backsoon/backsoon/notify/letter"
	"github.com/backsoon/backsoon/templates"
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
			return s.besides(err, now.Time)
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
		problems = append(problems, s.theme()...)
		problems = append(problems, s.mistake(s.tryPages(notices, now.Time))...)
		for _, unset := range s.cfg.Unset {
			problems = append(problems, strictyaml.Problem{File: "backsoon.yaml", Text: unset, Warning: true})
		}
		problems.Sort()
		problems = slices.Compact(problems)
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

// besides adds to what is wrong with the settings what is wrong with the notices,
// as far as such settings tell.
func (s *site) besides(err error, now time.Time) error {
	var problems strictyaml.Problems
	around, ok := config.Around(s.dir)
	if !ok || !errors.As(err, &problems) {
		return err
	}
	c := notice.NewCollection(s.dir, around)
	if c.Read() != nil {
		return err
	}
	_, others := c.Notices(now)
	problems = append(problems, others...)
	problems.Sort()
	return &problemsError{problems, fmt.Sprintf("%d to put right", len(problems.Errors()))}
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

// theme tries the site's own words and templates for mail and for subscribing. Those
// of the default theme have no mistake.
func (s *site) theme() (problems strictyaml.Problems) {
	files := templates.FS(s.cfg.Dir)
	if templates.Stamp(s.cfg.Dir) == "" {
		return nil
	}
	for _, tag := range s.cfg.Surroundings().Languages {
		words, err := locale.Load(files, tag)
		if err != nil {
			problems = append(problems, s.mistake(err)...)
			continue
		}
		problems = append(problems, s.mistake(letter.Check(files, s.cfg, words))...)
		problems = append(problems, s.mistake(subscribe.Check(files, s.cfg.Shop.Name, subscribe.Voice{Language: words, Status: s.cfg.Shop.URL.String()}))...)
	}
	for _, name := range templates.Strays(s.cfg.Dir) {
		remedy := "docs/themes.md lists their names"
		if near, ok := strictyaml.Nearest(name, templates.Names()); ok && !strings.HasPrefix(name, "words/") { // one language is no other
			remedy = fmt.Sprintf("did you mean templates/%s?", near)
		}
		text := "takes the place of no file of the theme, and has no effect; " + remedy
		problems = append(problems, strictyaml.Problem{File: templates.Name(name), Text: text, Warning: true})
	}
	problems.Sort() // each language tells of the same
	return slices.Compact(problems)
}

// tryPages makes all pages, and keeps none, where the site has templates of its own:
// those of its notices, and those of a shop in every plight.
func (s *site) tryPages(notices []*notice.Notice, now time.Time) error {
	if templates.Stamp(s.cfg.Dir) == "" {
		return nil
	}
	some := s.cfg.StorefrontIDs()[:min(1, len(s.cfg.Storefronts))]
	for _, in := range []pages.Input{{Notices: notices, Now: now}, pages.Trial(now, some)} {
		e, err := s.pages().Edition(in)
		if err == nil {
			err = e.Check()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// mistake makes a problem of what is wrong with the theme.
func (s *site) mistake(err error) (problems strictyaml.Problems) {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, err := range joined.Unwrap() {
			problems = append(problems, s.mistake(err)...)
		}
		return problems
	}
	var at *templates.Mistake
	switch {
	case err == nil:
		return nil
	case errors.As(err, &at):
		return strictyaml.Problems{{File: at.File, Line: at.Line, Column: at.Column, Text: at.Text}}
	}
	text, _, _ := strings.Cut(err.Error(), "\n") // the line itself follows
	if file, why, ok := strings.Cut(text, ": "); ok && strings.HasPrefix(file, "templates/") {
		return strictyaml.Problems{{File: file, Text: why}}
	}
	return strictyaml.Problems{{File: "templates", Text: text}}
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
