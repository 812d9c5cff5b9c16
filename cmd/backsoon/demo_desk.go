package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/backsoon/backsoon/internal/demo"
	"github.com/backsoon/backsoon/internal/notice"
	"github.com/backsoon/backsoon/internal/strictyaml"
)

// desk is the demo's shopkeeper at work on the site: what `check` finds, what an
// editor saves, and what the commands do.
type desk struct{ site *site }

// Run implements demo.Desk. It is the program itself that runs.
func (d *desk) Run(ctx context.Context, command, of string) demo.Command {
	var printed bytes.Buffer
	code := run(ctx, []string{"--site", d.site.dir, command, "--", of}, &printed, &printed)
	c := demo.Command{Line: "backsoon " + command + " " + shellWord(of), Printed: printed.String(), Failed: code != exitDone}
	if !c.Failed { // the first line begins with the notice's path
		path, _, _ := strings.Cut(c.Printed, ".md")
		c.Slug = filepath.Base(path)
	}
	return c
}

// shellWord is an argument as one would type it.
func shellWord(s string) string {
	if notice.ValidSlug(s) {
		return s
	}
	return strconv.Quote(s)
}

// Save implements demo.Desk.
func (d *desk) Save(slug, text string) error {
	path := d.site.file(slug)
	err := replaceFile(path, []byte(text))
	if errors.Is(err, fs.ErrNotExist) {
		err = createFile(path, []byte(text))
	}
	return err
}

// Notices implements demo.Desk: those in force come first, then those ahead, the
// next one first, then those that are over, the latest first.
func (d *desk) Notices(ctx context.Context) ([]demo.Notice, error) {
	now := time.Now()
	read, accepted, problems, err := d.site.inspect(ctx, now)
	if err != nil {
		return nil, err
	}
	names, err := notice.Names(d.site.cfg.Dir)
	if err != nil {
		return nil, err
	}
	written := bySlug(read)
	var notices []*notice.Notice // as they count
	shown := map[string]demo.Notice{}
	for _, name := range names {
		f := notice.ReadFile(d.site.cfg.Dir, name)
		if f.Language != "" || !notice.ValidSlug(f.Slug) {
			continue
		}
		n := cmp.Or(written[f.Slug], accepted[f.Slug], &notice.Notice{Slug: f.Slug, Title: f.Slug, Draft: true})
		notices = append(notices, n)
		shown[f.Slug] = d.show(n, f, mistakesIn(f.Path, problems), now)
	}
	slices.SortStableFunc(notices, func(a, b *notice.Notice) int { return byUrgency(a, b, now) })
	list := make([]demo.Notice, len(notices))
	for i, n := range notices {
		list[i] = shown[n.Slug]
	}
	return list, nil
}

func bySlug(notices []*notice.Notice) map[string]*notice.Notice {
	m := make(map[string]*notice.Notice, len(notices))
	for _, n := range notices {
		m[n.Slug] = n
	}
	return m
}

func byUrgency(a, b *notice.Notice, now time.Time) int {
	rank := map[notice.Phase]int{notice.Overdue: 0, notice.Closed: 0, notice.Draft: 1, notice.Scheduled: 2, notice.Reopened: 3, notice.Cancelled: 3}
	if by := cmp.Compare(rank[a.Phase(now)], rank[b.Phase(now)]); by != 0 {
		return by
	}
	if a.Phase(now) == notice.Scheduled {
		return a.Closes.Compare(b.Closes.Time)
	}
	return b.Closes.Compare(a.Closes.Time)
}

// show is a notice's file beside what counts.
func (d *desk) show(n *notice.Notice, f notice.File, mistakes []demo.Mistake, now time.Time) demo.Notice {
	shown := demo.Notice{
		Slug: f.Slug, File: f.Path, Title: n.Title, Tone: string(n.Phase(now)), Standing: d.standing(n, now),
		InForce: n.InForce(now), Text: string(f.Src), Mistakes: mistakes,
		Fixed: f.Problem != nil && (f.Src == nil || !utf8.Valid(f.Src)),
	}
	if shown.Wrong() {
		shown.Tone, shown.Standing = "wrong", "to put right"
	}
	return shown
}

func (d *desk) standing(n *notice.Notice, now time.Time) string {
	switch phase := n.Phase(now); {
	case phase == notice.Scheduled:
		return "closes " + d.site.short(n.Closes.Time, now)
	case phase == notice.Closed && n.Reopens.IsZero():
		return "in force until further notice"
	case phase == notice.Closed:
		return "in force until " + d.site.short(n.Until().Time, now)
	case phase == notice.Overdue:
		return "in force, overdue"
	case phase == notice.Reopened:
		return "over since " + d.site.short(n.End(), now)
	default:
		return string(phase)
	}
}

// mistakesIn are the problems of one file, warnings last.
func mistakesIn(file string, problems strictyaml.Problems) []demo.Mistake {
	var errs, warnings []demo.Mistake
	for _, p := range problems {
		if p.File != file {
			continue
		}
		m := demo.Mistake{Line: p.Line, Column: p.Column, Text: p.Text, Warning: p.Warning}
		p.Text, p.Warning = "", false
		m.Where = strings.TrimSuffix(p.String(), ": ")
		if m.Warning {
			warnings = append(warnings, m)
		} else {
			errs = append(errs, m)
		}
	}
	return append(errs, warnings...)
}
