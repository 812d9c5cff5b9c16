package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/backsoon/backsoon/internal/ledger"
	"github.com/backsoon/backsoon/internal/notice"
	"github.com/backsoon/backsoon/internal/strictyaml"
)

// filter is what an entry of the log has to meet to be shown.
type filter struct {
	notice, storefront, by string
	since, until           string
	refused                bool

	from, to time.Time       // since and until as read; zero: not asked for
	people   map[string]bool // who is in the log, where somebody was asked for
}

func (f *filter) flags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.notice, "notice", "", "what was about this notice, by its `slug`")
	flags.StringVar(&f.storefront, "storefront", "", "what was done at this storefront, by its `id`")
	flags.StringVar(&f.by, "by", "", "what somebody did: any part of their `name`, e-mail address or key's fingerprint")
	flags.StringVar(&f.since, "since", "", "from this `time` on; a date: from its beginning")
	flags.StringVar(&f.until, "until", "", "up to this `time`; a date: to its end")
	flags.BoolVar(&f.refused, "refused", false, "what was refused")
}

// read makes sense of what was asked for.
func (f *filter) read(s *site, tx *ledger.Tx) (err error) {
	f.notice, f.people = strings.TrimSuffix(f.notice, ".md"), map[string]bool{}
	if f.from, err = f.moment("since", f.since, s.cfg.Shop.Location, 0); err != nil {
		return err
	}
	if f.to, err = f.moment("until", f.until, s.cfg.Shop.Location, 1); err != nil {
		return err
	}
	if !f.to.IsZero() && f.to.Before(f.from) {
		return usagef("--until %s lies before --since %s; write the earlier one behind --since", f.until, f.since)
	}
	if f.storefront == "" {
		return nil
	}
	fronts, err := tx.Storefronts() // those of the past, too
	if _, known := fronts[f.storefront]; known || err != nil {
		return err
	}
	_, err = s.storefront(f.storefront)
	return err
}

// moment reads a time; a date stands for its beginning, so many days later.
func (f *filter) moment(flag, text string, zone *time.Location, days int) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	m, _, err := notice.ParseMoment(text, zone)
	if err != nil {
		return time.Time{}, usagef("--%s: %v", flag, err)
	}
	if m.DateOnly && days > 0 {
		return m.AddDate(0, 0, days).Add(-time.Millisecond), nil
	}
	return m.Time, nil
}

func (f *filter) passes(e ledger.Entry) bool {
	slug, _ := notice.Split(e.Notice) // a translation is refused by its own name
	switch {
	case f.notice != "" && slug != f.notice && e.Notice != f.notice,
		f.storefront != "" && e.Storefront != f.storefront,
		f.refused && e.Event != ledger.NoticeRefused,
		!f.from.IsZero() && e.Time.Before(f.from),
		!f.to.IsZero() && e.Time.After(f.to):
		return false
	}
	return f.by == "" || f.isBy(e)
}

func (f *filter) isBy(e ledger.Entry) bool {
	all := e.Also
	if e.By != nil {
		all = append([]ledger.By{*e.By}, e.Also...)
	}
	part := strings.ToLower(f.by)
	for _, by := range all {
		f.people[by.Name] = true
		for _, text := range []string{by.Name, by.Email, by.Key} {
			if strings.Contains(strings.ToLower(text), part) {
				return true
			}
		}
	}
	return false
}

// nothing says why nothing is shown: an error where what was asked for isn't there.
func (f *filter) nothing(s *site, tx *ledger.Tx, v view) error {
	if f.notice != "" {
		if err := f.unknownNotice(s, tx); err != nil {
			return err
		}
	}
	text := "No entry of the log is like that."
	delete(f.people, "")
	if people := slices.Sorted(maps.Keys(f.people)); f.by != "" && len(people) > 0 {
		text = fmt.Sprintf("Nobody like %q did anything like that; these did: %s.", f.by, strings.Join(people, ", "))
	}
	if !v.json {
		fmt.Fprintln(v.errs, strictyaml.Printable(text))
	}
	return nil
}

// unknownNotice tells a slug that nothing ever had, and which one may be meant.
func (f *filter) unknownNotice(s *site, tx *ledger.Tx) error {
	seen := map[string]bool{}
	err := eachEntry(tx, 0, func(e ledger.Entry) error { seen[e.Notice] = true; return nil })
	if err != nil || seen[f.notice] {
		return err
	}
	delete(seen, "")
	if near, ok := strictyaml.Nearest(f.notice, slices.Sorted(maps.Keys(seen))); ok {
		return fmt.Errorf("the log has nothing about a notice %q; did you mean %s?", f.notice, near)
	}
	if exists(s.file(f.notice)) {
		return fmt.Errorf("the log has nothing about %s yet; `backsoon check` says whether it can be accepted", f.notice)
	}
	return fmt.Errorf("the log has nothing about a notice %q; its slug is the file's name without .md", f.notice)
}
