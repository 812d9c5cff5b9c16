package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"time"

	"github.com/backsoon/backsoon/internal/authority"
	"github.com/backsoon/backsoon/internal/ledger"
	"github.com/backsoon/backsoon/internal/notice"
	"github.com/backsoon/backsoon/internal/strictyaml"
	"github.com/backsoon/backsoon/notify"
)

// unpublished is a file of the notices' folder that is other than it was accepted
// last.
type unpublished struct {
	authority.Publication
	name     string              // without .md
	copy     string              // the file, where it lies elsewhere than in the folder
	problems strictyaml.Problems // for which it can't be published
	replay   bool                // one of them: it counted before
	refused  error               // why its signatures don't suffice; nil: they do

	uncommitted bool // which it has to be
}

// record is what the ledger says was accepted.
type record struct {
	notices  map[string]*notice.Notice // in force, by slug
	versions map[string]notify.Basis   // in force, by the file's name without .md
	owners   map[string]string         // the name under which each content counted, by hash
	head     *notify.Head              // of the checkout; nil: the folder counts as it is
}

// record reads the ledger; one that isn't there yet says nothing.
func (s *site) record(ctx context.Context) (r record, err error) {
	r = record{versions: map[string]notify.Basis{}, owners: map[string]string{}}
	l, err := s.openLedger(ctx, false)
	if errors.Is(err, ledger.ErrMissing) {
		return r, nil
	}
	if err != nil {
		return r, err
	}
	defer l.Close()
	return r, l.View(ctx, func(tx *ledger.Tx) error { return r.read(tx, s) })
}

func (r *record) read(tx *ledger.Tx, s *site) (err error) {
	if r.notices, err = notify.Accepted(tx, s.cfg); err != nil {
		return err
	}
	notices, err := tx.Notices()
	if err != nil {
		return err
	}
	translations, err := tx.Translations()
	if err != nil {
		return err
	}
	versions, err := tx.Versions()
	if err != nil {
		return err
	}
	for _, n := range notices {
		r.versions[n.Slug] = notify.BasisOf(n.Version)
	}
	for _, t := range translations {
		r.versions[t.Slug] = notify.BasisOf(t.Version)
	}
	for _, v := range versions {
		if _, known := r.owners[v.SHA256]; !known {
			r.owners[v.SHA256] = v.Slug
		}
	}
	return nil
}

// unpublished lists what a watcher would judge anew, but for new drafts. Nothing is
// where no signatures are asked for.
func (s *site) unpublished(ctx context.Context, now time.Time) (all []unpublished, r record, err error) {
	if len(s.cfg.Publishers) == 0 {
		return nil, r, nil
	}
	if r, err = s.record(ctx); err != nil {
		return nil, r, err
	}
	files, err := s.submissions(ctx, &r)
	if err != nil {
		return nil, r, err
	}
	for _, f := range files {
		sha := hashOf(f.Src)
		if f.Problem == nil && !f.uncommitted && r.versions[f.Name].SHA256 == sha {
			continue
		}
		u := s.parse(f.File, f.signatures, r, now)
		u.Origin, u.uncommitted = f.origin, f.uncommitted
		if u.Next != nil && u.Next.Draft && u.InForce == nil {
			continue
		}
		u.judge(s, r.owners[sha], now)
		all = append(all, u)
	}
	return all, r, nil
}

// parse makes a publication of a file's bytes and the signatures beside it. A translation is judged by the notice
// in force or, where there is none yet, by the one beside it.
func (s *site) parse(f notice.File, signatures [][]byte, r record, now time.Time) unpublished {
	u := unpublished{name: f.Name, Publication: authority.Publication{
		Path: f.Path, Source: f.Src, Signatures: signatures, InForce: r.notices[f.Slug],
	}}
	switch {
	case f.Problem != nil:
		u.problems = strictyaml.Problems{*f.Problem}
	case f.Language == "":
		u.Next, u.problems = notice.Inspect(f.Path, f.Slug, f.Src, s.cfg.Shop.Location, now, s.cfg.StorefrontIDs())
		if u.Next != nil {
			u.problems = append(u.problems, u.Next.CheckChange(f.Path, now, u.InForce)...)
		}
	default:
		u.parseTranslation(s, f, r)
	}
	return u
}

func (u *unpublished) parseTranslation(s *site, f notice.File, r record) {
	t, problems := notice.ParseTranslation(f.Path, f.Name, f.Src, s.cfg.Shop.Location)
	if u.problems = problems; t == nil {
		return
	}
	if u.Next = r.notices[f.Slug]; u.Next == nil {
		beside := notice.ReadFile(s.cfg.Dir, f.Slug+".md")
		u.Next, _ = notice.Parse(beside.Path, f.Slug, beside.Src, s.cfg.Shop.Location)
	}
	u.problems = append(u.problems, t.Check(f.Path, u.Next, u.Next != nil, s.cfg.Surroundings().Languages)...)
	u.InForce = u.Next
}

// add puts a signature that was made for it into its place.
func (u *unpublished) add(sig authority.Signature) {
	slots := make([][]byte, len(notice.SignatureNames("")))
	copy(slots, u.Signatures)
	slots[sig.Slot] = sig.Armored
	u.Signatures = slots
}

func hashOf(src []byte) string {
	sum := sha256.Sum256(src)
	return hex.EncodeToString(sum[:])
}

// judge finds out whether it may be accepted. owner is the name under which the same
// bytes counted before, if they did.
func (u *unpublished) judge(s *site, owner string, now time.Time) {
	switch {
	case u.problems.Err() != nil:
	case owner == u.name && u.uncommitted: // the commit may bring it back
	case owner == u.name && u.Origin.Signed():
		u.Signatures = nil // those beside it counted
		_, u.refused = authority.Judge(s.cfg, u.Publication, now)
	case owner == u.name:
		u.replay = true
		text := notify.Replay
		if u.Origin != nil {
			text = notify.UnsignedRevert
		}
		u.problems = append(u.problems, strictyaml.Problem{File: u.Path, Line: 1, Column: 1, Text: text})
	case owner != "":
		u.problems = append(u.problems, notice.RenameProblem(u.Path, owner))
	default:
		_, u.refused = authority.Judge(s.cfg, u.Publication, now)
	}
}

// mustBeSigned keeps pages from showing what no watcher would accept.
func (s *site) mustBeSigned(ctx context.Context, now time.Time) error {
	unsigned, err := s.unsigned(ctx, now)
	if err != nil || len(unsigned) == 0 {
		return err
	}
	for i := range unsigned {
		unsigned[i].Warning = false
	}
	return &problemsError{unsigned, "nothing was built; public/ is as it was"}
}

// unsigned warns of what no watcher would accept for want of a signature.
func (s *site) unsigned(ctx context.Context, now time.Time) (problems strictyaml.Problems, err error) {
	if s.cfg.Database == "" { // else check says what is missing
		return nil, nil
	}
	all, r, err := s.unpublished(ctx, now)
	for _, u := range all {
		switch {
		case u.uncommitted:
			problems = append(problems, strictyaml.Problem{File: u.Path, Text: notify.Uncommitted, Warning: true})
		case u.refused != nil:
			problems = append(problems, strictyaml.Problem{File: u.Path, Text: u.refused.Error(), Warning: true})
		case u.replay:
			problems = append(problems, u.problems...)
		}
	}
	if why := r.head.Rewritten(); why != "" {
		problems = append(problems, strictyaml.Problem{File: notice.Folder, Text: why, Warning: true})
	}
	return problems, err
}
